using System.CommandLine;
using System.Globalization;
using HybridTrading.Domain;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary>The options that <c>backtest</c> and <c>replay</c> share, and the plan that they come to.</summary>
public sealed class RunOptions
{
    private readonly Argument<string[]> _files = new("files") { Description = "CSV files, plain or zipped, or folders of them", Arity = ArgumentArity.ZeroOrMore };
    private readonly DataOptions _data = new();
    private readonly CacheOptions _cache = new();
    private readonly Option<string?> _timeFrame = new("--timeframe", "-t") { Description = "the strategies' time frame: tick, S1, M1, M5, H1, H4, D1, ...; default: that of the data" };
    private readonly Option<string[]> _strategies = new("--strategy") { Description = $"{string.Join(", ", StrategyCatalog.All.Select(each => each.Name))}; may be repeated" };
    private readonly Option<string[]> _rules = new("--rule") { Description = "a strategy without code: a file, or its text (docs/rules.md); may be repeated" };
    private readonly Option<string[]> _set = new("--set") { Description = "a parameter, for example fast=20, or sma-cross.fast=20 for one of several strategies or rules; may be repeated" };
    private readonly Option<string[]> _accounts = new("--account") { Description = "an account, NAME or NAME=SIZE (1.5x the strategy's units, 2000 units, 10% of equity, 1%risk); may be repeated" };
    private readonly Option<decimal> _cash = new("--cash") { Description = "opening deposit of each account", DefaultValueFactory = _ => 100_000m };
    private readonly Option<string> _currency = new("--account-currency") { Description = "currency of the accounts", DefaultValueFactory = _ => "USD" };
    private readonly Option<string> _mode = new("--mode") { Description = "netting or hedging", DefaultValueFactory = _ => "netting" };
    private readonly Option<string> _limits = new("--limits") { Description = "none, default, or a JSON file of risk limits", DefaultValueFactory = _ => "default" };
    private readonly Option<string> _stopOut = new("--stop-out") { Description = "margin level in percent at which positions are closed, or none", DefaultValueFactory = _ => "50" };
    private readonly Option<decimal?> _leverage = new("--leverage") { Description = "account leverage; default: the instruments' margin alone" };
    private readonly Option<int?> _moneyDigits = new("--money-digits") { Description = "decimals of booked amounts; default: exact" };
    private readonly Option<decimal> _commissionRate = new("--commission-rate") { Description = "commission as a share of the notional, each fill" };
    private readonly Option<decimal> _commissionPerLot = new("--commission-per-lot") { Description = "commission in account currency a lot, each fill" };
    private readonly Option<decimal> _commissionMinimum = new("--commission-minimum") { Description = "least commission of a fill, in account currency" };
    private readonly Option<string[]> _swapLong = new("--swap-long") { Description = "points that a unit held long earns a night (negative: pays), three times on the instrument's triple day; POINTS, or SYMBOL=POINTS for one of several; may be repeated" };
    private readonly Option<string[]> _swapShort = new("--swap-short") { Description = "the same of a unit held short" };
    private readonly Option<long> _slippage = new("--slippage") { Description = "adverse points on what takes the market" };
    private readonly Option<long> _randomSlippage = new("--random-slippage") { Description = "further adverse points, uniform from 0 to this, by --seed" };
    private readonly Option<double> _latency = new("--latency") { Description = "milliseconds from decision to venue" };
    private readonly Option<string> _fill = new("--fill") { Description = "where in the next bar a market order fills: next-open or next-close", DefaultValueFactory = _ => "next-open" };
    private readonly Option<ulong> _seed = new("--seed") { Description = "of the random slippage", DefaultValueFactory = _ => 1 };

    public Option<bool> Json { get; } = new("--json") { Description = "print one JSON object and nothing else on standard output" };

    public void AddTo(Command command)
    {
        command.Add(_files);
        foreach (Option option in (Option[])[.. _data.All, _timeFrame, _strategies, _rules, _set, _accounts, _cash, _currency, _mode, _limits, _stopOut,
            _leverage, _moneyDigits, _commissionRate, _commissionPerLot, _commissionMinimum, _swapLong, _swapShort,
            _slippage, _randomSlippage, _latency, _fill, _seed, .. _cache.All, Json])
        {
            command.Add(option);
        }
    }

    /// <inheritdoc cref="CacheOptions.Open"/>
    public SeriesCache? OpenCache(ParseResult parsed) => _cache.Open(parsed);

    /// <summary>All that the command line says, as data: what a replay stores to be resumed.</summary>
    public RunRequest Read(ParseResult parsed)
    {
        string[] files = parsed.GetValue(_files) ?? [];
        // The argument takes any word, also a mistyped option.
        if (files.FirstOrDefault(file => file.StartsWith("--", StringComparison.Ordinal)) is { } stranger) throw new UsageException($"unknown option '{stranger}'; --help lists them");
        decimal cash = parsed.GetValue(_cash);
        if (cash <= 0) throw new UsageException($"--cash is {cash}; expected more than 0");
        double latency = parsed.GetValue(_latency);
        if (latency is < 0 or > 86_400_000) throw new UsageException($"--latency is {latency}; expected 0 to 86400000 milliseconds");
        ImmutableArray<NamedRule> rules = [.. (parsed.GetValue(_rules) ?? []).Select(given => NamedRule.Read("--rule", given))];
        foreach (NamedRule rule in rules) rule.Check();
        return _data.Read(parsed, files) with
        {
            TimeFrame = DataOptions.Frame("--timeframe", parsed.GetValue(_timeFrame)),
            Strategies = parsed.GetValue(_strategies) is { Length: > 0 } strategies ? [.. strategies] : rules.IsEmpty ? [SmaCross.Definition.Name] : [],
            Rules = rules,
            Set = [.. parsed.GetValue(_set) ?? []],
            Accounts = parsed.GetValue(_accounts) is { Length: > 0 } accounts ? [.. accounts] : ["main"],
            Cash = cash,
            Currency = parsed.GetValue(_currency)!.ToUpperInvariant(),
            Mode = parsed.GetValue(_mode)! switch
            {
                "netting" => PositionMode.Netting,
                "hedging" => PositionMode.Hedging,
                var other => throw new UsageException($"--mode is '{other}'; expected netting or hedging"),
            },
            Limits = LimitsFile.Read(parsed.GetValue(_limits)!),
            StopOut = StopOut(parsed.GetValue(_stopOut)!),
            Leverage = parsed.GetValue(_leverage),
            MoneyDigits = parsed.GetValue(_moneyDigits),
            SwapLong = [.. (parsed.GetValue(_swapLong) ?? []).Select(text => SwapPoints.Parse("--swap-long", text))],
            SwapShort = [.. (parsed.GetValue(_swapShort) ?? []).Select(text => SwapPoints.Parse("--swap-short", text))],
            Execution = new ExecutionModel(
                TimeSpan.FromMilliseconds(latency), DataOptions.NotNegative("--slippage", parsed.GetValue(_slippage))!.Value,
                DataOptions.NotNegative("--random-slippage", parsed.GetValue(_randomSlippage))!.Value,
                Share("--commission-rate", parsed.GetValue(_commissionRate)), Share("--commission-per-lot", parsed.GetValue(_commissionPerLot)),
                Minimum(parsed.GetValue(_commissionMinimum)),
                parsed.GetValue(_fill)! switch
                {
                    "next-open" => BarFill.NextOpen,
                    "next-close" => BarFill.NextClose,
                    var other => throw new UsageException($"--fill is '{other}'; expected next-open or next-close"),
                },
                parsed.GetValue(_seed)),
        };
    }

    private static decimal Share(string option, decimal value) =>
        value is < 0 or > 1000 ? throw new UsageException($"{option} is {value}; expected 0 to 1000") : value;

    private static decimal Minimum(decimal value) =>
        value is < 0 or > 1_000_000 ? throw new UsageException($"--commission-minimum is {value}; expected 0 to 1000000") : value;

    private static decimal? StopOut(string text) => text == "none" ? null
        : decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal percent) && percent is > 0 and <= 100 ? percent
        : throw new UsageException($"--stop-out is '{text}'; expected none or a percentage from 0 to 100");
}
