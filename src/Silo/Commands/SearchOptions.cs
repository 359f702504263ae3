using System.CommandLine;
using System.Globalization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Strategies;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary>What a search over parameters was asked for, with its data.</summary>
/// <param name="Trials">The settings to be tried, in their order.</param>
/// <param name="Random">Drawn, not a grid.</param>
/// <param name="Plan">With the settings of the first trial.</param>
public sealed record SearchPlan(
    RunRequest Request, StrategyDefinition Definition, SearchSpace Space, ImmutableArray<StrategyParameters> Trials, bool Random, ulong Seed,
    Objective Objective, TrialConstraints Constraints, int Threads, ImmutableArray<MarketSeries> Data, RunPlan Plan)
{
    /// <summary>The varied parameters of a trial: <c>fast=20 slow=50</c>.</summary>
    public string Describe(StrategyParameters parameters) =>
        string.Join(' ', Space.Dimensions.Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Name}={parameters[each.Name]:0.##########}")));
}

/// <summary>The options that <c>optimise</c> and <c>walkforward</c> share, beside those of a back-test.</summary>
public sealed class SearchOptions
{
    private readonly RunOptions _run = new();
    private readonly Option<string[]> _vary = new("--vary") { Description = "a parameter to be varied: fast=5..50, fast=5..50/5, fast=5,10,20; or its name alone, where it (a rule's) says range and step; may be repeated" };
    private readonly Option<string> _search = new("--search") { Description = "grid, or random:N for N different combinations drawn by --search-seed", DefaultValueFactory = _ => "grid" };
    private readonly Option<ulong> _seed = new("--search-seed") { Description = "of the random search", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _objective = new("--objective") { Description = string.Join("; ", Objective.All.Select(each => $"{each.Name}: {each.Description}")), DefaultValueFactory = _ => Objective.All[0].Name };
    private readonly Option<int> _minTrades = new("--min-trades") { Description = "closed trades that a trial must have", DefaultValueFactory = _ => 1 };
    private readonly Option<double?> _maxDrawdown = new("--max-drawdown") { Description = "percent that a trial's drawdown must not exceed" };
    private readonly Option<int?> _threads = new("--threads") { Description = "trials at once; default: as many as there are cores. The results do not depend on it" };

    public Option<bool> Json => _run.Json;

    public void AddTo(Command command)
    {
        _run.AddTo(command);
        foreach (Option option in (Option[])[_vary, _search, _seed, _objective, _minTrades, _maxDrawdown, _threads]) command.Add(option);
    }

    /// <inheritdoc cref="CacheOptions.Open"/>
    public SeriesCache? OpenCache(ParseResult parsed) => _run.OpenCache(parsed);

    public SearchPlan Read(ParseResult parsed, SeriesCache? cache)
    {
        RunRequest request = _run.Read(parsed);
        if (request.Strategies.Length + request.Rules.Length != 1) throw new UsageException("several strategies; a search varies the parameters of one");
        var objective = Objective.Find(parsed.GetValue(_objective)!);
        int minTrades = parsed.GetValue(_minTrades), threads = parsed.GetValue(_threads) ?? Environment.ProcessorCount;
        double? drawdown = parsed.GetValue(_maxDrawdown);
        if (minTrades is < 0 or > 10_000_000) throw new UsageException($"--min-trades is {minTrades}; expected 0 to 10000000");
        if (drawdown is not (null or (> 0 and <= 100))) throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--max-drawdown is {drawdown}; expected a percentage from 0 to 100"));
        if (threads is < 1 or > 1024) throw new UsageException($"--threads is {threads}; expected 1 to 1024");

        StrategyDefinition definition = request.Rules.IsEmpty ? StrategyCatalog.Find(request.Strategies[0]) : request.Rules[0].Check().Definition;
        string name = request.Rules.IsEmpty ? definition.Name : request.Rules[0].Name;
        ImmutableArray<SearchDimension> dimensions = [.. (parsed.GetValue(_vary) ?? []).Select(text => SearchDimension.Parse(text, definition))];
        if (dimensions.IsEmpty) throw new UsageException($"--vary is not given; expected for example --vary {definition.AllParameters.First().Name}=FROM..TO/STEP");
        var space = new SearchSpace(definition, dimensions, request.Settings(name));
        (bool random, int count) = Kind(parsed.GetValue(_search)!);
        ulong seed = parsed.GetValue(_seed);
        ImmutableArray<StrategyParameters> trials = random ? space.Random(count, seed) : space.Grid();

        ImmutableArray<MarketSeries> data = request.Load(cache);
        RunRequest first = request with { Set = [.. trials[0].Values.Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Key}={each.Value}"))] };
        return new SearchPlan(request, definition, space, trials, random, seed, objective, new TrialConstraints(minTrades, drawdown), threads, data, first.Plan(data, "backtest"));
    }

    private static (bool Random, int Count) Kind(string text)
    {
        if (text == "grid") return (false, 0);
        const string random = "random:";
        return text.StartsWith(random, StringComparison.Ordinal) && int.TryParse(text.AsSpan(random.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count is > 0 and <= SearchSpace.MostTrials
            ? (true, count)
            : throw new UsageException($"--search is '{text}'; expected grid, or random:N with N from 1 to {SearchSpace.MostTrials}");
    }
}
