using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

public sealed class ReadSideTests
{
    [Fact]
    public async Task TheJournalShowsTheCallersOwnEventsOnly()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        (await host.PostAsync("accounts/main/deposits", new { amount = 7 })).Expect(200);
        var journal = host.Services.GetRequiredService<IJournal>();
        NewEvent foreign = AccountEventCatalog.Events.Encode(new BalanceAdjusted(DateTime.UtcNow, -1, 1, "theirs", "x"), DateTime.UtcNow, "");
        await journal.AppendAsync("account/other/person/main", new StreamOwner("other", "other/person"), 0, new[] { foreign });
        Answer own = await OrderApiTests.UntilAsync(host, "journal", _ => true);
        JsonElement[] entries = [.. own["entries"].EnumerateArray()];
        Assert.Equal(["account-opened", "balance-adjusted", "balance-adjusted"], entries.Select(entry => entry.GetProperty("name").GetString()));
        Assert.All(entries, entry => Assert.Equal("account/local/owner/main", entry.GetProperty("stream").GetString()));
        Assert.Equal(7m, entries[2].GetProperty("payload").GetProperty("amount").GetDecimal());
        Answer page = (await host.GetAsync("journal?limit=2")).Expect(200);
        Answer rest = (await host.GetAsync($"journal?from={page["next"].GetInt64()}")).Expect(200);
        Assert.Equal(entries[2].GetRawText(), Assert.Single(rest["entries"].EnumerateArray()).GetRawText());
        Assert.Equal(JsonValueKind.Null, rest["next"].ValueKind);
        Assert.Empty((await host.GetAsync("journal?from=1000000")).Expect(200)["entries"].EnumerateArray());
        (await host.GetAsync("journal?from=-1")).ExpectProblem(400, "InvalidInput", "from");
    }

    [Fact]
    public async Task AListThatDoesNotGetThereInTimeSaysSo()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        var clock = new FakeTimeProvider();
        var reads = new ReadSide(host.Services.GetRequiredService<ProjectionRunner>(), host.Services.GetRequiredService<IJournal>(), clock);
        Task waiting = reads.WaitForAsync(AccountProjection.ProjectionName, 1_000, CancellationToken.None);
        clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(waiting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.2));
        ApiException behind = await Assert.ThrowsAsync<ApiException>(() => waiting);
        Assert.Equal((503, ApiReason.ProjectionBehind), (behind.Status, behind.Reason));
    }

    [Fact]
    public async Task AfterARestartItIsKnownWhoMustBeWokenAlsoFromTheJournalAlone()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        foreach (string name in (string[])["idle", "resting", "hedged", "closed"]) await host.OpenAsync(
            name, new { mode = name == "hedged" ? "Hedging" : "Netting" });
        (await host.PostAsync("accounts/resting/orders", OrderApiTests.Limit("l", 1.0m))).Expect(201);
        // Net zero, yet two positions.
        foreach (string side in (string[])["Buy", "Sell"])
        {
            (await host.PostAsync("accounts/hedged/orders", new { symbol = "EURUSD", side, type = "Market", volume = 1000 })).Expect(201);
            (await host.PostAsync("accounts/closed/orders", new { symbol = "EURUSD", side, type = "Market", volume = 1000 })).Expect(201);
            await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        }
        (await host.PostAsync("strategies", StrategyApiTests.Cross(start: true))).Expect(201);
        (await host.PostAsync("strategies", new { name = "stopped", definition = "sma-cross", symbol = "EURUSD", timeFrame = "M1" })).Expect(201);
        for (int round = 0; round < 2; round++)
        {
            bool anew = round == 1;
            await host.RestartAsync(folder =>
            {
                if (anew) foreach (string file in Directory.GetFiles(folder, "views.db*")) File.Delete(file);
            });
            var startup = host.Services.GetRequiredService<IStartupQueries>();
            await startup.CatchUpAsync();
            Assert.Equal(["local/owner/cross"], startup.RunningStrategies());
            Assert.Equal(["local/owner/hedged", "local/owner/resting"], startup.AccountsToWake());
        }
    }

    [Fact]
    public async Task TheTablesOfOrdersAgreeWithTheAccount()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        await host.OpenAsync("slow", new { latencyMilliseconds = 1000 });
        var random = new Random(20260105);
        foreach (string account in (string[])["main", "slow"])
        {
            for (int i = 0; i < 40; i++)
            {
                string id = $"o{i}";
                decimal price = 1.1m + random.Next(-30, 30) * 0.0001m;
                string type = (string[])["Market", "Limit", "Stop", "TrailingStop"] is var types ? types[random.Next(4)] : "";
                await host.PostAsync($"accounts/{account}/orders", new Dictionary<string, object>
                {
                    ["clientOrderId"] = id,
                    ["symbol"] = "EURUSD",
                    ["side"] = random.Next(2) == 0 ? "Buy"
                        : "Sell",
                    ["type"] = type,
                    ["volume"] = random.Next(1, 5) * 1000,
                    [type switch { "Limit" => "limitPrice", "Stop" => "stopPrice", "TrailingStop" => "trailDistance", _ => "reduceOnly" }] =
                        type switch { "TrailingStop" => 0.0010m, "Market" => (object)false, _ => price },
                });
                if (random.Next(3) == 0) await host.PatchAsync(
                    $"accounts/{account}/orders/o{random.Next(i + 1)}", new { volume = random.Next(1, 5) * 1000 });
                if (random.Next(4) == 0) await host.DeleteAsync($"accounts/{account}/orders/o{random.Next(i + 1)}");
                decimal bid = 1.1m + random.Next(-40, 40) * 0.0001m;
                await host.QuoteAsync("EURUSD", bid, bid + 0.0001m);
            }
            // Two that the market is far away from, whatever became of the others.
            (await host.PostAsync($"accounts/{account}/orders", OrderApiTests.Limit("far", 1.0m))).Expect(201);
            (await host.PostAsync($"accounts/{account}/orders", OrderApiTests.Limit("farther", 0.99m))).Expect(201);
            await host.QuoteAsync("EURUSD", 1.1m, 1.1001m, TimeSpan.FromSeconds(5));
            Answer now = (await host.GetAsync($"accounts/{account}")).Expect(200);
            string[] working = [.. now["workingOrders"].EnumerateArray().Select(order => order.GetRawText()).Order()];
            Answer open = await OrderApiTests.UntilAsync(host, $"accounts/{account}/orders?status=open&limit=1000", _ => true);
            Assert.NotEmpty(working);
            Assert.Equal(working, open["orders"].EnumerateArray().Select(order => order.GetRawText()).Order());
            Answer fills = (await host.GetAsync($"accounts/{account}/fills?limit=1000")).Expect(200);
            decimal net = fills["fills"].EnumerateArray().Sum(
                fill => fill.GetProperty("volume").GetDecimal() * (fill.GetProperty("side").GetString() == "Buy" ? 1 : -1));
            Assert.Equal(now["positions"].EnumerateArray().Sum(position => position.GetProperty("volume").GetDecimal()), net);
            Assert.NotEqual(0, fills["fills"].GetArrayLength());
        }
    }

    [Fact]
    public void TheStreamsAreCalledAsTheGrainsCallThem()
    {
        Assert.Equal(AccountProjection.StreamPrefix, Keys.AccountStream(""));
        Assert.Equal(StrategyProjection.StreamPrefix, Keys.StrategyStream(""));
    }
}
