using System.Diagnostics;
using System.Runtime.InteropServices;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Backtesting;

/// <summary>
/// Runs a plan over a sequence in one thread, without grains: the same accounts, venue, features and strategies as live, called in the same order.
/// For each event: resting orders fill, the accounts mark, features update, strategies run by key, their orders pass risk.
/// </summary>
public sealed class Backtest
{
    private readonly RunSequence _sequence;
    private readonly Account[] _accounts;
    private readonly AccountRecord[] _records;
    private readonly AccountPlan[] _plans;
    private readonly SymbolRun[] _symbols;
    private readonly Dictionary<string, SymbolRun> _bySymbol = new(StringComparer.Ordinal);
    private readonly EquityTracker _total;
    private readonly bool _oneCurrency;
    private readonly EquityGauge[] _gauges;
    private readonly List<AccountEvent> _happened = [];
    // Of several accounts: the equity of each since it last changed, by a mark or by what the account raised.
    private readonly decimal[] _equity;
    private readonly bool[] _stale;

    /// <param name="make">Makes the strategy of a plan; null: as the catalogue or the rule has it.</param>
    /// <param name="keepsOrders">Else nothing remembers the orders, and there is no order list to report: only <see cref="Play"/> makes sense.</param>
    public Backtest(RunPlan plan, RunSequence sequence, Func<StrategyPlan, Strategy>? make = null, bool keepsOrders = true)
    {
        make ??= strategy => StrategyCatalog.Find(strategy.Definition, strategy.Rule).Create(strategy.Parameters);
        _sequence = sequence;
        _plans = [.. plan.Accounts.OrderBy(account => account.Key, StringComparer.Ordinal)];
        _accounts = new Account[_plans.Length];
        _records = new AccountRecord[_plans.Length];
        DateTime start = sequence.Start;
        for (int i = 0; i < _plans.Length; i++)
        {
            AccountPlan each = _plans[i];
            var account = new Account(each.Key, new AccountState(plan.Universe));
            if (account.Open(each.Settings, each.Limits, each.Deposit, start) is { } fault) throw new ArgumentException(fault);
            foreach ((string strategy, FollowTerms terms) in each.Follows)
            {
                if (account.SetFollow(strategy, terms, start) is { } wrong) throw new ArgumentException(wrong);
            }
            _accounts[i] = account;
            _records[i] = new AccountRecord(each.Key, account.State, plan.Universe, keepsOrders);
            _records[i].Start();
        }
        _oneCurrency = _plans.Select(each => each.Settings.Currency).Distinct().Count() <= 1;
        _total = _records.Length == 1 ? _records[0].Equity : new EquityTracker(_accounts.Sum(account => account.State.Balance));
        _gauges = [.. _accounts.Select(account => new EquityGauge(account.State))];
        _equity = [.. _accounts.Select(account => account.State.Equity)];
        _stale = new bool[_accounts.Length];
        _symbols = [.. sequence.Series.Select(series => new SymbolRun(series, plan, _plans, make))];
        foreach (SymbolRun symbol in _symbols) _bySymbol.Add(symbol.Instrument.Symbol, symbol);
    }

    /// <summary>The equity of all accounts together.</summary>
    public EquityTracker Total => _total;

    public IReadOnlyList<AccountRecord> Accounts => _records;

    /// <summary>Told of all that an account (by key) raises, its opening included, in order; null for nobody.</summary>
    public Action<string, ImmutableArray<AccountEvent>>? Recorded { get; init; }

    /// <summary>Told of every decision, before the accounts receive it; null for nobody.</summary>
    public Action<Decision>? Decided { get; init; }

    /// <summary>Told of every holding that came to zero; null for nobody.</summary>
    public Action<ClosedTrade>? Closed { get; init; }

    /// <summary>Takes the equity of all accounts together at the end of each trading day; null for none.</summary>
    public EquityDays? Days { get; init; }

    /// <summary>Closes before this only warm the features up: no strategy is asked. Null: from the first.</summary>
    public DateTime? TradesFrom { get; init; }

    /// <summary>What people did to accounts while it ran, by time; each is done behind the events of its time.</summary>
    public ImmutableArray<AccountCommand> Commands { get; init; } = [];

    /// <summary>Strategies, by key, that did not run all the time with the settings of the plan; null for none.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<StrategyPhase>>? Phases { get; init; }

    /// <summary>Position of the event at work.</summary>
    public long Position => _sequence.Current.Position;

    /// <inheritdoc cref="Play"/>
    public RunReport Run(Action<double>? progress = null, CancellationToken cancellation = default)
    {
        long clock = Stopwatch.GetTimestamp();
        Play(progress, cancellation);
        double seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        return RunReporter.Report("backtest", null, _records, _oneCurrency ? _total : null, _sequence, seconds);
    }

    /// <summary>Runs to the end and reports nothing: what came of it stands in <see cref="Accounts"/> and <see cref="Total"/>.</summary>
    /// <param name="progress">Called with the share done (0 to 1), some hundred times.</param>
    public void Play(Action<double>? progress = null, CancellationToken cancellation = default)
    {
        foreach (AccountRecord record in _records) record.Closed = Closed;
        long points = _sequence.DataPoints, step = Math.Max(1024, points / 200), next = step;
        for (int i = 0; i < _accounts.Length; i++) Took(i);
        foreach (StrategySeat seat in _symbols.SelectMany(symbol => symbol.Frames).SelectMany(frame => frame.Strategies)) seat.Live(Phases);
        int commands = 0;
        while (_sequence.MoveNext())
        {
            RunEvent happened = _sequence.Current;
            while (commands < Commands.Length && Commands[commands].Time < happened.Time) Do(Commands[commands++]);
            SymbolRun symbol = _symbols[happened.Series];
            if (Days is { } days && happened.Index >= 0 && RunSequence.StartOf(symbol.Series, happened.Index) is var start && start >= days.Turn) days.Next(start, Equity());
            if (happened.Index < 0) Clock(symbol, happened);
            else if (symbol.Series.IsTicks) Quote(symbol, symbol.Series.Quotes.Span[happened.Index], happened.Position);
            else Bar(symbol, symbol.Series.Bars.Span[happened.Index], happened);
            if (happened.Position < next) continue;
            next += step;
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(Math.Min(1, (double)happened.Position / points));
        }
        while (commands < Commands.Length) Do(Commands[commands++]);
        Days?.Finish(Equity());
        progress?.Invoke(1);
    }

    private decimal Equity()
    {
        decimal sum = 0;
        foreach (Account account in _accounts) sum += account.State.Equity;
        return sum;
    }

    private void Clock(SymbolRun symbol, in RunEvent happened)
    {
        for (int i = 0; i < _accounts.Length; i++)
        {
            if (!symbol.Interested[i]) continue;
            _accounts[i].OnClock(symbol.Instrument.Symbol, happened.Time);
            Took(i);
        }
        foreach (FrameRun frame in symbol.Frames)
        {
            if (frame.Builder.TryClose(happened.Time, out Bar closed)) Close(symbol, frame, closed, frame.EndOf(closed));
        }
    }

    private void Quote(SymbolRun symbol, in Quote quote, long position)
    {
        foreach (FrameRun frame in symbol.Frames)
        {
            if (frame.Builder.TryClose(quote.Time, out Bar closed)) Close(symbol, frame, closed, frame.EndOf(closed));
        }
        symbol.Last = quote;
        symbol.Position = position;
        bool marked = false;
        for (int i = 0; i < _accounts.Length; i++)
        {
            if (!symbol.Interested[i]) continue;
            symbol.Interested[i] = _accounts[i].OnQuote(symbol.Instrument.Symbol, quote, position);
            _stale[i] = marked = true;
            Took(i);
        }
        if (marked) Mark(quote.Time);
        foreach (FrameRun frame in symbol.Frames)
        {
            if (frame.Builder.Add(quote, out Bar closed)) Close(symbol, frame, closed, frame.EndOf(closed));
        }
    }

    private void Bar(SymbolRun symbol, in Bar bar, in RunEvent happened)
    {
        foreach (FrameRun frame in symbol.Frames)
        {
            if (frame.Builder.IsForming && frame.Builder.TryClose(bar.OpenTime, out Bar closed)) Close(symbol, frame, closed, frame.EndOf(closed));
        }
        symbol.Last = new Quote(happened.Time, bar.Bid.Close, bar.Ask.Close);
        symbol.Position = happened.Position;
        bool marked = false;
        for (int i = 0; i < _accounts.Length; i++)
        {
            if (!symbol.Interested[i]) continue;
            symbol.Interested[i] = _accounts[i].OnBar(symbol.Instrument.Symbol, bar, happened.Time, happened.Position);
            _stale[i] = marked = true;
            Took(i);
        }
        if (marked) Mark(happened.Time);
        foreach (FrameRun frame in symbol.Frames)
        {
            if (frame.IsOfSource) Close(symbol, frame, bar, happened.Time);
            else if (frame.Builder.Add(bar, out Bar closed)) Close(symbol, frame, closed, frame.EndOf(closed));
        }
    }

    private void Close(SymbolRun symbol, FrameRun frame, in Bar bar, DateTime time)
    {
        frame.Features.Update(bar);
        if (time < TradesFrom) return;
        foreach (StrategySeat seat in frame.Strategies)
        {
            if (seat.At(time) is not { } evaluator) continue;
            Evaluation? evaluation = evaluator.Evaluate(
                bar, frame.Features.BarsSeen, time, symbol.Position, seat.State, frame.Features.Values, frame.Features.Previous);
            if (evaluation is null) continue;
            var decision = new Decision($"{seat.Plan.Key}#{seat.State.Decisions + 1}", seat.Plan.Key, evaluation.Symbol, evaluation.TimeFrame, evaluation.Time,
                evaluation.MarketPosition, evaluation.Bar, evaluation.Readings, seat.State.Stance, evaluation.Intent, seat.Units,
                evaluation.BarNumber);
            seat.State = seat.State.After(decision);
            Decided?.Invoke(decision);
            foreach (int i in seat.Followers)
            {
                Show(_accounts[i], symbol.Instrument);
                _accounts[i].Receive(decision);
                Took(i);
            }
        }
    }

    private void Do(AccountCommand command)
    {
        int index = Array.FindIndex(_accounts, account => account.Key == command.Account);
        if (index < 0) throw new ArgumentException($"a command is of account {command.Account}, which is not in the plan");
        if (command.Symbol is { } symbol && _bySymbol.TryGetValue(symbol, out SymbolRun? touched)) Show(_accounts[index], touched.Instrument);
        command.Do(_accounts[index]);
        Took(index);
    }

    /// <summary>Shows an account the prices that it needs to judge an order.</summary>
    private void Show(Account account, Instrument instrument)
    {
        foreach (string needed in account.State.QuotesNeeded(instrument))
        {
            if (_bySymbol.TryGetValue(needed, out SymbolRun? seen)) account.Observe(needed, seen.Last, seen.Position);
        }
    }

    /// <summary>Records what an account raised; whatever it raised may have changed which instruments touch it.</summary>
    private void Took(int index)
    {
        Account account = _accounts[index];
        if (account.Uncommitted.Count == 0) return;
        _stale[index] = true;
        account.TakeUncommitted(_happened);
        _records[index].Take(CollectionsMarshal.AsSpan(_happened));
        Recorded?.Invoke(account.Key, [.. _happened]);
        foreach (SymbolRun symbol in _symbols) symbol.Interested[index] = account.IsInterested(symbol.Instrument.Symbol);
    }

    private void Mark(DateTime time)
    {
        if (_records.Length == 1)
        {
            _total.Mark(time, _gauges[0]);
            return;
        }
        decimal total = 0;
        for (int i = 0; i < _records.Length; i++)
        {
            if (_stale[i])
            {
                _equity[i] = _accounts[i].State.Equity;
                _stale[i] = false;
            }
            _records[i].Equity.Mark(time, _equity[i]);
            total += _equity[i];
        }
        _total.Mark(time, total);
    }

    private sealed class SymbolRun
    {
        public SymbolRun(MarketSeries series, RunPlan plan, AccountPlan[] accounts, Func<StrategyPlan, Strategy> make)
        {
            Series = series;
            Interested = new bool[accounts.Length];
            Frames = [.. plan.FramesOf(series.Instrument.Symbol).Select(frame => new FrameRun(series, frame,
                plan.Strategies.Where(strategy => strategy.Symbol == series.Instrument.Symbol && strategy.TimeFrame == frame), accounts, make))];
        }

        public MarketSeries Series { get; }
        public Instrument Instrument => Series.Instrument;
        public FrameRun[] Frames { get; }
        public bool[] Interested { get; }
        public Quote Last { get; set; }
        public long Position { get; set; } = -1;
    }

    private sealed class FrameRun
    {
        private readonly TimeFrame _frame;

        public FrameRun(MarketSeries series, TimeFrame frame, IEnumerable<StrategyPlan> strategies, AccountPlan[] accounts, Func<StrategyPlan, Strategy> make)
        {
            _frame = frame;
            IsOfSource = frame == series.TimeFrame && !frame.IsTick;
            Builder = new BarBuilder(series.TimeFrame, frame);
            Features = new FeatureSet(series.Instrument, frame, []);
            Strategies = [.. strategies.OrderBy(plan => plan.Key, StringComparer.Ordinal).Select(plan => new StrategySeat(plan,
                parameters => new StrategyEvaluator(make(plan with { Parameters = parameters }), series.Instrument, frame, Features.Add),
                [.. Enumerable.Range(0, accounts.Length).Where(i => accounts[i].Follows.ContainsKey(plan.Key))]))];
        }

        /// <summary>The bars that come in are its bars: nothing is built, and none of their 80 bytes copied.</summary>
        public bool IsOfSource { get; }
        public BarBuilder Builder { get; }
        public FeatureSet Features { get; }
        public StrategySeat[] Strategies { get; }

        public DateTime EndOf(in Bar bar) => _frame.End(bar.OpenTime);
    }

    private sealed class StrategySeat
    {
        private readonly Func<StrategyParameters, StrategyEvaluator> _make;
        private readonly StrategyEvaluator _evaluator;
        private (DateTime From, StrategyEvaluator? Evaluator, decimal Units)[]? _phases;
        private StrategyState _state = StrategyState.Initial;

        public StrategySeat(StrategyPlan plan, Func<StrategyParameters, StrategyEvaluator> make, int[] followers)
        {
            _make = make;
            _evaluator = make(plan.Parameters);
            (Plan, Followers, Units) = (plan, followers, plan.Units);
        }

        /// <summary>The accounts that follow, by their place among the accounts.</summary>
        public int[] Followers { get; }
        public StrategyPlan Plan { get; }

        /// <summary>The strategy's own size, with the parameters in force.</summary>
        public decimal Units { get; private set; }

        public ref StrategyState State => ref _state;

        /// <summary>Binds what is read in any phase before the first bar, so that it is warm when its phase comes.</summary>
        public void Live(IReadOnlyDictionary<string, ImmutableArray<StrategyPhase>>? lives)
        {
            if (lives?.GetValueOrDefault(Plan.Key) is not { IsDefault: false } phases) return;
            _phases = [.. phases.Select(phase => (phase.From, phase.Parameters is { } parameters ? _make(parameters) : null,
                phase.Parameters is { } sized ? (Plan with { Parameters = sized }).Units : 0))];
        }

        /// <summary>Who judges a bar that closes at <paramref name="time"/>; null while the strategy is stopped.</summary>
        public StrategyEvaluator? At(DateTime time)
        {
            if (_phases is null) return _evaluator;
            StrategyEvaluator? current = null;
            foreach ((DateTime from, StrategyEvaluator? evaluator, decimal units) in _phases)
            {
                if (from >= time) break;
                (current, Units) = (evaluator, units);
            }
            return current;
        }
    }
}
