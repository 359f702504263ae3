using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Tests;

namespace HybridTrading.Storage.Tests.Postgres;

/// <summary>The server goes away under a running journal; each test has one of its own.</summary>
public sealed class PostgresOutageTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);
    private static readonly PostgresOptions Quick = new() { BreakDuration = TimeSpan.FromSeconds(0.5), CommandTimeout = TimeSpan.FromSeconds(2) };

    [Fact]
    public async Task A_server_that_crashes_loses_nothing_that_was_acknowledged_and_has_nothing_that_was_refused()
    {
        const int writers = 8;
        using var folder = new TemporaryFolder();
        await using PostgresServer server = await PostgresServer.StartNewAsync();
        string connection = await MigratedAsync(server);
        await using PostgresProcess process = await PostgresProcess.StartAsync(connection, PostgresProcess.MasterKey(folder), database: Quick);
        using var stop = new CancellationTokenSource();
        var first = new TaskCompletionSource();
        Task<List<Appended>>[] running = [.. Enumerable.Range(0, writers).Select(w => Task.Run(async () =>
        {
            List<Appended> recorded = [];
            long version = 0;
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    Appended appended = await process.Journal.AppendAsync("w" + w, Harness.Owner, version, Harness.Events("w" + w, version, 1)).WaitAsync(Longest);
                    version = appended.Version;
                    recorded.Add(appended);
                    if (version == 20) first.TrySetResult();
                }
                catch (NotRecordedException)
                {
                    await Task.Delay(20);
                }
            }
            return recorded;
        }))];
        await first.Task.WaitAsync(Longest);
        for (int i = 0; i < 2; i++)
        {
            await server.StopAsync(immediate: true);
            // Of what was on its way nobody knows yet; what comes now is refused.
            await Assert.ThrowsAsync<NotRecordedException>(() =>
                process.Journal.AppendAsync("refused" + i, Harness.Owner, 0, Harness.Events("refused" + i, 0, 1)).WaitAsync(Longest));
            await server.StartAsync();
            // By itself it works again.
            await AppendedAsync(process.Journal, "after" + i);
        }
        await stop.CancelAsync();
        List<Appended>[] outcomes = await Task.WhenAll(running).WaitAsync(Longest);

        List<RecordedEvent> all = await process.Journal.ReadAllAsync().ListAsync();
        Assert.Equal(2 + outcomes.Sum(recorded => recorded.Count), all.Count);
        for (int w = 0; w < writers; w++)
        {
            Assert.Equal(outcomes[w], all.Where(one => one.Stream == "w" + w).Select(one => new Appended(one.Position, one.Position, one.Version)));
        }
        PostgresJournalReport report = await new PostgresJournalVerifier(process.Database, process.Keys).VerifyAsync();
        Assert.Null(report.Fault);
        Assert.Equal(await process.Journal.TreeHeadAsync(), report.Tree);
    }

    [Fact]
    public async Task While_the_server_is_away_appends_and_reads_are_refused_and_afterwards_everything_goes_on_by_itself()
    {
        using var folder = new TemporaryFolder();
        await using PostgresServer server = await PostgresServer.StartNewAsync();
        string connection = await MigratedAsync(server);
        await using PostgresProcess process = await PostgresProcess.StartAsync(
            connection, PostgresProcess.MasterKey(folder), new PostgresJournalOptions { AppendTimeout = TimeSpan.FromSeconds(2) }, Quick);
        PostgresJournal journal = process.Journal;
        await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        Task<List<RecordedEvent>> follower = journal.SubscribeAsync(0).FirstAsync(3);

        await server.StopAsync();
        for (int i = 0; i < 20; i++)
        {
            NotRecordedException refused = await Assert.ThrowsAsync<NotRecordedException>(
                () => journal.AppendAsync("a", Harness.Owner, 1, Harness.Events("a", 1, 1)).WaitAsync(Longest));
            Assert.Contains("is not recorded", refused.Message);
            Assert.DoesNotContain("assword", refused.ToString());
        }
        await Assert.ThrowsAsync<StorageException>(() => journal.ReadAsync("a").ListAsync());
        // What is known already is known still.
        Assert.Equal(1, journal.DurableSize);
        Assert.False(follower.IsCompleted);

        await server.StartAsync();
        Appended appended = await AppendedAsync(journal, "b");
        Assert.Equal(new Appended(1, 1, 1), appended);
        Assert.Equal(2, (await journal.AppendAsync("a", Harness.Owner, 1, Harness.Events("a", 1, 1))).Version);
        Assert.Equal(["a", "b", "a"], (await follower.WaitAsync(Longest)).Select(one => one.Stream));
        Assert.Equal([1L, 2], (await journal.ReadAsync("a").ListAsync()).Select(one => one.Version));
    }

    private static async Task<string> MigratedAsync(PostgresServer server)
    {
        string connection = server.ConnectionString(await server.CreateDatabaseAsync());
        await using PostgresDatabase database = PostgresDatabase.Create(connection);
        await new PostgresMigrations(database).MigrateAsync();
        return connection;
    }

    private static async Task<Appended> AppendedAsync(PostgresJournal journal, string stream)
    {
        using var limit = new CancellationTokenSource(Longest);
        while (true)
        {
            try
            {
                return await journal.AppendAsync(stream, Harness.Owner, 0, Harness.Events(stream, 0, 1)).WaitAsync(limit.Token);
            }
            catch (NotRecordedException)
            {
                await Task.Delay(20, limit.Token);
            }
        }
    }
}
