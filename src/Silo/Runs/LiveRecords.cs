using HybridTrading.Domain;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains;
using HybridTrading.Grains.Trading;
using HybridTrading.Silo.Commands;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.MarketLog;

namespace HybridTrading.Silo.Runs;

/// <summary>Gathers what a live account left behind from the journal and the market log of its data folder.</summary>
public static class LiveRecords
{
    private const string Feed = "live";
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);

    /// <param name="account">Its key, or its own name where that is unique.</param>
    /// <param name="given">Data that are compared with: their instruments are the account's. Empty: the market log's.</param>
    /// <exception cref="UsageException">There is no such account, or nothing is known of it.</exception>
    public static async Task<LiveRecord> ReadAsync(DataFolder folder, string account, ImmutableArray<MarketSeries> given, CancellationToken cancellation)
    {
        Dictionary<string, List<RecordedEvent>> streams = new(StringComparer.Ordinal);
        await foreach (RecordedEvent one in new JournalReader(folder.Journal, FileKeyProvider.Look(folder.Keys)).ReadAllAsync(0, cancellation))
        {
            if (!one.Stream.StartsWith("account/", StringComparison.Ordinal) && !one.Stream.StartsWith("strategy/", StringComparison.Ordinal)) continue;
            if (!streams.TryGetValue(one.Stream, out List<RecordedEvent>? stream)) streams.Add(one.Stream, stream = []);
            stream.Add(one);
        }
        string key = KeyOf(account, streams.Keys);
        List<RecordedEvent> own = streams[Keys.AccountStream(key)];
        if (own.Any(one => one.Erased)) throw new UsageException($"--account {key}: its data were erased");
        ImmutableArray<AccountEvent> events = [.. own.Select(AccountEventCatalog.Events.Decode)];
        ImmutableArray<LiveStrategy> strategies =
        [
            .. events.OfType<FollowChanged>().Select(follow => follow.Strategy).Distinct().Order(StringComparer.Ordinal)
                .Select(strategy => Strategy(strategy, streams.GetValueOrDefault(Keys.StrategyStream(strategy)) ?? [])).OfType<LiveStrategy>(),
        ];
        HashSet<string> symbols =
        [
            .. strategies.Select(strategy => strategy.Plan.Symbol), .. events.OfType<OrderAccepted>().Select(accepted => accepted.Order.Symbol),
        ];
        (ImmutableArray<MarketSeries> seen, ImmutableArray<LiveGap> gaps, ImmutableDictionary<long, DateTime> times) =
            await SeenAsync(folder, symbols, given, [.. events.Select(happened => happened.MarketPosition)], cancellation);
        DateTime end = seen.IsEmpty && !given.IsEmpty ? given.Max(series => series.EventTime(series.Count - 1))
            : seen.Where(series => series.Count > 0).Select(series => series.EventTime(series.Count - 1)).Append(events[^1].Time).Max();
        return new LiveRecord(key, events, strategies, end, seen, gaps, times);
    }

    private static string KeyOf(string account, IEnumerable<string> streams)
    {
        const string prefix = "account/";
        string[] accounts =
        [
            .. streams.Where(stream => stream.StartsWith(prefix, StringComparison.Ordinal)).Select(stream => stream[prefix.Length..]).Order(StringComparer.Ordinal),
        ];
        string[] found = [.. accounts.Where(key => key == account || key.EndsWith($"/{account}", StringComparison.Ordinal))];
        return found.Length == 1 ? found[0]
            : throw new UsageException(found.Length > 1 ? $"--account is '{account}'; expected one of {string.Join(", ", found)}"
                : accounts.Length == 0 ? $"--account is '{account}'; the journal holds no account"
                : $"--account is '{account}'; the journal holds {string.Join(", ", accounts.Take(10))}{(accounts.Length > 10 ? ", ..." : "")}{NearestName.Suggestion(account, accounts)}");
    }

    private static LiveStrategy? Strategy(string key, List<RecordedEvent> stream)
    {
        StrategySetup? setup = null;
        StrategyPlan? plan = null;
        var phases = ImmutableArray.CreateBuilder<StrategyPhase>();
        var decisions = ImmutableArray.CreateBuilder<Decision>();
        foreach (RecordedEvent recorded in stream.Where(recorded => !recorded.Erased))
        {
            switch (StrategyEventCatalog.Events.Decode(recorded))
            {
                case StrategyCreated e:
                    setup = e.Setup;
                    break;
                case StrategyParametersChanged e:
                    setup = setup! with { Parameters = e.Parameters };
                    break;
                case StrategyStarted e:
                    StrategyParameters parameters = StrategyCatalog.Find(setup!.Definition, setup.Rule).Bind(setup.Parameters);
                    plan ??= new StrategyPlan(key, setup.Definition, parameters, setup.Symbol, setup.TimeFrame, setup.Rule);
                    phases.Add(new StrategyPhase(e.Time, parameters));
                    break;
                case StrategyStopped e:
                    phases.Add(new StrategyPhase(e.Time, null));
                    break;
                case DecisionMade e:
                    decisions.Add(e.Decision);
                    break;
            }
        }
        return plan is null ? null : new LiveStrategy(plan, phases.ToImmutable(), decisions.ToImmutable());
    }

    private static async Task<(ImmutableArray<MarketSeries> Seen, ImmutableArray<LiveGap> Gaps, ImmutableDictionary<long, DateTime> Times)> SeenAsync(
        DataFolder folder, HashSet<string> symbols, ImmutableArray<MarketSeries> given, HashSet<long> positions, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder.Feed(Feed))) return ([], [], ImmutableDictionary<long, DateTime>.Empty);
        Dictionary<string, (TimeFrame Frame, List<Quote> Quotes, List<Bar> Bars)> data = new(StringComparer.Ordinal);
        var gaps = ImmutableArray.CreateBuilder<LiveGap>();
        var times = ImmutableDictionary.CreateBuilder<long, DateTime>();
        MarketEvent? before = null;
        await using SegmentMarketLog log = SegmentMarketLog.Open(folder.Feed(Feed));
        await foreach (MarketEvent happened in log.ReadAsync(0, cancellation))
        {
            if (positions.Contains(happened.Position)) times[happened.Position] = happened.Time;
            if (happened.Kind == MarketEventKind.Clock) continue;
            if (before is { } last && IsGap(last, happened)) gaps.Add(new LiveGap(last.Time, happened.Time));
            before = happened;
            if (!symbols.Contains(happened.Symbol) && given.All(series => series.Instrument.Symbol != happened.Symbol)) continue;
            if (!data.TryGetValue(happened.Symbol, out (TimeFrame Frame, List<Quote> Quotes, List<Bar> Bars) rows))
            {
                data.Add(happened.Symbol, rows = (happened.Kind == MarketEventKind.Quote ? TimeFrame.Tick : happened.TimeFrame, [], []));
            }
            if (happened.Kind == MarketEventKind.Quote) rows.Quotes.Add(happened.Quote);
            else rows.Bars.Add(happened.Bar);
        }
        ImmutableArray<MarketSeries> seen =
        [
            .. data.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => each.Value.Frame.IsTick
                ? MarketSeries.OfQuotes(Instrument(each.Key, given), each.Value.Quotes.ToArray())
                : MarketSeries.OfBars(Instrument(each.Key, given), each.Value.Frame, each.Value.Bars.ToArray())),
        ];
        return (seen, gaps.ToImmutable(), times.ToImmutable());
    }

    /// <summary>The log goes on elsewhere, or was silent although a market of quotes was open.</summary>
    private static bool IsGap(in MarketEvent last, in MarketEvent next)
    {
        if (next.Kind != MarketEventKind.Quote || next.Time - last.Time <= Silence) return false;
        return next.Position != last.Position + 1 || InstrumentCatalog.GetOrDefault(next.Symbol).Calendar.IsOpen(last.Time + Silence);
    }

    private static Instrument Instrument(string symbol, ImmutableArray<MarketSeries> given) =>
        given.FirstOrDefault(series => series.Instrument.Symbol == symbol)?.Instrument
        ?? SimulatedMarket.Instruments.FirstOrDefault(each => each.Symbol == symbol) ?? InstrumentCatalog.GetOrDefault(symbol);
}
