using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// Snapshots in a folder, one file a stream, named by the SHA-256 of the stream's name and replaced at once. A snapshot is a short cut:
/// whatever is wrong with one (torn, damaged, of another format, key destroyed, ahead of its journal) it counts as absent.
/// <see cref="SealedSnapshot"/> has the bytes.
/// </summary>
/// <param name="durableVersion">The stream's version in the journal: a snapshot beyond it (the journal was restored from a backup, or lost
/// an unflushed replay) does not count.</param>
public sealed class FileSnapshotStore(string folder, IKeyProvider keys, Func<string, long> durableVersion, IFileDoor? door = null) : ISnapshotStore
{
    private readonly IFileDoor _door = door ?? new FileDoor();

    /// <exception cref="StorageException">The disk refused; the snapshot before is still there.</exception>
    public Task SaveAsync(
        string stream, StreamOwner owner, long version, int shape, ReadOnlyMemory<byte> payload, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        byte[] file = SealedSnapshot.Seal(stream, owner, version, shape, payload.Span, keys);
        string path = PathOf(stream);
        try
        {
            _door.CreateFolder(Path.GetDirectoryName(path)!);
            _door.WriteWhole(path, file, flushFolder: false);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "write snapshot", path);
        }
        return Task.CompletedTask;
    }

    public Task<Snapshot?> LoadAsync(string stream, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(Load(stream));
    }

    /// <exception cref="StorageException">The disk refused.</exception>
    public Task DeleteAsync(string stream, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        string path = PathOf(stream);
        try
        {
            if (_door.Exists(path)) _door.Delete(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "delete snapshot", path);
        }
        return Task.CompletedTask;
    }

    private Snapshot? Load(string stream)
    {
        byte[] file;
        try
        {
            string path = PathOf(stream);
            if (!_door.Exists(path)) return null;
            file = _door.ReadWhole(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        return SealedSnapshot.TryOpen(file, stream, durableVersion(stream), keys);
    }

    private string PathOf(string stream)
    {
        string hash = TreeHash.Sha256(Encoding.UTF8.GetBytes(stream)).ToString();
        return Path.Combine(folder, hash[..2], hash + ".snapshot");
    }
}
