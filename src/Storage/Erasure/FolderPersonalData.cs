using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Storage.Erasure;

/// <summary>Personal data in a data folder.</summary>
/// <param name="outbox">Folder of mails as files.</param>
/// <param name="state">The database of grain state and stored answers.</param>
public sealed class FolderPersonalData(
    IKeyProvider keys, SegmentJournal journal, ISnapshotStore snapshots, IBlobStore blobs, IAnswerStore answers, SqliteDatabase state,
    string outbox) : IPersonalData
{
    /// <summary>One process has the folder, and knows at once.</summary>
    public TimeSpan Spread => TimeSpan.Zero;

    public Task<ImmutableArray<string>> StreamsOfAsync(string person, CancellationToken cancellation = default) =>
        Task.FromResult<ImmutableArray<string>>([.. journal.Streams().Where(stream => PersonRemains.IsOf(person, stream)).Order(StringComparer.Ordinal)]);

    public Task DestroyKeyAsync(string subject, CancellationToken cancellation = default)
    {
        keys.Destroy(subject);
        return Task.CompletedTask;
    }

    public async Task RemoveAsync(Remains remains, CancellationToken cancellation = default)
    {
        await PersonRemains.RemoveAsync(remains, this, snapshots, blobs, answers, outbox, cancellation).ConfigureAwait(false);
        await state.ScrubAsync(cancellation).ConfigureAwait(false);
    }
}
