using System.Collections.Immutable;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Storage.Tests.Sqlite;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Tests.Postgres;

public sealed class PostgresStoreTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Bars_are_kept_by_open_time_and_replaced_when_written_again()
    {
        await using PostgresDatabase database = PostgresDatabase.Create(await postgres.DatabaseAsync());
        var store = new PostgresBarStore(database);
        DateTime start = new(2024, 1, 2, 0, 0, 0, DateTimeKind.Utc);
        Bar[] bars = [.. Enumerable.Range(0, 10).Select(Hour)];
        await store.AppendAsync("EURUSD", TimeFrame.H1, bars);
        await store.AppendAsync("EURUSD", TimeFrame.M1, bars.AsMemory(0, 2));
        await store.AppendAsync("USDJPY", TimeFrame.H1, bars.AsMemory(0, 1));
        await store.AppendAsync("USDJPY", TimeFrame.H1, ReadOnlyMemory<Bar>.Empty);
        Bar corrected = bars[4] with { Volume = 99 };
        await store.AppendAsync("EURUSD", TimeFrame.H1, new[] { bars[4] with { Volume = 50 }, corrected });

        Assert.Equal([bars[3], corrected, bars[5]], await store.ReadLastAsync("EURUSD", TimeFrame.H1, 3, start.AddHours(6)));
        Assert.Equal(10, (await store.ReadLastAsync("EURUSD", TimeFrame.H1, 100, DateTime.MaxValue)).Length);
        Assert.Equal(ImmutableArray<Bar>.Empty, await store.ReadLastAsync("EURUSD", TimeFrame.H1, 3, start));
        Assert.Single(await store.ReadLastAsync("USDJPY", TimeFrame.H1, 3, DateTime.MaxValue));
        await Assert.ThrowsAsync<ArgumentException>(() => store.AppendAsync("EURUSD", TimeFrame.H1, new[] { bars[0] with { Volume = double.NaN } }));
        await Assert.ThrowsAsync<ArgumentException>(() => store.AppendAsync(
            "EURUSD", TimeFrame.H1, new[] { bars[0] with { OpenTime = DateTime.SpecifyKind(start, DateTimeKind.Local) } }));

        Bar Hour(int i)
        {
            var bid = new Ohlc(i + 1, i + 4, i + 1, i + 2);
            return new Bar(start.AddHours(i), bid, bid.Shift(1), i + 0.5);
        }
    }

    [Fact]
    public async Task Positions_are_shared_by_all_processes()
    {
        string connection = await postgres.DatabaseAsync();
        await using PostgresDatabase one = PostgresDatabase.Create(connection), other = PostgresDatabase.Create(connection);
        var positions = new PostgresPositionStore(one);
        Assert.Equal(0, await positions.LoadAsync("outbox"));
        await positions.SaveAsync("outbox", 17);
        await positions.SaveAsync("outbox", 42);
        await positions.SaveAsync("feed", 3);
        Assert.Equal(42, await new PostgresPositionStore(other).LoadAsync("outbox"));
        Assert.Equal(3, await new PostgresPositionStore(other).LoadAsync("feed"));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => positions.SaveAsync("outbox", -1));
    }

    [Fact]
    public async Task A_snapshot_comes_back_and_anything_wrong_with_it_makes_it_absent()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        await using PostgresProcess process = await PostgresProcess.StartAsync(connection, PostgresProcess.MasterKey(folder));
        var store = new PostgresSnapshotStore(process.Database, process.Keys);
        Assert.Null(await store.LoadAsync("a"));
        await process.Journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 9));
        await store.SaveAsync("a", Harness.Owner, 5, 2, "old"u8.ToArray());
        await store.SaveAsync("a", Harness.Owner, 9, 3, "balance 17"u8.ToArray());
        // From an activation that was left behind.
        await store.SaveAsync("a", Harness.Owner, 7, 3, "balance 7"u8.ToArray());
        Snapshot loaded = (await store.LoadAsync("a"))!;
        Assert.Equal((9L, 3, "balance 17"), (loaded.Version, loaded.Shape, Encoding.UTF8.GetString(loaded.Payload.Span)));
        Assert.Null(await store.LoadAsync("b"));

        // Ahead of its stream it does not count, and gives way.
        await store.SaveAsync("a", Harness.Owner, 10, 3, "too far"u8.ToArray());
        Assert.Null(await store.LoadAsync("a"));
        await store.SaveAsync("a", Harness.Owner, 9, 3, "balance 17"u8.ToArray());
        Assert.NotNull(await store.LoadAsync("a"));

        await Damage("UPDATE snapshot SET sealed = set_byte(sealed, 60, get_byte(sealed, 60) # 32)");
        Assert.Null(await store.LoadAsync("a"));
        await store.SaveAsync("a", Harness.Owner, 9, 3, "balance 17"u8.ToArray());
        await Damage("UPDATE snapshot SET stream = 'b'");
        Assert.Null(await store.LoadAsync("b"));
        await store.SaveAsync("a", Harness.Owner, 9, 3, "balance 17"u8.ToArray());
        Assert.NotNull(await store.LoadAsync("a"));
        process.Keys.Destroy(Harness.Owner.Subject);
        Assert.Null(await store.LoadAsync("a"));

        Task<int> Damage(string sql) => process.Database.OnceAsync("damage", (open, token) => open.ExecuteAsync(sql, [], token));
    }

    [Fact]
    public async Task Views_on_the_processs_own_disk_follow_the_journal_of_the_cluster()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync(), masterKey = PostgresProcess.MasterKey(folder);
        await using PostgresProcess writer = await PostgresProcess.StartAsync(connection, masterKey), reader = await PostgresProcess.StartAsync(connection, masterKey);
        using SqliteDatabase views = SqliteDatabase.Open(folder["views.db"], SqliteDurability.Normal);
        var count = new SqliteTests.CountByStream(1);
        await using var runner = new ProjectionRunner(reader.Journal, views, [count]);
        await runner.StartAsync();
        long last = 0;
        for (int i = 0; i < 30; i++) last = (await writer.Journal.AppendAsync("a", Harness.Owner, i, Harness.Events("a", i, 1))).LastPosition;
        await runner.WaitForAsync("count", last);
        Assert.Equal(30L, views.Read((SqliteConnection open) => SqliteTests.Scalar(open, "SELECT events FROM count_by_stream WHERE stream = 'a'")));
    }
}
