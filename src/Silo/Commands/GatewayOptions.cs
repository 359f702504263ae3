using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using HybridTrading.Api.Gateway;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Silo.Commands;

/// <summary>What <c>run</c> is told of how the gateway is reached.</summary>
/// <param name="Certificate">PEM or PFX file; null for plain HTTP.</param>
/// <param name="Key">PEM file; null where the certificate's has it.</param>
public sealed record GatewaySettings(
    IPAddress? Listen, ImmutableArray<string> PublicHosts, string? Certificate, string? Key, ImmutableArray<IPNetwork> Proxies, ImmutableArray<string> CorsOrigins,
    ComplianceSettings Compliance)
{
    /// <summary>Environment variable with the password of a PFX file or encrypted key: a command line is for everybody on the machine to read.</summary>
    public const string PasswordVariable = "Gateway__CertificatePassword";

    /// <summary>Reads the certificate and checks that all of it goes together.</summary>
    /// <exception cref="UsageException">It does not.</exception>
    public GatewayAccess Resolve(TimeProvider clock, ILogger log)
    {
        try
        {
            var access = new GatewayAccess
            {
                Listen = Listen, PublicHosts = PublicHosts, Proxies = Proxies, CorsOrigins = CorsOrigins,
                Certificate = Read(Certificate, Key, "--cert", PasswordVariable),
                Compliance = new ComplianceAccess
                {
                    Listen = Compliance.Listen, Certificate = Read(Compliance.Certificate, Compliance.Key, "--compliance-cert", ComplianceSettings.PasswordVariable),
                },
            };
            return access.Fault() is { } fault ? throw new UsageException(fault) : access;
        }
        catch (InvalidDataException e)
        {
            throw new UsageException(e.Message);
        }

        ServerCertificate? Read(string? file, string? key, string option, string passwordVariable) => file is null ? null
            : new ServerCertificate(file, key, Environment.GetEnvironmentVariable(passwordVariable) is { Length: > 0 } text ? text : null, clock, log, option);
    }
}

/// <summary>What <c>run</c> is told of how the compliance services are reached.</summary>
/// <param name="Certificate">PEM or PFX file; null for plain HTTP.</param>
/// <param name="Key">PEM file; null where the certificate's has it.</param>
public sealed record ComplianceSettings(IPAddress? Listen, string? Certificate, string? Key)
{
    /// <summary>Environment variable with the password of a PFX file or encrypted key.</summary>
    public const string PasswordVariable = "Compliance__CertificatePassword";
}

/// <summary>The options of <c>run</c> for HTTPS and for being reached from beyond this machine.</summary>
public sealed class GatewayOptions
{
    private readonly Option<string?> _listen = new("--listen")
    {
        Description = "address on which the gateway listens beside loopback, 0.0.0.0 or :: for all; other services stay on loopback, but for --compliance-listen",
    };

    private readonly Option<string?> _hosts = new("--public-host")
    {
        Description = "names by which the gateway is called, separated by commas, such as trade.example.com",
    };

    private readonly Option<string?> _certificate = new("--cert")
    {
        Description = $"PEM or PFX file: the gateway speaks HTTPS with it; read anew when it changes; password by {GatewaySettings.PasswordVariable}",
    };

    private readonly Option<string?> _key = new("--cert-key")
    {
        Description = "PEM file of its private key, where --cert does not hold it",
    };

    private readonly Option<string?> _proxies = new("--behind-proxy")
    {
        Description = "addresses (ADDRESS or ADDRESS/BITS, separated by commas) of proxies that end TLS and say for whom they call",
    };

    private readonly Option<string?> _cors = new("--cors-origin")
    {
        Description = "other sites whose pages may call the API, separated by commas, such as https://app.example.com",
    };

    private readonly Option<string?> _complianceListen = new("--compliance-listen")
    {
        Description = "address of the compliance network on which the compliance services (8017 to 8019) listen beside loopback",
    };

    private readonly Option<string?> _complianceCertificate = new("--compliance-cert")
    {
        Description = $"PEM or PFX file: the compliance services speak HTTPS with it; needed beyond loopback; password by {ComplianceSettings.PasswordVariable}",
    };

    private readonly Option<string?> _complianceKey = new("--compliance-cert-key")
    {
        Description = "PEM file of its private key, where --compliance-cert does not hold it",
    };

    public IEnumerable<Option> All => [_listen, _hosts, _certificate, _key, _proxies, _cors, _complianceListen, _complianceCertificate, _complianceKey];

    /// <exception cref="UsageException">An address that is none.</exception>
    public GatewaySettings Read(ParseResult parsed)
    {
        foreach ((Option<string?> key, Option<string?> certificate) in ((Option<string?>, Option<string?>)[])[(_key, _certificate), (_complianceKey, _complianceCertificate)])
        {
            if (parsed.GetValue(key) is not null && parsed.GetValue(certificate) is null)
            {
                throw new UsageException($"{key.Name} is of a certificate; expected {certificate.Name} FILE with it");
            }
        }
        return new GatewaySettings(
            Address(parsed, _listen), Words(parsed.GetValue(_hosts)), parsed.GetValue(_certificate), parsed.GetValue(_key),
            [.. Words(parsed.GetValue(_proxies)).Select(Network)], Words(parsed.GetValue(_cors)),
            new ComplianceSettings(Address(parsed, _complianceListen), parsed.GetValue(_complianceCertificate), parsed.GetValue(_complianceKey)));
    }

    private static IPAddress? Address(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is not { } text ? null
        : IPAddress.TryParse(text, out IPAddress? address) ? address
        : throw new UsageException($"{option.Name} is '{text}'; expected an IP address such as 0.0.0.0");

    private IPNetwork Network(string text)
    {
        if (IPNetwork.TryParse(text, out IPNetwork network)) return network;
        return IPAddress.TryParse(text, out IPAddress? one)
            ? new IPNetwork(one, one.GetAddressBytes().Length * 8)
            : throw new UsageException($"{_proxies.Name} is '{text}'; expected an address such as 10.0.0.5, or a network such as 10.0.0.0/24");
    }

    private static ImmutableArray<string> Words(string? text) => text is null
        ? []
        : [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
}
