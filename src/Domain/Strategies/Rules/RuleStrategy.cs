using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>
/// A rule with its parameters set, asked as any other strategy. After a stop or a target of its own, which it finds in the bars as its followers'
/// orders do, it stands flat again, unless it says <c>reentry after exit</c>.
/// </summary>
internal sealed class RuleStrategy : Strategy
{
    private readonly RuleModel _model;
    private readonly CompiledRule _compiled;
    private readonly FeatureInput[] _readings;
    private readonly bool[] _previous;
    private readonly int _firstReading;
    private readonly ImmutableArray<string> _why;
    private readonly decimal _size;
    private readonly RuleTime _time;
    private readonly RuleSession[] _sessions;
    private readonly bool _needsPosition, _needsTime, _needsScale, _tracksProtection;

    // What the delegates read, filled anew at each bar: kept to allocate nothing. One strategy is asked by one evaluator at a time.
    private readonly double[] _row;

    public RuleStrategy(RuleModel model, CompiledRule compiled, ImmutableArray<string> why, StrategyParameters parameters)
    {
        _model = model;
        _compiled = compiled;
        _why = why;
        var constants = new RuleConstants(model.Lets, name => parameters.Values.TryGetValue(name, out decimal value) ? value : null);
        FeatureInput[] inputs = [.. model.Features.Select(feature => Use(FeatureSpec.Parse(feature.Text(constants))))];
        _readings = [.. model.Readings.Select(reading => inputs[reading.Feature])];
        _previous = [.. model.Readings.Select(reading => reading.Previous)];
        _firstReading = CompiledRule.ReadingAt(model.Parameters.Length, 0);
        _row = new double[_firstReading + _readings.Length];
        for (int i = 0; i < model.Parameters.Length; i++) _row[CompiledRule.ParameterAt(i)] = (double)parameters[model.Parameters[i].Name];
        _size = model.Size is null ? 0 : constants.Number(model.Size.Value);
        _time = new RuleTime(model.Zone);
        _sessions = [.. model.Sessions.Select(session => new RuleSession(session, session.Zone is null ? _time : new RuleTime(session.Zone)))];
        _needsPosition = model.Facts.Overlaps([RuleFact.BarsInTrade, RuleFact.TimeInTrade, RuleFact.EntryPrice, RuleFact.Profit]);
        _needsTime = model.Facts.Overlaps([RuleFact.Time, RuleFact.Hour, RuleFact.Minute, RuleFact.Weekday]);
        _needsScale = model.Facts.Overlaps([RuleFact.Close, RuleFact.PointSize, RuleFact.TickSize]);
        _tracksProtection = !model.ReentryAfterExit && (model.Stop is not null || model.Target is not null);
    }

    /// <summary>A condition that does not need what is not ready may hold: an exit by time, above all.</summary>
    public override bool NeedsAllInputs => false;

    public override Intent? Evaluate(in StrategyContext context)
    {
        ref readonly StrategyState state = ref context.State;
        if (_tracksProtection && state.Stance != Stance.Flat && Reached(context) is { } reached) return Intent.Exit(reached);
        Read(context);
        int held = _compiled.Decide(_row);
        if (held < 0) return null;
        if (held >= _model.Entries.Length) return Intent.Exit(_why[held]);
        return new Intent(_model.Entries[held].Statement.Direction == RuleDirection.Long ? Stance.Long : Stance.Short, _why[held],
            Distance(_compiled.Stop), Distance(_compiled.Target), Distance(_compiled.Trail), Size: Size(context.Instrument));
    }

    private void Read(in StrategyContext context)
    {
        double[] row = _row;
        row[(int)RuleFact.Position] = (sbyte)context.State.Stance;
        FeatureInput[] readings = _readings;
        bool[] previous = _previous;
        for (int i = 0; i < readings.Length; i++)
        {
            row[_firstReading + i] = previous[i] ? context.Previous(readings[i]) : context[readings[i]];
        }
        if (_needsPosition) ReadPosition(context);
        if (_needsTime) ReadTime(context.Time);
        if (_sessions.Length > 0) row[(int)RuleFact.InSession] = InSession(context.Time) ? 1 : 0;
        if (_needsScale) ReadScale(context);
    }

    private void ReadScale(in StrategyContext context)
    {
        _row[(int)RuleFact.Close] = context.Close;
        _row[(int)RuleFact.PointSize] = 1 / context.Instrument.PointsPerUnit;
        _row[(int)RuleFact.TickSize] = context.Instrument.TickSize / context.Instrument.PointsPerUnit;
    }

    private void ReadPosition(in StrategyContext context)
    {
        ref readonly StrategyState state = ref context.State;
        bool flat = state.Stance == Stance.Flat;
        // Bars are counted from 1; a decision from before they were has no number.
        _row[(int)RuleFact.BarsInTrade] = flat ? 0 : state.EntryBar > 0 ? context.BarNumber - state.EntryBar : double.NaN;
        _row[(int)RuleFact.TimeInTrade] = flat ? 0 : (context.Time - state.Since).TotalSeconds;
        _row[(int)RuleFact.EntryPrice] = flat ? double.NaN : state.EntryPoints / context.Instrument.PointsPerUnit;
        _row[(int)RuleFact.Profit] = flat ? 0 : (sbyte)state.Stance * (context.Bar.Bid.Close - state.EntryPoints);
    }

    private void ReadTime(DateTime utc)
    {
        DateTime local = _time.Local(utc);
        _row[(int)RuleFact.Time] = local.TimeOfDay.TotalMinutes;
        _row[(int)RuleFact.Hour] = local.Hour;
        _row[(int)RuleFact.Minute] = local.Minute;
        _row[(int)RuleFact.Weekday] = local.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)local.DayOfWeek;
    }

    private bool InSession(DateTime utc)
    {
        foreach (RuleSession session in _sessions)
        {
            if (session.Holds(utc)) return true;
        }
        return false;
    }

    /// <summary>Which of its stop and target the bar reached: where a follower's lie that saw the close at which the rule entered.</summary>
    private static string? Reached(in StrategyContext context)
    {
        ref readonly StrategyState state = ref context.State;
        ref readonly Bar bar = ref context.Bar;
        Instrument instrument = context.Instrument;
        int side = (sbyte)state.Stance;
        // Bought at the ask and sold at the bid; stop and target are met the other way round.
        long entry = side > 0 ? state.EntryAskPoints : state.EntryPoints;
        Ohlc leaving = side > 0 ? bar.Bid : bar.Ask;
        (long worst, long best) = side > 0 ? (leaving.Low, leaving.High) : (leaving.High, leaving.Low);
        if (state.StopDistance is { } stop && side * (worst - Level(entry, -side * (double)stop, instrument)) <= 0) return "the stop was reached";
        if (state.TakeDistance is { } take && side * (best - Level(entry, side * (double)take, instrument)) >= 0) return "the target was reached";
        return null;
    }

    /// <summary>The level in points, on a tick as an order's is.</summary>
    private static double Level(long entry, double distance, Instrument instrument) =>
        instrument.TickSize
        * Math.Max(1, Math.Round((entry + distance * instrument.PointsPerUnit) / instrument.TickSize, MidpointRounding.AwayFromZero));

    private decimal? Distance(Func<double[], double>? distance) => distance is null ? null : (decimal)distance(_row);

    private Sizing? Size(Instrument instrument) => _model.Size?.Basis switch
    {
        SizeBasis.Risk => new Sizing(SizingKind.PercentRisk, _size),
        SizeBasis.Equity => new Sizing(SizingKind.PercentOfEquity, _size),
        SizeBasis.Lots => new Sizing(SizingKind.FixedUnits, _size * instrument.ContractSize),
        SizeBasis.Units => new Sizing(SizingKind.FixedUnits, _size),
        SizeBasis.Notional => new Sizing(SizingKind.Notional, _size),
        _ => null,
    };
}
