using System.Collections.Immutable;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Storage.Tests.MarketLog;
using Orleans;
using Orleans.Runtime;

namespace HybridTrading.Storage.Tests.Postgres;

public sealed class LocalDataCopyTests(PostgresFixture postgres)
{
    private const int Events = 5000;
    private static readonly GrainId Feed = GrainId.Create("feed", "feed");

    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))];

    private sealed record Place(long Position);

    [Fact]
    public async Task A_local_installation_is_moved_whole_with_the_same_tree_and_goes_on_in_the_cluster()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        await using PostgresDatabase database = PostgresDatabase.Create(connection);
        (TreeHead head, List<RecordedEvent> events, List<MarketEvent> market, ImmutableArray<Bar> bars) = await FillAsync(folder["data"]);
        List<DataCopyProgress> told = [];
        DataCopyReport report;
        using (DataFolder source = DataFolder.Open(folder["data"]))
        {
            report = await new LocalDataCopy(source, database).RunAsync(new Immediate(told.Add));
        }
        Assert.Equal(new DataCopyReport(head, 3, 4, market.Count, bars.Length, 1, 1, 1), report);
        await using (PostgresProcess reading = await PostgresProcess.StartAsync(connection, Path.Combine(folder["data"], "keys", "master.key")))
        {
            await using Stream? content = await new PostgresBlobStore(database, reading.Keys, TimeProvider.System).OpenAsync(Harness.Owner, "data-1");
            using var whole = new MemoryStream();
            await content!.CopyToAsync(whole);
            Assert.Equal(Content, whole.ToArray());
        }
        Assert.Equal(["journal", "market log live", "verify"], told.Select(at => at.Part).Distinct());
        Assert.All(told.GroupBy(at => at.Part), part => Assert.Equal(part.Last().Total, part.Last().Done));

        await using PostgresProcess process = await PostgresProcess.StartAsync(connection, Path.Combine(folder["data"], "keys", "master.key"));
        Assert.Equal(head, await process.Journal.TreeHeadAsync());
        Assert.Equal(events, await process.Journal.ReadAllAsync().ListAsync(), SegmentJournalTests.EventComparer.Instance);
        Assert.Equal(events.Skip(4090).Take(20), await process.Journal.SubscribeAsync(4090).FirstAsync(20), SegmentJournalTests.EventComparer.Instance);
        Assert.Equal(events.Where(one => one.Stream == "b"), await process.Journal.ReadAsync("b").ListAsync(), SegmentJournalTests.EventComparer.Instance);
        PostgresMarketLog log = PostgresMarketLog.Open(database, "live");
        Assert.Equal(market, await MarketLogContract.ListAsync(log, 0));
        Assert.Equal(market.Count, log.NextPosition);
        Assert.Equal(bars, await new PostgresBarStore(database).ReadLastAsync("EURUSD", TimeFrame.H1, 100, DateTime.MaxValue));
        var place = new GrainState<Place>(new Place(0));
        await new PostgresGrainStorage(database).ReadStateAsync("place", Feed, place);
        Assert.Equal((42L, true), (place.State!.Position, place.RecordExists));
        Assert.Equal(17, await new PostgresPositionStore(database).LoadAsync("outbox"));

        // It goes on where it stood: versions, positions, key numbers, the tree.
        Appended next = await process.Journal.AppendAsync("a", Harness.Owner, Events, Harness.Events("a", Events, 1));
        Assert.Equal(new Appended(head.Size, head.Size, Events + 1), next);
        Assert.Throws<SubjectErasedException>(() => process.Keys.GetOrCreate("acme/gone"));
        Assert.Equal([true, true], (await process.Journal.ReadAsync("gone").ListAsync()).Select(one => one.Erased));
        PostgresJournalReport sound = await new PostgresJournalVerifier(database, process.Keys).VerifyAsync();
        Assert.Null(sound.Fault);
        Assert.Equal((head.Size + 1, 2L), (sound.Events, sound.Erased));

        // Not over what is there.
        using DataFolder again = DataFolder.Open(folder["data"]);
        StorageException refused = await Assert.ThrowsAsync<StorageException>(() => new LocalDataCopy(again, database).RunAsync());
        Assert.Contains("holds events", refused.Message);
        Assert.Equal(head.Size + 1, (await process.Journal.TreeHeadAsync()).Size);
    }

    [Fact]
    public async Task A_source_that_is_not_sound_leaves_the_target_empty_and_can_be_copied_when_it_is_mended()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        await using PostgresDatabase database = PostgresDatabase.Create(connection);
        await FillAsync(folder["data"]);
        string segment = Directory.GetFiles(Path.Combine(folder["data"], "journal"), "*.log").Order(StringComparer.Ordinal).First();
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        byte[] damaged = [.. bytes];
        damaged[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(segment, damaged);
        using DataFolder source = DataFolder.Open(folder["data"]);
        StorageException refused = await Assert.ThrowsAsync<StorageException>(() => new LocalDataCopy(source, database).RunAsync());
        Assert.Contains("is not sound", refused.Message);
        Assert.Equal(0L, await database.RepeatableAsync("count", (open, token) => open.ScalarAsync<long>("SELECT count(*) FROM journal_event", [], token)));

        await File.WriteAllBytesAsync(segment, bytes);
        Assert.Equal(Events + 12, (await new LocalDataCopy(source, database).RunAsync()).Journal.Size);
    }

    [Theory]
    [InlineData("UPDATE journal_event SET record = set_byte(record, 5, get_byte(record, 5) # 1) WHERE stream = 'a' AND version = 7", "position 6")]
    [InlineData("UPDATE journal_event SET record = set_byte(record, length(record) - 1, get_byte(record, length(record) - 1) # 1) WHERE stream = 'a' AND version = 7", "the authentication tag does not match")]
    [InlineData("DELETE FROM journal_event WHERE stream = 'a' AND version = 7", "position 6")]
    [InlineData("DELETE FROM journal_batch", "there is no event")]
    [InlineData("UPDATE stream_head SET version = 100 WHERE stream = 'a'", "stream a has 10 events and stands at version 100")]
    [InlineData("DELETE FROM stream_head", "1 streams have events and no version")]
    [InlineData("UPDATE journal_tree SET peaks = set_byte(peaks, 3, get_byte(peaks, 3) # 1)", "is not the stored one")]
    [InlineData("UPDATE journal_tree SET xid = xid + 1", "the last transaction with a position")]
    public async Task Whatever_is_changed_in_the_database_is_found(string damage, string expected)
    {
        using var folder = new TemporaryFolder();
        await using PostgresProcess process = await PostgresProcess.StartAsync(await postgres.DatabaseAsync(), PostgresProcess.MasterKey(folder));
        await process.Journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 10));
        var verifier = new PostgresJournalVerifier(process.Database, process.Keys);
        Assert.Null((await verifier.VerifyAsync()).Fault);
        await process.Database.OnceAsync("damage", (open, token) => open.ExecuteAsync(damage, [], token));
        PostgresJournalReport report = await verifier.VerifyAsync();
        Assert.False(report.IsSound);
        Assert.Contains(expected, report.Fault!.ToString());
    }

    private static async Task<(TreeHead, List<RecordedEvent>, List<MarketEvent>, ImmutableArray<Bar>)> FillAsync(string path)
    {
        using DataFolder folder = DataFolder.Open(path);
        FileKeyProvider keys = FileKeyProvider.Open(folder.Keys);
        List<RecordedEvent> events;
        TreeHead head;
        await using (SegmentJournal journal = SegmentJournal.Open(folder.Journal, keys, new JournalOptions { SegmentBytes = 256 << 10 }))
        {
            var gone = new StreamOwner("acme", "acme/gone");
            await journal.AppendAsync("gone", gone, 0, Harness.Events("gone", 0, 2));
            await Task.WhenAll(Enumerable.Range(0, Events / 5).Select(i => journal.AppendAsync("a", Harness.Owner, 5 * i, Harness.Events("a", 5 * i, 5))));
            await journal.AppendAsync("b", new StreamOwner("acme", "acme/bob"), 0, Harness.Events("b", 0, 10));
            keys.Destroy("acme/gone");
            // A key that was made and used by no event yet.
            keys.GetOrCreate("acme/new");
            events = await journal.ReadAllAsync().ListAsync();
            head = journal.TreeHead;
        }
        await new FileBlobStore(folder.Blobs, keys, TimeProvider.System).PutAsync(Harness.Owner, "data-1", new MemoryStream(Content), Content.Length);
        var random = new Random(5);
        List<MarketEvent> market = [.. Enumerable.Range(0, 500).Select(i => MarketLogContract.Event(i, random))];
        await using (SegmentMarketLog log = SegmentMarketLog.Open(folder.Feed("live"), new MarketLogOptions { SegmentBytes = 4096 }))
        {
            foreach (MarketEvent[] batch in market.Chunk(20)) await log.AppendAsync(batch);
        }
        using SqliteDatabase bars = SqliteDatabase.Open(folder.BarDatabase, SqliteDurability.Normal);
        var store = new SqliteBarStore(bars);
        DateTime start = new(2024, 1, 2, 0, 0, 0, DateTimeKind.Utc);
        await store.AppendAsync("EURUSD", TimeFrame.H1, Enumerable.Range(1, 20).Select(i =>
            new Bar(start.AddHours(i), new Ohlc(i, i + 3, i, i + 1), new Ohlc(i + 1, i + 4, i + 1, i + 2), i / 4.0)).ToArray());
        using SqliteDatabase state = SqliteDatabase.Open(folder.StateDatabase);
        await new SqlitePositionStore(state).SaveAsync("outbox", 17);
        await new SqliteGrainStorage(state).WriteStateAsync("place", Feed, new GrainState<Place>(new Place(42)));
        return (head, events, market, await store.ReadLastAsync("EURUSD", TimeFrame.H1, 100, DateTime.MaxValue));
    }

    private sealed class Immediate(Action<DataCopyProgress> report) : IProgress<DataCopyProgress>
    {
        public void Report(DataCopyProgress value) => report(value);
    }
}
