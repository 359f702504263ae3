using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Blobs;

/// <summary>
/// A content as it is stored, wherever that is: in chunks, each encrypted with its owner's key and bound to owner, id, content, place and end.
/// <code>
/// header (32 bytes)
/// 0   8      magic "HTBLOB" 0 1
/// 8   4      key number
/// 12  4      zero
/// 16  16     content: a random number, so that chunks of two contents of one id are not confused
/// chunk, of at most 262144 bytes; only the last is shorter, and there is always one
///     12     nonce
///     n      ciphertext (AES-256-GCM; associated data: header, owner, id, number of the chunk, 1 for the last)
///     16     tag
/// </code>
/// </summary>
internal sealed class SealedBlob
{
    public const int HeaderSize = 32, ChunkSize = 1 << 18, Overhead = RecordCodec.NonceSize + RecordCodec.TagSize;

    private static ReadOnlySpan<byte> Magic => "HTBLOB\0\u0001"u8;

    private readonly SubjectKey _key;
    private readonly byte[] _associated;

    private SealedBlob(SubjectKey key, byte[] header, StreamOwner owner, string id)
    {
        _key = key;
        Header = header;
        _associated = [.. header, .. Encoding.UTF8.GetBytes($"{owner.Subject}\n{id}\n"), 0, 0, 0, 0, 0];
    }

    public byte[] Header { get; }

    public Guid Content => ContentOf(Header);

    public static Guid ContentOf(ReadOnlySpan<byte> header) => new(header.Slice(16, 16));

    /// <summary>For a new content of an owner.</summary>
    /// <exception cref="StorageException">The key cannot be read or made.</exception>
    public static SealedBlob New(StreamOwner owner, string id, IKeyProvider keys)
    {
        SubjectKey key = keys.GetOrCreate(owner.Subject);
        byte[] header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), key.Number);
        RandomNumberGenerator.Fill(header.AsSpan(16));
        return new SealedBlob(key, header, owner, id);
    }

    /// <summary>For the content that has this header.</summary>
    /// <returns>Null where the key was destroyed.</returns>
    /// <exception cref="StorageException">It is no header, or the key cannot be read.</exception>
    public static SealedBlob? Of(byte[] header, StreamOwner owner, string id, IKeyProvider keys)
    {
        if (header.Length != HeaderSize || !header.AsSpan(0, 8).SequenceEqual(Magic)) throw new StorageException($"the stored content {id} is damaged: it has no header");
        SubjectKey? key = keys.Find(owner.Subject, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)));
        return key is null ? null : new SealedBlob(key, header, owner, id);
    }

    /// <summary>Length of the content whose chunks take so many bytes.</summary>
    public static long LengthOf(long chunkBytes) => chunkBytes - (chunkBytes + ChunkSize + Overhead - 1) / (ChunkSize + Overhead) * Overhead;

    public byte[] Seal(int number, bool last, ReadOnlySpan<byte> plain)
    {
        byte[] chunk = new byte[plain.Length + Overhead];
        Span<byte> nonce = chunk.AsSpan(0, RecordCodec.NonceSize);
        RandomNumberGenerator.Fill(nonce);
        _key.Encrypt(nonce, plain, chunk.AsSpan(RecordCodec.NonceSize, plain.Length), chunk.AsSpan(RecordCodec.NonceSize + plain.Length), Associated(number, last));
        return chunk;
    }

    /// <exception cref="StorageException">It is not the chunk that was written there.</exception>
    public byte[] Open(int number, bool last, ReadOnlySpan<byte> chunk, string name)
    {
        try
        {
            if (chunk.Length < Overhead) throw new StorageException($"{name} is damaged: chunk {number} is cut off");
            byte[] plain = new byte[chunk.Length - Overhead];
            _key.Decrypt(chunk[..RecordCodec.NonceSize], chunk.Slice(RecordCodec.NonceSize, plain.Length), chunk[(RecordCodec.NonceSize + plain.Length)..], plain, Associated(number, last));
            return plain;
        }
        catch (CryptographicException changed)
        {
            throw new StorageException($"{name} is damaged in chunk {number}; restore it from a backup", changed);
        }
        catch (ObjectDisposedException destroyed)
        {
            throw new StorageException($"{name}: its owner's key was destroyed", destroyed);
        }
    }

    /// <summary>Cuts a content into chunks.</summary>
    /// <param name="take">Takes the sealed chunks in order.</param>
    /// <returns>Length of the content.</returns>
    /// <exception cref="BlobTooLargeException">It has more than <paramref name="most"/> bytes.</exception>
    public async Task<long> CutAsync(Stream content, long most, Func<int, byte[], Task> take, CancellationToken cancellation)
    {
        byte[] now = new byte[ChunkSize], next = new byte[ChunkSize];
        int filled = await FillAsync(now).ConfigureAwait(false);
        long length = filled;
        for (int number = 0; ; number++)
        {
            if (length > most) throw new BlobTooLargeException(most);
            int more = filled < ChunkSize ? 0 : await FillAsync(next).ConfigureAwait(false);
            await take(number, Seal(number, more == 0, now.AsSpan(0, filled))).ConfigureAwait(false);
            if (more == 0) return length;
            length += more;
            (now, next, filled) = (next, now, more);
        }

        async Task<int> FillAsync(byte[] buffer) =>
            await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
    }

    private byte[] Associated(int number, bool last)
    {
        byte[] associated = [.. _associated];
        BinaryPrimitives.WriteInt32LittleEndian(associated.AsSpan(associated.Length - 5), number);
        associated[^1] = last ? (byte)1 : (byte)0;
        return associated;
    }
}

/// <summary>Reads a content chunk by chunk.</summary>
/// <param name="next">The plain bytes of a chunk by its number; null after the last.</param>
internal sealed class BlobStream(Func<int, CancellationToken, ValueTask<byte[]?>> next, Action? close = null) : Stream
{
    private byte[] _chunk = [];
    private int _number, _at;
    private bool _ended;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_at == _chunk.Length)
        {
            if (_ended || buffer.IsEmpty) return 0;
            if (await next(_number++, cancellationToken).ConfigureAwait(false) is not { } chunk)
            {
                _ended = true;
                return 0;
            }
            (_chunk, _at) = (chunk, 0);
        }
        int count = Math.Min(buffer.Length, _chunk.Length - _at);
        _chunk.AsMemory(_at, count).CopyTo(buffer);
        _at += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) close?.Invoke();
        base.Dispose(disposing);
    }
}
