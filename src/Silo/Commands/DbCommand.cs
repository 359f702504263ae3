using System.CommandLine;
using System.Globalization;
using HybridTrading.Storage.Postgres;

namespace HybridTrading.Silo.Commands;

/// <summary><c>db</c>: the schema of a cluster's database.</summary>
public static class DbCommand
{
    public static Command Create()
    {
        Option<string?> connection = ConnectionOption.Create();

        var migrate = new Command("migrate", "Create or upgrade the schema. May be run by several processes at once, and again at any time.");
        migrate.Handle(async (parsed, cancellation) =>
        {
            await using PostgresDatabase database = ConnectionOption.Open(parsed.GetValue(connection));
            int count = await new PostgresMigrations(database).MigrateAsync(
                step => Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"applied {step.Number:D4} {step.Name}")), cancellation);
            Console.Out.WriteLine(count == 0 ? $"{database.Name} is current" : string.Create(CultureInfo.InvariantCulture, $"{count} applied to {database.Name}"));
            return 0;
        });

        var status = new Command("status", "Show which migrations the database has. Exits 1 when it is not exactly this program's schema.");
        status.Handle(async (parsed, cancellation) =>
        {
            await using PostgresDatabase database = ConnectionOption.Open(parsed.GetValue(connection));
            List<MigrationState> states = await new PostgresMigrations(database).StatusAsync(cancellation);
            foreach (MigrationState state in states)
            {
                string when = state.Applied is { } applied ? applied.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "missing";
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{state.Number:D4}  {state.Name,-20}  {when}"));
                if (state.Fault is not null) Console.Error.WriteLine($"error: {state.Fault}");
            }
            return states.TrueForAll(state => state.Applied is not null && state.Fault is null) ? 0 : CommandAction.Failed;
        });

        return new Command("db", """
            The PostgreSQL database of a cluster.

            Examples:
              db migrate --connection postgresql://hybrid:PASSWORD@localhost:5432/hybrid
              DATABASE_URL=postgresql://hybrid:PASSWORD@localhost/hybrid db status
            """)
        { connection, migrate, status };
    }
}
