using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Storage.Tests.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Storage;

namespace HybridTrading.Storage.Tests.Postgres;

public sealed class PostgresStorageTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_host_gets_everything_that_it_gets_from_a_data_folder_and_views_of_another_journal_are_dropped()
    {
        using var folder = new TemporaryFolder();
        string masterKey = PostgresProcess.MasterKey(folder);
        string first = await postgres.DatabaseAsync(), second = await postgres.DatabaseAsync();
        Assert.Equal((1, 5), await RunAsync(first, append: 5));
        // The same journal: the views go on. Another one: they are made anew.
        Assert.Equal((0, 2), await RunAsync(first, append: 2));
        Assert.Equal((1, 3), await RunAsync(second, append: 3));

        async Task<(int Created, int Applied)> RunAsync(string connection, int append)
        {
            using DataFolder own = DataFolder.Open(folder["own"]);
            var count = new SqliteTests.CountByStream(1);
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton<IProjection>(count);
            builder.Services.AddPostgresStorage(connection, own, new PostgresStorageOptions { MasterKeyFile = masterKey });
            using IHost host = builder.Build();
            await host.StartAsync();
            IJournal journal = host.Services.GetRequiredService<IJournal>();
            string stream = "s" + journal.DurableSize;
            Appended last = default;
            for (int i = 0; i < append; i++) last = await journal.AppendAsync(stream, Harness.Owner, i, Harness.Events(stream, i, 1));
            await host.Services.GetRequiredService<ProjectionRunner>().WaitForAsync("count", last.LastPosition);
            Assert.NotNull(host.Services.GetRequiredService<ISnapshotStore>());
            Assert.NotNull(host.Services.GetRequiredService<IPositionStore>());
            Assert.NotNull(host.Services.GetRequiredService<IBarStore>());
            Assert.NotNull(host.Services.GetRequiredKeyedService<IGrainStorage>("Default"));
            Assert.NotNull(host.Services.GetRequiredKeyedService<SqliteDatabase>(HybridStorage.StateDatabase));
            PostgresMarketLogs logs = host.Services.GetRequiredService<PostgresMarketLogs>();
            Assert.Same(logs.Get("live"), logs.Get("live"));
            Assert.Equal(0, ((IMarketLog)logs.Get("live")).NextPosition);
            await host.StopAsync();
            await ((IAsyncDisposable)host.Services).DisposeAsync();
            return (count.Created, count.Applied);
        }
    }

    [Fact]
    public async Task A_host_does_not_start_on_a_database_without_the_schema()
    {
        using var folder = new TemporaryFolder();
        using DataFolder own = DataFolder.Open(folder["own"]);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPostgresStorage(
            await postgres.EmptyDatabaseAsync(), own, new PostgresStorageOptions { MasterKeyFile = PostgresProcess.MasterKey(folder) });
        IHost host = builder.Build();
        StorageException refused = await Assert.ThrowsAsync<StorageException>(() => host.StartAsync());
        Assert.Contains("run 'db migrate'", refused.Message);
        await ((IAsyncDisposable)host.Services).DisposeAsync();
    }
}
