using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Erasure;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace HybridTrading.Grains.Tests.Worlds;

/// <summary>
/// The live grains over real storage in a folder of their own. The silos may go and come again; all of them share one journal, one market log and
/// one database, as the silos of one system do. Calls of the test are the host's unless it says otherwise.
/// </summary>
public sealed class TestWorld : IAsyncDisposable
{
    public const string Tenant = "acme";
    public const string Account = "acme/ann/main";

    public static readonly AccountSettings Settings = new(
        "USD", PositionMode.Netting, null, 30m, null, null, new Domain.Execution.ExecutionModel(), TradingCalendar.Always, null);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ht-grains-");
    private readonly Principal.Scope _host = Principal.OfHost();
    private SegmentJournal _journal = null!;
    private SqliteDatabase _state = null!, _bars = null!;
    private Silos? _silos;

    private TestWorld(TradingOptions? options, LiveFeedOptions? feed, BacktestingOptions? backtesting)
    {
        Backtesting = backtesting ?? new BacktestingOptions { Threads = 2 };
        Options = options ?? new TradingOptions { Universe = new InstrumentUniverse(SimulatedMarket.Instruments), WarmUpBars = 500, SnapshotEvery = 5 };
        Feed = feed ?? new SimulatedFeedOptions(7, new SimulationOptions());
    }

    public TradingOptions Options { get; }

    public BacktestingOptions Backtesting { get; }

    /// <summary>Taken up by the next start.</summary>
    public LiveFeedOptions Feed { get; set; }

    /// <summary>Web hooks and mails of the tests stay on this machine; taken up by the next start.</summary>
    public AlertOptions AlertOptions { get; set; } = new() { AllowInternal = true, Chance = () => 0, Patience = TimeSpan.FromDays(1) };

    public MailOptions MailOptions { get; set; } = new() { Outbox = Path.Combine(Path.GetTempPath(), "ht-grains-no-mails") };

    /// <summary>Who is in which market.</summary>
    public StatedInterests Interests { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public DateTime Now => Time.GetUtcNow().UtcDateTime;

    public FallibleJournal Journal { get; private set; } = null!;

    public ISnapshotStore Snapshots { get; private set; } = null!;

    public SegmentMarketLog MarketLog { get; private set; } = null!;

    /// <summary>The same, as the grains have it.</summary>
    public FallibleMarketLog FallibleMarketLog { get; private set; } = null!;

    public IBarStore Bars { get; private set; } = null!;

    public IBlobStore Blobs { get; private set; } = null!;

    public IPersonalData PersonalData { get; private set; } = null!;

    public ISecretBox Secrets { get; private set; } = null!;

    /// <summary>As jobs read data sets; a test may put another in its place before a start.</summary>
    public IDataSetReader DataSets { get; set; } = null!;

    /// <summary>What a test adds to the silos; taken up by the next start.</summary>
    public Action<IServiceCollection>? Further { get; set; }

    public IGrainStorage GrainStorage { get; private set; } = null!;

    public IReminderTable Reminders { get; private set; } = null!;

    public IGrainFactory Grains => _silos!.Grains;

    /// <summary>Synchronous up to the storage, so that the host's principal stays with the caller.</summary>
    public static TestWorld Create(TradingOptions? options = null, LiveFeedOptions? feed = null, BacktestingOptions? backtesting = null)
    {
        var world = new TestWorld(options, feed, backtesting);
        world.OpenStorage();
        return world;
    }

    public async Task StartAsync() => _silos = await Silos.StartAsync(Configure);

    /// <summary>All silos end in order, the storage closes, and all of it comes up again.</summary>
    public async Task RestartAsync(Func<Task>? between = null)
    {
        await StopAsync();
        OpenStorage();
        if (between is not null) await between();
        await StartAsync();
    }

    public IMarketGrain Market(string symbol = "EURUSD") => Grains.GetGrain<IMarketGrain>(symbol);

    public IAccountGrain AccountGrain(string key = Account) => Grains.GetGrain<IAccountGrain>(key);

    public IStrategyGrain Strategy(string key) => Grains.GetGrain<IStrategyGrain>(key);

    public IFeaturesGrain Features(TimeFrame frame, string symbol = "EURUSD") => Grains.GetGrain<IFeaturesGrain>(Keys.Features(symbol, frame));

    public IConfigurationGrain Configuration(string key) => Grains.GetGrain<IConfigurationGrain>(key);

    public IOutboxGrain Outbox => Grains.GetGrain<IOutboxGrain>(Keys.Outbox);

    public async Task<IAccountGrain> OpenAccountAsync(string key = Account)
    {
        IAccountGrain account = AccountGrain(key);
        Assert.Null((await account.Open(Settings, RiskLimits.None, 100_000m)).Fault);
        return account;
    }

    /// <summary>A running strategy of one-minute bars that turns with every turn of the price.</summary>
    public async Task<IStrategyGrain> RunStrategyAsync(string key, params string[] accounts)
    {
        IStrategyGrain strategy = Strategy(key);
        Assert.Null((await strategy.Create(Turning())).Fault);
        foreach (string account in accounts)
        {
            Assert.Null((await AccountGrain(account).SetFollow(key, new FollowTerms(Sizing.AsTheStrategySays))).Fault);
            Assert.Null((await strategy.SetFollower(account, true)).Fault);
        }
        Assert.Null((await strategy.Start()).Fault);
        return strategy;
    }

    public static StrategySetup Turning(decimal units = 1000, string symbol = "EURUSD") => new(
        "sma-cross", ImmutableSortedDictionary<string, decimal>.Empty.Add("fast", 1).Add("slow", 2).Add("units", units), symbol, TimeFrame.M1);

    /// <summary>Logs quotes of whole seconds from now and hands them to their market, as the feed does; time goes with them.</summary>
    public async Task<ImmutableArray<PlacedQuote>> QuoteAsync(string symbol, params long[] bids)
    {
        ImmutableArray<PlacedQuote> placed = await LogAsync(symbol, bids);
        await Market(symbol).OnQuotes(new QuoteBatch(placed));
        return placed;
    }

    /// <summary>One quote a minute: the bar of the minute before closes with each.</summary>
    public async Task MinutesAsync(string symbol, params long[] bids)
    {
        foreach (long bid in bids)
        {
            Time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromSeconds(1));
            await QuoteAsync(symbol, bid);
        }
    }

    public async Task<ImmutableArray<PlacedQuote>> LogAsync(string symbol, params long[] bids)
    {
        var events = new MarketEvent[bids.Length];
        for (int i = 0; i < bids.Length; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            events[i] = new MarketEvent(0, Now, symbol, MarketEventKind.Quote, new Quote(Now, bids[i], bids[i] + 2), default, TimeFrame.Tick);
        }
        long first = await MarketLog.AppendAsync(events);
        return [.. events.Select((happened, index) => new PlacedQuote(first + index, happened.Quote))];
    }

    public static OrderRequest MarketOrder(string id, Side side = Side.Buy, decimal volume = 1000) => new(id, "EURUSD", side, OrderType.Market, volume);

    public static OrderRequest LimitOrder(string id, decimal price, decimal volume = 1000) =>
        new(id, "EURUSD", Side.Buy, OrderType.Limit, volume, LimitPrice: price);

    public async Task<List<AccountEvent>> AccountEventsAsync(string account = Account)
    {
        List<AccountEvent> events = [];
        await foreach (RecordedEvent recorded in Journal.ReadAsync(Keys.AccountStream(account))) events.Add(AccountEventCatalog.Events.Decode(recorded));
        return events;
    }

    public async Task<List<StrategyEvent>> StrategyEventsAsync(string strategy)
    {
        List<StrategyEvent> events = [];
        await foreach (RecordedEvent recorded in Journal.ReadAsync(Keys.StrategyStream(strategy))) events.Add(StrategyEventCatalog.Events.Decode(recorded));
        return events;
    }

    /// <summary>Asks until it is so; time passes by a step between two looks.</summary>
    public async Task UntilAsync(Func<Task<bool>> isSo, TimeSpan step, string what)
    {
        for (int look = 0; look < 600; look++)
        {
            if (await isSo()) return;
            Time.Advance(step);
            await Task.Delay(10);
        }
        Assert.Fail($"not within 600 looks: {what}");
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _host.Dispose();
        _folder.Delete(recursive: true);
    }

    private string this[string name] => Path.Combine(_folder.FullName, name);

    private void OpenStorage()
    {
        FileKeyProvider keys = FileKeyProvider.Open(this["keys"]);
        _journal = SegmentJournal.Open(this["journal"], keys);
        Journal = new FallibleJournal(_journal);
        Snapshots = new FileSnapshotStore(this["snapshots"], keys, _journal.DurableVersion);
        MarketLog = SegmentMarketLog.Open(this["market"]);
        FallibleMarketLog = new FallibleMarketLog(MarketLog);
        _state = SqliteDatabase.Open(this["state.db"]);
        _bars = SqliteDatabase.Open(this["bars.db"], SqliteDurability.Normal);
        Bars = new SqliteBarStore(_bars);
        GrainStorage = new SqliteGrainStorage(_state);
        Reminders = new SqliteReminderTable(_state);
        Secrets = new SecretBox(keys);
        Blobs = new FileBlobStore(this["blobs"], keys, Time);
        PersonalData = new FolderPersonalData(
            keys, _journal, Snapshots, Blobs, new SqliteAnswerStore(_state, TimeSpan.FromDays(1), Time), _state, this["outbox"]);
        DataSets = new BlobDataSetReader(Blobs, this["work"]);
    }

    private void Configure(IServiceCollection services)
    {
        services.AddSingleton<TimeProvider>(Time);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        services.AddSingleton<IJournal>(Journal);
        services.AddSingleton(Snapshots);
        services.AddSingleton<IMarketLog>(FallibleMarketLog);
        services.AddSingleton(Bars);
        services.AddSingleton(Blobs);
        services.AddSingleton(Secrets);
        services.AddSingleton(DataSets);
        services.AddSingleton(PersonalData);
        services.AddBacktesting(Backtesting).AddStrategyAnalysis().AddUsers(iterations: 1000);
        services.AddSingleton(MailOptions).AddSingleton(AlertOptions).AddSingleton<IMarketInterests>(Interests).AddAlerts();
        services.AddSingleton(Options);
        services.AddSingleton(Feed);
        services.AddKeyedSingleton(Orleans.Providers.ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, GrainStorage);
        services.AddSingleton(Reminders);
        Further?.Invoke(services);
    }

    private async Task StopAsync()
    {
        if (_silos is not null) await _silos.DisposeAsync();
        _silos = null;
        await _journal.DisposeAsync();
        await MarketLog.DisposeAsync();
        _state.Dispose();
        _bars.Dispose();
    }
}

/// <summary>Who is in which market, as a test says.</summary>
public sealed class StatedInterests : IMarketInterests
{
    public ImmutableArray<MarketInterest> All { get; set; } = [];

    public ImmutableArray<MarketInterest> Read() => All;
}
