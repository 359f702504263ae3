using System.CommandLine;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Postgres;

namespace HybridTrading.Silo.Commands;

/// <summary><c>journal</c>: proves and exports the record of truth, also of a running system.</summary>
public static class JournalCommand
{
    public static Command Create()
    {
        Option<string?> data = DataOption.Create();
        data.Recursive = true;
        var run = new Option<string?>("--run") { Description = "the journal of this replay instead of the live one", Recursive = true };

        var verify = new Command("verify", "Walk the whole journal: framing, checksums, positions, versions, encryption tags, tree. Exits 1 at the first fault with its position.");
        Option<string?> connection = ConnectionOption.Create();
        Option<string?> masterKey = new("--master-key") { Description = "with --connection: the cluster's master key; default: keys/master.key of the data folder" };
        verify.Add(connection);
        verify.Add(masterKey);
        verify.Handle(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(connection) is { } address)
            {
                string key = parsed.GetValue(masterKey) ?? Path.Combine(DataOption.Path(parsed.GetValue(data)), "keys", "master.key");
                return await VerifyDatabaseAsync(address, key, cancellation);
            }
            using DataFolder folder = Look(parsed.GetValue(data), parsed.GetValue(run));
            var verifier = new JournalVerifier(folder.Journal, FileKeyProvider.Look(folder.Keys));
            JournalReport report = await RunOutput.WithProgress("journal verify", false, progress => Task.Run(() => verifier.Verify(
                new Progress<StorageProgress>(done => progress((double)done.Done / Math.Max(1, done.Total))), cancellation), cancellation));
            Console.Out.WriteLine($"{report.Events} events of {report.Streams} streams in {report.Segments} segments, {report.Bytes} bytes, {report.Erased} erased");
            Console.Out.WriteLine($"tree size {report.Tree.Size} root {report.Tree.Root}");
            if (report.TornBytes > 0) Console.Out.WriteLine($"{report.TornBytes} bytes at the end never counted; the next start cuts them");
            if (report.Fault is { } fault)
            {
                Console.Error.WriteLine($"fault: {fault}");
                return CommandAction.Failed;
            }
            Console.Out.WriteLine("sound");
            return 0;
        });

        var format = new Option<string>("--format") { Description = "jsonl", DefaultValueFactory = _ => "jsonl" };
        var from = new Option<long>("--from") { Description = "first position" };
        var export = new Command("export", """
            Write every event as one line of JSON, also of a running system: what is durable when it begins.

            Example: journal export --format jsonl > journal.jsonl
            """) { format, from };
        export.Handle(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(format) is not "jsonl" and var other) throw new UsageException($"--format is '{other}'; expected jsonl");
            if (parsed.GetValue(from) < 0) throw new UsageException($"--from is {parsed.GetValue(from)}; expected 0 or more");
            using DataFolder folder = Look(parsed.GetValue(data), parsed.GetValue(run));
            var journal = new JournalReader(folder.Journal, FileKeyProvider.Look(folder.Keys));
            await using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = false };
            long count = await JournalExporter.ExportAsync(journal.ReadAllAsync(parsed.GetValue(from), cancellation), output, null, cancellation);
            await output.FlushAsync(cancellation);
            Console.Error.WriteLine($"{count} events");
            return 0;
        });

        return new Command("journal", """
            Prove or export the journal. Both only read, so they work beside a running system, too.

            Examples:
              journal verify
              journal verify --connection postgresql://hybrid:PASSWORD@localhost/hybrid --master-key /etc/hybrid/master.key
              journal verify --run 20261121-101500-3f2a
              journal export --format jsonl > journal.jsonl
            """) { data, run, verify, export };
    }

    private static async Task<int> VerifyDatabaseAsync(string connection, string masterKey, CancellationToken cancellation)
    {
        await using PostgresDatabase database = ConnectionOption.Open(connection);
        await new PostgresMigrations(database).RequireCurrentAsync(cancellation);
        using PostgresKeyProvider keys = PostgresKeyProvider.Open(database, masterKey);
        PostgresJournalReport report = await RunOutput.WithProgress("journal verify", false, progress => new PostgresJournalVerifier(database, keys).VerifyAsync(
            new Progress<StorageProgress>(done => progress((double)done.Done / Math.Max(1, done.Total))), cancellation));
        Console.Out.WriteLine($"{report.Events} events of {report.Streams} streams in {report.Transactions} transactions, {report.Bytes} bytes, {report.Erased} erased");
        Console.Out.WriteLine($"tree size {report.Tree.Size} root {report.Tree.Root}");
        if (report.Fault is { } fault)
        {
            Console.Error.WriteLine($"fault: {fault}");
            return CommandAction.Failed;
        }
        Console.Out.WriteLine("sound");
        return 0;
    }

    private static DataFolder Look(string? data, string? run) => DataFolder.Look(PathOf(data, run));

    private static string PathOf(string? data, string? run) =>
        run is null ? DataOption.Path(data) : Path.Combine(DataOption.Path(data), "runs", run);
}
