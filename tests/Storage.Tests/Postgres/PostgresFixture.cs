using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Tests.Postgres;
using HybridTrading.Tests;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace HybridTrading.Storage.Tests.Postgres;

/// <summary>One server for the whole assembly, started by the first test that needs it. A test that stops its server starts one of its own.</summary>
public sealed class PostgresFixture : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private PostgresServer? _server;

    public async Task<PostgresServer> ServerAsync()
    {
        await _starting.WaitAsync();
        try
        {
            return _server ??= await PostgresServer.StartNewAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>The connection string of a new empty database.</summary>
    public async Task<string> EmptyDatabaseAsync()
    {
        PostgresServer server = await ServerAsync();
        return server.ConnectionString(await server.CreateDatabaseAsync());
    }

    /// <summary>The connection string of a new database with the program's schema.</summary>
    public async Task<string> DatabaseAsync()
    {
        string connection = await EmptyDatabaseAsync();
        await using PostgresDatabase database = PostgresDatabase.Create(connection);
        await new PostgresMigrations(database).MigrateAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _starting.Dispose();
    }
}
