using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using HybridTrading.Silo.Hosting.Tls;

namespace HybridTrading.Silo.Commands;

/// <summary><c>certificates</c>: an authority of the cluster's own, and what it issues.</summary>
public static class CertificatesCommand
{
    public static Command Create()
    {
        var cluster = new Option<string>("--cluster-name") { Description = "DNS name that all certificates of the cluster carry", DefaultValueFactory = _ => "hybrid.cluster", Recursive = true };
        var folder = new Option<DirectoryInfo>("--authority") { Description = "folder of the authority (authority.crt, authority.key)", Required = true };
        var years = new Option<int>("--years") { Description = "how long it is valid", DefaultValueFactory = _ => 10 };
        var ifMissing = new Option<bool>("--if-missing") { Description = "leave one that is there, without an error" };
        var days = new Option<int>("--days") { Description = "how long it is valid", DefaultValueFactory = _ => 90 };
        var target = new Option<DirectoryInfo>("--out") { Description = "folder for NAME.crt and NAME.key; those that are there are replaced", Required = true };
        var name = new Argument<string>("name") { Description = "of the process, for example silo-1" };

        var authority = new Command("authority", "Make the cluster's authority") { folder, years, ifMissing };
        authority.Handle((parsed, _) =>
        {
            string place = parsed.GetValue(folder)!.FullName;
            if (parsed.GetValue(ifMissing) && File.Exists(Path.Combine(place, ClusterAuthority.CertificateFile))) return Task.FromResult(0);
            ClusterAuthority.Create(place, parsed.GetValue(cluster)!, TimeSpan.FromDays(365.25 * Within(parsed.GetValue(years), 1, 50, "--years")), DateTimeOffset.UtcNow);
            Console.Out.WriteLine($"{Path.Combine(place, ClusterAuthority.CertificateFile)} goes to every process; {ClusterAuthority.KeyFile} stays where certificates are issued");
            return Task.FromResult(0);
        });

        var issue = new Command("issue", "Issue a process's certificate, or a new one in place of the old") { name, folder, target, days };
        issue.Handle((parsed, _) =>
        {
            string place = parsed.GetValue(target)!.FullName;
            using X509Certificate2 issued = ClusterAuthority.Open(parsed.GetValue(folder)!.FullName).Issue(
                place, parsed.GetValue(name)!, parsed.GetValue(cluster)!, TimeSpan.FromDays(Within(parsed.GetValue(days), 1, 825, "--days")), DateTimeOffset.UtcNow);
            Console.Out.WriteLine($"{Path.Combine(place, parsed.GetValue(name)!)}.crt, valid until {issued.NotAfter.ToUniversalTime():u}");
            return Task.FromResult(0);
        });

        return new Command("certificates", """
            Certificates for the mutual TLS between the processes of a cluster.

            Examples:
              certificates authority --authority ca
              certificates issue silo-1 --authority ca --out certs --days 90
            """) { cluster, authority, issue };
    }

    private static int Within(int value, int least, int most, string option) =>
        value >= least && value <= most ? value : throw new UsageException($"{option} is {value}; expected {least} to {most}");
}
