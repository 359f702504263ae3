using System.Collections.Immutable;
using HybridTrading.Storage.Postgres;
using HybridTrading.Tests;
using Npgsql;

namespace HybridTrading.Storage.Tests.Postgres;

public sealed class PostgresMigrationTests(PostgresFixture postgres)
{
    private static readonly ImmutableArray<Migration> Two =
    [
        PostgresMigrations.Of(1, "one", "CREATE TABLE one (x integer);\nINSERT INTO one VALUES (1);\n"),
        PostgresMigrations.Of(2, "two", "INSERT INTO one VALUES (2);\n"),
    ];

    [Fact]
    public async Task The_schema_is_made_once_whoever_comes_and_then_is_current()
    {
        string connection = await postgres.EmptyDatabaseAsync();
        await using PostgresDatabase database = PostgresDatabase.Create(connection);
        var migrations = new PostgresMigrations(database);
        StorageException before = await Assert.ThrowsAsync<StorageException>(() => migrations.RequireCurrentAsync());
        Assert.Contains("run 'db migrate'", before.Message);
        Assert.All(await migrations.StatusAsync(), state => Assert.Null(state.Applied));

        // Several processes at once: one does it, the others wait and find nothing left.
        int[] applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => migrations.MigrateAsync())));
        List<MigrationState> states = await migrations.StatusAsync();
        Assert.True(states.Count >= 2);
        Assert.Equal(states.Count, applied.Sum());
        Assert.Single(applied, count => count > 0);
        Assert.All(states, state => Assert.NotNull(state.Applied));
        Assert.Equal(Enumerable.Range(1, states.Count), states.Select(state => state.Number));
        await migrations.RequireCurrentAsync();
        Assert.Equal(0, await migrations.MigrateAsync());
    }

    [Fact]
    public async Task Only_what_is_missing_is_applied()
    {
        await using PostgresDatabase database = PostgresDatabase.Create(await postgres.EmptyDatabaseAsync());
        Assert.Equal(1, await new PostgresMigrations(database, Two[..1]).MigrateAsync());
        List<string> told = [];
        Assert.Equal(1, await new PostgresMigrations(database, Two).MigrateAsync(step => told.Add(step.Name)));
        Assert.Equal(["two"], told);
        Assert.Equal([1, 2], await NumbersAsync(database));
    }

    [Fact]
    public async Task A_step_that_fails_leaves_nothing_and_the_ones_before_it_stay()
    {
        await using PostgresDatabase database = PostgresDatabase.Create(await postgres.EmptyDatabaseAsync());
        Migration broken = PostgresMigrations.Of(2, "broken", "INSERT INTO one VALUES (2); INSERT INTO nowhere VALUES (1);");
        StorageException failed = await Assert.ThrowsAsync<StorageException>(
            () => new PostgresMigrations(database, [Two[0], broken]).MigrateAsync());
        Assert.Contains("migration 2 (broken) failed and was rolled back", failed.Message);
        Assert.Equal([1], await NumbersAsync(database));
        Assert.Equal(1, await new PostgresMigrations(database, Two).MigrateAsync());
    }

    [Fact]
    public async Task A_changed_step_and_a_newer_schema_are_refused_and_line_ends_do_not_matter()
    {
        await using PostgresDatabase database = PostgresDatabase.Create(await postgres.EmptyDatabaseAsync());
        await new PostgresMigrations(database, Two).MigrateAsync();
        await new PostgresMigrations(database, [.. Two.Select(step => PostgresMigrations.Of(step.Number, step.Name, step.Sql.Replace("\n", "\r\n")))])
            .RequireCurrentAsync();

        var changed = new PostgresMigrations(database, [PostgresMigrations.Of(1, "one", "CREATE TABLE one (x bigint);"), Two[1]]);
        Assert.Contains("migration 1 (one) was applied", (await Assert.ThrowsAsync<StorageException>(() => changed.MigrateAsync())).Message);
        await Assert.ThrowsAsync<StorageException>(() => changed.RequireCurrentAsync());

        var older = new PostgresMigrations(database, Two[..1]);
        Assert.Contains("has migration 2 (two), which this program does not know",
            (await Assert.ThrowsAsync<StorageException>(() => older.MigrateAsync())).Message);
        await Assert.ThrowsAsync<StorageException>(() => older.RequireCurrentAsync());
        Assert.Equal(2, (await older.StatusAsync()).Count);
    }

    [Fact]
    public async Task What_cannot_be_reached_is_said_in_one_line_without_the_password()
    {
        PostgresServer server = await postgres.ServerAsync();
        string good = server.ConnectionString("postgres");
        using PortBlock ports = await PortBlock.TakeAsync();
        foreach ((string connection, string expected) in new[]
        {
            (good.Replace("Database=postgres", "Database=nowhere"), "there is no database"),
            (good.Replace("Password=", "Password=sesame"), "does not accept the user or its password"),
            ($"Host=127.0.0.1;Port={8000 + ports.Offset};Username=u;Password=sesame;Database=d", "is away"),
        })
        {
            await using PostgresDatabase database = PostgresDatabase.Create(connection);
            StorageException refused = await Assert.ThrowsAsync<StorageException>(() => new PostgresMigrations(database).MigrateAsync());
            Assert.Contains(expected, refused.Message);
            Assert.DoesNotContain("sesame", refused.ToString());
            Assert.DoesNotContain('\n', refused.Message);
        }
    }

    [Theory]
    [InlineData("postgresql://ann:p%40ss@db.example:6000/trade?sslmode=require", "Host=db.example;Port=6000;Database=trade;Username=ann;Password=p@ss;SSL Mode=Require")]
    [InlineData("postgres://[::1]/trade", "Host=::1;Port=5432;Database=trade")]
    [InlineData("Host=a;Database=b;Username=c", "Host=a;Database=b;Username=c")]
    public void An_address_is_read_as_operators_write_it(string text, string expected) => Assert.Equal(
        new NpgsqlConnectionStringBuilder(expected).ConnectionString.Split(';').Order(), PostgresAddress.Parse(text).ConnectionString.Split(';').Order());

    [Theory]
    [InlineData("mysql://ann:sesame@host/db")]
    [InlineData("postgresql://ann:sesame@host")]
    [InlineData("postgresql://ann:sesame@host/db?target=any")]
    [InlineData("Password=sesame;Nonsense=1")]
    [InlineData("Password=sesame;Database=x")]
    public void What_is_no_address_is_refused_without_repeating_it(string text) =>
        Assert.DoesNotContain("sesame", Assert.ThrowsAny<ArgumentException>(() => PostgresAddress.Parse(text)).ToString());

    private static Task<List<int>> NumbersAsync(PostgresDatabase database) => database.RepeatableAsync("read", async (connection, token) =>
    {
        await using NpgsqlCommand command = connection.Command("SELECT x FROM one ORDER BY x");
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token);
        List<int> numbers = [];
        while (await row.ReadAsync(token)) numbers.Add(row.GetInt32(0));
        return numbers;
    });
}
