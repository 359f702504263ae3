using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HybridTrading.Api.Gateway;

/// <summary>
/// A certificate of the web server, out of a PEM file (with its key in it or in another) or a PFX file. When a file changes it is read anew, so a renewed one is taken
/// without a restart; one that cannot be read is logged, and the old one stays. Safe for concurrent use.
/// </summary>
public sealed partial class ServerCertificate
{
    private static readonly TimeSpan LookPace = TimeSpan.FromSeconds(1);

    private readonly string _file, _option;
    private readonly string? _keyFile, _password;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private SslStreamCertificateContext _current;
    private (DateTime, long, DateTime, long) _stamp;
    private DateTimeOffset _looked;

    /// <param name="keyFile">PEM of the private key; null when it is in <paramref name="file"/>.</param>
    /// <param name="password">Of the PFX file or of an encrypted key; null for none.</param>
    /// <param name="option">Of the command line, which faults name.</param>
    /// <exception cref="InvalidDataException">A file is missing, unreadable, or holds no certificate with its private key: the text says which.</exception>
    public ServerCertificate(string file, string? keyFile, string? password, TimeProvider clock, ILogger log, string option = "--cert")
    {
        (_file, _keyFile, _password, _clock, _log, _option) = (file, keyFile, password, clock, log, option);
        _stamp = Stamp();
        _looked = clock.GetUtcNow();
        _current = Load();
    }

    /// <summary>The certificate as the files have it now, looked at once a second at most, with the authorities between it and the root that the file has beside it.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_lock)
            {
                if (_clock.GetUtcNow() - _looked < LookPace) return _current;
                _looked = _clock.GetUtcNow();
                if (Stamp() is var stamp && stamp == _stamp) return _current;
                try
                {
                    // Connections under way hold the old one: it is left to the collector.
                    _current = Load();
                    _stamp = stamp;
                    LogTaken(_file, _current.TargetCertificate.Subject, _current.TargetCertificate.NotAfter);
                }
                catch (InvalidDataException e)
                {
                    LogNotTaken(e.Message);
                }
                return _current;
            }
        }
    }

    private SslStreamCertificateContext Load()
    {
        try
        {
            X509Certificate2Collection chain = [];
            bool isPfx = Path.GetExtension(_file).ToLowerInvariant() is ".pfx" or ".p12";
            if (isPfx)
            {
                chain = X509CertificateLoader.LoadPkcs12CollectionFromFile(_file, _password);
                return Context(chain.FirstOrDefault(each => each.HasPrivateKey), chain);
            }
            using X509Certificate2 pem = _password is null
                ? X509Certificate2.CreateFromPemFile(_file, _keyFile)
                : X509Certificate2.CreateFromEncryptedPemFile(_file, _password, _keyFile);
            chain.ImportFromPemFile(_file);
            // Windows' TLS takes no key that is in memory alone.
            return Context(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null), chain);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new InvalidDataException($"{_option} {_file}{(_keyFile is null ? "" : $" with {_option}-key {_keyFile}")} cannot be used: {e.Message}", e);
        }
    }

    /// <param name="all">What the file holds; the certificate itself is left out of its own chain.</param>
    private SslStreamCertificateContext Context(X509Certificate2? certificate, X509Certificate2Collection all)
    {
        if (certificate is not { HasPrivateKey: true }) throw new InvalidDataException($"{_option} {_file} has no private key; expected it there or in {_option}-key FILE");
        X509Certificate2Collection above = [.. all.Where(each => each.Thumbprint != certificate.Thumbprint)];
        return SslStreamCertificateContext.Create(certificate, above, offline: true);
    }

    private (DateTime, long, DateTime, long) Stamp()
    {
        var file = new FileInfo(_file);
        FileInfo key = _keyFile is null ? file : new FileInfo(_keyFile);
        return (file.Exists ? file.LastWriteTimeUtc : default, file.Exists ? file.Length : -1, key.Exists ? key.LastWriteTimeUtc : default, key.Exists ? key.Length : -1);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "certificate {File} was read anew: {Subject}, valid until {Until}")]
    private partial void LogTaken(string file, string subject, DateTime until);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Fault}; the old one stays in use")]
    private partial void LogNotTaken(string fault);
}
