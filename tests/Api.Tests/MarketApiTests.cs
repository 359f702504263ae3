using System.Text.Json;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

public sealed class MarketApiTests
{
    [Fact]
    public async Task InstrumentsAndQuotesAreInPrice()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        JsonElement[] instruments = [.. (await host.GetAsync("instruments")).Expect(200).Json.EnumerateArray()];
        JsonElement euro = Assert.Single(instruments, one => one.GetProperty("symbol").GetString() == "EURUSD");
        Assert.Equal(0.00001m, euro.GetProperty("tickSize").GetDecimal());
        Assert.Equal(0.0001m, euro.GetProperty("pipSize").GetDecimal());
        Assert.Equal("Forex", euro.GetProperty("assetClass").GetString());
        Assert.True(euro.GetProperty("simulated").GetBoolean());

        Assert.Empty((await host.GetAsync("quotes")).Expect(200).Json.EnumerateArray());
        await host.QuoteAsync("EURUSD", 1.10001m, 1.10003m);
        await host.ShownAsync("EURUSD");
        JsonElement quote = Assert.Single((await host.GetAsync("quotes?symbols=EURUSD,GBPUSD")).Expect(200).Json.EnumerateArray());
        Assert.Equal(1.10001m, quote.GetProperty("bid").GetDecimal());
        Assert.Equal(1.10003m, quote.GetProperty("ask").GetDecimal());
        Assert.Equal(0, quote.GetProperty("position").GetInt64());
        (await host.GetAsync("quotes?symbols=NOSUCH")).ExpectProblem(404, "InstrumentUnknown");
    }

    [Fact]
    public async Task TheSimulatedMarketHasNoPlayButton()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer feed = (await host.GetAsync("feed")).Expect(200);
        Assert.True(feed["simulated"].GetBoolean());
        Assert.Equal(JsonValueKind.Null, feed["playback"].ValueKind);
        (await host.PutAsync("feed", new { running = false })).ExpectProblem(409, "NoPlayback");
        (await host.PutAsync("feed", new { speed = 1 })).ExpectProblem(400, "InvalidInput", "running");
    }

    [Fact]
    public async Task BarsAreWhatIsStoredAndTheOneThatForms()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Assert.Empty((await host.GetAsync("bars/EURUSD")).Expect(200)["bars"].EnumerateArray());
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m, TimeSpan.FromMinutes(1));
        await host.QuoteAsync("EURUSD", 1.2m, 1.2001m, TimeSpan.FromSeconds(10));
        await host.QuoteAsync("EURUSD", 1.15m, 1.1501m, TimeSpan.FromSeconds(10));
        await host.QuoteAsync("EURUSD", 1.16m, 1.1601m, TimeSpan.FromMinutes(1));
        await host.ShownAsync("EURUSD");
        JsonElement[] bars = [.. (await host.GetAsync("bars/EURUSD?timeFrame=M1&count=10")).Expect(200)["bars"].EnumerateArray()];
        Assert.Equal(2, bars.Length);
        Assert.Equal([1.1m, 1.2m, 1.1m, 1.15m], Prices(bars[0]));
        Assert.False(bars[0].TryGetProperty("forming", out _));
        Assert.Equal([1.16m, 1.16m, 1.16m, 1.16m], Prices(bars[1]));
        Assert.True(bars[1].GetProperty("forming").GetBoolean());
        Assert.Single((await host.GetAsync("bars/EURUSD?count=1"))["bars"].EnumerateArray());

        (await host.GetAsync("bars/NOSUCH")).ExpectProblem(404, "InstrumentUnknown");
        (await host.GetAsync("bars/EURUSD?timeFrame=M7")).ExpectProblem(400, "InvalidInput", "timeFrame");
        (await host.GetAsync("bars/EURUSD?timeFrame=tick")).ExpectProblem(400, "InvalidInput", "timeFrame");
        (await host.GetAsync("bars/EURUSD?count=0")).ExpectProblem(400, "InvalidInput", "count");
        (await host.GetAsync("bars/EURUSD?count=x")).ExpectProblem(400, "InvalidInput", "count");

        static decimal[] Prices(JsonElement bar) => [.. new[] { "open", "high", "low", "close" }.Select(name => bar.GetProperty(name).GetDecimal())];
    }

    [Fact]
    public async Task FeaturesAreEmptyBeforeTheFirstBar()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer features = (await host.GetAsync("features/EURUSD/M5")).Expect(200);
        Assert.Equal(-1, features["position"].GetInt64());
        Assert.Empty(features["features"].EnumerateObject());
        (await host.GetAsync("features/NOSUCH/M5")).ExpectProblem(404, "InstrumentUnknown");
        (await host.GetAsync("features/EURUSD/none")).ExpectProblem(400, "InvalidInput", "timeFrame");
    }
}
