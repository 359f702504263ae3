using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Erasure;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Providers;
using Orleans.Storage;

namespace HybridTrading.Storage;

public sealed record StorageOptions
{
    public JournalOptions Journal { get; init; } = new();

    public MarketLogOptions MarketLog { get; init; } = new();

    /// <summary>For how long the answer to an Idempotency-Key is kept.</summary>
    public TimeSpan AnswerRetention { get; init; } = TimeSpan.FromDays(7);
}

public static class HybridStorage
{
    /// <summary>Key of the <see cref="SqliteDatabase"/> with grain state, reminders and positions.</summary>
    public const string StateDatabase = "state";

    /// <summary>Key of the <see cref="SqliteDatabase"/> with bars.</summary>
    public const string BarDatabase = "bars";

    /// <summary>Key of the <see cref="SqliteDatabase"/> with the tables of projections.</summary>
    public const string ViewDatabase = "views";

    /// <summary>
    /// Everything that Local keeps on disk, over an open data folder: journal, snapshots, contents, keys, market logs, bars, positions, grain state (the
    /// default provider), reminders, and a runner for the <see cref="IProjection"/>s that are registered. The host opens the journal and starts
    /// the projections before what is registered after this, and closes all of it when the container is disposed; the data folder is the
    /// caller's.
    /// </summary>
    public static IServiceCollection AddHybridStorage(this IServiceCollection services, DataFolder folder, StorageOptions? options = null)
    {
        options ??= new StorageOptions();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(folder);
        services.AddJournalTelemetry();
        services.AddSingleton<IStorageFigures, FolderFigures>();
        services.AddSingleton<IKeyProvider>(_ => FileKeyProvider.Open(folder.Keys));
        services.AddSingleton<ISecretBox, SecretBox>();
        services.AddSingleton(provider => SegmentJournal.Open(
            folder.Journal, provider.GetRequiredService<IKeyProvider>(), options.Journal, metrics: provider.GetRequiredService<JournalMetrics>()));
        services.AddSingleton<IJournal>(provider => new TracedJournal(
            provider.GetRequiredService<SegmentJournal>(), provider.GetRequiredService<JournalTraces>()));
        services.AddSingleton<ISnapshotStore>(provider => new FileSnapshotStore(
            folder.Snapshots, provider.GetRequiredService<IKeyProvider>(), provider.GetRequiredService<SegmentJournal>().DurableVersion));
        services.AddSingleton<IBlobStore>(provider => new FileBlobStore(
            folder.Blobs, provider.GetRequiredService<IKeyProvider>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new BlobDataSetReader(provider.GetRequiredService<IBlobStore>(), folder.Work));
        services.AddSingleton<IDataSetReader>(provider => provider.GetRequiredService<BlobDataSetReader>());
        services.AddKeyedSingleton(StateDatabase, (_, _) => SqliteDatabase.Open(folder.StateDatabase));
        services.AddKeyedSingleton(BarDatabase, (_, _) => SqliteDatabase.Open(folder.BarDatabase, SqliteDurability.Normal));
        services.AddKeyedSingleton(ViewDatabase, (provider, _) =>
        {
            ErasedViews.RemoveWhereStale(folder, provider.GetRequiredService<IKeyProvider>());
            return SqliteDatabase.Open(folder.ViewDatabase, SqliteDurability.Normal);
        });
        services.AddSingleton<IPositionStore>(provider => new SqlitePositionStore(provider.GetRequiredKeyedService<SqliteDatabase>(StateDatabase)));
        services.AddKeyedSingleton<IGrainStorage>(
            ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME,
            (provider, _) => new SqliteGrainStorage(provider.GetRequiredKeyedService<SqliteDatabase>(StateDatabase)));
        services.AddSingleton<IAnswerStore>(provider => new SqliteAnswerStore(
            provider.GetRequiredKeyedService<SqliteDatabase>(StateDatabase), options.AnswerRetention, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IPersonalData>(provider => new FolderPersonalData(
            provider.GetRequiredService<IKeyProvider>(), provider.GetRequiredService<SegmentJournal>(), provider.GetRequiredService<ISnapshotStore>(),
            provider.GetRequiredService<IBlobStore>(), provider.GetRequiredService<IAnswerStore>(),
            provider.GetRequiredKeyedService<SqliteDatabase>(StateDatabase),
            folder.Outbox));
        services.AddSingleton<IReminderTable>(provider => new SqliteReminderTable(provider.GetRequiredKeyedService<SqliteDatabase>(StateDatabase)));
        services.AddSingleton<IBarStore>(provider => new SqliteBarStore(provider.GetRequiredKeyedService<SqliteDatabase>(BarDatabase)));
        services.AddSingleton(provider => new MarketLogs(folder, options.MarketLog, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ProjectionRunner(
            provider.GetRequiredService<IJournal>(),
            provider.GetRequiredKeyedService<SqliteDatabase>(ViewDatabase),
            provider.GetServices<IProjection>()));
        services.AddSingleton(provider => provider.GetRequiredKeyedService<SqliteDatabase>(StateDatabase).Info);
        services.AddHostedService<StorageStart>();
        return services;
    }

    internal static void AddJournalTelemetry(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton<JournalMetrics>();
        services.AddSingleton<JournalTraces>();
    }
}

/// <summary>Opens the journal and starts the projections with the host, and says what was found.</summary>
internal sealed partial class StorageStart(
    SegmentJournal journal, ProjectionRunner projections, StorageInfo info, DataFolder folder, ILogger<StorageStart> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        JournalRecovery found = journal.Recovery;
        Opened(log, folder.Root, found.Events, found.Streams, found.Segments, info.SqliteVersion, info.Source);
        if (found.CutBytes > 0) Cut(log, found.CutBytes);
        await projections.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Data in {Folder}: {Events} events of {Streams} streams in {Segments} segments; SQLite {Sqlite} ({Source})")]
    private static partial void Opened(ILogger log, string folder, long events, int streams, int segments, string sqlite, string source);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The journal's tail was torn by a crash: {Bytes} bytes of appends that nobody was told of were cut")]
    private static partial void Cut(ILogger log, long bytes);
}
