using HybridTrading.Domain.Journal;

namespace HybridTrading.Domain.Blobs;

/// <summary>A content that is kept as it is: a file that a user has uploaded, a result that a job has made.</summary>
/// <param name="Id">1 to 100 of a-z 0-9 - _ and dots inside; unique among its owner's.</param>
/// <param name="Length">Bytes of the content.</param>
public sealed record BlobInfo(string Id, long Length, DateTime StoredAt);

/// <summary>
/// Contents of persons, each encrypted with the key of its owner: destroying the key destroys them, wherever copies lie. Thread-safe.
/// </summary>
public interface IBlobStore
{
    /// <summary>Streams a content in. Nothing of it is there before all of it is, durably; a content that there was under the id is replaced at once.</summary>
    /// <param name="most">Bytes that the content may have.</param>
    /// <exception cref="BlobTooLargeException">It has more; nothing is kept.</exception>
    /// <exception cref="IOException">The store refused, or the content broke off; nothing is kept.</exception>
    Task<BlobInfo> PutAsync(StreamOwner owner, string id, Stream content, long most, CancellationToken cancellation = default);

    /// <summary>The content, to be read once from front to end; reading throws <see cref="IOException"/> where it is damaged.</summary>
    /// <returns>Null where there is none, or its owner's key was destroyed.</returns>
    Task<Stream?> OpenAsync(StreamOwner owner, string id, CancellationToken cancellation = default);

    /// <returns>False where there was none.</returns>
    Task<bool> DeleteAsync(StreamOwner owner, string id, CancellationToken cancellation = default);

    /// <summary>All of an owner's, by id in ordinal order.</summary>
    Task<ImmutableArray<BlobInfo>> ListAsync(StreamOwner owner, CancellationToken cancellation = default);
}

/// <summary>A content has more bytes than it may have.</summary>
public sealed class BlobTooLargeException(long most) : Exception($"the content has more than {most} bytes")
{
    public long Most => most;
}
