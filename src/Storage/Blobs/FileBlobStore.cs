using System.Buffers;
using System.Text;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Blobs;

/// <summary>
/// Contents in a folder: a folder an owner, named by the SHA-256 of who it is, a file a content. A file is written under another name, flushed and
/// renamed, so that after a power cut there is all of it or nothing. <see cref="SealedBlob"/> has the bytes.
/// </summary>
public sealed class FileBlobStore : IBlobStore
{
    private const string Extension = ".blob", Unfinished = ".tmp";

    private readonly string _folder;
    private readonly IKeyProvider _keys;
    private readonly TimeProvider _time;
    private readonly IFileDoor _door;

    /// <summary>Takes a folder over from whoever used it before: what was being written when that ended is removed.</summary>
    /// <exception cref="StorageException">The disk refused.</exception>
    public FileBlobStore(string folder, IKeyProvider keys, TimeProvider time, IFileDoor? door = null)
    {
        (_folder, _keys, _time, _door) = (folder, keys, time, door ?? new FileDoor());
        if (!Directory.Exists(folder)) return;
        foreach (string owner in Directory.GetDirectories(folder))
        {
            foreach (string left in _door.List(owner).Where(file => file.EndsWith(Unfinished, StringComparison.Ordinal)))
            {
                Guarded("remove", left, () => _door.Delete(left));
            }
        }
    }

    public async Task<BlobInfo> PutAsync(StreamOwner owner, string id, Stream content, long most, CancellationToken cancellation = default)
    {
        string path = PathOf(owner, id), written = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        var blob = SealedBlob.New(owner, id, _keys);
        Guarded("make folder", path, () => _door.CreateFolder(Path.GetDirectoryName(path)!));
        bool placed = false;
        try
        {
            long length;
            using (IDoorFile file = Guarded("write", written, () => _door.Create(written)))
            {
                long at = SealedBlob.HeaderSize;
                Guarded("write", written, () => file.Write(blob.Header, 0));
                length = await blob.CutAsync(content, most, (_, chunk) =>
                {
                    Guarded("write", written, () => file.Write(chunk, at));
                    at += chunk.Length;
                    return Task.CompletedTask;
                }, cancellation).ConfigureAwait(false);
                Guarded("flush", written, file.Flush);
            }
            Guarded("write", path, () =>
            {
                _door.Replace(written, path);
                placed = true;
                _door.FlushFolder(Path.GetDirectoryName(path)!);
            });
            return new BlobInfo(id, length, _time.GetUtcNow().UtcDateTime);
        }
        finally
        {
            if (!placed && _door.Exists(written)) _door.Delete(written);
        }
    }

    public Task<Stream?> OpenAsync(StreamOwner owner, string id, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        string path = PathOf(owner, id);
        if (!_door.Exists(path)) return Task.FromResult<Stream?>(null);
        IDoorFile file;
        try
        {
            file = Guarded("read", path, () => _door.OpenRead(path));
        }
        catch (StorageException gone) when (gone.InnerException is FileNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
        try
        {
            byte[] header = new byte[SealedBlob.HeaderSize];
            int read = Guarded("read", path, () => file.Read(header, 0));
            if (SealedBlob.Of(header[..read], owner, id, _keys) is { } blob) return Task.FromResult<Stream?>(new BlobStream(Next, file.Dispose));
            file.Dispose();
            return Task.FromResult<Stream?>(null);

            ValueTask<byte[]?> Next(int number, CancellationToken token)
            {
                token.ThrowIfCancellationRequested();
                const int size = SealedBlob.ChunkSize + SealedBlob.Overhead;
                long at = SealedBlob.HeaderSize + (long)number * size, left = file.Length - at;
                if (left <= 0 && number > 0) return ValueTask.FromResult<byte[]?>(null);
                byte[] chunk = new byte[Math.Min(size, Math.Max(0, left))];
                int got = Guarded("read", path, () => file.Read(chunk, at));
                return ValueTask.FromResult<byte[]?>(blob.Open(number, left <= size, chunk.AsSpan(0, got), path));
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public Task<bool> DeleteAsync(StreamOwner owner, string id, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        string path = PathOf(owner, id);
        if (!_door.Exists(path)) return Task.FromResult(false);
        Guarded("delete", path, () =>
        {
            _door.Delete(path);
            _door.FlushFolder(Path.GetDirectoryName(path)!);
        });
        return Task.FromResult(true);
    }

    public Task<ImmutableArray<BlobInfo>> ListAsync(StreamOwner owner, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ImmutableArray<BlobInfo>.Builder found = ImmutableArray.CreateBuilder<BlobInfo>();
        foreach (string path in _door.List(FolderOf(owner)).Where(file => file.EndsWith(Extension, StringComparison.Ordinal)))
        {
            var file = new FileInfo(path);
            if (!file.Exists) continue;
            found.Add(new BlobInfo(Path.GetFileNameWithoutExtension(path), SealedBlob.LengthOf(file.Length - SealedBlob.HeaderSize), file.LastWriteTimeUtc));
        }
        return Task.FromResult(found.ToImmutable());
    }

    /// <summary>The files of an owner's contents in ordinal order, each named by its id.</summary>
    internal static string[] Files(string folder, string subject)
    {
        string owner = FolderOf(folder, subject);
        string[] files = Directory.Exists(owner) ? Directory.GetFiles(owner, "*" + Extension) : [];
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    private static string FolderOf(string folder, string subject) => Path.Combine(folder, TreeHash.Sha256(Encoding.UTF8.GetBytes(subject)).ToString());

    private string FolderOf(StreamOwner owner) => FolderOf(_folder, owner.Subject);

    private string PathOf(StreamOwner owner, string id) => Path.Combine(FolderOf(owner), BlobId.Checked(id) + Extension);

    private static void Guarded(string action, string path, Action work) => Guarded(action, path, () =>
    {
        work();
        return 0;
    });

    private static T Guarded<T>(string action, string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, action, path);
        }
    }
}

internal static class BlobId
{
    private const int Longest = 100;
    private static readonly SearchValues<char> Characters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <exception cref="ArgumentException">It is none.</exception>
    public static string Checked(string id) => id.Length is > 0 and <= Longest && id[0] != '.' && !id.AsSpan().ContainsAnyExcept(Characters)
        ? id
        : throw new ArgumentException($"the id of a content is '{id}'; expected 1 to {Longest} of a-z 0-9 - _ and dots inside", nameof(id));
}
