using System.ComponentModel;
using System.Globalization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;

namespace HybridTrading.Grains.Backtesting;

/// <summary>What is wrong with what was asked.</summary>
/// <param name="Field">As the caller calls it: <c>strategies.0.rule</c>.</param>
/// <param name="Detail">Names field, value and expectation.</param>
public readonly record struct InputFault(string Field, string Detail)
{
    public static InputFault Of(string field, string? value, string expected) => new(field, $"{field} is {value ?? "missing"}; expected {expected}");
}

/// <summary>What a run over past data is asked for: the same for a single one and for the trials of a search.</summary>
[GenerateSerializer, Immutable, Alias("ht.RunInput")]
public abstract record RunInput
{
    public const int MostDataSets = 20, MostStrategies = 20;
    private const int LongestName = 100;

    [Id(0), Description("What its owner calls it, at most 100 characters; without it strategies and symbols")]
    public string? Name { get; init; }

    [Id(1), Description("1 to 20 ids of data sets, each of another symbol")]
    public ImmutableArray<string> DataSets { get; init; } = [];

    [Id(2), Description("At the close of which bars the strategies decide; without it those of the data")]
    public TimeFrame? TimeFrame { get; init; }

    [Id(3), Description("First time of the data, UTC")]
    public DateTime? From { get; init; }

    [Id(4), Description("End of the data, UTC, exclusive")]
    public DateTime? To { get; init; }

    [Id(5), Description("1 to 20 strategies; a search has one")]
    public ImmutableArray<RunStrategy> Strategies { get; init; } = [];

    [Id(6)]
    public RunAccount? Account { get; init; }

    [Id(7)]
    public RunCosts? Costs { get; init; }

    [Id(8), Description("Pre-trade limits; without them the defaults, {} is none")]
    public RiskLimits? Limits { get; init; }

    [Id(9), Description("Risk-free rate a year in percent, above -100 to 1000")]
    public double? RiskFreePercent { get; init; }

    /// <summary>All that can be said of it without the data.</summary>
    public virtual IEnumerable<InputFault> Faults()
    {
        if (Name is { } name && (name.Length is 0 or > LongestName || name.Any(char.IsControl)))
        {
            yield return InputFault.Of("name", Quote(name), $"1 to {LongestName} characters of text");
        }
        if (DataSets.Length is 0 or > MostDataSets) yield return InputFault.Of("dataSets", $"a list of {DataSets.Length}", $"1 to {MostDataSets} ids");
        for (int i = 0; i < DataSets.Length; i++)
        {
            if (DataSets[i] is not { Length: > 0 and <= 200 }) yield return InputFault.Of($"dataSets.{i}", Quote(DataSets[i]), "the id of a data set");
        }
        if (From >= To) yield return InputFault.Of("from", $"{From:u}", $"a time before to ({To:u})");
        if (Strategies.Length is 0 or > MostStrategies) yield return InputFault.Of("strategies", $"a list of {Strategies.Length}", $"1 to {MostStrategies}");
        for (int i = 0; i < Strategies.Length; i++)
        {
            foreach (InputFault fault in Strategies[i]?.Faults($"strategies.{i}") ?? [InputFault.Of($"strategies.{i}", "null", "a strategy")])
            {
                yield return fault;
            }
        }
        foreach (InputFault fault in (Account ?? new()).Faults()) yield return fault;
        foreach (InputFault fault in (Costs ?? new()).Faults()) yield return fault;
        if (RiskFreePercent is { } rate && rate is not (> -100 and <= 1000))
        {
            yield return InputFault.Of("riskFreePercent", rate.ToString(CultureInfo.InvariantCulture), "more than -100, at most 1000");
        }
    }

    /// <summary>The plan over these data. What it throws names fields as the caller calls them.</summary>
    /// <param name="person">tenant/user.</param>
    /// <exception cref="RunPlanException">It cannot be made.</exception>
    public RunPlan Plan(ImmutableArray<RunData> data, string person)
    {
        var wishes = ImmutableArray.CreateBuilder<StrategyWish>(Strategies.Length);
        foreach (RunStrategy strategy in Strategies)
        {
            StrategyDefinition definition = strategy.Define();
            string name = strategy.Name ?? Unused(definition.Name, wishes);
            wishes.Add(new StrategyWish(name, definition, Given(strategy), strategy.Symbol));
        }
        RunAccount account = Account ?? new();
        try
        {
            return RunPlanner.Plan([.. data.Select(Instrument)], wishes.ToImmutable(), TimeFrame,
                [new AccountWish(RunAccount.Name, account.Settings((Costs ?? new()).Execution()), Limits ?? RiskLimits.Default, account.Deposit, account.Sized())], person);
        }
        catch (RunPlanException wrong) when (wrong.Field.StartsWith("accounts.0", StringComparison.Ordinal))
        {
            // There is one account, and the caller does not count it.
            throw new RunPlanException("account" + wrong.Field["accounts.0".Length..], wrong.Message);
        }
    }

    /// <summary>The data as the costs say that holding is charged.</summary>
    public RunData Instrument(RunData data) => Costs is not { SwapLongPoints: null, SwapShortPoints: null } and { } costs
        ? data with
        {
            Instrument = data.Instrument with
            {
                SwapLongPoints = costs.SwapLongPoints ?? data.Instrument.SwapLongPoints,
                SwapShortPoints = costs.SwapShortPoints ?? data.Instrument.SwapShortPoints,
            },
        }
        : data;

    /// <summary>The data that the run is over.</summary>
    public MarketSeries Cut(MarketSeries series)
    {
        MarketSeries part = From is null && To is null ? series : series.Between(From, To);
        Instrument instrument = Instrument(RunData.Of(series)).Instrument;
        return ReferenceEquals(instrument, series.Instrument) ? part
            : part.IsTicks ? MarketSeries.OfQuotes(instrument, part.Quotes, part.Quality, part.Sources)
            : MarketSeries.OfBars(instrument, part.TimeFrame, part.Bars, part.Quality, part.Sources);
    }

    /// <summary>The values that a strategy's plan has.</summary>
    protected virtual ImmutableSortedDictionary<string, decimal> Given(RunStrategy strategy) => strategy.Parameters;

    internal static string Quote(string? text)
    {
        if (text is null) return "missing";
        string shown = text.Length > 60 ? text[..60] + "..." : text;
        return $"'{string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c))}'";
    }

    private static string Unused(string name, IReadOnlyCollection<StrategyWish> before)
    {
        string free = name;
        for (int number = 2; before.Any(each => each.Name == free); number++) free = $"{name}-{number}";
        return free;
    }
}

/// <summary>One back-test.</summary>
[GenerateSerializer, Immutable, Alias("ht.BacktestInput")]
public sealed record BacktestInput : RunInput;

/// <summary>A strategy of a run: one of the catalogue, or a rule.</summary>
[GenerateSerializer, Immutable, Alias("ht.RunStrategy")]
public sealed record RunStrategy
{
    [Id(0), Description("1 to 64 of a-z 0-9 - _ and dots inside; without it that of its definition")]
    public string? Name { get; init; }

    [Id(1), Description("Name of a strategy definition; left out for a rule")]
    public string? Definition { get; init; }

    [Id(2), Description("Text of a rule, in place of a definition")]
    public string? Rule { get; init; }

    [Id(3), Description("By name; what is not given takes its default")]
    public ImmutableSortedDictionary<string, decimal> Parameters { get; init; } = ImmutableSortedDictionary<string, decimal>.Empty;

    [Id(4), Description("The only symbol that it trades; without it each of the data")]
    public string? Symbol { get; init; }

    public IEnumerable<InputFault> Faults(string field)
    {
        if (Name is { } name && !Keys.IsName(name)) yield return InputFault.Of($"{field}.name", RunInput.Quote(name), "1 to 64 of a-z 0-9 - _ and dots inside");
        if (Rule is { } rule)
        {
            if (Definition is not (null or RuleLanguage.DefinitionName))
            {
                yield return InputFault.Of($"{field}.definition", RunInput.Quote(Definition), "none beside a rule");
            }
            foreach (RuleDiagnostic diagnostic in RuleLanguage.Check(rule).Diagnostics)
            {
                yield return new InputFault($"{field}.rule", $"{field}.rule: {diagnostic}");
            }
        }
        else if (StrategyCatalog.All.All(known => known.Name != Definition))
        {
            yield return InputFault.Of(
                $"{field}.definition", RunInput.Quote(Definition), $"{string.Join(", ", StrategyCatalog.All.Select(known => known.Name))}, or a rule in its place");
        }
        if (Parameters.Count > 50) yield return InputFault.Of($"{field}.parameters", $"{Parameters.Count} values", "at most 50");
    }

    /// <exception cref="RunPlanException">The rule is none for this program.</exception>
    public StrategyDefinition Define() => Rule is null ? StrategyCatalog.Find(Definition!)
        : RuleLanguage.Check(Rule) is { Rule: { } rule } ? rule.Definition
        : throw new RunPlanException("strategies.rule", $"the rule is not valid: {RuleLanguage.Check(Rule).Diagnostics[0]}");
}

/// <summary>The paper account of a run.</summary>
[GenerateSerializer, Immutable, Alias("ht.RunAccount")]
public sealed record RunAccount
{
    /// <summary>As the command line calls its only account: the order-list hash has it.</summary>
    public const string Name = "main";

    [Id(0), Description("Currency of balance and results, in capitals")]
    public string Currency { get; init; } = "USD";

    [Id(1), Description("What it begins with, more than 0, in its currency")]
    public decimal Deposit { get; init; } = 100_000m;

    [Id(2), Description("netting: one net position an instrument; hedging: each entry is a position of its own")]
    public string Mode { get; init; } = "netting";

    [Id(3), Description("Largest notional for one of margin, 1 to 1000; without it the instruments' own")]
    public decimal? Leverage { get; init; }

    [Id(4), Description("Margin level (equity by used margin, percent) below which positions are closed, 1 to 100; null for never")]
    public decimal? StopOutPercent { get; init; } = 50m;

    [Id(5), Description("Decimals to which amounts are booked, 0 to 10; without it exact")]
    public int? MoneyDigits { get; init; }

    [Id(6), Description("How much it trades on a strategy's word; without it as the strategy says")]
    public RunSizing? Sizing { get; init; }

    public IEnumerable<InputFault> Faults()
    {
        if (Currency.Length is < 2 or > 10 || !Currency.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c)))
        {
            yield return InputFault.Of("account.currency", RunInput.Quote(Currency), "2 to 10 capitals such as USD");
        }
        if (Deposit is <= 0 or > 1_000_000_000_000m) yield return InputFault.Of("account.deposit", Number(Deposit), "more than 0, at most 10^12");
        if (Mode is not ("netting" or "hedging")) yield return InputFault.Of("account.mode", RunInput.Quote(Mode), "netting or hedging");
        if (Leverage is < 1 or > 1000) yield return InputFault.Of("account.leverage", Number(Leverage), "1 to 1000");
        if (StopOutPercent is < 1 or > 100) yield return InputFault.Of("account.stopOutPercent", Number(StopOutPercent), "1 to 100, or null");
        if (MoneyDigits is < 0 or > 10) yield return InputFault.Of("account.moneyDigits", Number(MoneyDigits), "0 to 10");
        if (Sizing is { Kind: null }) yield return InputFault.Of("account.sizing.kind", null, string.Join(", ", Enum.GetNames<SizingKind>()));
        if (Sizing is not null && Sizing.Value is not (> 0 and <= 1_000_000_000_000m))
        {
            yield return InputFault.Of("account.sizing.value", Sizing.Value is { } value ? Number(value) : null, "more than 0, at most 10^12");
        }
    }

    internal AccountSettings Settings(ExecutionModel execution) => new(
        Currency, Mode == "hedging" ? PositionMode.Hedging : PositionMode.Netting, MoneyDigits, Leverage, StopOutPercent is null ? null : 100m, StopOutPercent,
        execution, TradingCalendar.Forex, null);

    internal Sizing Sized() => Sizing is { Kind: { } kind, Value: { } value } ? new Sizing(kind, value) : Domain.Accounts.Sizing.AsTheStrategySays;

    internal static string Number(decimal? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "missing";
}

[GenerateSerializer, Immutable, Alias("ht.RunSizing")]
public sealed record RunSizing
{
    [Id(0)]
    public SizingKind? Kind { get; init; }

    [Id(1), Description("Factor, units, percent or amount, as the kind says; more than 0")]
    public decimal? Value { get; init; }
}

/// <summary>What trading costs in a run, and how the paper venue executes.</summary>
[GenerateSerializer, Immutable, Alias("ht.RunCosts")]
public sealed record RunCosts
{
    [Id(0), Description("Commission of a fill as a share of its notional, 0 to 0.1")]
    public decimal CommissionRate { get; init; }

    [Id(1), Description("Commission of a fill for each lot, in account currency")]
    public decimal CommissionPerLot { get; init; }

    [Id(2), Description("Least commission of a fill, in account currency")]
    public decimal CommissionMinimum { get; init; }

    [Id(3), Description("Adverse points on what takes the market")]
    public long SlippagePoints { get; init; }

    [Id(4), Description("Further adverse points, uniform from 0 to this, by the seed")]
    public long RandomSlippagePoints { get; init; }

    [Id(5), Description("From decision to venue, in milliseconds, 0 to 86400000")]
    public double LatencyMilliseconds { get; init; }

    [Id(6), Description("Where in the next bar a market order fills: nextOpen or nextClose")]
    public string Fill { get; init; } = "nextOpen";

    [Id(7), Description("Points a unit of a long position earns (negative: pays) a night; without it the instrument's")]
    public decimal? SwapLongPoints { get; init; }

    [Id(8), Description("The same for a short position")]
    public decimal? SwapShortPoints { get; init; }

    [Id(9), Description("Of the random slippage")]
    public ulong Seed { get; init; } = 1;

    public IEnumerable<InputFault> Faults()
    {
        if (CommissionRate is < 0 or > 0.1m) yield return InputFault.Of("costs.commissionRate", RunAccount.Number(CommissionRate), "0 to 0.1");
        if (CommissionPerLot is < 0 or > 1_000_000m) yield return InputFault.Of("costs.commissionPerLot", RunAccount.Number(CommissionPerLot), "0 to 1000000");
        if (CommissionMinimum is < 0 or > 1_000_000m)
        {
            yield return InputFault.Of("costs.commissionMinimum", RunAccount.Number(CommissionMinimum), "0 to 1000000");
        }
        if (SlippagePoints is < 0 or > 1_000_000) yield return InputFault.Of("costs.slippagePoints", RunAccount.Number(SlippagePoints), "0 to 1000000");
        if (RandomSlippagePoints is < 0 or > 1_000_000)
        {
            yield return InputFault.Of("costs.randomSlippagePoints", RunAccount.Number(RandomSlippagePoints), "0 to 1000000");
        }
        if (LatencyMilliseconds is not (>= 0 and <= 86_400_000))
        {
            yield return InputFault.Of("costs.latencyMilliseconds", LatencyMilliseconds.ToString(CultureInfo.InvariantCulture), "0 to 86400000");
        }
        if (Fill is not ("nextOpen" or "nextClose")) yield return InputFault.Of("costs.fill", RunInput.Quote(Fill), "nextOpen or nextClose");
        if (Math.Abs(SwapLongPoints ?? 0) > 1_000_000m)
        {
            yield return InputFault.Of("costs.swapLongPoints", RunAccount.Number(SwapLongPoints), "-1000000 to 1000000");
        }
        if (Math.Abs(SwapShortPoints ?? 0) > 1_000_000m)
        {
            yield return InputFault.Of("costs.swapShortPoints", RunAccount.Number(SwapShortPoints), "-1000000 to 1000000");
        }
    }

    internal ExecutionModel Execution() => new(
        TimeSpan.FromMilliseconds(LatencyMilliseconds), SlippagePoints, RandomSlippagePoints, CommissionRate, CommissionPerLot, CommissionMinimum,
        Fill == "nextClose" ? BarFill.NextClose : BarFill.NextOpen, Seed);
}

/// <summary>A search over the parameters of one strategy, and with <see cref="WalkForward"/> the proof of it.</summary>
[GenerateSerializer, Immutable, Alias("ht.SearchInput")]
public sealed record SearchInput : RunInput
{
    private const string Random = "random:";

    [Id(0), Description("What is varied, by parameter: 5..50/5, 5..50, 5,10,20; empty or null where a rule's parameter says range and step")]
    public ImmutableSortedDictionary<string, string?> Vary { get; init; } = ImmutableSortedDictionary<string, string?>.Empty;

    [Id(1), Description("grid, or random:N for N different combinations drawn by searchSeed")]
    public string Search { get; init; } = "grid";

    [Id(2)]
    public ulong SearchSeed { get; init; } = 1;

    [Id(3), Description("What is to be high; GET /job-limits lists all")]
    public string Objective { get; init; } = Domain.Optimisation.Objective.All[0].Name;

    [Id(4)]
    public SearchConstraints? Constraints { get; init; }

    [Id(5), Description("Search in a window, trade the next one, and a verdict")]
    public WalkForwardInput? WalkForward { get; init; }

    public override IEnumerable<InputFault> Faults()
    {
        foreach (InputFault fault in base.Faults()) yield return fault;
        if (Strategies.Length > 1) yield return InputFault.Of("strategies", $"a list of {Strategies.Length}", "one: a search varies the parameters of one");
        if (Vary.Count is 0 or > 20) yield return InputFault.Of("vary", $"{Vary.Count} parameters", "1 to 20");
        foreach ((string name, string? values) in Vary)
        {
            if (values?.Length > 1000) yield return InputFault.Of($"vary.{name}", $"{values.Length} characters", "at most 1000");
        }
        if (Search != "grid" && Drawn is null)
        {
            yield return InputFault.Of("search", Quote(Search), $"grid, or random:N with N from 1 to {SearchSpace.MostTrials}");
        }
        if (Domain.Optimisation.Objective.All.All(each => each.Name != Objective))
        {
            yield return InputFault.Of("objective", Quote(Objective), string.Join(", ", Domain.Optimisation.Objective.All.Select(each => each.Name)));
        }
        if (Constraints?.MinTrades is < 0 or > 10_000_000) yield return InputFault.Of("constraints.minTrades", $"{Constraints.MinTrades}", "0 to 10000000");
        if (Constraints?.MaxDrawdownPercent is { } drawdown && drawdown is not (> 0 and <= 100))
        {
            yield return InputFault.Of("constraints.maxDrawdownPercent", drawdown.ToString(CultureInfo.InvariantCulture), "more than 0, at most 100");
        }
        if (WalkForward?.Options().Fault() is { } cut)
        {
            yield return new InputFault($"walkForward.{cut[..cut.IndexOf(' ')].Replace("warm-up", "warmUpBars", StringComparison.Ordinal)}", cut);
        }
    }

    /// <summary>Trials of a random search; null for a grid.</summary>
    private int? Drawn => Search.StartsWith(Random, StringComparison.Ordinal)
        && int.TryParse(Search.AsSpan(Random.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= SearchSpace.MostTrials ? count : null;

    /// <summary>The combinations that the search may try.</summary>
    /// <exception cref="RunPlanException">A parameter cannot be varied so.</exception>
    public SearchSpace Space()
    {
        StrategyDefinition definition = Strategies[0].Define();
        ImmutableArray<SearchDimension>.Builder dimensions = ImmutableArray.CreateBuilder<SearchDimension>();
        foreach ((string name, string? values) in Vary)
        {
            try
            {
                dimensions.Add(SearchDimension.Parse(string.IsNullOrWhiteSpace(values) ? name : $"{name}={values}", definition));
            }
            catch (ArgumentException wrong)
            {
                throw new RunPlanException($"vary.{name}", wrong.Message);
            }
        }
        try
        {
            return new SearchSpace(definition, dimensions.ToImmutable(), Strategies[0].Parameters);
        }
        catch (ArgumentException wrong)
        {
            throw new RunPlanException("vary", wrong.Message);
        }
    }

    /// <summary>How many trials there may be at most.</summary>
    public decimal TrialsOf(SearchSpace space) => Drawn is { } count ? Math.Min(count, space.Combinations) : space.Combinations;

    /// <exception cref="RunPlanException">None goes together, or they are too many.</exception>
    public ImmutableArray<StrategyParameters> Trials(SearchSpace space)
    {
        try
        {
            return Drawn is { } count ? space.Random(count, SearchSeed) : space.Grid();
        }
        catch (ArgumentException wrong)
        {
            throw new RunPlanException("vary", wrong.Message);
        }
    }

    /// <summary>Those of the first trial: the defaults of what is varied need not go together with what is given.</summary>
    protected override ImmutableSortedDictionary<string, decimal> Given(RunStrategy strategy) => Trials(Space())[0].Values;

    internal TrialConstraints Kept() => new(Constraints?.MinTrades ?? 1, Constraints?.MaxDrawdownPercent);
}

/// <summary>What a trial must keep to.</summary>
[GenerateSerializer, Immutable, Alias("ht.SearchConstraints")]
public sealed record SearchConstraints
{
    [Id(0), Description("Closed trades that a trial must have")]
    public int MinTrades { get; init; } = 1;

    [Id(1), Description("Percent that a trial's drawdown must not exceed")]
    public double? MaxDrawdownPercent { get; init; }
}

/// <summary>How a walk-forward is cut.</summary>
[GenerateSerializer, Immutable, Alias("ht.WalkForwardInput")]
public sealed record WalkForwardInput
{
    [Id(0), Description("Out-of-sample windows, 2 to 200")]
    public int Windows { get; init; } = 10;

    [Id(1), Description("Length of the (first) in-sample window by that of an out-of-sample window, 0.1 to 100")]
    public double Ratio { get; init; } = 3;

    [Id(2), Description("Every in-sample window begins with the data; else it rolls")]
    public bool Anchored { get; init; }

    [Id(3), Description("Bars before a window that warm the features up at least; without it four times what the slowest trial needs")]
    public int? WarmUpBars { get; init; }

    [Id(4), Description("Of the test on the out-of-sample days")]
    public ulong Seed { get; init; } = 1;

    internal WalkForwardOptions Options() => new(Windows, Ratio, Anchored, WarmUpBars, Seed);
}
