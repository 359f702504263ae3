using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Domain.Users;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

public sealed class AccountApiTests
{
    [Fact]
    public async Task AnAccountIsOpenedShownAndListed()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer opened = await host.OpenAsync(
            "main", new { deposit = 5000.5m, mode = "Hedging", leverage = 10, commissionPerLot = 3.5m, latencyMilliseconds = 20 });
        JsonElement account = opened["account"];
        Assert.Equal("main", account.GetProperty("name").GetString());
        Assert.Equal("local/owner/main", account.GetProperty("key").GetString());
        Assert.Equal("Hedging", account.GetProperty("mode").GetString());
        Assert.Equal("Active", account.GetProperty("state").GetString());
        Assert.Equal(5000.5m, account.GetProperty("balance").GetDecimal());
        Assert.Equal(5000.5m, account.GetProperty("equity").GetDecimal());
        Assert.Equal(opened.MinPosition.ToString(), opened.Headers["X-Min-Position"]);
        Assert.Equal("/api/v1/accounts/main", opened.Headers["Location"]);

        Answer one = (await host.GetAsync("accounts/main")).Expect(200);
        Assert.Equal(5000.5m, one["balance"].GetDecimal());
        Answer list = (await host.GetAsync($"accounts?minPosition={opened.MinPosition}")).Expect(200);
        Assert.Equal("main", Assert.Single(list.Json.EnumerateArray()).GetProperty("name").GetString());
    }

    [Fact]
    public async Task OpeningTwiceOnTheSameTermsIsOpeningOnceAndOnOthersIsAConflict()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await host.OpenAsync("main", new { leverage = 20 });
        Answer again = await host.OpenAsync("main", new { leverage = 20 });
        Assert.Equal(100_000m, again["account"].GetProperty("deposits").GetDecimal());
        (await host.PostAsync("accounts", new { name = "main", leverage = 30 })).ExpectProblem(409, "AccountExists");
    }

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":null}""", "name")]
    [InlineData("""{"name":"Main"}""", "name")]
    [InlineData("""{"name":7}""", "name")]
    [InlineData("""{"name":"a","surprise":1}""", "surprise")]
    [InlineData("""{"name":"a","name":"b"}""", "name")]
    [InlineData("""{"name":"a","deposit":"100"}""", "deposit")]
    [InlineData("""{"name":"a","deposit":-1}""", "deposit")]
    [InlineData("""{"name":"a","deposit":1e30}""", "deposit")]
    [InlineData("""{"name":"a","deposit":0.00000000001}""", "deposit")]
    [InlineData("""{"name":"a","mode":1}""", "mode")]
    [InlineData("""{"name":"a","mode":"Netting,Hedging"}""", "mode")]
    [InlineData("""{"name":"a","mode":"netting"}""", "mode")]
    [InlineData("""{"name":"\ud800"}""", "body")]
    [InlineData("""{"\ud800":1}""", "body")]
    [InlineData("""{"name":"a","currency":"us"}""", "currency")]
    [InlineData("""{"name":"a","currency":null}""", "currency")]
    [InlineData("""{"name":"a","leverage":0}""", "leverage")]
    [InlineData("""{"name":"a","moneyDigits":1.5}""", "moneyDigits")]
    [InlineData("""{"name":"a","latencyMilliseconds":99999999999}""", "latencyMilliseconds")]
    [InlineData("""{"name":"a","limits":{"maxOrderVolume":0}}""", "limits.maxOrderVolume")]
    [InlineData("""{"name":"a","limits":{"lossLimits":[{"period":"Day"}]}}""", "limits.lossLimits")]
    [InlineData("""{"name":"a","limits":{"lossLimits":[null]}}""", "limits.lossLimits")]
    [InlineData("""{"name":"a","limits":{"submitRate":{"count":1,"window":"soon"}}}""", "limits.submitRate.window")]
    [InlineData("""[]""", "body")]
    [InlineData("""{"name":"a"} {}""", "body")]
    [InlineData("""{"name":""", "body")]
    public async Task BadInputIsRefusedByFieldValueAndExpectation(string body, string field)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer refused = (await host.PostAsync("accounts", body)).ExpectProblem(400, "InvalidInput", field);
        Assert.Contains("expected", refused.Detail);
        Assert.DoesNotContain("System.", refused.Text);
        Assert.Empty((await host.GetAsync("accounts")).Json.EnumerateArray());
    }

    [Fact]
    public async Task MoneyGoesInAndOutAndNotBelowWhatIsFree()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await host.OpenAsync("main", new { deposit = 100 });
        Answer paid = (await host.PostAsync("accounts/main/deposits", new { amount = 50.25m, note = "more" })).Expect(200);
        Assert.Equal(150.25m, paid["account"].GetProperty("balance").GetDecimal());
        Answer out_ = (await host.PostAsync("accounts/main/deposits", new { amount = -0.25m })).Expect(200);
        // What is paid in or out is no result of the day.
        Answer today = (await host.GetAsync("accounts/main")).Expect(200);
        Assert.Equal(0, today["dayResult"].GetDecimal());
        Assert.Equal(today["equity"].GetDecimal(), today["dayStartEquity"].GetDecimal() + today["dayPayments"].GetDecimal());
        Assert.True(today["dayEnds"].GetDateTime() > today["dayStarted"].GetDateTime());
        Assert.Equal(150m, out_["account"].GetProperty("balance").GetDecimal());
        (await host.PostAsync("accounts/main/deposits", new { amount = -151 })).ExpectProblem(422, "InsufficientFunds");
        (await host.PostAsync("accounts/main/deposits", new { amount = 0 })).ExpectProblem(400, "InvalidInput", "amount");
        (await host.PostAsync("accounts/main/deposits", new { note = "x" })).ExpectProblem(400, "InvalidInput", "amount");
        // The id of the opening deposit is no key of a caller.
        Answer tricky = (await host.PostAsync("accounts/main/deposits", new { amount = 1 }, "open")).Expect(200);
        Assert.Equal(151m, tricky["account"].GetProperty("balance").GetDecimal());
    }

    [Fact]
    public async Task LimitsAndStateAreSet()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await host.OpenAsync("main");
        Answer limited = (await host.PutAsync(
            "accounts/main/limits", new { maxOrderVolume = 5000, lossLimits = new[] { new { period = "Day", percent = 5 } } })).Expect(200);
        Assert.Equal(5000m, limited["account"].GetProperty("limits").GetProperty("maxOrderVolume").GetDecimal());
        (await host.PutAsync("accounts/main/limits", new { maxOrderVolume = -1 })).ExpectProblem(400, "InvalidInput", "maxOrderVolume");
        (await host.PutAsync("accounts/main/limits", new { lossLimits = (object?)null })).ExpectProblem(400, "InvalidInput", "lossLimits");

        Answer halted = (await host.PutAsync("accounts/main/state", new { state = "Halted" })).Expect(200);
        Assert.Equal("Halted", halted["account"].GetProperty("state").GetString());
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await host.PostAsync("accounts/main/orders", new { symbol = "EURUSD", side = "Buy", type = "Market", volume = 1000 })).ExpectProblem(
            422, "Halted");
        Answer back = (await host.PutAsync("accounts/main/state", new { state = "Active" })).Expect(200);
        Assert.Equal("Active", back["account"].GetProperty("state").GetString());
        (await host.PutAsync("accounts/main/state", new { state = "Asleep" })).ExpectProblem(400, "InvalidInput", "state");
    }

    [Fact]
    public async Task FlattenClosesWhatIsHeldAndEquityHasNow()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await host.OpenAsync("main");
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await host.PostAsync("accounts/main/orders", new { symbol = "EURUSD", side = "Buy", type = "Market", volume = 10_000 })).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        JsonElement position = Assert.Single((await host.GetAsync("accounts/main/positions")).Expect(200).Json.EnumerateArray());
        Assert.Equal(10_000m, position.GetProperty("volume").GetDecimal());
        Assert.Equal(1.1001m, position.GetProperty("averageEntry").GetDecimal());
        Assert.Equal(-1m, position.GetProperty("openResult").GetDecimal());

        await host.QuoteAsync("EURUSD", 1.102m, 1.1021m, TimeSpan.FromMinutes(2));
        JsonElement[] equity = [.. (await host.GetAsync("accounts/main/equity")).Expect(200).Json.EnumerateArray()];
        Assert.Equal(100_019m, equity[^1].GetProperty("equity").GetDecimal());
        Assert.Equal(2, equity.Length);
        Assert.Empty((await host.GetAsync("accounts/main/equity?to=2020-01-01T00:00:00Z")).Expect(200).Json.EnumerateArray());
        (await host.GetAsync("accounts/main/equity?from=yesterday")).ExpectProblem(400, "InvalidInput", "from");

        Answer flat = (await host.PostAsync("accounts/main/flatten", new { })).Expect(200);
        Assert.Equal("Halted", flat["account"].GetProperty("state").GetString());
        await host.QuoteAsync("EURUSD", 1.102m, 1.1021m);
        Assert.Empty((await host.GetAsync("accounts/main/positions")).Json.EnumerateArray());
        Assert.Equal(100_019m, (await host.GetAsync("accounts/main"))["balance"].GetDecimal());
    }

    [Fact]
    public async Task WhatIsNotThereIsNotFound()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.GetAsync("accounts/none")).ExpectProblem(404, "AccountUnknown");
        (await host.GetAsync("accounts/None")).ExpectProblem(400, "InvalidInput", "account");
        (await host.GetAsync("accounts/none/positions")).ExpectProblem(404, "AccountUnknown");
        (await host.GetAsync("accounts/none/equity")).ExpectProblem(404, "AccountUnknown");
        (await host.GetAsync("accounts/none/orders")).ExpectProblem(404, "AccountUnknown");
        (await host.GetAsync("accounts/none/fills")).ExpectProblem(404, "AccountUnknown");
        (await host.PostAsync("accounts/none/deposits", new { amount = 1 })).ExpectProblem(404, "AccountUnknown");
        (await host.PutAsync("accounts/none/limits", new { })).ExpectProblem(404, "AccountUnknown");
        (await host.PutAsync("accounts/none/state", new { state = "Active" })).ExpectProblem(404, "AccountUnknown");
        (await host.PostAsync("accounts/none/flatten", new { })).ExpectProblem(404, "AccountUnknown");
        (await host.PutAsync("accounts/none/follows/none", new { })).ExpectProblem(404, "StrategyUnknown");
        (await host.DeleteAsync("accounts/none/follows/none")).ExpectProblem(404, "AccountUnknown");
        (await host.GetAsync("nothing")).ExpectProblem(404, "RouteUnknown");
        (await host.DeleteAsync("accounts/none")).ExpectProblem(405, "MethodNotAllowed");
    }

    [Fact]
    public async Task WhatBelongsToSomebodyElseIsForbidden()
    {
        // A request whose calls run for one tenant and whose keys name another: the grains' own guard refuses it.
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddScoped<ICaller, TwoFaced>());
        (await host.GetAsync("accounts/main")).ExpectProblem(403, "NotPermitted");
        (await host.GetAsync("strategies/cross")).ExpectProblem(403, "NotPermitted");
    }

    private sealed class TwoFaced : ICaller
    {
        private bool _asked;

        public string Tenant
        {
            get
            {
                string tenant = _asked ? "local" : "intruder";
                _asked = true;
                return tenant;
            }
        }

        public string User => "owner";

        // Counted by address, so that the first who asks for the tenant is the one who makes the calls run for it.
        public bool IsVerified => false;

        // Asked by the limits, before anything else.
        public string? Actor => null;

        public bool Has(Permission permission) => true;
    }
}
