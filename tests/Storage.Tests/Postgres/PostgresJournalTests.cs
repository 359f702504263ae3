using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Tests;
using Npgsql;

namespace HybridTrading.Storage.Tests.Postgres;

/// <summary>A process of a cluster as its journal sees it: a pool and keys of its own, over a database that others use too.</summary>
internal sealed class PostgresProcess : IAsyncDisposable
{
    private PostgresProcess(PostgresDatabase database, PostgresKeyProvider keys, PostgresJournal journal)
    {
        Database = database;
        Keys = keys;
        Journal = journal;
    }

    public PostgresDatabase Database { get; }

    public PostgresKeyProvider Keys { get; }

    public PostgresJournal Journal { get; }

    public static async Task<PostgresProcess> StartAsync(
        string connection, string masterKey, PostgresJournalOptions? options = null, PostgresOptions? database = null)
    {
        PostgresDatabase own = PostgresDatabase.Create(connection, database);
        PostgresKeyProvider keys = PostgresKeyProvider.Open(own, masterKey);
        return new PostgresProcess(own, keys, await PostgresJournal.OpenAsync(own, keys, options));
    }

    /// <summary>Makes a master key as Local does.</summary>
    public static string MasterKey(TemporaryFolder folder)
    {
        FileKeyProvider.Open(folder["keys"]);
        return Path.Combine(folder["keys"], "master.key");
    }

    public async ValueTask DisposeAsync()
    {
        await Journal.DisposeAsync();
        Keys.Dispose();
        await Database.DisposeAsync();
    }
}

public sealed class PostgresJournalContractTests(PostgresFixture postgres) : JournalContract
{
    protected override async Task<JournalHome> HomeAsync() => new Home(await postgres.DatabaseAsync());

    private sealed class Home : JournalHome
    {
        private readonly TemporaryFolder _folder = new();
        private readonly PostgresDatabase _database;
        private readonly PostgresKeyProvider _keys;

        public Home(string connection)
        {
            _database = PostgresDatabase.Create(connection);
            _keys = PostgresKeyProvider.Open(_database, PostgresProcess.MasterKey(_folder));
        }

        public override IKeyProvider Keys => _keys;

        public override async Task<IJournal> OpenAsync() => await PostgresJournal.OpenAsync(_database, _keys);

        public override Task<TreeHead> TreeAsync(IJournal journal) => ((PostgresJournal)journal).TreeHeadAsync();

        public override async ValueTask DisposeAsync()
        {
            _keys.Dispose();
            await _database.DisposeAsync();
            _folder.Dispose();
        }
    }
}

public sealed class PostgresJournalTests(PostgresFixture postgres)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Nothing_passes_a_transaction_that_commits_late_and_one_that_aborts_leaves_no_gap()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        await using PostgresProcess process = await PostgresProcess.StartAsync(connection, PostgresProcess.MasterKey(folder));
        PostgresJournal journal = process.Journal;
        await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        Task<List<RecordedEvent>> follower = journal.SubscribeAsync(0).FirstAsync(5);

        // Two writers that have written and not committed: their events come before what others commit meanwhile, or never.
        await using var late = await OpenWriter.StartAsync(connection, "late", process.Keys, 2);
        await using var lost = await OpenWriter.StartAsync(connection, "lost", process.Keys, 1);
        Task<Appended> append = journal.AppendAsync("b", Harness.Owner, 0, Harness.Events("b", 0, 2));
        await using var observer = new NpgsqlConnection(connection);
        await observer.OpenAsync();
        // Committed, as everybody sees, but nobody gives it a position yet.
        await Until(async () => (long)(await Scalar(observer, "SELECT count(*) FROM journal_event WHERE stream = 'b'"))! == 2);
        await journal.WaitForAsync(0);
        Assert.Equal(1L, await Scalar(observer, "SELECT size FROM journal_tree"));
        Assert.False(append.IsCompleted);
        Task<List<RecordedEvent>> reader = journal.ReadAsync("b").ListAsync();
        Assert.Equal(1, journal.DurableSize);

        await lost.Transaction.RollbackAsync();
        await late.Transaction.CommitAsync();
        Assert.Equal(new Appended(3, 4, 2), await append.WaitAsync(Longest));
        Assert.Equal([("a", 1L), ("late", 1), ("late", 2), ("b", 1), ("b", 2)], (await follower.WaitAsync(Longest)).Select(one => (one.Stream, one.Version)));
        Assert.Equal([3L, 4], (await reader.WaitAsync(Longest)).Select(one => one.Position));
        Assert.Empty(await journal.ReadAsync("lost").ListAsync());
    }

    [Fact]
    public async Task Several_processes_write_at_once_some_abort_and_all_read_one_and_the_same_order()
    {
        const int processes = 3, streams = 4, each = 40;
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        string masterKey = PostgresProcess.MasterKey(folder);
        var all = new List<PostgresProcess>();
        // Small batches, so that transactions of the processes interleave.
        for (int p = 0; p < processes; p++) all.Add(await PostgresProcess.StartAsync(connection, masterKey, new PostgresJournalOptions { BatchEvents = 3 }));
        using var stop = new CancellationTokenSource();
        Task aborting = AbortAsync(connection, all[0].Keys, stop.Token);
        Task<List<RecordedEvent>>[] followers = [.. all.Select(process => process.Journal.SubscribeAsync(0).FirstAsync(processes * streams * each))];
        var answers = new System.Collections.Concurrent.ConcurrentBag<(string Stream, Appended Appended)>();
        await Task.WhenAll(
            from p in Enumerable.Range(0, processes)
            from s in Enumerable.Range(0, streams)
            select Task.Run(async () =>
            {
                string stream = $"p{p}s{s}";
                for (int i = 0; i < each; i++)
                {
                    answers.Add((stream, await all[p].Journal.AppendAsync(stream, Harness.Owner, i, Harness.Events(stream, i, 1)).WaitAsync(Longest)));
                }
            }));
        await stop.CancelAsync();
        await aborting;

        List<RecordedEvent>[] read = await Task.WhenAll(followers).WaitAsync(Longest);
        var byPosition = answers.ToDictionary(one => one.Appended.FirstPosition);
        foreach (List<RecordedEvent> events in read)
        {
            Assert.Equal(read[0], events, SegmentJournalTests.EventComparer.Instance);
            for (int i = 0; i < events.Count; i++)
            {
                Assert.Equal(i, events[i].Position);
                Assert.Equal((events[i].Stream, new Appended(i, i, events[i].Version)), byPosition[i]);
            }
        }
        await AssertSoundAsync(all[0], read[0]);
        foreach (PostgresProcess process in all) await process.DisposeAsync();
    }

    [Fact]
    public async Task Integrators_at_once_make_one_tree()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        string masterKey = PostgresProcess.MasterKey(folder);
        await using PostgresProcess one = await PostgresProcess.StartAsync(connection, masterKey);
        await using PostgresProcess other = await PostgresProcess.StartAsync(connection, masterKey);
        await one.Journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        // Whoever has the lock alone gives positions: nobody does while a third party holds it.
        await using var holder = new NpgsqlConnection(connection);
        await holder.OpenAsync();
        await Scalar(holder, $"SELECT pg_advisory_lock({0x68796272_696e7467})");
        Task<Appended>[] appends =
        [
            one.Journal.AppendAsync("a", Harness.Owner, 1, Harness.Events("a", 1, 1)),
            other.Journal.AppendAsync("b", Harness.Owner, 0, Harness.Events("b", 0, 1)),
        ];
        await Until(async () => (long)(await Scalar(holder, "SELECT count(*) FROM journal_event"))! == 3);
        Assert.Equal(1L, await Scalar(holder, "SELECT size FROM journal_tree"));
        Assert.All(appends, append => Assert.False(append.IsCompleted));
        await Scalar(holder, $"SELECT pg_advisory_unlock({0x68796272_696e7467})");
        await Task.WhenAll(appends).WaitAsync(Longest);

        // And where the lock does not hold, the tables do: a second tree over the same events cannot be written.
        await Assert.ThrowsAsync<PostgresException>(() => Scalar(
            holder, "INSERT INTO journal_batch SELECT first_position + 100, xid, events, recorded_at FROM journal_batch LIMIT 1"));
        await AssertSoundAsync(other, await other.Journal.ReadAllAsync().ListAsync());
    }

    [Fact]
    public async Task Of_two_processes_that_write_a_stream_one_is_told_of_the_conflict_and_what_it_built_on_it_fails_too()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        string masterKey = PostgresProcess.MasterKey(folder);
        await using PostgresProcess one = await PostgresProcess.StartAsync(connection, masterKey);
        await using PostgresProcess other = await PostgresProcess.StartAsync(connection, masterKey);
        await one.Journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        Task<Appended> stale = other.Journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        // By its number alone it would fit behind what the other process wrote.
        Task<Appended> built = other.Journal.AppendAsync("a", Harness.Owner, 1, Harness.Events("a", 1, 1));
        Task<Appended> another = other.Journal.AppendAsync("b", Harness.Owner, 0, Harness.Events("b", 0, 1));
        JournalConflictException conflict = await Assert.ThrowsAsync<JournalConflictException>(() => stale.WaitAsync(Longest));
        Assert.Equal((0L, 1L), (conflict.Expected, conflict.Actual));
        await Assert.ThrowsAsync<NotRecordedException>(() => built.WaitAsync(Longest));
        Assert.Equal(1, (await another.WaitAsync(Longest)).Version);

        // A race of both for every version: each version has one writer.
        int[] wins = await Task.WhenAll(new[] { one, other }.Select(process => Task.Run(async () =>
        {
            int won = 0;
            for (long version = 1; version <= 40;)
            {
                try
                {
                    version = (await process.Journal.AppendAsync("a", Harness.Owner, version, Harness.Events("a", version, 1))).Version;
                    won++;
                }
                catch (JournalConflictException moved)
                {
                    version = moved.Actual;
                }
            }
            return won;
        })));
        List<RecordedEvent> events = await one.Journal.ReadAsync("a").ListAsync();
        Assert.Equal(1 + wins.Sum(), events.Count);
        await AssertSoundAsync(one, await one.Journal.ReadAllAsync().ListAsync());
    }

    [Fact]
    public async Task A_backend_that_is_terminated_in_the_middle_leaves_recorded_or_not_recorded_and_the_journal_goes_on()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        await using PostgresProcess process = await PostgresProcess.StartAsync(connection, PostgresProcess.MasterKey(folder));
        PostgresJournal journal = process.Journal;
        using var stop = new CancellationTokenSource();
        Task terminating = Task.Run(async () =>
        {
            await using var killer = new NpgsqlConnection(connection);
            await killer.OpenAsync();
            while (!stop.IsCancellationRequested)
            {
                await Scalar(killer, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
                await Task.Delay(15, CancellationToken.None);
            }
        });
        (long recorded, int refused)[] outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(w => Task.Run(async () =>
        {
            long version = 0;
            int refused = 0;
            for (int i = 0; i < 60; i++)
            {
                try
                {
                    version = (await journal.AppendAsync("w" + w, Harness.Owner, version, Harness.Events("w" + w, version, 1)).WaitAsync(Longest)).Version;
                }
                catch (NotRecordedException)
                {
                    // Then it is not: the next append expects the same version, and a conflict would show that it was.
                    refused++;
                }
            }
            return (version, refused);
        })));
        await stop.CancelAsync();
        await terminating;
        // The circuit may still be open.
        await Until(async () =>
        {
            try
            {
                await journal.TreeHeadAsync();
                return true;
            }
            catch (StorageException)
            {
                return false;
            }
        });
        for (int w = 0; w < outcomes.Length; w++)
        {
            Assert.Equal(60, outcomes[w].recorded + outcomes[w].refused);
            Assert.Equal(outcomes[w].recorded, (await journal.ReadAsync("w" + w).ListAsync()).Count);
        }
        Assert.Equal(outcomes.Sum(one => one.recorded), (await journal.ReadAllAsync().ListAsync()).Count);
        await AssertSoundAsync(process, await journal.ReadAllAsync().ListAsync());
    }

    [Fact]
    public async Task What_a_process_committed_and_gave_no_position_gets_one_from_another()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        await using PostgresProcess process = await PostgresProcess.StartAsync(connection, PostgresProcess.MasterKey(folder));
        await using (var gone = await OpenWriter.StartAsync(connection, "gone", process.Keys, 3)) await gone.Transaction.CommitAsync();
        await process.Journal.WaitForAsync(2).WaitAsync(Longest);
        Assert.Equal([1L, 2, 3], (await process.Journal.ReadAllAsync().ListAsync()).Select(one => one.Version));
    }

    [Fact]
    public async Task A_key_that_another_process_destroyed_encrypts_nothing_more()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        string masterKey = PostgresProcess.MasterKey(folder);
        await using PostgresProcess one = await PostgresProcess.StartAsync(connection, masterKey);
        await using PostgresProcess other = await PostgresProcess.StartAsync(connection, masterKey);
        await one.Journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        Assert.Equal("{\"stream\":\"a\",\"version\":1}", (await other.Journal.ReadAllAsync().ListAsync())[0].Text());
        other.Keys.Destroy(Harness.Owner.Subject);

        NotRecordedException refused = await Assert.ThrowsAsync<NotRecordedException>(
            () => one.Journal.AppendAsync("a", Harness.Owner, 1, Harness.Events("a", 1, 1)));
        Assert.Contains("was destroyed", refused.Message);
        await Assert.ThrowsAsync<NotRecordedException>(() => one.Journal.AppendAsync("a", Harness.Owner, 1, Harness.Events("a", 1, 1)));
        Assert.Throws<SubjectErasedException>(() => one.Keys.GetOrCreate(Harness.Owner.Subject));
        Assert.Equal([true], (await one.Journal.ReadAllAsync().ListAsync()).Select(read => read.Erased));
        // A process that only reads learns of it by looking; also of one that had no key yet.
        var bob = new StreamOwner("acme", "acme/bob");
        await other.Journal.AppendAsync("b", bob, 0, Harness.Events("b", 0, 1));
        one.Keys.Destroy(bob.Subject);
        one.Keys.Destroy("acme/nobody");
        other.Keys.Check();
        Assert.Equal([true, true], (await other.Journal.ReadAllAsync().ListAsync()).Select(read => read.Erased));
        Assert.Throws<SubjectErasedException>(() => other.Keys.GetOrCreate("acme/nobody"));
    }

    [Fact]
    public async Task Neither_payloads_nor_keys_are_in_the_database_in_clear()
    {
        using var folder = new TemporaryFolder();
        string connection = await postgres.DatabaseAsync();
        await using PostgresProcess process = await PostgresProcess.StartAsync(connection, PostgresProcess.MasterKey(folder));
        await process.Journal.AppendAsync(
            "a", Harness.Owner, 0, new[] { Harness.Event("a", 1) with { Payload = "{\"iban\":\"DE02120300000000202051\"}"u8.ToArray() } });
        await using var observer = new NpgsqlConnection(connection);
        await observer.OpenAsync();
        Assert.Equal(0L, await Scalar(observer, "SELECT count(*) FROM journal_event WHERE position('\\x444530323132'::bytea IN record) > 0"));
        Assert.Equal(1L, await Scalar(observer, "SELECT count(*) FROM subject_key"));
        // Another master key opens none of them.
        using var elsewhere = new TemporaryFolder();
        using PostgresKeyProvider stranger = PostgresKeyProvider.Open(process.Database, PostgresProcess.MasterKey(elsewhere));
        Assert.Contains("another master key", Assert.Throws<StorageException>(() => stranger.Find(Harness.Owner.Subject, 1)).Message);
    }

    private static async Task AssertSoundAsync(PostgresProcess process, List<RecordedEvent> events)
    {
        TreeHead head = await process.Journal.TreeHeadAsync();
        Assert.Equal(head.Size, events.Count);
        Assert.Equal(Enumerable.Range(0, events.Count).Select(i => (long)i), events.Select(one => one.Position));
        foreach (IGrouping<string, RecordedEvent> stream in events.GroupBy(one => one.Stream))
        {
            Assert.Equal(Enumerable.Range(1, stream.Count()).Select(i => (long)i), stream.Select(one => one.Version));
        }
        await using NpgsqlConnection connection = process.Database.Source.CreateConnection();
        await connection.OpenAsync();
        var tree = new MerkleFrontier();
        foreach (StoredEvent one in await PostgresJournalPages.ReadAsync(connection, 0, head.Size, default)) tree.Append(TreeHash.Leaf(one.Record));
        Assert.Equal(head.Root, tree.Root());
    }

    private static async Task AbortAsync(string connection, IKeyProvider keys, CancellationToken stop)
    {
        for (int i = 0; !stop.IsCancellationRequested; i++)
        {
            await using OpenWriter writer = await OpenWriter.StartAsync(connection, "aborted" + i, keys, 1);
            await Task.Yield();
            await writer.Transaction.RollbackAsync(CancellationToken.None);
        }
    }

    private static async Task<object?> Scalar(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Longest);
        while (!await condition()) await Task.Delay(5, limit.Token);
    }

    /// <summary>A writer between its statements and its commit.</summary>
    private sealed class OpenWriter : IAsyncDisposable
    {
        private readonly NpgsqlConnection _connection;

        private OpenWriter(NpgsqlConnection connection, NpgsqlTransaction transaction)
        {
            _connection = connection;
            Transaction = transaction;
        }

        public NpgsqlTransaction Transaction { get; }

        public static async Task<OpenWriter> StartAsync(string connectionString, string stream, IKeyProvider keys, int events)
        {
            var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
            SubjectKey key = keys.GetOrCreate(Harness.Owner.Subject);
            for (int i = 0; i < events; i++)
            {
                NewEvent one = Harness.Event(stream, i + 1);
                var header = new RecordHeader(
                    stream, i + 1, one.Name, one.Schema, one.Time, one.Causation, Harness.Owner.Tenant, Harness.Owner.Subject, key.Number);
                byte[] buffer = new byte[RecordEncoder.MaxSize(header, one.Payload.Length)];
                int length = RecordEncoder.Write(buffer, 0, header, one.Payload.Span, key, new PostgresJournalOptions().FillRandom);
                await connection.ExecuteAsync(
                    """
                    INSERT INTO journal_event (xid, ordinal, recorded_at, stream, version, record)
                    VALUES (pg_current_xact_id()::text::bigint, $1, now(), $2, $3, $4)
                    """, [i, stream, (long)(i + 1), buffer[..length]]);
            }
            await connection.ExecuteAsync("INSERT INTO stream_head VALUES ($1, $2, 0)", [stream, (long)events]);
            return new OpenWriter(connection, transaction);
        }

        public async ValueTask DisposeAsync()
        {
            await Transaction.DisposeAsync();
            await _connection.DisposeAsync();
        }
    }
}
