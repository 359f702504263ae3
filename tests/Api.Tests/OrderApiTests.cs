using System.Text.Json;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

public sealed class OrderApiTests
{
    [Fact]
    public async Task AMarketOrderFillsOnTheNextQuoteAndTheListsShowIt()
    {
        await using ApiHost host = await StartAsync();
        Answer placed = (await host.PostAsync("accounts/main/orders", Market(10_000), "key-1")).Expect(201);
        JsonElement order = placed["order"];
        Assert.Equal("key-1", order.GetProperty("clientOrderId").GetString());
        Assert.Equal("Working", order.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, order.GetProperty("averageFill").ValueKind);
        Assert.Equal("/api/v1/accounts/main/orders/key-1", placed.Headers["Location"]);
        Answer open = (await host.GetAsync($"accounts/main/orders?status=open&minPosition={placed.MinPosition}")).Expect(200);
        Assert.Single(open["orders"].EnumerateArray());

        await host.QuoteAsync("EURUSD", 1.2m, 1.2002m);
        Answer filled = await UntilAsync(host, "accounts/main/orders/key-1", answer => answer["status"].GetString() == "Filled");
        Assert.Equal(1.2002m, filled["averageFill"].GetDecimal());
        Assert.Equal(10_000m, filled["filled"].GetDecimal());
        JsonElement fill = Assert.Single((await host.GetAsync("accounts/main/fills"))["fills"].EnumerateArray());
        Assert.Equal(1.2002m, fill.GetProperty("price").GetDecimal());
        Assert.Equal("Buy", fill.GetProperty("side").GetString());
        Assert.Equal(1, fill.GetProperty("ordinal").GetInt64());
        Assert.Empty((await host.GetAsync("accounts/main/orders?status=open"))["orders"].EnumerateArray());
        Assert.Single((await host.GetAsync("accounts/main/orders?status=closed"))["orders"].EnumerateArray());
    }

    [Fact]
    public async Task ALimitOrderIsChangedAndCancelledAndCancellingTwiceIsCancellingOnce()
    {
        await using ApiHost host = await StartAsync();
        (await host.PostAsync("accounts/main/orders", Limit("l/1", 1.05m))).Expect(201);
        Answer changed = (await host.PatchAsync("accounts/main/orders/l%2F1", new { limitPrice = 1.06m, volume = 2000 })).Expect(200);
        Assert.Equal(1.06m, changed["order"].GetProperty("limitPrice").GetDecimal());
        Assert.Equal(2000m, changed["order"].GetProperty("volume").GetDecimal());
        Answer read = (await host.GetAsync($"accounts/main/orders/l%2F1?minPosition={changed.MinPosition}")).Expect(200);
        Assert.Equal(1.06m, read["limitPrice"].GetDecimal());

        (await host.PatchAsync("accounts/main/orders/l%2F1", new { })).ExpectProblem(422, "ChangeEmpty");
        (await host.PatchAsync("accounts/main/orders/l%2F1", new { stopPrice = 1 })).ExpectProblem(422, "PriceUnexpected");
        (await host.PatchAsync("accounts/main/orders/l%2F1", new { limitPrice = 1.000001m })).ExpectProblem(422, "PricePrecision");
        (await host.PatchAsync("accounts/main/orders/l%2F1", new { limitPrice = 999_999_999_999_999m })).ExpectProblem(
            400, "InvalidInput", "limitPrice");
        (await host.PatchAsync("accounts/main/orders/none", new { volume = 1000 })).ExpectProblem(404, "OrderUnknown");

        Answer cancelled = (await host.DeleteAsync("accounts/main/orders/l%2F1")).Expect(200);
        Assert.Equal("Cancelled", cancelled["order"].GetProperty("status").GetString());
        Assert.Equal("Cancelled", (await host.DeleteAsync("accounts/main/orders/l%2F1")).Expect(200)["order"].GetProperty("status").GetString());
        (await host.PatchAsync("accounts/main/orders/l%2F1", new { volume = 1000 })).ExpectProblem(409, "OrderNotWorking");
        (await host.DeleteAsync("accounts/main/orders/none")).ExpectProblem(404, "OrderUnknown");
        (await host.GetAsync("accounts/main/orders/none")).ExpectProblem(404, "OrderUnknown");
    }

    [Fact]
    public async Task AFilledOrderCannotBeCancelled()
    {
        await using ApiHost host = await StartAsync();
        (await host.PostAsync("accounts/main/orders", Market(1000), "m")).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await host.DeleteAsync("accounts/main/orders/m")).ExpectProblem(409, "OrderNotWorking");
    }

    [Fact]
    public async Task TheSameClientOrderIdIsOneOrder()
    {
        await using ApiHost host = await StartAsync();
        Answer first = (await host.PostAsync("accounts/main/orders", Limit("mine", 1.05m))).Expect(201);
        Answer second = (await host.PostAsync("accounts/main/orders", Limit("mine", 1.05m))).Expect(200);
        Assert.Equal(first["order"].GetProperty("ordinal").GetInt64(), second["order"].GetProperty("ordinal").GetInt64());
        (await host.PostAsync("accounts/main/orders", Market(1000, "mine"))).ExpectProblem(409, "ClientOrderIdReused");
        // Also when the order has ended and its account has let go of it.
        (await host.DeleteAsync("accounts/main/orders/mine")).Expect(200);
        Answer third = (await host.PostAsync("accounts/main/orders", Limit("mine", 1.05m))).Expect(200);
        Assert.Equal("Cancelled", third["order"].GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Market","volume":0}""", "VolumeNotPositive")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Market","volume":1000000000000}""", "VolumeAboveMaximum")]
    [InlineData("""{"symbol":"NOSUCH","side":"Buy","type":"Market","volume":1000}""", "InstrumentUnknown")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Limit","volume":1000}""", "PriceMissing")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Limit","volume":1000,"limitPrice":1.0000001}""", "PricePrecision")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Limit","volume":1000,"limitPrice":5}""", "PriceOutOfCollar")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Market","volume":1000,"timeInForce":"Gtd"}""", "GoodTillMissing")]
    [InlineData("""{"symbol":"GBPUSD","side":"Buy","type":"Market","volume":1000}""", "NoMarketData")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Market","volume":1000,"clientOrderId":"a b"}""", "ClientOrderIdInvalid")]
    public async Task WhatTheTradeRefusesIs422WithItsReasonAndIsInTheList(string body, string reason)
    {
        await using ApiHost host = await StartAsync();
        Answer refused = (await host.PostAsync("accounts/main/orders", body)).ExpectProblem(422, reason);
        JsonElement row = Assert.Single((await host.GetAsync($"accounts/main/orders?minPosition={refused.MinPosition}"))["orders"].EnumerateArray());
        Assert.Equal("Denied", row.GetProperty("status").GetString());
        Assert.Equal(reason, row.GetProperty("reason").GetString());
        Assert.Equal(refused.Detail, row.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("""{"side":"Buy","type":"Market","volume":1}""", "symbol")]
    [InlineData("""{"symbol":"EURUSD","type":"Market","volume":1}""", "side")]
    [InlineData("""{"symbol":"EURUSD","side":"Long","type":"Market","volume":1}""", "side")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Market","volume":"1"}""", "volume")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Market","volume":1,"goodTill":"2026-01-01T00:00:00"}""", "goodTill")]
    [InlineData("""{"symbol":"EURUSD","side":"Buy","type":"Limit","volume":1000,"limitPrice":900000000000000}""", "limitPrice")]
    [InlineData("""{"symbol":"","side":"Buy","type":"Market","volume":1}""", "symbol")]
    public async Task BadInputIsRefused(string body, string field)
    {
        await using ApiHost host = await StartAsync();
        (await host.PostAsync("accounts/main/orders", body)).ExpectProblem(400, "InvalidInput", field);
    }

    [Fact]
    public async Task RiskLetsThePartGoThatReducesAndSaysWhyTheRestDidNot()
    {
        await using ApiHost host = await StartAsync();
        (await host.PostAsync("accounts/main/orders", Market(10_000))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await host.PutAsync("accounts/main/state", new { state = "Reducing" })).Expect(200);
        Answer cut = (await host.PostAsync(
            "accounts/main/orders", new { symbol = "EURUSD", side = "Sell", type = "Market", volume = 15_000 })).Expect(201);
        Assert.Equal(10_000m, cut["order"].GetProperty("volume").GetDecimal());
        Assert.Equal("Reducing", cut["cut"].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task APreviewTellsWhatTheOrderThenGetsAndRecordsNothing()
    {
        await using ApiHost host = await StartAsync();
        string version = (await host.GetAsync("accounts/main"))["version"].ToString();
        Answer said = await PreviewAsync(host, Market(10_000));
        Assert.Equal(("Accepted", 10_000m, "", false), Verdict(said));
        JsonElement figures = said["figures"];
        Assert.Equal((1.1001m, 0.0001m, 11_001m), (Number(figures, "price"), Number(figures, "spread"), Number(figures, "notional")));
        JsonElement exposure = figures.GetProperty("limits").EnumerateArray()
            .Single(step => step.GetProperty("limit").GetString() == "maxExposurePercent");
        Assert.Equal((0m, 11_001m), (Number(exposure, "before"), Number(exposure, "after")));
        Assert.Equal(version, (await host.GetAsync("accounts/main"))["version"].ToString());
        Assert.Empty((await host.GetAsync("accounts/main/orders"))["orders"].EnumerateArray());

        (await host.PostAsync("accounts/main/orders", Market(10_000, "one"))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        Assert.Equal(("Accepted", 0m, "", true), Verdict(await PreviewAsync(host, Market(10_000, "one"))));
        (await host.PutAsync("accounts/main/state", new { state = "Reducing" })).Expect(200);
        var sell = new { symbol = "EURUSD", side = "Sell", type = "Market", volume = 15_000 };
        Assert.Equal(("Cut", 10_000m, "Reducing", false), Verdict(await PreviewAsync(host, sell)));
        Assert.Equal(("Denied", 0m, "Reducing", false), Verdict(await PreviewAsync(host, Market(1000))));
        Answer malformed = await PreviewAsync(host, Market(1.5m));
        Assert.Equal(("Denied", 0m, "VolumePrecision", false), Verdict(malformed));
        Assert.Equal(JsonValueKind.Null, malformed["figures"].ValueKind);
        Answer cut = (await host.PostAsync("accounts/main/orders", sell)).Expect(201);
        Assert.Equal(10_000m, cut["order"].GetProperty("volume").GetDecimal());

        (await host.SendAsync(HttpMethod.Post, "accounts/main/orders/preview", new { side = "Buy", type = "Market", volume = 1 }, null))
            .ExpectProblem(400, "InvalidInput", "symbol");
        (await host.SendAsync(HttpMethod.Post, "accounts/none/orders/preview", Market(1000), null)).ExpectProblem(404, "AccountUnknown");

        static decimal Number(JsonElement element, string name) => element.GetProperty(name).GetDecimal();
        static (string?, decimal, string, bool) Verdict(Answer answer) => (
            answer["verdict"].GetString(), answer["volume"].GetDecimal(), answer["reason"].GetString() ?? "", answer["repeated"].GetBoolean());
    }

    /// <summary>Asked without an Idempotency-Key.</summary>
    private static async Task<Answer> PreviewAsync(ApiHost host, object order) =>
        (await host.SendAsync(HttpMethod.Post, "accounts/main/orders/preview", order, null)).Expect(200);

    [Fact]
    public async Task ListsComeInPages()
    {
        await using ApiHost host = await StartAsync();
        Answer last = null!;
        for (int i = 1; i <= 5; i++) last = (await host.PostAsync("accounts/main/orders", Limit($"o{i}", 1.05m))).Expect(201);
        Answer first = (await host.GetAsync($"accounts/main/orders?limit=2&minPosition={last.MinPosition}")).Expect(200);
        Assert.Equal([5L, 4L], Ordinals(first));
        Answer second = (await host.GetAsync($"accounts/main/orders?limit=2&before={first["next"].GetInt64()}")).Expect(200);
        Assert.Equal([3L, 2L], Ordinals(second));
        Answer third = (await host.GetAsync($"accounts/main/orders?limit=2&before={second["next"].GetInt64()}")).Expect(200);
        Assert.Equal([1L], Ordinals(third));
        Assert.Equal(JsonValueKind.Null, third["next"].ValueKind);
        Assert.Empty((await host.GetAsync("accounts/main/orders?symbol=GBPUSD"))["orders"].EnumerateArray());
        (await host.GetAsync("accounts/main/orders?limit=0")).ExpectProblem(400, "InvalidInput", "limit");
        (await host.GetAsync("accounts/main/orders?limit=1001")).ExpectProblem(400, "InvalidInput", "limit");
        (await host.GetAsync("accounts/main/orders?limit=many")).ExpectProblem(400, "InvalidInput", "limit");
        (await host.GetAsync("accounts/main/orders?status=some")).ExpectProblem(400, "InvalidInput", "status");
        (await host.GetAsync("accounts/main/orders?minPosition=-1")).ExpectProblem(400, "InvalidInput", "minPosition");

        static long[] Ordinals(Answer page) => [.. page["orders"].EnumerateArray().Select(order => order.GetProperty("ordinal").GetInt64())];
    }

    internal static object Market(decimal volume, string? clientOrderId = null) =>
        new { clientOrderId, symbol = "EURUSD", side = "Buy", type = "Market", volume };

    internal static object Limit(string clientOrderId, decimal price) =>
        new { clientOrderId, symbol = "EURUSD", side = "Buy", type = "Limit", volume = 1000, limitPrice = price };

    /// <summary>A host with a market in EURUSD and an account.</summary>
    internal static async Task<ApiHost> StartAsync()
    {
        ApiHost host = await ApiHost.StartAsync();
        await host.OpenAsync("main");
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        return host;
    }

    /// <summary>Asks until the journal's tables are there; each answer waits for everything that the journal holds.</summary>
    internal static async Task<Answer> UntilAsync(ApiHost host, string path, Func<Answer, bool> wanted)
    {
        long size = (await host.GetAsync("system"))["journal"].GetProperty("size").GetInt64();
        Answer answer = (await host.GetAsync($"{path}{(path.Contains('?') ? '&' : '?')}minPosition={size - 1}")).Expect(200);
        Assert.True(wanted(answer), answer.Text);
        return answer;
    }
}
