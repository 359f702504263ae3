using System.Globalization;
using System.Text.Json.Serialization;
using HybridTrading.Domain;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Silo.Commands;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo;

/// <summary>What a run was asked for, as it is stored with a replay.</summary>
public sealed record RunRequest
{
    public ImmutableArray<string> Files { get; init; } = [];
    public ImmutableArray<string> Symbols { get; init; } = [];
    public TimeFrame? TimeFrame { get; init; }
    public TimeFrame? DataTimeFrame { get; init; }
    public ImmutableArray<string> Strategies { get; init; } = [];
    public ImmutableArray<NamedRule> Rules { get; init; } = [];
    public ImmutableArray<string> Set { get; init; } = [];
    public DateTime? From { get; init; }
    public DateTime? To { get; init; }
    public ImmutableArray<string> Accounts { get; init; } = [];
    public decimal Cash { get; init; }
    public string Currency { get; init; } = "USD";
    public PositionMode Mode { get; init; }
    public RiskLimits Limits { get; init; } = RiskLimits.None;
    public decimal? StopOut { get; init; }
    public decimal? Leverage { get; init; }
    public int? MoneyDigits { get; init; }
    public long? Spread { get; init; }
    public ImmutableArray<SwapPoints> SwapLong { get; init; } = [];
    public ImmutableArray<SwapPoints> SwapShort { get; init; } = [];
    public ExecutionModel Execution { get; init; } = new();
    public string? Columns { get; init; }
    public string? TimeZone { get; init; }

    /// <summary>Reads the data, ordered by symbol.</summary>
    /// <param name="cache">Null parses the files into memory; else the series are valid until it is disposed.</param>
    public ImmutableArray<MarketSeries> Load(SeriesCache? cache = null)
    {
        if (Files.IsEmpty) throw new UsageException("no files given; name CSV files, zips, or folders of them");
        var options = new FeedOptions
        {
            // One symbol can name the data, too; several choose from what the files themselves say.
            Symbol = Symbols.Length == 1 ? Symbols[0] : null,
            Warn = warning => Console.Error.WriteLine($"warning: {warning}"),
            TimeFrame = DataTimeFrame,
            From = From,
            To = To,
            SpreadPoints = Spread,
            TimeZone = TimeZone,
            Columns = Columns is null ? null : FeedColumns.Parse(Columns),
        };
        ImmutableArray<MarketSeries> all = cache?.ReadAll(Files, options) ?? FeedReader.ReadAll(Files, options);
        if (Symbols.Length > 1)
        {
            foreach (string symbol in Symbols)
            {
                if (all.All(series => series.Instrument.Symbol != symbol))
                {
                    throw new UsageException($"--symbol {symbol}: not in the files{NearestName.Suggestion(symbol, all.Select(series => series.Instrument.Symbol))}");
                }
            }
            all = [.. all.Where(series => Symbols.Contains(series.Instrument.Symbol))];
        }
        foreach (IGrouping<string, MarketSeries> same in all.GroupBy(series => series.Instrument.Symbol).Where(group => group.Count() > 1))
        {
            throw new UsageException($"the files hold {same.Key} as {string.Join(" and ", same.Select(series => series.TimeFrame))}; choose one by --data-timeframe");
        }
        SwapPoints.Check("--swap-long", SwapLong, all);
        SwapPoints.Check("--swap-short", SwapShort, all);
        return [.. all.Select(WithSwaps)];
    }

    private MarketSeries WithSwaps(MarketSeries series)
    {
        Instrument instrument = series.Instrument;
        decimal swapLong = SwapPoints.Of(SwapLong, instrument) ?? instrument.SwapLongPoints;
        decimal swapShort = SwapPoints.Of(SwapShort, instrument) ?? instrument.SwapShortPoints;
        return swapLong == instrument.SwapLongPoints && swapShort == instrument.SwapShortPoints ? series
            : series.Of(instrument with { SwapLongPoints = swapLong, SwapShortPoints = swapShort });
    }

    /// <summary>The plan over this data; strategies and accounts belong to <paramref name="tenant"/>.</summary>
    public RunPlan Plan(ImmutableArray<MarketSeries> data, string tenant)
    {
        var universe = new InstrumentUniverse(data.Select(series => series.Instrument));
        ImmutableArray<StrategyPlan> strategies = PlanStrategies(data, tenant);
        foreach (Instrument instrument in universe.Instruments)
        {
            if (instrument.QuoteCurrency != Currency && universe.FindPath(instrument.QuoteCurrency, Currency) is null)
            {
                throw new UsageException($"--account-currency is {Currency}, and nothing in the data converts {instrument.QuoteCurrency} ({instrument.Symbol}) to it; "
                    + $"add such data, or use --account-currency {instrument.QuoteCurrency}");
            }
        }
        var settings = new AccountSettings(Currency, Mode, MoneyDigits, Leverage, StopOut is null ? null : Math.Max(100m, StopOut.Value), StopOut,
            Execution, TradingCalendar.Forex, null);
        ImmutableArray<AccountPlan> accounts = [.. Accounts.Select(text => PlanAccount(text, tenant, settings, strategies))];
        if (accounts.Select(account => account.Key).Distinct().Count() < accounts.Length) throw new UsageException("--account: the same name twice");
        foreach (AccountPlan account in accounts)
        {
            if (new Account(account.Key, new AccountState(universe)).Open(account.Settings, account.Limits, account.Deposit, DateTime.UnixEpoch) is { } fault) throw new UsageException(fault);
        }
        return new RunPlan(universe, strategies, accounts);
    }

    /// <summary>The values that <see cref="Set"/> gives a run's only strategy.</summary>
    public Dictionary<string, decimal> Settings(string strategy)
    {
        Dictionary<string, decimal> values = [];
        foreach (string setting in Set)
        {
            (string key, decimal value) = Setting(setting);
            values[key.StartsWith($"{strategy}.", StringComparison.Ordinal) ? key[(strategy.Length + 1)..] : key] = value;
        }
        return values;
    }

    private static (string Name, decimal Value) Setting(string text)
    {
        int equals = text.IndexOf('=');
        return equals > 0 && decimal.TryParse(text.AsSpan(equals + 1), NumberStyles.Number | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out decimal value)
            ? (text[..equals], value)
            : throw new UsageException($"--set is '{text}'; expected name=number");
    }

    private ImmutableArray<StrategyPlan> PlanStrategies(ImmutableArray<MarketSeries> data, string tenant)
    {
        ImmutableArray<StrategyPlan>.Builder plans = ImmutableArray.CreateBuilder<StrategyPlan>();
        List<string> unused = [.. Set];
        (string Name, StrategyDefinition Definition)[] chosen =
        [
            .. Strategies.Select(name => (name, StrategyCatalog.Find(name))),
            .. Rules.Select(rule => (rule.Name, rule.Check().Definition)),
        ];
        foreach ((string name, StrategyDefinition definition) in chosen)
        {
            Dictionary<string, decimal> values = [];
            foreach (string setting in Set)
            {
                (string key, decimal value) = Setting(setting);
                int dot = key.LastIndexOf('.');
                if (dot >= 0 && key[..dot] != name) continue;
                string parameter = key[(dot + 1)..];
                // Of several strategies each takes the settings that it has; what none has is an error.
                if (dot < 0 && chosen.Length > 1 && definition.AllParameters.All(each => each.Name != parameter)) continue;
                values[parameter] = value;
                unused.Remove(setting);
            }
            StrategyParameters parameters = definition.Bind(values);
            foreach (MarketSeries series in data)
            {
                TimeFrame frame = TimeFrame ?? series.TimeFrame;
                if (frame.CompareTo(series.TimeFrame) < 0)
                {
                    throw new UsageException($"--timeframe is {frame}, but {series.Instrument.Symbol} is known by {series.TimeFrame} only");
                }
                string instance = data.Length == 1 ? name : $"{name}-{series.Instrument.Symbol.ToLowerInvariant()}";
                plans.Add(new StrategyPlan(
                    $"{tenant}/run/{instance}", definition.Name, parameters, series.Instrument.Symbol, frame, definition.Rule));
            }
        }
        if (unused.Count > 0) throw new UsageException($"--set {unused[0]}: no strategy of this run takes it");
        if (plans.Select(plan => plan.Key).Distinct().Count() < plans.Count) throw new UsageException("--strategy, --rule: the same name twice");
        return [.. plans.OrderBy(plan => plan.Key, StringComparer.Ordinal)];
    }

    private AccountPlan PlanAccount(string text, string tenant, AccountSettings settings, ImmutableArray<StrategyPlan> strategies)
    {
        int equals = text.IndexOf('=');
        string name = equals < 0 ? text : text[..equals];
        if (!Grains.Keys.IsName(name)) throw new UsageException($"--account is '{name}'; expected 1 to 64 of a-z 0-9 - _ .");
        var terms = new FollowTerms(equals < 0 ? Sizing.AsTheStrategySays : ParseSize(text[(equals + 1)..]));
        return new AccountPlan($"{tenant}/run/{name}", settings, Limits, Cash,
            strategies.ToImmutableSortedDictionary(strategy => strategy.Key, _ => terms, StringComparer.Ordinal));
    }

    private static Sizing ParseSize(string text)
    {
        (SizingKind kind, string number) = text switch
        {
            _ when text.EndsWith("%risk", StringComparison.Ordinal) => (SizingKind.PercentRisk, text[..^5]),
            _ when text.EndsWith('%') => (SizingKind.PercentOfEquity, text[..^1]),
            _ when text.EndsWith('x') => (SizingKind.StrategyUnits, text[..^1]),
            _ => (SizingKind.FixedUnits, text),
        };
        return decimal.TryParse(number, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal value) && value > 0
            ? new Sizing(kind, value)
            : throw new UsageException($"--account size is '{text}'; expected for example 1.5x, 2000, 10% or 1%risk");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(Runs.StoredRun))]
public sealed partial class RunJson : JsonSerializerContext;
