using System.Globalization;
using Microsoft.Data.Sqlite;
using Orleans;
using Orleans.Runtime;

namespace HybridTrading.Storage.Sqlite;

/// <summary>Reminders in SQLite: they survive a restart.</summary>
public sealed class SqliteReminderTable : IReminderTable
{
    private readonly SqliteDatabase _database;

    public SqliteReminderTable(SqliteDatabase database)
    {
        _database = database;
        database.Ensure(
            """
            CREATE TABLE IF NOT EXISTS reminder (
                grain TEXT NOT NULL, name TEXT NOT NULL, hash INTEGER NOT NULL, start_at INTEGER NOT NULL, period INTEGER NOT NULL,
                etag INTEGER NOT NULL, PRIMARY KEY (grain, name)) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS reminder_hash ON reminder (hash);
            """);
        EtagCounter.Ensure(database);
    }

    public Task<ReminderTableData> ReadRows(GrainId grainId) =>
        Task.FromResult(new ReminderTableData(Read("WHERE grain = $1 ORDER BY name", grainId.ToString())));

    public Task<ReminderTableData> ReadRows(uint begin, uint end)
    {
        // The ring closes: from a greater hash to a smaller one leads over its end.
        string range = begin < end ? "WHERE hash > $1 AND hash <= $2" : "WHERE hash > $1 OR hash <= $2";
        return Task.FromResult(new ReminderTableData(Read(range + " ORDER BY grain, name", (long)begin, (long)end)));
    }

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) =>
        Task.FromResult(Read("WHERE grain = $1 AND name = $2", grainId.ToString(), reminderName).FirstOrDefault());

    public async Task<string?> UpsertRow(ReminderEntry entry)
    {
        return await _database.WriteAsync(
            (connection, transaction) =>
            {
                long etag = EtagCounter.Next(connection, transaction);
                using SqliteCommand command = Command(
                    connection,
                    """
                    INSERT INTO reminder (grain, name, hash, start_at, period, etag) VALUES ($1, $2, $3, $4, $5, $6)
                    ON CONFLICT (grain, name) DO UPDATE SET start_at = excluded.start_at, period = excluded.period, etag = excluded.etag
                    """,
                    entry.GrainId.ToString(), entry.ReminderName, (long)entry.GrainId.GetUniformHashCode(),
                    entry.StartAt.Ticks, entry.Period.Ticks, etag);
                command.Transaction = transaction;
                command.ExecuteNonQuery();
                return EtagCounter.Text(etag);
            }).ConfigureAwait(false);
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag)
    {
        if (!long.TryParse(eTag, NumberStyles.None, CultureInfo.InvariantCulture, out long number)) return Task.FromResult(false);
        return _database.WriteAsync((connection, transaction) =>
        {
            using SqliteCommand command = Command(
                connection, "DELETE FROM reminder WHERE grain = $1 AND name = $2 AND etag = $3", grainId.ToString(), reminderName, number);
            command.Transaction = transaction;
            return command.ExecuteNonQuery() > 0;
        });
    }

    public Task TestOnlyClearTable() =>
        _database.WriteAsync((connection, transaction) => SqliteDatabase.Execute(connection, "DELETE FROM reminder", transaction));

    private List<ReminderEntry> Read(string where, params object[] values) => _database.Read(connection =>
    {
        using SqliteCommand command = Command(connection, "SELECT grain, name, start_at, period, etag FROM reminder " + where, values);
        using SqliteDataReader row = command.ExecuteReader();
        var entries = new List<ReminderEntry>();
        while (row.Read())
        {
            entries.Add(new ReminderEntry
            {
                GrainId = GrainId.Parse(row.GetString(0)),
                ReminderName = row.GetString(1),
                StartAt = new DateTime(row.GetInt64(2), DateTimeKind.Utc),
                Period = TimeSpan.FromTicks(row.GetInt64(3)),
                ETag = EtagCounter.Text(row.GetInt64(4)),
            });
        }
        return entries;
    });

    private static SqliteCommand Command(SqliteConnection connection, string sql, params object[] values)
    {
        SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        for (int i = 0; i < values.Length; i++) command.Parameters.AddWithValue("$" + (i + 1).ToString(CultureInfo.InvariantCulture), values[i]);
        return command;
    }
}
