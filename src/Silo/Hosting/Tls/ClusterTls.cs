using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo.Hosting.Tls;

/// <summary>Where a process finds what proves that it belongs to the cluster. All are PEM files.</summary>
/// <param name="Authority">The cluster's authority; several while one follows another.</param>
/// <param name="Certificate">The process's own certificate, issued by the authority.</param>
/// <param name="Key">Its private key.</param>
/// <param name="ClusterName">The DNS name that every certificate of the cluster carries in its subject alternative name.</param>
public sealed record ClusterTlsFiles(string Authority, string Certificate, string Key, string ClusterName);

/// <summary>What a peer is in a connection: it decides which extended key usage its certificate must have.</summary>
public enum PeerRole
{
    Server,
    Client,
}

/// <summary>
/// Mutual TLS between the processes of a cluster. A peer is admitted by a certificate that the cluster's own authority issued (no other root
/// counts, whatever the machine trusts), that is valid now, is meant for its role, is no authority itself and carries the cluster's name. The
/// files are looked at for every handshake, so a replaced certificate or authority is used from the next connection on without a restart.
/// </summary>
public sealed partial class ClusterTls
{
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    private const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    private readonly ClusterTlsFiles _files;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private Loaded _loaded;

    private sealed record Loaded((DateTime, long, DateTime, long, DateTime, long) Stamp, X509Certificate2 Certificate, X509Certificate2Collection Authorities);

    /// <exception cref="UsageException">A file is missing or not what it should be, or the certificate is not one that the cluster would admit.</exception>
    public ClusterTls(ClusterTlsFiles files, TimeProvider clock, ILogger log)
    {
        _files = files;
        _clock = clock;
        _log = log;
        _loaded = Load();
        foreach (PeerRole role in Enum.GetValues<PeerRole>())
        {
            if (Fault(_loaded.Certificate, role) is { } fault) throw new UsageException($"the certificate in {files.Certificate} {fault}");
        }
    }

    /// <summary>The name that a connecting process expects of its peer.</summary>
    public string ClusterName => _files.ClusterName;

    /// <summary>The process's certificate with its key, as the files have it now.</summary>
    public X509Certificate2 Certificate => Current().Certificate;

    /// <summary>Whether a peer is admitted; who is not is logged with the reason.</summary>
    public bool Admits(X509Certificate2? certificate, PeerRole role)
    {
        string? fault = certificate is null ? "is missing" : Fault(certificate, role);
        if (fault is null) return true;
        LogRefused(role, certificate?.Subject ?? "none", fault);
        return false;
    }

    /// <summary>What speaks against a peer's certificate; null when nothing does.</summary>
    public string? Fault(X509Certificate2 certificate, PeerRole role)
    {
        string usage = role == PeerRole.Server ? ServerUsage : ClientUsage;
        // Without an own list of usages a certificate would be good for all of them.
        if (!certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(extension => extension.EnhancedKeyUsages.Cast<Oid>().Any(oid => oid.Value == usage)))
        {
            return $"is not meant for a {(role == PeerRole.Server ? "server" : "client")} (extended key usage {usage})";
        }
        if (!certificate.Extensions.OfType<X509KeyUsageExtension>().Any(extension => extension.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature)))
        {
            return "is not meant for signatures (key usage digitalSignature)";
        }
        if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(extension => extension.CertificateAuthority)) return "is an authority";
        if (!certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames()).Contains(ClusterName, StringComparer.OrdinalIgnoreCase))
        {
            return $"does not carry the cluster's name '{ClusterName}' as DNS name";
        }
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Current().Authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = _clock.GetUtcNow().LocalDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(usage));
        if (chain.Build(certificate)) return null;
        return $"is not admitted: {string.Join(", ", chain.ChainStatus.Select(status => status.Status).Distinct())}";
    }

    private Loaded Current()
    {
        lock (_gate)
        {
            if (Stamp() == _loaded.Stamp) return _loaded;
            try
            {
                _loaded = Load();
                LogReplaced(_loaded.Certificate.Subject, _loaded.Certificate.NotAfter.ToUniversalTime());
            }
            catch (UsageException e)
            {
                // In the middle of a replacement, or a bad one: what was good goes on, and the next handshake looks again.
                LogNotReplaced(e.Message);
            }
            return _loaded;
        }
    }

    private (DateTime, long, DateTime, long, DateTime, long) Stamp()
    {
        (DateTime, long) Of(string path)
        {
            // A platform that mounts secrets exchanges the target of a link, whose own date and length stay what they are.
            var file = new FileInfo(path);
            if (file.LinkTarget is not null) file = (FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
            return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
        }
        ((DateTime a, long b), (DateTime c, long d), (DateTime e, long f)) = (Of(_files.Authority), Of(_files.Certificate), Of(_files.Key));
        return (a, b, c, d, e, f);
    }

    private Loaded Load()
    {
        var stamp = Stamp();
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(_files.Authority);
            if (authorities.Count == 0) throw new UsageException($"{_files.Authority} holds no certificate; expected the cluster's authority in PEM");
            using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(_files.Certificate, _files.Key);
            // Windows cannot use a key in TLS that is in no key set.
            return new Loaded(stamp, X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null), authorities);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new UsageException($"the cluster's certificates ({_files.Authority}, {_files.Certificate}, {_files.Key}) cannot be used: {e.Message}");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A {Role} is refused: its certificate ({Subject}) {Fault}")]
    private partial void LogRefused(PeerRole role, string subject, string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "The cluster's certificates were replaced: now {Subject}, valid until {NotAfter:u}")]
    private partial void LogReplaced(string subject, DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Error, Message = "The replaced certificates are not used: {Why}")]
    private partial void LogNotReplaced(string why);
}
