using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Feeds;
using Spectre.Console;

namespace HybridTrading.Silo.Commands;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LookaheadResult))]
[JsonSerializable(typeof(WarmUpResult))]
public sealed partial class CheckJson : JsonSerializerContext;

/// <summary><c>backtest check-lookahead</c> and <c>backtest check-warmup</c>: do the results depend on what they must not depend on?</summary>
public static class CheckCommands
{
    public static Command CreateLookahead()
    {
        var options = new RunOptions();
        var cuts = new Option<int>("--cuts") { Description = "times at which the data are cut off; each is a run", DefaultValueFactory = _ => 40 };
        var command = new Command("check-lookahead", """
            Run with all data and with the data up to many times T: what was decided and ordered by T must be the same. Exits 1 where it is not.

            Examples:
              backtest check-lookahead gbpusd_h1.zip --symbol GBPUSD --strategy donchian-breakout
              backtest check-lookahead gbpusd_h1.zip --symbol GBPUSD --rule trend.rule --cuts 200
            """) { cuts };
        options.AddTo(command);
        command.Handle(async (parsed, cancellation) =>
        {
            bool json = parsed.GetValue(options.Json);
            int count = parsed.GetValue(cuts);
            if (count is < 2 or > LookaheadCheck.MostCuts) throw new UsageException($"--cuts is {count}; expected 2 to {LookaheadCheck.MostCuts}");
            using SeriesCache? cache = options.OpenCache(parsed);
            (RunPlan plan, ImmutableArray<MarketSeries> data) = Prepare(options, parsed, cache);
            LookaheadResult result = await RunOutput.WithProgress("check-lookahead", json,
                progress => Task.Run(() => LookaheadCheck.Run(plan, data, count, null, progress, cancellation), cancellation));
            if (json) Console.Out.WriteLine(JsonSerializer.Serialize(result, CheckJson.Default.LookaheadResult));
            else
            {
                foreach (LookaheadDifference each in result.Differences.Take(10))
                {
                    Line($"with data up to {each.Cut:yyyy-MM-dd HH:mm:ss}: {each.Before ?? "nothing"}");
                    Line($"with all data{"",22}: {each.After ?? "nothing"}");
                }
                Line(result.Differences.IsEmpty
                    ? (FormattableString)$"no look-ahead: at all of {result.Cuts} cuts the {result.Decisions:N0} decisions and {result.Events:N0} account events up to the cut are the same without the data after it"
                    : $"LOOK-AHEAD: at {result.Differences.Length} of {result.Cuts} cuts results depend on data from after it");
            }
            return result.Differences.IsEmpty ? 0 : CommandAction.Failed;
        });
        return command;
    }

    public static Command CreateWarmUp()
    {
        var options = new RunOptions();
        var bars = new Option<int?>("--bars") { Description = "history given, in bars; default: after which all that the strategy reads is ready" };
        var tolerance = new Option<double>("--tolerance") { Description = "percent by which a feature may differ from its value with all history", DefaultValueFactory = _ => 1 };
        var command = new Command("check-warmup", """
            Show which features and decisions still depend on how much history was given. Exits 1 where some do at --bars.

            Examples:
              backtest check-warmup gbpusd_h1.zip --symbol GBPUSD --strategy rsi-reversion
              backtest check-warmup gbpusd_h1.zip --symbol GBPUSD --rule trend.rule --bars 500 --tolerance 0.1
            """) { bars, tolerance };
        options.AddTo(command);
        command.Handle((parsed, cancellation) =>
        {
            double percent = parsed.GetValue(tolerance);
            if (percent is not (>= 0 and <= 100)) throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--tolerance is {percent}; expected 0 to 100 percent"));
            if (parsed.GetValue(bars) is < 1 or > 1_000_000) throw new UsageException($"--bars is {parsed.GetValue(bars)}; expected 1 to 1000000");
            using SeriesCache? cache = options.OpenCache(parsed);
            (RunPlan plan, ImmutableArray<MarketSeries> data) = Prepare(options, parsed, cache);
            WarmUpResult result = WarmUpCheck.Run(plan, data, parsed.GetValue(bars), percent / 100, null, cancellation);
            if (parsed.GetValue(options.Json)) Console.Out.WriteLine(JsonSerializer.Serialize(result, CheckJson.Default.WarmUpResult));
            else Print(result);
            return Task.FromResult(result.HasFault ? CommandAction.Failed : 0);
        });
        return command;
    }

    private static (RunPlan Plan, ImmutableArray<MarketSeries> Data) Prepare(RunOptions options, ParseResult parsed, SeriesCache? cache)
    {
        RunRequest request = options.Read(parsed);
        ImmutableArray<MarketSeries> data = request.Load(cache);
        return (request.Plan(data, "backtest"), data);
    }

    private static void Print(WarmUpResult result)
    {
        static string Text(FormattableString value) => Markup.Escape(value.ToString(CultureInfo.InvariantCulture));
        var table = new Table().Border(TableBorder.Rounded).AddColumns("strategy", "feature", "ready after", "history", "differs by", "settled at", "further history: differs by");
        foreach (WarmUpFeature each in result.Features)
        {
            string Deviation(WarmUpPoint point) => point.Deviation is { } share ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.######} %") : "not ready";
            table.AddRow(Text($"{each.Strategy.Split('/')[^1]}"), Text($"{each.Feature}"), Text($"{each.Ready}"), Text($"{each.Given.Bars}"), Text($"{Deviation(each.Given)}{(each.IsFault ? " !" : "")}"),
                each.Settled is { } settled ? Text($"{settled} bars") : "beyond what was tried", Text($"{string.Join(", ", each.Points.Skip(1).Select(point => $"{point.Bars}: {Deviation(point)}"))}"));
        }
        Tables.Print(table);
        foreach (WarmUpDecisions each in result.Decisions)
        {
            string last = each.Last is { } time ? string.Create(CultureInfo.InvariantCulture, $", the last at {time:yyyy-MM-dd HH:mm:ss}") : "";
            Line($"{each.Strategy.Split('/')[^1]} from {each.From:yyyy-MM-dd HH:mm} on: {each.Decisions:N0} decisions with all history, {each.Different:N0} different with {each.Bars:N0} bars{last}");
        }
        Line(result.HasFault ? (FormattableString)$"WARM-UP FAULT: results depend on how much history was given; give more by --bars until nothing does" : $"nothing depends on further history");
    }

    private static void Line(FormattableString text) => Console.Out.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
