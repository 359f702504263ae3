using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Silo.Runs;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LiveCheckResult))]
public sealed partial class LiveCheckJson : JsonSerializerContext;

/// <summary><c>backtest compare-live</c>: does a back-test of the same time make the orders that a live account made, and if not, why?</summary>
public static class CompareLiveCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files")
        {
            Description = "data of the same time; default: what the account saw (the market log), or the files of the replay",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var account = new Option<string?>("--account") { Description = "key of the account, or its own name where that is unique" };
        var run = new Option<string?>("--run") { Description = "an account of this replay instead of a live one" };
        var json = new Option<bool>("--json") { Description = "print one JSON object and nothing else on standard output" };
        Option<string?> folder = DataOption.Create();
        var data = new DataOptions();
        var cache = new CacheOptions();
        var command = new Command("compare-live", """
            Run the strategies of a live account over the same time with the settings it began with, and compare order by order. Exits 1 at a difference, and
            names its cause: a manual order, a setting that changed, price, spread, missing data, an outage, latency.

            Examples:
              backtest compare-live --account demo
              backtest compare-live --data /srv/hybrid --account local/user/main EURUSD_tick_2026.csv --symbol EURUSD
              backtest compare-live --run 20261121-101500-3f2a --account main
            """) { files, account, folder, run, json };
        foreach (Option option in (Option[])[.. data.All, .. cache.All]) command.Add(option);
        command.Handle(async (parsed, cancellation) =>
        {
            string[] paths = parsed.GetValue(files) ?? [];
            if (paths.FirstOrDefault(file => file.StartsWith("--", StringComparison.Ordinal)) is { } stranger)
            {
                throw new UsageException($"unknown option '{stranger}'; --help lists them");
            }
            if (parsed.GetValue(account) is not { Length: > 0 } key)
            {
                throw new UsageException("--account is missing; expected the key of an account, or its name");
            }
            string root = DataOption.Path(parsed.GetValue(folder));
            if (parsed.GetValue(run) is { } id) root = Path.Combine(root, "runs", id);
            using SeriesCache? open = cache.Open(parsed);
            using DataFolder place = DataFolder.Look(root);
            ImmutableArray<MarketSeries> played = RunFolder.Stored(root) is { } stored ? Played(stored, open) : [];
            ImmutableArray<MarketSeries> given = paths.Length > 0 ? data.Read(parsed, paths).Load(open) : played;
            LiveRecord live = await LiveRecords.ReadAsync(place, key, given, cancellation);
            if (!played.IsEmpty && paths.Length > 0) live = live with { Seen = played };
            ImmutableArray<MarketSeries> market = given.IsEmpty ? live.Seen : given;
            if (market.IsEmpty) throw new UsageException($"{root} keeps no market log; name the data files");
            LiveCheckResult result = await Task.Run(() => LiveCheck.Run(live, market, cancellation), cancellation);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(result, LiveCheckJson.Default.LiveCheckResult));
            else Print(result);
            return result.Difference is null ? 0 : CommandAction.Failed;
        });
        return command;
    }

    /// <summary>What a replay saw: its own files, where they are as they were.</summary>
    private static ImmutableArray<MarketSeries> Played(StoredRun stored, SeriesCache? cache)
    {
        try
        {
            return ReplayCommand.Prepare(stored, cache).Data;
        }
        catch (Exception gone) when (gone is UsageException or FeedException)
        {
            Console.Error.WriteLine($"warning: what the replay saw is not there any more ({gone.Message}); only its journal can be compared with");
            return [];
        }
    }

    private static void Print(LiveCheckResult result)
    {
        Line($"{result.Account}, {result.From:yyyy-MM-dd HH:mm} to {result.To:yyyy-MM-dd HH:mm}");
        Line($"{result.LiveOrders:N0} orders live, {result.BacktestOrders:N0} in the back-test");
        if (result.Difference is not { } first)
        {
            Line($"alike: every order and fill, to the last digit");
            return;
        }
        Line($"DIFFERENT from order {first.Order:N0} on, {first.Time:yyyy-MM-dd HH:mm:ss.FFF}");
        Line($"cause: {Words(first.Cause)}: {first.Detail}");
        Line($"live:      {Indented(first.Live)}");
        Line($"back-test: {Indented(first.Backtest)}");
    }

    private static string Words(DifferenceCause cause) => cause switch
    {
        DifferenceCause.ManualOrder => "manual order",
        DifferenceCause.MissingData => "missing data",
        _ => cause.ToString().ToLowerInvariant(),
    };

    private static string Indented(string? order) => order is null ? "no such order" : order.Replace("\n", "\n           ", StringComparison.Ordinal);

    private static void Line(FormattableString text) => Console.Out.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
