using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using HybridTrading.Domain.Journal;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>One step of the schema, as the program holds it.</summary>
/// <param name="Number">1 upwards without a gap.</param>
/// <param name="Sha256">Of the text with line feeds, 64 hexadecimal digits.</param>
public sealed record Migration(int Number, string Name, string Sql, string Sha256);

/// <summary>One step of the schema, as the database has it.</summary>
/// <param name="Applied">UTC; null where the database does not have it yet.</param>
/// <param name="Fault">What keeps the program and the database apart; null where nothing does.</param>
public sealed record MigrationState(int Number, string Name, DateTime? Applied, string? Fault);

/// <summary>
/// The schema in numbered steps. Each is applied once, in a transaction of its own together with its entry in <c>schema_migrations</c>; an advisory
/// lock keeps several processes from doing it at once. A step that was applied is never changed: a later one mends it.
/// </summary>
public sealed partial class PostgresMigrations
{
    // Any number that no other program would take: "hybr" and "migr" in ASCII.
    internal const long LockKey = 0x68796272_6d696772;

    private readonly PostgresDatabase _database;
    private readonly ImmutableArray<Migration> _known;

    public PostgresMigrations(PostgresDatabase database)
        : this(database, Embedded())
    {
    }

    internal PostgresMigrations(PostgresDatabase database, ImmutableArray<Migration> known)
    {
        for (int i = 0; i < known.Length; i++)
        {
            if (known[i].Number != i + 1) throw new ArgumentException($"migration {known[i].Number} follows {i}; expected {i + 1}");
        }
        _database = database;
        _known = known;
    }

    /// <summary>Brings the database to this program's schema.</summary>
    /// <param name="applied">Told of each step when it is done.</param>
    /// <returns>How many steps were applied: 0 when there was nothing to do, or another process did it.</returns>
    /// <exception cref="StorageException">The database is away, has a newer schema, or a step that was changed or fails.</exception>
    public Task<int> MigrateAsync(Action<Migration>? applied = null, CancellationToken cancellation = default) => _database.OnceAsync(
        "migrate",
        async (connection, token) =>
        {
            // As long as another process migrates.
            await using (NpgsqlCommand wait = connection.Command("SELECT pg_advisory_lock($1)", LockKey))
            {
                wait.CommandTimeout = 0;
                await wait.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            }
            try
            {
                await connection.ExecuteAsync(
                    """
                    CREATE TABLE IF NOT EXISTS schema_migrations (
                        number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied timestamptz NOT NULL DEFAULT now())
                    """, [], token).ConfigureAwait(false);
                List<MigrationState> states = await ReadAsync(connection, token).ConfigureAwait(false);
                if (states.Find(state => state.Fault is not null) is { } faulty) throw new StorageException(faulty.Fault!);
                int count = 0;
                foreach (Migration step in _known.Where(step => states[step.Number - 1].Applied is null))
                {
                    await ApplyAsync(connection, step, token).ConfigureAwait(false);
                    applied?.Invoke(step);
                    count++;
                }
                return count;
            }
            finally
            {
                if (connection.State == System.Data.ConnectionState.Open)
                {
                    await connection.ExecuteAsync("SELECT pg_advisory_unlock($1)", [LockKey], CancellationToken.None).ConfigureAwait(false);
                }
            }
        },
        cancellation);

    /// <summary>Every step that the program or the database knows.</summary>
    /// <exception cref="StorageException">The database is away.</exception>
    public Task<List<MigrationState>> StatusAsync(CancellationToken cancellation = default) => _database.RepeatableAsync("read the schema", ReadAsync, cancellation);

    /// <summary>Refuses a database that is not at exactly this program's schema.</summary>
    /// <exception cref="StorageException">Says what to do.</exception>
    public async Task RequireCurrentAsync(CancellationToken cancellation = default)
    {
        List<MigrationState> states = await StatusAsync(cancellation).ConfigureAwait(false);
        if (states.Find(state => state.Fault is not null) is { } faulty) throw new StorageException(faulty.Fault!);
        int missing = states.Count(state => state.Applied is null);
        if (missing > 0) throw new StorageException($"the database {_database.Name} lacks {missing} of {states.Count} migrations; run 'db migrate' on it");
    }

    private static ImmutableArray<Migration> Embedded()
    {
        Assembly own = typeof(PostgresMigrations).Assembly;
        return [.. own.GetManifestResourceNames().Select(name => FileName().Match(name)).Where(match => match.Success)
            .Select(match =>
            {
                using var reader = new StreamReader(own.GetManifestResourceStream(match.Value)!, Encoding.UTF8);
                return Of(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), match.Groups[2].Value, reader.ReadToEnd());
            }).OrderBy(step => step.Number)];
    }

    internal static Migration Of(int number, string name, string sql)
    {
        // A checkout with other line ends is the same step.
        string text = sql.ReplaceLineEndings("\n");
        return new Migration(number, name, text, TreeHash.Sha256(Encoding.UTF8.GetBytes(text)).ToString());
    }

    private async Task ApplyAsync(NpgsqlConnection connection, Migration step, CancellationToken cancellation)
    {
        try
        {
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            await using (NpgsqlCommand command = connection.Command(step.Sql))
            {
                command.CommandTimeout = 0;
                await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }
            await connection.ExecuteAsync(
                "INSERT INTO schema_migrations (number, name, sha256) VALUES ($1, $2, $3)", [step.Number, step.Name, step.Sha256],
                cancellation).ConfigureAwait(false);
            await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        }
        catch (PostgresException wrong) when (!PostgresDatabase.IsAway(wrong))
        {
            throw new StorageException($"migration {step.Number} ({step.Name}) failed and was rolled back: {wrong.MessageText}", wrong);
        }
    }

    private async Task<List<MigrationState>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var applied = new Dictionary<int, (string Name, string Sha256, DateTime When)>();
        if (await connection.ScalarAsync<bool>("SELECT to_regclass('schema_migrations') IS NOT NULL", [], cancellation).ConfigureAwait(false))
        {
            await using NpgsqlCommand command = connection.Command("SELECT number, name, sha256, applied FROM schema_migrations");
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            while (await row.ReadAsync(cancellation).ConfigureAwait(false))
            {
                applied.Add(row.GetInt32(0), (row.GetString(1), row.GetString(2), row.GetDateTime(3)));
            }
        }
        var states = new List<MigrationState>();
        foreach (Migration step in _known)
        {
            bool done = applied.Remove(step.Number, out (string Name, string Sha256, DateTime When) there);
            string? fault = done && there.Sha256 != step.Sha256
                ? $"migration {step.Number} ({step.Name}) was applied to {_database.Name} with another text; a step that was applied must not be changed"
                : null;
            states.Add(new MigrationState(step.Number, step.Name, done ? there.When : null, fault));
        }
        foreach ((int number, (string name, _, DateTime when)) in applied.OrderBy(one => one.Key))
        {
            states.Add(new MigrationState(number, name, when,
                $"the database {_database.Name} has migration {number} ({name}), which this program does not know: use the newer program that made it"));
        }
        return states;
    }

    [GeneratedRegex(@"^.*\.Postgres\.Migrations\._?(\d{4})_([a-z0-9_]+)\.sql$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
