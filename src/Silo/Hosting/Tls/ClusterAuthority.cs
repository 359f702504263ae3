using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo.Hosting.Tls;

/// <summary>
/// An authority of one cluster's own: ECDSA P-256, kept in two PEM files of a folder. For installations without a certificate service; its key belongs
/// on the machine of whoever issues certificates, not on the silos.
/// </summary>
public sealed class ClusterAuthority
{
    public const string CertificateFile = "authority.crt", KeyFile = "authority.key";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private readonly X509Certificate2 _certificate;

    private ClusterAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>Makes an authority and keeps it in the folder.</summary>
    /// <param name="clusterName">DNS name of the cluster.</param>
    /// <param name="lifetime">From now on.</param>
    /// <exception cref="UsageException">The folder holds an authority already.</exception>
    public static ClusterAuthority Create(string folder, string clusterName, TimeSpan lifetime, DateTimeOffset now)
    {
        CheckName(clusterName);
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, CertificateFile);
        if (File.Exists(path)) throw new UsageException($"{path} is there already: certificates of the cluster depend on it; expected a folder without one");
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={clusterName} authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        X509Certificate2 certificate = request.CreateSelfSigned(now - ClockSkew, now + lifetime);
        Write(folder, CertificateFile, KeyFile, certificate, key);
        return new ClusterAuthority(certificate);
    }

    /// <exception cref="UsageException">The folder holds no authority that can be used.</exception>
    public static ClusterAuthority Open(string folder)
    {
        try
        {
            return new ClusterAuthority(X509Certificate2.CreateFromPemFile(Path.Combine(folder, CertificateFile), Path.Combine(folder, KeyFile)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new UsageException($"no authority in {folder} ({CertificateFile}, {KeyFile}): {e.Message}");
        }
    }

    /// <summary>
    /// Issues a certificate for one process and puts it and its key in the folder, in place of those that are there: running processes use it from
    /// their next connection on.
    /// </summary>
    /// <param name="name">Of the files, and the subject: <c>silo-1</c> gives silo-1.crt and silo-1.key.</param>
    /// <exception cref="UsageException">The authority ends before the certificate would.</exception>
    public X509Certificate2 Issue(string folder, string name, string clusterName, TimeSpan lifetime, DateTimeOffset now)
    {
        CheckName(clusterName);
        CheckName(name);
        if (now + lifetime > _certificate.NotAfter)
        {
            throw new UsageException($"a certificate of {lifetime.TotalDays:0} days would outlive the authority, which ends at {_certificate.NotAfter.ToUniversalTime():u}");
        }
        Directory.CreateDirectory(folder);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(clusterName);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        X509Certificate2 issued = request.Create(_certificate, now - ClockSkew, now + lifetime, RandomNumberGenerator.GetBytes(16));
        Write(folder, $"{name}.crt", $"{name}.key", issued, key);
        return issued;
    }

    /// <summary>Each file is whole at every moment; a reader between the two sees a key that does not fit and waits for the other.</summary>
    private static void Write(string folder, string certificateFile, string keyFile, X509Certificate2 certificate, ECDsa key)
    {
        Replace(Path.Combine(folder, keyFile), key.ExportPkcs8PrivateKeyPem(), OwnerOnly);
        Replace(Path.Combine(folder, certificateFile), certificate.ExportCertificatePem(), OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    private static void Replace(string path, string text, UnixFileMode mode)
    {
        string part = $"{path}.part";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using (var writer = new StreamWriter(part, options)) writer.Write($"{text}\n");
        File.Move(part, path, overwrite: true);
    }

    private static void CheckName(string name)
    {
        if (Uri.CheckHostName(name) != UriHostNameType.Dns) throw new UsageException($"name is '{name}'; expected a DNS name, for example hybrid.cluster or silo-1");
    }
}
