using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Storage.Keys;

/// <summary>
/// Seals secrets with AES-256-GCM and their owner's data key, so that destroying it destroys them. A sealed text is <c>1.KEY.DATA</c>: the
/// form, the number of the key, and in base 64 nonce, ciphertext and tag; owner and purpose are associated data.
/// </summary>
public sealed class SecretBox(IKeyProvider keys) : ISecretBox
{
    private const string Form = "1";

    /// <exception cref="StorageException">The key cannot be read or made.</exception>
    public string Seal(StreamOwner owner, string purpose, string secret)
    {
        SubjectKey key = keys.GetOrCreate(owner.Subject);
        byte[] plain = Encoding.UTF8.GetBytes(secret);
        byte[] data = new byte[RecordCodec.NonceSize + plain.Length + RecordCodec.TagSize];
        Span<byte> nonce = data.AsSpan(0, RecordCodec.NonceSize);
        RandomNumberGenerator.Fill(nonce);
        key.Encrypt(nonce, plain, data.AsSpan(RecordCodec.NonceSize, plain.Length), data.AsSpan(RecordCodec.NonceSize + plain.Length),
            Associated(owner, purpose));
        CryptographicOperations.ZeroMemory(plain);
        return string.Create(CultureInfo.InvariantCulture, $"{Form}.{key.Number}.{Convert.ToBase64String(data)}");
    }

    /// <exception cref="StorageException">The key cannot be read.</exception>
    public string? Open(StreamOwner owner, string purpose, string sealedText)
    {
        string[] parts = sealedText.Split('.');
        byte[] data = new byte[sealedText.Length];
        if (parts is not [Form, var number, var encoded] || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int keyNumber)
            || !Convert.TryFromBase64String(encoded, data, out int length) || length < RecordCodec.NonceSize + RecordCodec.TagSize)
        {
            throw new InvalidDataException("the sealed secret is damaged: it has not the form of one");
        }
        if (keys.Find(owner.Subject, keyNumber) is not { } key) return null;
        byte[] plain = new byte[length - RecordCodec.NonceSize - RecordCodec.TagSize];
        try
        {
            key.Decrypt(data.AsSpan(0, RecordCodec.NonceSize), data.AsSpan(RecordCodec.NonceSize, plain.Length),
                data.AsSpan(RecordCodec.NonceSize + plain.Length, RecordCodec.TagSize), plain, Associated(owner, purpose));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new InvalidDataException("the sealed secret was not sealed for this owner and purpose, or has been changed", e);
        }
        return Encoding.UTF8.GetString(plain);
    }

    private static byte[] Associated(StreamOwner owner, string purpose) => Encoding.UTF8.GetBytes($"{owner.Subject}\n{purpose}");
}
