using System.Buffers.Binary;
using System.Security.Cryptography;

namespace HybridTrading.Domain.Users;

/// <summary>Time-based one-time passwords, RFC 6238 as authenticator apps have it: HMAC-SHA-1, 30 s, 6 digits.</summary>
public static class Totp
{
    /// <summary>Bytes of a secret, as RFC 4226 recommends for SHA-1.</summary>
    public const int SecretSize = 20;

    private const int StepSeconds = 30;

    /// <summary>Steps that a clock may be off to either side.</summary>
    private const int Drift = 1;

    /// <summary>The step that a code is right for; null when it is for none near now, or for one that was used before.</summary>
    /// <param name="lastUsed">The latest step whose code was taken: none up to it is taken again.</param>
    public static long? Match(ReadOnlySpan<byte> secret, string code, DateTime now, long lastUsed)
    {
        if (code.Length != 6) return null;
        long step = StepOf(now);
        long? match = null;
        for (long each = step - Drift; each <= step + Drift; each++)
        {
            // Compared to the end for each, so that the time tells nothing.
            bool equal = CryptographicOperations.FixedTimeEquals(
                System.Text.Encoding.UTF8.GetBytes(Code(secret, each)), System.Text.Encoding.UTF8.GetBytes(code));
            if (equal && each > lastUsed) match = each;
        }
        return match;
    }

    public static long StepOf(DateTime time) => new DateTimeOffset(time, TimeSpan.Zero).ToUnixTimeSeconds() / StepSeconds;

    /// <summary>The code of a step: 6 digits.</summary>
    public static string Code(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(secret, counter, hash);
        int offset = hash[^1] & 15;
        int number = BinaryPrimitives.ReadInt32BigEndian(hash[offset..]) & int.MaxValue;
        return (number % 1_000_000).ToString("D6", System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>What authenticator apps take as a QR code.</summary>
    /// <param name="secret">Base 32.</param>
    public static string Uri(string issuer, string account, string secret) =>
        $"otpauth://totp/{System.Uri.EscapeDataString(issuer)}:{System.Uri.EscapeDataString(account)}?secret={secret}"
        + $"&issuer={System.Uri.EscapeDataString(issuer)}&algorithm=SHA1&digits=6&period={StepSeconds}";
}
