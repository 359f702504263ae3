using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HybridTrading.Scenarios.Tests;

/// <summary>
/// kill -9 in the middle of replays of ticks at full speed: two strategies with protective stops, two accounts, random slippage, latency and
/// commission.
/// </summary>
public sealed partial class ReplayKillTests(ITestOutputHelper output)
{
    private const int Kills = 25;

    private static readonly string[] Options =
    [
        "--symbol", "EURUSD", "--timeframe", "S1", "--strategy", "donchian-breakout", "--strategy", "bollinger-reversion", "--set", "stop=2",
        "--account", "main", "--account", "half=0.5x", "--limits", "none", "--commission-per-lot", "3.5", "--random-slippage", "4", "--seed", "11",
        "--latency", "30", "--from", "2014-05-01", "--to", "2014-05-01T12:00",
    ];

    [Fact]
    public async Task A_replay_killed_25_times_and_resumed_ends_as_the_uninterrupted_one()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] arguments = [SharedData.Path("data/lean/forex/oanda/tick/eurusd"), .. Options];

        string expected = RunCall.Outcome(await RunCall.BacktestAsync(arguments));
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(expected, RunCall.Outcome(await RunCall.ReplayAsync(arguments)));
        TimeSpan whole = Stopwatch.GetElapsedTime(start);

        using var data = new TempFolder();
        int kills = 0, runs = 0;
        while (kills < Kills)
        {
            runs++;
            string run = "";
            while (kills < Kills)
            {
                await using HybridProgram program = run.Length == 0
                    ? HybridProgram.Start(["replay", .. arguments, "--data", data.Path])
                    : HybridProgram.Start(["replay", "--resume", run, "--data", data.Path]);
                if (run.Length == 0) run = await RunIdAsync(program);
                // Any moment: while it starts, warms up, or trades.
                await Task.Delay(whole * random.NextDouble() / 3, TestContext.Current.CancellationToken);
                if (program.HasExited)
                {
                    (await program.WaitAsync()).Succeeded();
                    break;
                }
                await program.KillAsync();
                kills++;
            }
            ProgramResult end = (await HybridProgram.RunAsync("replay", "--resume", run, "--data", data.Path, "--json")).Succeeded();
            Assert.Equal(expected, RunCall.Outcome(JsonNode.Parse(end.Output)!.AsObject()));
            ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--run", run, "--data", data.Path)).Succeeded();
            Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);
            ProgramResult export = (await HybridProgram.RunAsync("journal", "export", "--run", run, "--data", data.Path)).Succeeded();
            // It was of the kind that it was meant to be: the market reached many a protective stop.
            Assert.InRange(Regex.Count(export.Output, "\"name\":\"order-triggered\""), 100, int.MaxValue);
        }
        output.WriteLine($"{kills} kills over {runs} runs; the same order list each time");
    }

    private static async Task<string> RunIdAsync(HybridProgram program)
    {
        while (true)
        {
            if (RunLine().Match(program.Error) is { Success: true } match) return match.Groups[1].Value;
            if (program.HasExited) Assert.Fail((await program.WaitAsync()).ToString());
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    [GeneratedRegex(@"(?m)^run (\S+) in ")]
    private static partial Regex RunLine();
}
