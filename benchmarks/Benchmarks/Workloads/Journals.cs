using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Postgres;
using HybridTrading.Tests;
using Microsoft.Win32.SafeHandles;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>Durable events a second of a hundred writers, beside what the disk itself does in the same run.</summary>
internal sealed class JournalAppends() : Workload("journal")
{
    private const int Writers = 100;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);

    internal static NewEvent Event(int number) => new("order-accepted", 1, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), $"client-{number}", Payload);

    private static readonly byte[] Payload = Encoding.UTF8.GetBytes(
        """{"time":"2026-01-01T00:00:00Z","marketPosition":123456,"order":{"ordinal":42,"clientOrderId":"client-42","symbol":"EURUSD","side":"Buy","type":"Market","volume":10000,"timeInForce":"Gtc","status":"Working"}}""");

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        string folder = context.NewFolder(Name);
        double bytes;
        Sample ours;
        await using (SegmentJournal journal = SegmentJournal.Open(Path.Combine(folder, "journal"), FileKeyProvider.Open(Path.Combine(folder, "keys"))))
        {
            ours = await MeasureAsync(journal, context.Runs, cancellation);
            bytes = (double)Directory.EnumerateFiles(journal.Folder, "*.log").Sum(file => new FileInfo(file).Length) / journal.DurableSize;
        }

        int size = (int)Math.Round(bytes);
        Sample alone = Sample.Measure(context.Runs, () => WriteAndFlush(folder, size));
        Sample grouped = Sample.Measure(context.Runs, () => Writers * WriteAndFlush(folder, Writers * size));
        add(new Row(Name, "journal, durable events, 100 writers", "events/s", ours, 20e3, 0.8 * grouped.Median, "FASTER log, 64 writers: 37 to 109 k",
            $"one event an append, each awaited; {size} bytes an event on disk, encrypted; aim = 0.8 x the disk with 100 events a flush"));
        add(new Row(Name, "this disk, one write + flush for each event", "events/s", alone, Note: $"RandomAccess.Write of {size} bytes and FlushToDisk, growing file"));
        add(new Row(Name, "this disk, one write + flush for 100 events", "events/s", grouped, Note: $"the same with {Writers * size} bytes; no encryption, no checksum, no tree"));
    }

    /// <summary>Events a second of all writers, one event an append, each awaited.</summary>
    internal static Task<Sample> MeasureAsync(IJournal journal, int runs, CancellationToken cancellation)
    {
        var versions = new long[Writers];
        return Sample.MeasureAsync(runs, async () =>
        {
            long events = 0;
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
            {
                var owner = new StreamOwner("bench", $"bench/user{writer}");
                while (Stopwatch.GetElapsedTime(start) < Duration)
                {
                    Appended appended = await journal.AppendAsync($"account/bench/user{writer}/main", owner, versions[writer], new[] { Event(writer) }, cancellation);
                    versions[writer] = appended.Version;
                    Interlocked.Increment(ref events);
                }
            }, cancellation)));
            return events / Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
    }

    /// <summary>Flushes a second.</summary>
    private static double WriteAndFlush(string folder, int size)
    {
        string path = Path.Combine(folder, "raw");
        byte[] bytes = new byte[size];
        Random.Shared.NextBytes(bytes);
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        long start = Stopwatch.GetTimestamp(), count = 0;
        for (; Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1); count++)
        {
            RandomAccess.Write(file, bytes, count * size);
            RandomAccess.FlushToDisk(file);
        }
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>The journal of a cluster: the same writers, on a PostgreSQL server of its own on this machine.</summary>
internal sealed class PostgresAppends() : Workload("journal-postgres")
{
    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        const string path = "journal on PostgreSQL, durable events, 100 writers";
        await using PostgresServer? server = await PostgresServer.TryStartNewAsync();
        if (server is null)
        {
            add(new Row(Name, path, "events/s", null, Note: "skipped: the PostgreSQL server is not installed"));
            return;
        }
        await using PostgresDatabase database = PostgresDatabase.Create(server.ConnectionString(await server.CreateDatabaseAsync()));
        await new PostgresMigrations(database).MigrateAsync(cancellation: cancellation);
        await using PostgresJournal journal = await PostgresJournal.OpenAsync(database, FileKeyProvider.Open(context.NewFolder(Name)), cancellation: cancellation);
        Sample measured = await JournalAppends.MeasureAsync(journal, context.Runs, cancellation);
        add(new Row(Name, path, "events/s", measured, Note: "one event an append, each awaited until it has its position; the server on this machine with its default settings"));
    }
}

/// <summary>Opening a journal of a million events.</summary>
internal sealed class Restart() : Workload("restart")
{
    private const int Events = 1_000_000, Streams = 1000, Batch = 10;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        string folder = context.NewFolder(Name), journalFolder = Path.Combine(folder, "journal"), keys = Path.Combine(folder, "keys"), killed = Path.Combine(folder, "killed");
        await using (SegmentJournal journal = SegmentJournal.Open(journalFolder, FileKeyProvider.Open(keys), new JournalOptions { FlushInterval = TimeSpan.FromSeconds(1) }))
        {
            var versions = new long[Streams];
            for (int done = 0; done < Events;)
            {
                List<Task> appends = [];
                for (int i = 0; i < Streams && done < Events; i++, done += Batch)
                {
                    NewEvent[] events = [.. Enumerable.Range(0, Batch).Select(_ => JournalAppends.Event(i))];
                    appends.Add(journal.AppendAsync($"account/bench/user{i}/main", new StreamOwner("bench", $"bench/user{i % 100}"), versions[i], events, cancellation));
                    versions[i] += Batch;
                }
                await Task.WhenAll(appends);
            }
            // What a kill leaves: everything is written, nothing was closed.
            CopyFolder(journalFolder, killed);
        }

        add(new Row(Name, "restart, 1 M events in the journal, after a kill", "s", await OpenAsync(killed, null), 10, 2,
            Note: "opening until it can be written and read; the last segment is read"));
        add(new Row(Name, "the same after a clean stop", "s", await OpenAsync(journalFolder, null)));
        add(new Row(Name, "the same with every index lost", "s", await OpenAsync(journalFolder, "*.index"), Note: $"all of {new DirectoryInfo(journalFolder).EnumerateFiles("*.log").Sum(file => file.Length) / 1e6:0} MB is read"));

        Task<Sample> OpenAsync(string from, string? without) => Sample.MeasureAsync(context.Runs, async () =>
        {
            // Opening mends what a kill left, so each run has a copy of its own.
            string copy = context.NewFolder("restart-copy");
            CopyFolder(from, copy);
            if (without is not null)
            {
                foreach (string file in Directory.EnumerateFiles(copy, without)) File.Delete(file);
            }
            FileKeyProvider provider = FileKeyProvider.Open(keys);
            long start = Stopwatch.GetTimestamp();
            SegmentJournal journal = SegmentJournal.Open(copy, provider);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (journal.DurableSize != Events) throw new InvalidOperationException($"{journal.DurableSize} events after the restart, expected {Events}");
            await journal.DisposeAsync();
            Directory.Delete(copy, recursive: true);
            return seconds;
        });
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from, "*.*").Where(file => file.EndsWith(".log", StringComparison.Ordinal) || file.EndsWith(".index", StringComparison.Ordinal)))
        {
            // The journal holds its files open for writing, and shares them for reading.
            using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using FileStream target = File.Create(Path.Combine(to, Path.GetFileName(file)));
            source.CopyTo(target);
        }
    }
}
