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
        var settings = new AccountSettings(Currency, Mode, MoneyDigits, Leverage, StopOut is null ? null : Math.Max(100m, StopOut.Value), StopOut,
            Execution, TradingCalendar.Forex, null);
        try
        {
            return RunPlanner.Plan([.. data.Select(RunData.Of)], Wishes(), TimeFrame, [.. Accounts.Select(text => Wish(text, settings))], $"{tenant}/run");
        }
        catch (RunPlanException wrong)
        {
            throw new UsageException(InOptions(wrong));
        }
    }

    /// <summary>A fault of the plan in the words of the command line.</summary>
    private static string InOptions(RunPlanException wrong) => wrong.Field.Split('.') switch
    {
        ["timeFrame"] => "--timeframe" + wrong.Message["timeFrame".Length..],
        ["accounts", _, "currency"] when wrong.Message.StartsWith("currency is ", StringComparison.Ordinal) => "--account-" + wrong.Message,
        ["accounts", _, "name"] => "--account: the same name twice",
        ["strategies", _, "name"] => "--strategy, --rule: the same name twice",
        _ => wrong.Message,
    };

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

    private ImmutableArray<StrategyWish> Wishes()
    {
        List<string> unused = [.. Set];
        (string Name, StrategyDefinition Definition)[] chosen =
        [
            .. Strategies.Select(name => (name, StrategyCatalog.Find(name))),
            .. Rules.Select(rule => (rule.Name, rule.Check().Definition)),
        ];
        ImmutableArray<StrategyWish>.Builder wishes = ImmutableArray.CreateBuilder<StrategyWish>();
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
            wishes.Add(new StrategyWish(name, definition, values));
        }
        return unused.Count == 0 ? wishes.ToImmutable() : throw new UsageException($"--set {unused[0]}: no strategy of this run takes it");
    }

    private AccountWish Wish(string text, AccountSettings settings)
    {
        int equals = text.IndexOf('=');
        string name = equals < 0 ? text : text[..equals];
        if (!Grains.Keys.IsName(name)) throw new UsageException($"--account is '{name}'; expected 1 to 64 of a-z 0-9 - _ .");
        return new AccountWish(name, settings, Limits, Cash, equals < 0 ? Sizing.AsTheStrategySays : ParseSize(text[(equals + 1)..]));
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
