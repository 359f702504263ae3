using System.Collections.Concurrent;
using System.Security.Cryptography;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Storage.Keys;

/// <summary>A data key of one subject: AES-256-GCM. Thread-safe.</summary>
public sealed class SubjectKey
{
    public const int Size = 32;

    private readonly byte[] _key;

    // A cipher is not safe for concurrent use and takes microseconds to set up.
    private readonly ConcurrentBag<AesGcm> _ciphers = [];
    private readonly Lock _setUp = new();
    private volatile bool _destroyed;

    /// <param name="number">1 for the subject's first key.</param>
    /// <param name="key">Exactly 32 bytes, copied.</param>
    public SubjectKey(int number, ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        if (key.Length != Size) throw new ArgumentException($"a data key has {Size} bytes, not {key.Length}", nameof(key));
        Number = number;
        _key = key.ToArray();
    }

    public int Number { get; }

    /// <exception cref="ObjectDisposedException">The key was destroyed in the meantime.</exception>
    public void Encrypt(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plain, Span<byte> cipher, Span<byte> tag, ReadOnlySpan<byte> associatedData)
    {
        AesGcm aes = Rent();
        aes.Encrypt(nonce, plain, cipher, tag, associatedData);
        _ciphers.Add(aes);
    }

    /// <exception cref="AuthenticationTagMismatchException">Not encrypted with this key, or changed since.</exception>
    /// <exception cref="ObjectDisposedException">The key was destroyed in the meantime.</exception>
    public void Decrypt(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> cipher, ReadOnlySpan<byte> tag, Span<byte> plain, ReadOnlySpan<byte> associatedData)
    {
        AesGcm aes = Rent();
        try
        {
            aes.Decrypt(nonce, cipher, tag, plain, associatedData);
        }
        finally
        {
            _ciphers.Add(aes);
        }
    }

    internal void Destroy()
    {
        lock (_setUp)
        {
            _destroyed = true;
            CryptographicOperations.ZeroMemory(_key);
        }
        while (_ciphers.TryTake(out AesGcm? cipher)) cipher.Dispose();
    }

    private AesGcm Rent()
    {
        ObjectDisposedException.ThrowIf(_destroyed, this);
        if (_ciphers.TryTake(out AesGcm? cipher)) return cipher;
        lock (_setUp)
        {
            // Checked again: a cipher set up with the zeroed key would encrypt for everybody.
            ObjectDisposedException.ThrowIf(_destroyed, this);
            return new AesGcm(_key, RecordCodec.TagSize);
        }
    }
}
