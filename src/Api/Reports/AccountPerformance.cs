using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage.Projections;

namespace HybridTrading.Api.Reports;

/// <summary>
/// Analyses the life of an account from nothing but its journal and the bars that the market has recorded, by the analyser of back-tests. Between two fills
/// the account is marked at the closes of bars, so what lies inside a bar is not seen. What was paid in or out is neither profit nor loss.
/// </summary>
public sealed class AccountPerformance(IJournal journal, IBarStore bars, IGrainFactory grains, ApiOptions options, TimeProvider clock)
{
    /// <summary>Bars of one instrument: of a longer life a longer time frame is taken.</summary>
    private const int MostBars = 200_000;

    // An analysis takes a whole core, and there are others who want it.
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <param name="key">tenant/user/account of the caller.</param>
    /// <returns>Null when the account has not traded, or nothing is recorded of what it traded.</returns>
    /// <exception cref="ApiException">404: there is no such account.</exception>
    public async Task<RunAnalysis?> AnalyseAsync(string key, AnalysisOptions analysis, CancellationToken cancellation)
    {
        ImmutableArray<AccountEvent> events = await EventsAsync(key, cancellation);
        if (events is not [AccountOpened opened, ..])
        {
            throw new ApiException(StatusCodes.Status404NotFound, ApiReason.AccountUnknown, $"account is '{key[(key.LastIndexOf('/') + 1)..]}'; no such account");
        }
        HashSet<string> traded = TradedSymbols(events);
        DateTime? first = events.OfType<OrderFilled>().FirstOrDefault()?.Time;
        if (first is not { } since) return null;
        ImmutableArray<MarketSeries> data = await DataAsync(WithConversions(traded, opened.Settings.Currency), since, cancellation);
        if (data.All(series => !traded.Contains(series.Instrument.Symbol))) return null;

        // Every instrument of this world is known to the account, also those that nothing is recorded of.
        var plan = new RunPlan(options.Universe, await StrategiesAsync(events, key),
            [new AccountPlan(key, opened.Settings, opened.Limits, 0, ImmutableSortedDictionary<string, FollowTerms>.Empty)]);
        await _one.WaitAsync(cancellation);
        try
        {
            return await Task.Run(() =>
            {
                Dictionary<string, ImmutableArray<AccountEvent>> recorded = new() { [key] = events };
                RunReport report = new RunHistory(plan, recorded).Report("live", "", new RunSequence(data, plan), 0);
                return RunAnalyzer.Analyse(plan, recorded, new RunSequence(data, plan), report with { RunId = null }, analysis, cancellation);
            }, cancellation);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The account's events without their places in the market log, which the bars do not have: time alone orders them.</summary>
    private async Task<ImmutableArray<AccountEvent>> EventsAsync(string key, CancellationToken cancellation)
    {
        ImmutableArray<AccountEvent>.Builder events = ImmutableArray.CreateBuilder<AccountEvent>();
        await foreach (RecordedEvent recorded in journal.ReadAsync(Keys.AccountStream(key), 1, cancellation))
        {
            if (recorded.Erased) break;
            AccountEvent happened = AccountEventCatalog.Events.Decode(recorded);
            events.Add(happened.MarketPosition > 0 ? happened with { MarketPosition = 0 } : happened);
        }
        return events.ToImmutable();
    }

    private static HashSet<string> TradedSymbols(ImmutableArray<AccountEvent> events)
    {
        Dictionary<long, string> symbols = events.OfType<OrderAccepted>().ToDictionary(accepted => accepted.Order.Ordinal, accepted => accepted.Order.Symbol);
        return events.OfType<OrderFilled>().Select(fill => symbols.GetValueOrDefault(fill.Ordinal)).OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    private ImmutableArray<Instrument> WithConversions(IEnumerable<string> symbols, string currency)
    {
        SortedDictionary<string, Instrument> all = new(StringComparer.Ordinal);
        foreach (Instrument instrument in symbols.Select(options.Universe.Find).OfType<Instrument>())
        {
            all[instrument.Symbol] = instrument;
            if (options.Universe.FindPath(instrument.QuoteCurrency, currency) is not { } path) continue;
            foreach (CurrencyStep step in path.Steps) all[step.Symbol] = options.Universe.Find(step.Symbol)!;
        }
        return [.. all.Values];
    }

    private async Task<ImmutableArray<MarketSeries>> DataAsync(ImmutableArray<Instrument> instruments, DateTime since, CancellationToken cancellation)
    {
        ImmutableArray<BarStock> stocks = await bars.ListAsync(cancellation);
        DateTime now = clock.GetUtcNow().UtcDateTime;
        ImmutableArray<MarketSeries>.Builder data = ImmutableArray.CreateBuilder<MarketSeries>();
        foreach (Instrument instrument in instruments)
        {
            // The finest that reaches back to the first fill and is not too much; where none reaches back, the one that comes nearest.
            BarStock? chosen = stocks.Where(stock => stock.Symbol == instrument.Symbol && stock.Count > 0)
                .OrderBy(stock => stock.FirstOpen > since).ThenBy(stock => stock.FirstOpen > since ? stock.FirstOpen : default)
                .ThenBy(stock => Expected(stock, since) > MostBars).ThenBy(stock => stock.TimeFrame).Cast<BarStock?>().FirstOrDefault();
            if (chosen is not { } stock) continue;
            ImmutableArray<Bar> read = await bars.ReadLastAsync(instrument.Symbol, stock.TimeFrame, MostBars, stock.LastOpen.AddTicks(1), cancellation);
            DateTime from = stock.TimeFrame.Floor(since);
            ImmutableArray<Bar> lived = [.. read.Where(bar => bar.OpenTime >= from)];
            if (!lived.IsEmpty) data.Add(MarketSeries.OfBars(instrument, stock.TimeFrame, lived.AsMemory()));
        }
        return data.ToImmutable();

        static long Expected(BarStock stock, DateTime since) => stock.TimeFrame.IsTick ? long.MaxValue
            : (stock.LastOpen - since).Ticks / Math.Max(1, (stock.TimeFrame.End(stock.LastOpen) - stock.LastOpen).Ticks);
    }

    /// <summary>What it follows, for the description.</summary>
    private async Task<ImmutableArray<StrategyPlan>> StrategiesAsync(ImmutableArray<AccountEvent> events, string key)
    {
        ImmutableArray<StrategyPlan>.Builder plans = ImmutableArray.CreateBuilder<StrategyPlan>();
        foreach (string strategy in events.OfType<FollowChanged>().Select(change => change.Strategy).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (Keys.PersonOf(strategy) != Keys.PersonOf(key) || await grains.GetGrain<IStrategyGrain>(strategy).GetView() is not { Setup: var setup }) continue;
            StrategyDefinition definition = StrategyCatalog.Find(setup.Definition, setup.Rule);
            plans.Add(new StrategyPlan(strategy, definition.Name, definition.Bind(setup.Parameters), setup.Symbol, setup.TimeFrame, setup.Rule));
        }
        return plans.ToImmutable();
    }
}
