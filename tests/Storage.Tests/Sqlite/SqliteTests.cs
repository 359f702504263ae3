using System.Collections.Immutable;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Tests.Sqlite;

public sealed class SqliteTests
{
    [Fact]
    public void A_database_is_private_says_which_library_runs_and_refuses_foreign_and_newer_files()
    {
        using var folder = new TemporaryFolder();
        using (SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]))
        {
            Assert.Matches(@"^3\.\d+\.\d+$", database.Info.SqliteVersion);
            if (File.Exists("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0")) Assert.Equal("libsqlite3.so.0", database.Info.Source);
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["state.db"]));
            }
            Assert.Equal("wal", database.Read(connection => Scalar(connection, "PRAGMA journal_mode")));
        }
        File.WriteAllText(folder["text.db"], new string('x', 4096));
        Assert.Contains("no SQLite database", Assert.Throws<StorageException>(() => SqliteDatabase.Open(folder["text.db"])).Message);
        using (var foreign = new SqliteConnection($"Data Source={folder["foreign.db"]};Pooling=False"))
        {
            foreign.Open();
            Scalar(foreign, "CREATE TABLE t (x)");
        }
        Assert.Contains("no database of HybridTrading", Assert.Throws<StorageException>(() => SqliteDatabase.Open(folder["foreign.db"])).Message);
        using (var newer = new SqliteConnection($"Data Source={folder["state.db"]};Pooling=False"))
        {
            newer.Open();
            Scalar(newer, "PRAGMA user_version = 9");
        }
        Assert.Contains("has format 9", Assert.Throws<StorageException>(() => SqliteDatabase.Open(folder["state.db"])).Message);
        Assert.Contains("cannot open", Assert.Throws<StorageException>(() => SqliteDatabase.Open(folder["none/state.db"])).Message);
    }

    [Fact]
    public async Task Positions_survive_a_restart_and_a_failed_write_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        using (SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]))
        {
            var positions = new SqlitePositionStore(database);
            Assert.Equal(0, await positions.LoadAsync("outbox"));
            await positions.SaveAsync("outbox", 17);
            await positions.SaveAsync("outbox", 42);
            await positions.SaveAsync("feed", 3);
            await Assert.ThrowsAsync<InvalidOperationException>(() => database.WriteAsync((connection, transaction) =>
            {
                SqlitePositionStore.Save(connection, transaction, "outbox", 0, 99);
                throw new InvalidOperationException();
            }));
        }
        using SqliteDatabase again = SqliteDatabase.Open(folder["state.db"]);
        Assert.Equal(42, await new SqlitePositionStore(again).LoadAsync("outbox"));
        Assert.Equal(3, await new SqlitePositionStore(again).LoadAsync("feed"));
    }

    [Fact]
    public async Task Bars_are_kept_by_open_time_and_replaced_when_written_again()
    {
        using var folder = new TemporaryFolder();
        using SqliteDatabase database = SqliteDatabase.Open(folder["bars.db"], SqliteDurability.Normal);
        var store = new SqliteBarStore(database);
        DateTime start = new(2024, 1, 2, 0, 0, 0, DateTimeKind.Utc);
        Bar[] bars = [.. Enumerable.Range(0, 10).Select(Hour)];
        await store.AppendAsync("EURUSD", TimeFrame.H1, bars);
        await store.AppendAsync("EURUSD", TimeFrame.M1, bars.AsMemory(0, 2));
        await store.AppendAsync("USDJPY", TimeFrame.H1, bars.AsMemory(0, 1));
        Bar corrected = bars[4] with { Volume = 99 };
        await store.AppendAsync("EURUSD", TimeFrame.H1, new[] { corrected });

        Assert.Equal([bars[3], corrected, bars[5]], await store.ReadLastAsync("EURUSD", TimeFrame.H1, 3, start.AddHours(6)));
        Assert.Equal(10, (await store.ReadLastAsync("EURUSD", TimeFrame.H1, 100, DateTime.MaxValue)).Length);
        Assert.Equal(ImmutableArray<Bar>.Empty, await store.ReadLastAsync("EURUSD", TimeFrame.H1, 3, start));
        Assert.Single(await store.ReadLastAsync("USDJPY", TimeFrame.H1, 3, DateTime.MaxValue));
        await Assert.ThrowsAsync<ArgumentException>(() => store.AppendAsync("EURUSD", TimeFrame.H1, new[] { bars[0] with { Volume = double.NaN } }));

        Bar Hour(int i)
        {
            var bid = new Ohlc(i + 1, i + 4, i + 1, i + 2);
            return new Bar(start.AddHours(i), bid, bid.Shift(1), i + 0.5);
        }
    }

    [Fact]
    public async Task A_projection_follows_waits_goes_on_after_a_restart_and_is_rebuilt_when_its_version_changes()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        await using SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys);
        long version = 0;
        var first = new CountByStream(1);
        using (SqliteDatabase database = SqliteDatabase.Open(folder["views.db"], SqliteDurability.Normal))
        {
            await using var runner = new ProjectionRunner(journal, database, [first]);
            await runner.StartAsync();
            for (int i = 0; i < 20; i++)
            {
                Appended appended = await journal.AppendAsync("a", Harness.Owner, version, Harness.Events("a", version, 3));
                version = appended.Version;
                await runner.WaitForAsync("count", appended.LastPosition);
                Assert.Equal(version, database.Read(connection => Scalar(connection, "SELECT events FROM count_by_stream WHERE stream = 'a'")));
            }
            using var patience = new CancellationTokenSource();
            Task tooFar = runner.WaitForAsync("count", journal.DurableSize, patience.Token);
            Assert.False(tooFar.IsCompleted);
            await patience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tooFar);
            await Assert.ThrowsAsync<ArgumentException>(() => runner.WaitForAsync("other", 0));
        }

        await journal.AppendAsync("b", Harness.Owner, 0, Harness.Events("b", 0, 4));
        var again = new CountByStream(1);
        using (SqliteDatabase database = SqliteDatabase.Open(folder["views.db"], SqliteDurability.Normal))
        {
            await using var runner = new ProjectionRunner(journal, database, [again]);
            await runner.StartAsync();
            await runner.WaitForAsync("count", journal.DurableSize - 1);
            Assert.Equal((0, 4), (again.Created, again.Applied));
        }

        var changed = new CountByStream(2);
        using (SqliteDatabase database = SqliteDatabase.Open(folder["views.db"], SqliteDurability.Normal))
        {
            await using var runner = new ProjectionRunner(journal, database, [changed]);
            await runner.StartAsync();
            await runner.WaitForAsync("count", journal.DurableSize - 1);
            Assert.Equal((1, 64), (changed.Created, changed.Applied));
            Assert.Equal(60L, database.Read(connection => Scalar(connection, "SELECT events FROM count_by_stream WHERE stream = 'a'")));
        }
    }

    [Fact]
    public async Task A_projection_that_throws_is_set_aside_with_its_reason_and_the_others_go_on()
    {
        using var folder = new TemporaryFolder();
        await using SegmentJournal journal = SegmentJournal.Open(folder["journal"], FileKeyProvider.Open(folder["keys"]));
        await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 5));
        using SqliteDatabase database = SqliteDatabase.Open(folder["views.db"], SqliteDurability.Normal);
        var good = new CountByStream(1);
        await using var runner = new ProjectionRunner(journal, database, [good, new Broken()]);
        await runner.StartAsync();
        StorageException failed = await Assert.ThrowsAsync<StorageException>(() => runner.WaitForAsync("broken", 4));
        Assert.Contains("projection broken failed at position 3 (order-accepted of a): bad luck", failed.Message);
        await runner.WaitForAsync("count", 4);
        await journal.AppendAsync("a", Harness.Owner, 5, Harness.Events("a", 5, 1));
        await runner.WaitForAsync("count", 5);
        Assert.Equal(6L, database.Read(connection => Scalar(connection, "SELECT events FROM count_by_stream WHERE stream = 'a'")));
        Assert.Equal(0, runner.Position("broken"));
    }

    internal static object? Scalar(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    internal sealed class CountByStream(int version) : IProjection
    {
        public int Created { get; private set; }
        public int Applied { get; private set; }
        public string Name => "count";
        public int Version => version;

        public void Create(ProjectionWriter writer)
        {
            Created++;
            writer.Execute("DROP TABLE IF EXISTS count_by_stream");
            writer.Execute("CREATE TABLE count_by_stream (stream TEXT PRIMARY KEY, events INTEGER NOT NULL)");
        }

        public void Erase(string subject, ProjectionWriter writer)
        {
        }

        public void Apply(RecordedEvent one, ProjectionWriter writer)
        {
            Applied++;
            writer.Execute("INSERT INTO count_by_stream VALUES ($1, 1) ON CONFLICT (stream) DO UPDATE SET events = events + 1", one.Stream);
            Assert.Equal(one.Version, writer.Scalar("SELECT events FROM count_by_stream WHERE stream = $1", one.Stream));
        }
    }

    private sealed class Broken : IProjection
    {
        public string Name => "broken";
        public int Version => 1;

        public void Create(ProjectionWriter writer)
        {
        }

        public void Erase(string subject, ProjectionWriter writer)
        {
        }

        public void Apply(RecordedEvent one, ProjectionWriter writer)
        {
            if (one.Position == 3) throw new InvalidOperationException("bad luck");
        }
    }
}
