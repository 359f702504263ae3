using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using HybridTrading.Silo.Hosting;
using HybridTrading.Silo.Hosting.Tls;

namespace HybridTrading.Silo.Commands;

/// <summary>What <c>run</c> is told of the cluster that the process joins.</summary>
/// <param name="Tls">Null where everything stays on this machine.</param>
/// <param name="MasterKey">File; null for the data folder's own.</param>
public sealed record ClusterSettings(IPAddress Listen, IPAddress Advertised, ClusterTlsFiles? Tls, string? MasterKey, bool Dashboard);

/// <summary>The options of <c>run</c> that only a build with <c>OrleansHost=Cluster</c> uses.</summary>
public sealed class ClusterOptions
{
    private readonly Option<string> _listen = new("--cluster-listen") { Description = "address that silo and gateway ports listen on, 0.0.0.0 for all (Cluster)", DefaultValueFactory = _ => "127.0.0.1" };
    private readonly Option<string?> _address = new("--cluster-address") { Description = "address by which other processes reach this one; default: that of --cluster-listen (Cluster)" };
    private readonly Option<string> _name = new("--cluster-name") { Description = "DNS name that all certificates of the cluster carry (Cluster)", DefaultValueFactory = _ => "hybrid.cluster" };
    private readonly Option<string?> _authority = new("--tls-authority") { Description = "PEM file of the cluster's authority; with the next two, silos talk by mutual TLS (Cluster)" };
    private readonly Option<string?> _certificate = new("--tls-certificate") { Description = "PEM file of this process's certificate (Cluster)" };
    private readonly Option<string?> _key = new("--tls-key") { Description = "PEM file of its private key (Cluster)" };
    private readonly Option<string?> _masterKey = new("--master-key") { Description = "file with the key that wraps all data keys, the same for every process; default: keys/master.key in the data folder (Cluster)" };
    private readonly Option<bool> _noDashboard = new("--no-dashboard") { Description = "collect nothing for Orleans' dashboard (Cluster)" };

    public IEnumerable<Option> All => [_listen, _address, _name, _authority, _certificate, _key, _masterKey, _noDashboard];

    /// <exception cref="UsageException">An address that is none, or some of the three files only; or options of a cluster in a build without one.</exception>
    public ClusterSettings Read(ParseResult parsed)
    {
        if (OrleansHost.Name != "Cluster" && All.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } meant)
        {
            throw new UsageException($"{meant.Name} is for a cluster; this build is OrleansHost={OrleansHost.Name}: expected one with -p:OrleansHost=Cluster");
        }
        IPAddress listen = Address(_listen.Name, parsed.GetValue(_listen)!);
        IPAddress advertised = parsed.GetValue(_address) is { } address ? Address(_address.Name, address) : listen;
        string?[] files = [parsed.GetValue(_authority), parsed.GetValue(_certificate), parsed.GetValue(_key)];
        if (files.Any(file => file is not null) && files.Any(file => file is null))
        {
            throw new UsageException("--tls-authority, --tls-certificate and --tls-key go together; expected all three or none");
        }
        ClusterTlsFiles? tls = files[0] is null ? null : new ClusterTlsFiles(files[0]!, files[1]!, files[2]!, parsed.GetValue(_name)!);
        return new ClusterSettings(listen, advertised, tls, parsed.GetValue(_masterKey), !parsed.GetValue(_noDashboard));
    }

    private static IPAddress Address(string option, string value) =>
        IPAddress.TryParse(value, out IPAddress? address) ? address : throw new UsageException($"{option} is '{value}'; expected an IP address");
}
