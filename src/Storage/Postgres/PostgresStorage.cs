using System.Collections.Concurrent;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Providers;
using Orleans.Storage;

namespace HybridTrading.Storage.Postgres;

public sealed record PostgresStorageOptions
{
    /// <summary>The file with the master key that wraps the data keys: the same for every process of the cluster.</summary>
    public required string MasterKeyFile { get; init; }

    public PostgresOptions Database { get; init; } = new();

    public PostgresJournalOptions Journal { get; init; } = new();

    /// <summary>Market data written longer ago are dropped; null keeps them.</summary>
    public TimeSpan? MarketLogMaxAge { get; init; }

    /// <summary>For how long the answer to an Idempotency-Key is kept.</summary>
    public TimeSpan AnswerRetention { get; init; } = TimeSpan.FromDays(7);
}

public static class PostgresStorage
{
    /// <summary>
    /// What a process of a cluster keeps in PostgreSQL, in place of <see cref="HybridStorage.AddHybridStorage"/>: journal, snapshots, contents, keys, market logs
    /// (<see cref="PostgresMarketLogs"/>), bars, positions, stored answers, grain state (the default provider). Reminders and membership are Orleans' own providers' on
    /// the same database.
    /// Views of the journal are the process's own and lie in <paramref name="own"/>, a folder that no other process
    /// uses and that may be lost. The host refuses a database whose schema is not current.
    /// </summary>
    /// <param name="connection">See <see cref="PostgresAddress"/>.</param>
    public static IServiceCollection AddPostgresStorage(
        this IServiceCollection services, string connection, DataFolder own, PostgresStorageOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(own);
        services.AddJournalTelemetry();
        services.AddSingleton<IStorageFigures, PostgresFigures>();
        services.AddSingleton(_ => PostgresDatabase.Create(connection, options.Database));
        services.AddSingleton<IKeyProvider>(provider => PostgresKeyProvider.Open(
            provider.GetRequiredService<PostgresDatabase>(), options.MasterKeyFile, provider.GetRequiredService<TimeProvider>()));
        // Opening asks the database; whoever needs the journal needs it open.
        services.AddSingleton<ISecretBox, SecretBox>();
        services.AddSingleton(provider => Task.Run(() => PostgresJournal.OpenAsync(
            provider.GetRequiredService<PostgresDatabase>(), provider.GetRequiredService<IKeyProvider>(), options.Journal,
            provider.GetRequiredService<TimeProvider>(), provider.GetService<ILogger<PostgresJournal>>(), provider.GetRequiredService<JournalMetrics>())).GetAwaiter().GetResult());
        services.AddSingleton<IJournal>(provider => new TracedJournal(
            provider.GetRequiredService<PostgresJournal>(), provider.GetRequiredService<JournalTraces>()));
        services.AddSingleton<ISnapshotStore>(provider => new PostgresSnapshotStore(
            provider.GetRequiredService<PostgresDatabase>(), provider.GetRequiredService<IKeyProvider>()));
        services.AddSingleton<IBlobStore>(provider => new PostgresBlobStore(
            provider.GetRequiredService<PostgresDatabase>(), provider.GetRequiredService<IKeyProvider>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new BlobDataSetReader(provider.GetRequiredService<IBlobStore>(), own.Work));
        services.AddSingleton<IDataSetReader>(provider => provider.GetRequiredService<BlobDataSetReader>());
        services.AddSingleton<IPositionStore>(provider => new PostgresPositionStore(provider.GetRequiredService<PostgresDatabase>()));
        services.AddSingleton<IAnswerStore>(provider => new PostgresAnswerStore(
            provider.GetRequiredService<PostgresDatabase>(), options.AnswerRetention, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IPersonalData>(provider => new PostgresPersonalData(
            provider.GetRequiredService<PostgresDatabase>(), provider.GetRequiredService<IKeyProvider>(),
            provider.GetRequiredService<ISnapshotStore>(),
            provider.GetRequiredService<IBlobStore>(), provider.GetRequiredService<IAnswerStore>(), own.Outbox));
        services.AddKeyedSingleton<IGrainStorage>(
            ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, (provider, _) => new PostgresGrainStorage(provider.GetRequiredService<PostgresDatabase>()));
        services.AddSingleton<IBarStore>(provider => new PostgresBarStore(provider.GetRequiredService<PostgresDatabase>()));
        services.AddSingleton(provider => new PostgresMarketLogs(
            provider.GetRequiredService<PostgresDatabase>(), options.MarketLogMaxAge, provider.GetRequiredService<TimeProvider>()));
        services.AddKeyedSingleton(HybridStorage.StateDatabase, (_, _) => SqliteDatabase.Open(own.StateDatabase));
        services.AddKeyedSingleton(HybridStorage.ViewDatabase, (provider, _) =>
        {
            PostgresViews.DropThoseOfAnotherJournal(provider.GetRequiredService<PostgresDatabase>(), own.ViewDatabase);
            return SqliteDatabase.Open(own.ViewDatabase, SqliteDurability.Normal);
        });
        services.AddSingleton(provider => new ProjectionRunner(
            provider.GetRequiredService<IJournal>(),
            provider.GetRequiredKeyedService<SqliteDatabase>(HybridStorage.ViewDatabase),
            provider.GetServices<IProjection>()));
        services.AddSingleton(provider => provider.GetRequiredKeyedService<SqliteDatabase>(HybridStorage.StateDatabase).Info);
        services.AddHostedService<PostgresStorageStart>();
        return services;
    }
}

/// <summary>The market logs of a database, one a feed, opened when first asked for.</summary>
public sealed class PostgresMarketLogs(PostgresDatabase database, TimeSpan? maxAge, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, PostgresMarketLog> _logs = new(StringComparer.Ordinal);

    /// <exception cref="StorageException">The database is away; asking again tries again.</exception>
    public PostgresMarketLog Get(string feed) => _logs.GetOrAdd(feed, name => PostgresMarketLog.Open(database, name, maxAge, time));
}

/// <summary>Views on the process's own disk belong to one journal.</summary>
internal static class PostgresViews
{
    public static void DropThoseOfAnotherJournal(PostgresDatabase database, string viewDatabase)
    {
        string journal = database.Repeatable("read the journal's id", connection =>
        {
            using Npgsql.NpgsqlCommand command = connection.Command("SELECT journal::text FROM journal_tree");
            return (string)command.ExecuteScalar()!;
        });
        string note = viewDatabase + ".journal";
        if (File.Exists(note) && File.ReadAllText(note) == journal) return;
        foreach (string file in new[] { viewDatabase, viewDatabase + "-wal", viewDatabase + "-shm" }) File.Delete(file);
        File.WriteAllText(note, journal);
    }
}

/// <summary>Opens the journal and starts the projections with the host, and says what was found.</summary>
internal sealed partial class PostgresStorageStart(
    PostgresDatabase database, PostgresJournal journal, ProjectionRunner projections, ILogger<PostgresStorageStart> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Opened(log, database.Name, journal.DurableSize);
        await projections.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Data in PostgreSQL at {Database}: {Events} events")]
    private static partial void Opened(ILogger log, string database, long events);
}
