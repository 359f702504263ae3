using System.Text.Json.Nodes;

namespace HybridTrading.Tests;

/// <summary>Starts of <c>backtest</c> and <c>replay</c> that are read as JSON.</summary>
internal static class RunCall
{
    public static Task<JsonObject> BacktestAsync(params string[] arguments) => JsonAsync("backtest", arguments);

    /// <summary>A replay into a data folder that is gone afterwards.</summary>
    public static async Task<JsonObject> ReplayAsync(params string[] arguments)
    {
        using var data = new TempFolder();
        return await JsonAsync("replay", [.. arguments, "--data", data.Path]);
    }

    /// <summary>All that a run came to: the report without what differs between a back-test and a replay of the same (mode, id, time
    /// taken).</summary>
    public static string Outcome(JsonObject report)
    {
        JsonNode copy = report.DeepClone();
        foreach (string field in (string[])["mode", "runId", "seconds", "wallSeconds"]) copy.AsObject().Remove(field);
        return copy.ToJsonString();
    }

    /// <summary>A back-test and a replay of the same arguments come to the same, to the last digit.</summary>
    /// <returns>The back-test's report.</returns>
    public static async Task<JsonObject> AssertAlikeAsync(params string[] arguments)
    {
        JsonObject backtest = await BacktestAsync(arguments), replay = await ReplayAsync(arguments);
        Assert.Equal("backtest", (string?)backtest["mode"]);
        Assert.Equal("replay", (string?)replay["mode"]);
        Assert.Equal(Outcome(backtest), Outcome(replay));
        return backtest;
    }

    private static async Task<JsonObject> JsonAsync(string command, string[] arguments)
    {
        ProgramResult result = (await HybridProgram.RunAsync([command, .. arguments, "--json"])).Succeeded();
        // One object and nothing else: anything beside it would not parse.
        return JsonNode.Parse(result.Output)!.AsObject();
    }
}
