using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Tests.Sqlite;
using Orleans.Storage;

namespace HybridTrading.Storage.Tests.Postgres;

public sealed class PostgresGrainStorageTests(PostgresFixture postgres) : GrainStorageContract
{
    protected override async Task<GrainStorageHome> HomeAsync() => new Home(await postgres.DatabaseAsync());

    private sealed class Home(string connection) : GrainStorageHome
    {
        private readonly PostgresDatabase _database = PostgresDatabase.Create(connection);

        public override IGrainStorage Open() => new PostgresGrainStorage(_database);

        public override ValueTask DisposeAsync() => _database.DisposeAsync();
    }
}
