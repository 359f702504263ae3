using System.CommandLine;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Postgres;

namespace HybridTrading.Silo.Commands;

/// <summary><c>data</c>: moves an installation.</summary>
public static class DataCommand
{
    public static Command Create()
    {
        Option<string?> connection = ConnectionOption.Create();
        Option<string?> data = DataOption.Create();
        Option<string> from = new("--from") { Description = "local", Required = true };
        Option<string> to = new("--to") { Description = "postgres", Required = true };
        var copy = new Command("copy", """
            Copy a local data folder, of a system that is stopped, into the empty database of a cluster: all of it or nothing. The journal is verified at both
            ends. The master key stays in the folder (keys/master.key): give it to every process of the cluster.

            Example:
              data copy --from local --to postgres --data /srv/hybrid --connection postgresql://hybrid:PASSWORD@localhost/hybrid
            """)
        { from, to, data };
        copy.Handle(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(from) is not "local" and var source) throw new UsageException($"--from is '{source}'; expected local");
            if (parsed.GetValue(to) is not "postgres" and var target) throw new UsageException($"--to is '{target}'; expected postgres");
            await using PostgresDatabase database = ConnectionOption.Open(parsed.GetValue(connection));
            string path = DataOption.Path(parsed.GetValue(data));
            DataFolder.Look(path).Dispose();
            // Opened, not only looked at: while it is copied nobody writes it.
            using DataFolder folder = DataFolder.Open(path);
            DataCopyReport report = await RunOutput.WithProgress("data copy", false, share => new LocalDataCopy(folder, database).RunAsync(
                new Progress<DataCopyProgress>(at => share(Share(at))), cancellation));
            Console.Out.WriteLine($"{report.Journal.Size} events of {report.Streams} streams, {report.Keys} keys, {report.MarketEvents} market events, "
                + $"{report.Bars} bars, {report.GrainStates} grain states, {report.Positions} positions, {report.Contents} contents copied to {database.Name}");
            Console.Out.WriteLine($"tree size {report.Journal.Size} root {report.Journal.Root}, at both ends");
            Console.Out.WriteLine($"give {Path.Combine(folder.Keys, "master.key")} to every process of the cluster; without it no event can be read");
            return 0;
        });
        return new Command("data", "Move the data of an installation.") { connection, copy };
    }

    // The journal is read, the market logs are read, the copy is verified: about equal parts.
    private static double Share(DataCopyProgress at)
    {
        double part = (double)at.Done / Math.Max(1, at.Total) / 3;
        return at.Part switch { "journal" => part, "verify" => 2.0 / 3 + part, _ => 1.0 / 3 + part };
    }
}
