using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Analysis;

/// <summary>A live strategy as a review sees it.</summary>
/// <param name="Account">Whose trades <paramref name="Days"/> are.</param>
/// <param name="Plan">The strategy alone on an account like that one.</param>
/// <param name="From">When it began with its present parameters.</param>
public sealed record LiveStrategy(string Account, RunPlan Plan, ImmutableArray<MarketSeries> Data, DateTime From, ImmutableArray<StrategyDay> Days);

/// <summary>A strategy that cannot be reviewed; the message says why, for its owner.</summary>
public sealed class ReviewImpossibleException(string message) : Exception(message);

/// <summary>Brings together what a review needs: the strategy's and the account's journal, and the market's own bars.</summary>
public sealed class LiveStrategyReader(IJournal journal, IBarStore bars, TradingOptions options)
{
    /// <summary>The last bars of each instrument that are looked at: ten years of hours.</summary>
    private const int MostBars = 60_000;

    /// <param name="account">tenant/user/account; null for the first follower.</param>
    /// <exception cref="ReviewImpossibleException">It never ran, nobody follows it, or there are no bars.</exception>
    public async Task<LiveStrategy> ReadAsync(StrategyView view, string? account, CancellationToken cancellation)
    {
        if (view.Setup.TimeFrame.IsTick) throw new ReviewImpossibleException("it trades on ticks, of which no history is kept to test it on");
        string of = account ?? view.Accounts.FirstOrDefault() ?? throw new ReviewImpossibleException("no account follows it");
        DateTime from = await StartedAsync(view.Key, cancellation) ?? throw new ReviewImpossibleException("it was never started with its present parameters");
        ImmutableArray<AccountEvent> events = await EventsAsync(of, cancellation);
        (AccountState state, decimal deposit) = StateOf(of, events, from);
        if (!state.Follows.TryGetValue(view.Key, out FollowTerms? terms)) throw new ReviewImpossibleException($"account {of} does not follow it");

        ImmutableArray<MarketSeries> traded = await SeriesAsync([view.Setup.Symbol, .. Conversions(view.Setup.Symbol, state.Settings!.Currency)], view.Setup.TimeFrame, cancellation);
        if (traded.All(series => series.Instrument.Symbol != view.Setup.Symbol)) throw new ReviewImpossibleException($"there are no {view.Setup.TimeFrame} bars of {view.Setup.Symbol}");
        // The prices of whatever else the account held are part of its equity.
        ImmutableArray<MarketSeries> others = await SeriesAsync(OthersOf(events, state.Settings.Currency).Except(traded.Select(series => series.Instrument.Symbol)), view.Setup.TimeFrame, cancellation);

        StrategyDefinition definition = StrategyCatalog.Find(view.Setup.Definition, view.Setup.Rule);
        var plan = new RunPlan(new InstrumentUniverse(traded.Select(series => series.Instrument)),
            [new StrategyPlan(view.Key, view.Setup.Definition, definition.Bind(view.Setup.Parameters), view.Setup.Symbol, view.Setup.TimeFrame, view.Setup.Rule)],
            [new AccountPlan(of, state.Settings with { EquitySampling = null }, state.Limits, deposit,
                ImmutableSortedDictionary.Create<string, FollowTerms>(StringComparer.Ordinal).Add(view.Key, terms with { Paused = false }))]);
        return new LiveStrategy(of, plan, traded, from, StrategyDays.Of(view.Key, options.Universe, events, MarksOf(traded.AddRange(others)), from));
    }

    /// <summary>When it was first started after its parameters were last set. Where past data are played only what it decided has the market's time.</summary>
    private async Task<DateTime?> StartedAsync(string strategy, CancellationToken cancellation)
    {
        DateTime? started = null;
        await foreach (RecordedEvent recorded in journal.ReadAsync(Keys.StrategyStream(strategy), cancellation: cancellation))
        {
            switch (StrategyEventCatalog.Events.Decode(recorded))
            {
                case StrategyParametersChanged:
                    started = null;
                    break;
                case StrategyStarted e when options.EventStart is null:
                    started ??= e.Time;
                    break;
                case DecisionMade e when options.EventStart is not null:
                    started ??= e.Time;
                    break;
            }
        }
        return started;
    }

    private async Task<ImmutableArray<AccountEvent>> EventsAsync(string account, CancellationToken cancellation)
    {
        ImmutableArray<AccountEvent>.Builder events = ImmutableArray.CreateBuilder<AccountEvent>();
        await foreach (RecordedEvent recorded in journal.ReadAsync(Keys.AccountStream(account), cancellation: cancellation)) events.Add(AccountEventCatalog.Events.Decode(recorded));
        return events.ToImmutable();
    }

    /// <summary>The account as it is now, and the money that it had when the strategy began.</summary>
    private (AccountState State, decimal Deposit) StateOf(string account, ImmutableArray<AccountEvent> events, DateTime from)
    {
        if (events.IsEmpty) throw new ReviewImpossibleException($"account {account} does not exist");
        var state = new AccountState(options.Universe);
        decimal deposit = 0;
        foreach (AccountEvent happened in events)
        {
            state.Apply(happened);
            // An account that was paid in later begins with that.
            if (happened.Time <= from || deposit <= 0) deposit = state.Balance;
        }
        return deposit > 0 ? (state, deposit) : throw new ReviewImpossibleException($"account {account} had no money");
    }

    private IEnumerable<string> Conversions(string symbol, string currency) =>
        options.Universe.Find(symbol)!.QuoteCurrency is var quote && quote == currency ? []
            : options.Universe.FindPath(quote, currency)?.Steps.Select(step => step.Symbol) ?? [];

    private IEnumerable<string> OthersOf(ImmutableArray<AccountEvent> events, string currency) =>
        events.OfType<OrderAccepted>().Select(accepted => accepted.Order.Symbol).Distinct()
            .SelectMany(symbol => Conversions(symbol, currency).Prepend(symbol)).Distinct();

    private async Task<ImmutableArray<MarketSeries>> SeriesAsync(IEnumerable<string> symbols, TimeFrame frame, CancellationToken cancellation)
    {
        ImmutableArray<MarketSeries>.Builder all = ImmutableArray.CreateBuilder<MarketSeries>();
        foreach (string symbol in symbols.Distinct().Order(StringComparer.Ordinal))
        {
            ImmutableArray<Bar> last = await bars.ReadLastAsync(symbol, frame, MostBars, DateTime.MaxValue, cancellation);
            if (!last.IsEmpty) all.Add(MarketSeries.OfBars(options.Universe.Find(symbol)!, frame, last.AsMemory()));
        }
        return all.ToImmutable();
    }

    private static IEnumerable<PriceMark> MarksOf(ImmutableArray<MarketSeries> series)
    {
        foreach (MarketSequenceEntry entry in new MarketSequence(series))
        {
            MarketSeries of = series[entry.Series];
            ref readonly Bar bar = ref of.Bars.Span[entry.Index];
            yield return new PriceMark(entry.Time, of.Instrument.Symbol, new Quote(entry.Time, bar.Bid.Close, bar.Ask.Close));
        }
    }
}
