using System.Text.Json;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

public sealed class ReviewApiTests
{
    [Fact]
    public async Task A_strategy_that_goes_live_is_reviewed_daily_until_its_owner_says_otherwise()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        (await host.GetAsync("strategies/cross/review")).ExpectProblem(404, "StrategyUnknown");
        (await host.PostAsync("strategies", StrategyApiTests.Cross(start: false, accounts: ["main"]))).Expect(201);
        Answer before = (await host.GetAsync("strategies/cross/review")).Expect(200);
        Assert.Equal(JsonValueKind.Null, before["schedule"].GetProperty("everyHours").ValueKind);
        (await host.PostAsync("strategies/cross/start", new { })).Expect(200);
        Assert.Equal(24, (await host.GetAsync("strategies/cross/review")).Expect(200)["schedule"].GetProperty("everyHours").GetDouble());

        Answer set = (await host.PutAsync("strategies/cross/review/schedule", new { everyHours = 168, account = "main", proposes = false })).Expect(200);
        JsonElement schedule = set["review"].GetProperty("schedule");
        Assert.Equal((168, "main", false), (schedule.GetProperty("everyHours").GetDouble(), schedule.GetProperty("account").GetString(), schedule.GetProperty("proposes").GetBoolean()));
        (await host.PutAsync("strategies/cross/review/schedule", new { everyHours = 0.5 })).ExpectProblem(400, "InvalidInput", "everyHours");
        (await host.PutAsync("strategies/cross/review/schedule", new { account = "No Name" })).ExpectProblem(400, "InvalidInput", "account");
        (await host.PutAsync("strategies/nobody/review/schedule", new { everyHours = 24 })).ExpectProblem(404, "StrategyUnknown");
    }

    [Fact]
    public async Task A_review_that_is_asked_for_is_made_and_what_it_does_not_propose_cannot_be_accepted()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        (await host.PostAsync("strategies", StrategyApiTests.Cross(start: true, accounts: ["main"]))).Expect(201);
        await StrategyApiTests.TrendAsync(host);
        (await host.PostAsync("strategies/nobody/review/run", new { })).ExpectProblem(404, "StrategyUnknown");
        (await host.PostAsync("strategies/cross/review/run", new { })).Expect(200);
        Answer made = await MadeAsync(host);
        JsonElement line = Assert.Single(made["reviews"].EnumerateArray());
        Assert.Equal(("TooEarly", "None"), (line.GetProperty("finding").GetString(), line.GetProperty("proposal").GetString()));
        Assert.Equal("TooEarly", made["last"].GetProperty("live").GetProperty("finding").GetString());
        Assert.Equal(1, made["number"].GetInt64());
        (await host.PostAsync("strategies/cross/review/proposal", new { number = 1, accept = true })).ExpectProblem(409, "NoProposal");
        (await host.PostAsync("strategies/cross/review/proposal", new { number = 1 })).ExpectProblem(400, "InvalidInput", "accept");
        // It changed nothing.
        Assert.Equal("Running", (await host.GetAsync("strategies/cross")).Expect(200)["status"].GetString());
    }

    /// <summary>A review is work: it may take its time on a busy machine.</summary>
    private static async Task<Answer> MadeAsync(ApiHost host)
    {
        for (int look = 0; ; look++)
        {
            Answer answer = (await host.GetAsync("strategies/cross/review")).Expect(200);
            if (answer["reviews"].GetArrayLength() > 0) return answer;
            Assert.True(look < 1_200, $"no review: {answer.Json}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
