using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Backtesting;

/// <summary>A strategy that a run is asked for.</summary>
/// <param name="Name">Its own in the run.</param>
/// <param name="Given">Values of some parameters; the rest has its defaults.</param>
/// <param name="Symbol">The only instrument that it trades; null for a strategy on each of the run's.</param>
public sealed record StrategyWish(string Name, StrategyDefinition Definition, IReadOnlyDictionary<string, decimal> Given, string? Symbol = null);

/// <summary>An account that a run is asked for; it follows all strategies.</summary>
public sealed record AccountWish(string Name, AccountSettings Settings, RiskLimits Limits, decimal Deposit, Sizing Sizing);

/// <summary>What the data of a run are, apart from the data themselves.</summary>
public readonly record struct RunData(Instrument Instrument, TimeFrame TimeFrame)
{
    public static RunData Of(MarketSeries series) => new(series.Instrument, series.TimeFrame);
}

/// <summary>A run that cannot be made as asked.</summary>
/// <param name="field">What is wrong: <c>timeFrame</c>, <c>strategies.0.parameters</c>, <c>accounts.0.currency</c>; numbers are places in the lists given.</param>
/// <param name="detail">Names the value and what was expected; begins with the field's name where one value is wrong.</param>
public sealed class RunPlanException(string field, string detail) : ArgumentException(detail)
{
    public string Field { get; } = field;
}

/// <summary>Makes the plan of a run of what was asked: the same for the command line and the API, so that both come to the same orders.</summary>
public static class RunPlanner
{
    /// <param name="timeFrame">Of the strategies; null for that of the data of each instrument.</param>
    /// <param name="person">tenant/user: front of the keys.</param>
    /// <exception cref="RunPlanException">The first fault.</exception>
    public static RunPlan Plan(
        ImmutableArray<RunData> data, ImmutableArray<StrategyWish> strategies, TimeFrame? timeFrame, ImmutableArray<AccountWish> accounts, string person)
    {
        var universe = new InstrumentUniverse(data.Select(each => each.Instrument));
        ImmutableArray<StrategyPlan> plans = PlanStrategies(data, strategies, timeFrame, person);
        for (int i = 0; i < accounts.Length; i++)
        {
            string currency = accounts[i].Settings.Currency;
            foreach (Instrument instrument in universe.Instruments)
            {
                if (instrument.QuoteCurrency == currency || universe.FindPath(instrument.QuoteCurrency, currency) is not null) continue;
                throw new RunPlanException($"accounts.{i}.currency", $"currency is {currency}, and nothing in the data converts {instrument.QuoteCurrency} "
                    + $"({instrument.Symbol}) to it; expected {instrument.QuoteCurrency}, or data that convert");
            }
        }
        ImmutableArray<AccountPlan> accountPlans = [.. accounts.Select((wish, place) => PlanAccount(wish, place, plans, universe, person))];
        for (int i = 0; i < accounts.Length; i++)
        {
            if (accounts[..i].Any(before => before.Name == accounts[i].Name)) throw new RunPlanException($"accounts.{i}.name", $"name is '{accounts[i].Name}' twice; expected different ones");
        }
        return new RunPlan(universe, plans, accountPlans);
    }

    private static ImmutableArray<StrategyPlan> PlanStrategies(ImmutableArray<RunData> data, ImmutableArray<StrategyWish> strategies, TimeFrame? timeFrame, string person)
    {
        Dictionary<string, StrategyPlan> plans = new(StringComparer.Ordinal);
        for (int i = 0; i < strategies.Length; i++)
        {
            StrategyWish wish = strategies[i];
            StrategyParameters parameters = Bind(wish, i);
            ImmutableArray<RunData> traded = wish.Symbol is null ? data : [.. data.Where(each => each.Instrument.Symbol == wish.Symbol)];
            if (traded.IsEmpty)
            {
                throw new RunPlanException($"strategies.{i}.symbol", $"symbol is '{wish.Symbol}'; expected one of the data: {string.Join(", ", data.Select(each => each.Instrument.Symbol))}");
            }
            foreach (RunData each in traded)
            {
                TimeFrame frame = timeFrame ?? each.TimeFrame;
                if (frame.CompareTo(each.TimeFrame) < 0)
                {
                    throw new RunPlanException("timeFrame", $"timeFrame is {frame}, but {each.Instrument.Symbol} is known by {each.TimeFrame} only");
                }
                string instance = data.Length == 1 || wish.Symbol is not null ? wish.Name : $"{wish.Name}-{each.Instrument.Symbol.ToLowerInvariant()}";
                var plan = new StrategyPlan($"{person}/{instance}", wish.Definition.Name, parameters, each.Instrument.Symbol, frame, wish.Definition.Rule);
                if (!plans.TryAdd(plan.Key, plan)) throw new RunPlanException($"strategies.{i}.name", $"name is '{wish.Name}' twice; expected different ones");
            }
        }
        return [.. plans.Values.OrderBy(plan => plan.Key, StringComparer.Ordinal)];
    }

    private static StrategyParameters Bind(StrategyWish wish, int place)
    {
        try
        {
            return wish.Definition.Bind(wish.Given);
        }
        catch (ArgumentException wrong)
        {
            string? parameter = wish.Given.Keys.FirstOrDefault(name => wrong.Message.Contains($"'{name}'", StringComparison.Ordinal)
                || wrong.Message.Contains($": {name} is ", StringComparison.Ordinal));
            throw new RunPlanException(parameter is null ? $"strategies.{place}.parameters" : $"strategies.{place}.parameters.{parameter}", wrong.Message);
        }
    }

    private static AccountPlan PlanAccount(AccountWish wish, int place, ImmutableArray<StrategyPlan> strategies, InstrumentUniverse universe, string person)
    {
        string key = $"{person}/{wish.Name}";
        // The account itself knows what is wrong with it.
        if (new Account(key, new AccountState(universe)).Open(wish.Settings, wish.Limits, wish.Deposit, DateTime.UnixEpoch) is { } fault)
        {
            int end = fault.IndexOf(" is ", StringComparison.Ordinal);
            throw new RunPlanException(end > 0 && !fault.AsSpan(0, end).Contains(' ') ? $"accounts.{place}.{char.ToLowerInvariant(fault[0])}{fault[1..end]}" : $"accounts.{place}", fault);
        }
        var terms = new FollowTerms(wish.Sizing);
        if (terms.Fault() is { } sizing) throw new RunPlanException($"accounts.{place}.sizing", sizing);
        return new AccountPlan(key, wish.Settings, wish.Limits, wish.Deposit,
            strategies.ToImmutableSortedDictionary(strategy => strategy.Key, _ => terms, StringComparer.Ordinal));
    }
}
