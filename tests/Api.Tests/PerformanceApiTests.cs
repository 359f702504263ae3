using System.Text.Json;
using HybridTrading.Domain.Markets;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

/// <summary>The analysis of a live account from its journal and the market's bars.</summary>
public sealed class PerformanceApiTests
{
    [Fact]
    public async Task An_account_is_analysed_from_its_journal_and_what_is_paid_in_is_no_profit()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.GetAsync("performance/accounts/main")).ExpectProblem(404, "AccountUnknown");
        await host.OpenAsync("main", new { deposit = 100_000 });
        (await host.GetAsync("performance/accounts/main")).ExpectProblem(404, "ReportUnknown");
        await host.QuoteAsync("EURUSD", 1.1000m, 1.1002m);
        await TradeAsync(host, "Buy", 1.1000m, 1.1002m);
        (await host.PostAsync("accounts/main/deposits", new { amount = 50_000 })).Expect(200);
        await host.QuoteAsync("EURUSD", 1.1050m, 1.1052m, TimeSpan.FromHours(2));
        await TradeAsync(host, "Sell", 1.1050m, 1.1052m);
        Answer list = await OrderApiTests.UntilAsync(host, "accounts/main/fills", answer => answer["fills"].GetArrayLength() == 2);
        JsonElement[] fills = [.. list["fills"].EnumerateArray()];
        DateTime first = fills[^1].GetProperty("time").GetDateTime(), last = fills[0].GetProperty("time").GetDateTime();
        await RecordAsync(host, TimeFrame.H1.Floor(first), last);

        Answer account = (await host.GetAsync("accounts/main")).Expect(200);
        Answer analysis = (await host.GetAsync("performance/accounts/main")).Expect(200);
        // Bought at the ask, sold at the bid: 48 points of a hundred-thousandth, ten thousand units.
        Assert.Equal(150_048m, account["equity"].GetDecimal());
        Assert.Equal((150_048m, 48m), (analysis["equity"].GetProperty("end").GetDecimal(), analysis["equity"].GetProperty("net").GetDecimal()));
        Assert.Equal((1, 48m), (analysis["trades"].GetProperty("count").GetInt32(), analysis["trades"].GetProperty("net").GetDecimal()));
        Assert.Equal("live", analysis["run"].GetProperty("mode").GetString());
        // A day's profit by what was there in the morning, not by what was paid in since.
        Assert.InRange(analysis["returns"].GetProperty("total").GetDouble(), 0.0002, 0.0005);
        Answer page = (await host.GetAsync("performance/accounts/main/report.html")).Expect(200);
        Assert.Equal("text/html", page.ContentType);
        Assert.Contains("Account main", page.Text);
        (await host.GetAsync("performance/accounts/main?riskFreePercent=-100")).ExpectProblem(400, "InvalidInput", "riskFreePercent");
    }

    private static async Task TradeAsync(ApiHost host, string side, decimal bid, decimal ask)
    {
        (await host.PostAsync("accounts/main/orders", new { symbol = "EURUSD", side, type = "Market", volume = 10_000 })).Expect(201);
        await host.QuoteAsync("EURUSD", bid, ask);
    }

    /// <summary>Bars of an hour that stand at what was paid, and then at what was got.</summary>
    private static async Task RecordAsync(ApiHost host, DateTime from, DateTime last)
    {
        List<Bar> bars = [];
        for (DateTime open = from; open <= last; open += TimeSpan.FromHours(1))
        {
            long price = bars.Count == 0 ? 110_000 : 110_500;
            bars.Add(new Bar(open, new Ohlc(price, price, price, price), new Ohlc(price + 2, price + 2, price + 2, price + 2), 1));
        }
        await host.Services.GetRequiredService<IBarStore>().AppendAsync("EURUSD", TimeFrame.H1, bars.ToArray());
    }
}
