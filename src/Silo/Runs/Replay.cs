using System.Diagnostics;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;
using HybridTrading.Silo.Hosting;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Silo.Runs;

/// <summary>
/// Plays past data through the grains, one event after the other, into a journal of its own. The same plan makes the same orders as a back-test,
/// killed and resumed or not: on the way back the markets are warmed up to the last known progress, and what is delivered again from there changes nothing.
/// </summary>
public sealed class Replay(RunFolder folder, StoredRun run, RunPlan plan, ImmutableArray<MarketSeries> data)
{
    private const int LargestBatch = 512;
    private static readonly TimeSpan FlushInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    /// <param name="speed">Times real time; null for as fast as possible.</param>
    public async Task<RunReport> RunAsync(double? speed, Action<double> progress, CancellationToken cancellation)
    {
        long clock = Stopwatch.GetTimestamp();
        IHost host = Build();
        try
        {
            await host.StartAsync(cancellation);
            var grains = host.Services.GetRequiredService<IGrainFactory>();
            await PlayAsync(grains, speed, progress, cancellation);
            double seconds = run.Seconds + Stopwatch.GetElapsedTime(clock).TotalSeconds;
            folder.Save(run with { Finished = true, Seconds = seconds });
            return await ReportAsync(host.Services.GetRequiredService<IJournal>(), seconds, cancellation);
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
            if (host is IAsyncDisposable disposable) await disposable.DisposeAsync();
        }
    }

    /// <summary>The report of a finished run, from its journal alone.</summary>
    public async Task<RunReport> ReportAsync(CancellationToken cancellation)
    {
        await using SegmentJournal journal = OpenJournal();
        return await ReportAsync(journal, run.Seconds, cancellation);
    }

    /// <summary>The analysis of a finished run, from its journal and its data.</summary>
    public async Task<RunAnalysis> AnalyseAsync(AnalysisOptions options, CancellationToken cancellation)
    {
        await using SegmentJournal journal = OpenJournal();
        Dictionary<string, ImmutableArray<AccountEvent>> events = await EventsAsync(journal, cancellation);
        return RunAnalyzer.Analyse(plan, events, new RunSequence(data, plan), Report(events, run.Seconds), options);
    }

    private SegmentJournal OpenJournal() =>
        SegmentJournal.Open(folder.Data.Journal, FileKeyProvider.Open(folder.Data.Keys), new JournalOptions { FlushInterval = FlushInterval });

    private IHost Build()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        SegmentJournal journal = OpenJournal();
        builder.Services.AddSingleton<IJournal>(_ => journal);
        builder.Services.AddSingleton<ISnapshotStore>(new FileSnapshotStore(folder.Data.Snapshots, FileKeyProvider.Open(folder.Data.Keys), journal.DurableVersion));
        builder.Services.AddSingleton<IMarketLog, NoMarketLog>();
        builder.Services.AddSingleton<IBarStore, NoBarStore>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new TradingOptions { Universe = plan.Universe, IsRun = true, EventStart = new RunSequence(data, plan).Start, ShardSize = int.MaxValue });
        OrleansHost.AddSilo(builder, durable: false);
        return builder.Build();
    }

    private async Task PlayAsync(IGrainFactory grains, double? speed, Action<double> progress, CancellationToken cancellation)
    {
        // The run is its own feed, and acts for its own tenant.
        using Principal.Scope scope = Principal.OfHost();
        var sequence = new RunSequence(data, plan);
        IMarketGrain[] markets = [.. data.Select(series => grains.GetGrain<IMarketGrain>(series.Instrument.Symbol))];
        foreach (StrategyPlan strategy in plan.Strategies)
        {
            await grains.GetGrain<IMarketGrain>(strategy.Symbol).EnsureFrame(strategy.TimeFrame);
        }
        long known = folder.Progress;
        bool resumed = known >= 0;
        if (resumed) await JoinStrategiesAsync(grains, warmUp: true);
        var batches = new Batches(sequence, known);
        DateTime? first = null;
        long started = Stopwatch.GetTimestamp(), saved = started, lastDone = known;
        var done = new Queue<(long At, long Position)>();
        bool trading = false;
        while (batches.MoveNext(speed is null ? LargestBatch : 1))
        {
            if (!batches.WarmUp && !trading)
            {
                // Accounts wake only now: the markets show them the prices of the moment at which the run goes on.
                await PrepareAsync(grains);
                trading = true;
            }
            if (speed is { } times && !batches.WarmUp)
            {
                first ??= batches.Time;
                TimeSpan ahead = (batches.Time - first.Value) / times - Stopwatch.GetElapsedTime(started);
                if (ahead > TimeSpan.Zero) await Task.Delay(ahead, cancellation);
            }
            cancellation.ThrowIfCancellationRequested();
            await batches.SendAsync(markets[batches.Series]);
            if (batches.WarmUp) continue;

            lastDone = batches.LastPosition;
            if (Stopwatch.GetElapsedTime(saved) < ProgressInterval) continue;
            saved = Stopwatch.GetTimestamp();
            progress(Math.Min(1, (double)lastDone / sequence.DataPoints));
            // Only what the journal has flushed since may count as done: a power cut takes the rest, and it is played again.
            done.Enqueue((saved, lastDone));
            long flushed = -1;
            while (done.TryPeek(out (long At, long Position) oldest) && Stopwatch.GetElapsedTime(oldest.At) > 4 * FlushInterval) flushed = done.Dequeue().Position;
            if (flushed >= 0) folder.Progress = flushed;
        }
        if (!trading) await PrepareAsync(grains);
        progress(1);
    }

    private async Task PrepareAsync(IGrainFactory grains)
    {
        foreach (AccountPlan account in plan.Accounts)
        {
            IAccountGrain grain = grains.GetGrain<IAccountGrain>(account.Key);
            Check(await grain.Open(account.Settings, account.Limits, account.Deposit));
            foreach ((string strategy, FollowTerms terms) in account.Follows) Check(await grain.SetFollow(strategy, terms));
        }
        await JoinStrategiesAsync(grains, warmUp: false);
    }

    private async Task JoinStrategiesAsync(IGrainFactory grains, bool warmUp)
    {
        foreach (StrategyPlan strategy in plan.Strategies)
        {
            if (warmUp)
            {
                // The features must see the bars from the first on, so their sets are made before anything is played.
                await grains.GetGrain<IFeaturesGrain>(Keys.Features(strategy.Symbol, strategy.TimeFrame)).Compute(
                    strategy.Definition, strategy.Parameters.Values, strategy.Rule);
                continue;
            }
            IStrategyGrain grain = grains.GetGrain<IStrategyGrain>(strategy.Key);
            Check(await grain.Create(new StrategySetup(strategy.Definition, strategy.Parameters.Values, strategy.Symbol, strategy.TimeFrame, strategy.Rule)));
            foreach (AccountPlan account in plan.Accounts) Check(await grain.SetFollower(account.Key, true));
            Check(await grain.Start());
        }
    }

    private static void Check(CommandResult result)
    {
        if (result.Fault is { } fault) throw new InvalidOperationException(fault);
    }

    private async Task<RunReport> ReportAsync(IJournal journal, double seconds, CancellationToken cancellation) =>
        Report(await EventsAsync(journal, cancellation), seconds);

    private RunReport Report(IReadOnlyDictionary<string, ImmutableArray<AccountEvent>> events, double seconds) =>
        new RunHistory(plan, events).Report("replay", run.Id, new RunSequence(data, plan), seconds);

    private async Task<Dictionary<string, ImmutableArray<AccountEvent>>> EventsAsync(IJournal journal, CancellationToken cancellation)
    {
        Dictionary<string, ImmutableArray<AccountEvent>> events = [];
        foreach (AccountPlan account in plan.Accounts)
        {
            ImmutableArray<AccountEvent>.Builder stream = ImmutableArray.CreateBuilder<AccountEvent>();
            await foreach (RecordedEvent recorded in journal.ReadAsync(Keys.AccountStream(account.Key), 1, cancellation))
            {
                stream.Add(AccountEventCatalog.Events.Decode(recorded));
            }
            events[account.Key] = stream.ToImmutable();
        }
        return events;
    }

    /// <summary>Groups neighbouring events of one instrument; positions are the run's own.</summary>
    private sealed class Batches(RunSequence sequence, long known)
    {
        private readonly ImmutableArray<PlacedQuote>.Builder _quotes = ImmutableArray.CreateBuilder<PlacedQuote>();
        private readonly ImmutableArray<PlacedBar>.Builder _bars = ImmutableArray.CreateBuilder<PlacedBar>();
        private RunEvent? _waiting;
        private bool _clock;

        public int Series { get; private set; }
        public DateTime Time { get; private set; }
        public long LastPosition { get; private set; }

        /// <summary>The batch was done in an earlier life of the run.</summary>
        public bool WarmUp { get; private set; }

        public bool MoveNext(int largest)
        {
            _quotes.Clear();
            _bars.Clear();
            if (Next() is not { } first) return false;
            Series = first.Series;
            Time = first.Time;
            WarmUp = first.Position <= known;
            _clock = first.Index < 0;
            LastPosition = first.Position;
            if (_clock) return true;
            Add(first);
            int most = WarmUp ? 8 * LargestBatch : largest;
            for (int count = 1; count < most; count++)
            {
                if (Next() is not { } next) break;
                if (next.Series != Series || next.Index < 0 || next.Position <= known != WarmUp)
                {
                    _waiting = next;
                    break;
                }
                Add(next);
                LastPosition = next.Position;
            }
            return true;
        }

        public Task SendAsync(IMarketGrain market) =>
            _clock ? market.OnClock(Time, WarmUp)
            : _quotes.Count > 0 ? market.OnQuotes(new QuoteBatch(_quotes.ToImmutable(), WarmUp))
            : market.OnBars(new BarBatch(sequence.Series[Series].TimeFrame, _bars.ToImmutable(), WarmUp));

        private RunEvent? Next()
        {
            if (_waiting is { } waiting)
            {
                _waiting = null;
                return waiting;
            }
            return sequence.MoveNext() ? sequence.Current : null;
        }

        private void Add(in RunEvent happened)
        {
            MarketSeries series = sequence.Series[happened.Series];
            if (series.IsTicks) _quotes.Add(new PlacedQuote(happened.Position, series.Quotes.Span[happened.Index]));
            else _bars.Add(new PlacedBar(happened.Position, series.Bars.Span[happened.Index]));
        }
    }
}

/// <summary>A run's data are its files: it keeps no market log.</summary>
internal sealed class NoMarketLog : IMarketLog
{
    public long FirstPosition => 0;
    public long NextPosition => 0;
    public ValueTask<long> AppendAsync(ReadOnlyMemory<MarketEvent> events, CancellationToken cancellation = default) => throw new NotSupportedException("a run has no market log");
    public IAsyncEnumerable<MarketEvent> ReadAsync(long fromPosition = 0, CancellationToken cancellation = default) => throw new NotSupportedException("a run has no market log");
}

/// <summary>A run's bars are built from its files each time.</summary>
internal sealed class NoBarStore : IBarStore
{
    public Task AppendAsync(string symbol, TimeFrame timeFrame, ReadOnlyMemory<Bar> bars, CancellationToken cancellation = default) => Task.CompletedTask;
    public Task<ImmutableArray<Bar>> ReadLastAsync(string symbol, TimeFrame timeFrame, int count, DateTime before, CancellationToken cancellation = default) => Task.FromResult(ImmutableArray<Bar>.Empty);
    public Task<ImmutableArray<BarStock>> ListAsync(CancellationToken cancellation = default) => Task.FromResult(ImmutableArray<BarStock>.Empty);
}
