using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Risk;

/// <summary>What an account says of an order that nobody has sent.</summary>
public sealed class OrderPreviewTests
{
    private static void ForAll(Action<Terms, Step[]> holds) =>
        Prop.ForAll(Scenario.Any, any => holds(any.Terms, any.Steps)).Check(Config.QuickThrowOnFailure.WithMaxTest(150));

    [Fact]
    public void It_is_what_the_order_then_gets_and_changes_nothing() => ForAll((terms, steps) =>
    {
        OrderPreview? said = null;
        Scenario scenario = null!;
        scenario = new Scenario(terms)
        {
            Sending = order => said = AskedInPassing(scenario.Desk, order, scenario.Desk.Time),
            Sent = result => AssertForetold(said!, result),
        };
        scenario.Play(steps);
    });

    [Fact]
    public void It_reckons_with_what_falls_due_before_the_order_comes() => ForAll((terms, steps) =>
    {
        Desk desk = new Scenario(terms).Play(steps).Desk;
        // Past the turn of the day, and past what expires.
        DateTime later = desk.Time.AddHours(1 + steps.Length);
        OrderRequest buy = desk.Market(Side.Buy, 20_000) with { ClientOrderId = "later-1" };
        OrderRequest sell = desk.Market(Side.Sell, 30_000) with { ClientOrderId = "later-2" };
        foreach (OrderRequest order in (OrderRequest[])[buy, sell])
        {
            desk.See(order.Symbol);
            OrderPreview said = AskedInPassing(desk, order, later);
            AssertForetold(said, desk.Do(account => account.Submit(order, later)));
        }
    });

    [Fact]
    public void Its_figures_are_those_that_the_rules_go_by() => ForAll((terms, steps) =>
    {
        Scenario scenario = null!;
        scenario = new Scenario(terms)
        {
            Sending = order =>
            {
                OrderPreview said = scenario.Desk.Account.Preview(order, scenario.Desk.Time);
                if (said.Figures is not { } figures) return;
                bool hasRoom = figures.MarginNeeded == 0 || figures.MarginNeeded <= figures.FreeMargin;
                bool isWithin = figures.Limits.All(step => step.After <= step.Most || step.After == step.Before);
                Reason? reason = said.Result.Denial?.Reason;
                if (reason is null) Assert.True(hasRoom && isWithin, $"{order} goes: {figures}");
                if (reason == Reason.InsufficientMargin) Assert.False(hasRoom, $"{figures}");
                if (reason is Reason.MaxExposure or Reason.MaxWorkingOrders or Reason.SubmitRate or Reason.MaxOpenPositions
                    or Reason.PriceOutOfCollar)
                {
                    Assert.False(isWithin, $"{reason}: {figures}");
                }
            },
        };
        scenario.Play(steps);
    });

    [Fact]
    public void It_tells_price_spread_commission_margin_and_every_limit_by_hand()
    {
        var limits = new RiskLimits
        {
            MaxOrderVolume = 50_000, MaxOrderNotional = 60_000, MaxExposure = 70_000, MaxExposurePercent = 600, MaxInstrumentExposure = 65_000,
            MaxOpenPositions = 3, MaxInstrumentPositions = 1, MaxWorkingOrders = 5, MaxInstrumentWorkingOrders = 4,
            SubmitRate = new RateLimit(10, TimeSpan.FromMinutes(1)), PriceCollarPercent = 10,
        };
        AccountSettings settings = Desk.Plain with
        {
            Leverage = 30,
            MoneyDigits = 2,
            Execution = new ExecutionModel(SlippagePoints: 1, RandomSlippagePoints: 2, CommissionRate: 0.00002m, CommissionPerLot: 1m),
        };
        Desk desk = new Desk(settings, limits, 10_000).Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09000m));

        OrderPreview said = desk.Account.Preview(desk.Market(Side.Buy, 40_000), desk.Time);
        Assert.Equal(new OrderResult(0, 40_000, null), said.Result);
        OrderFigures figures = said.Figures!;
        Assert.Equal((desk.Time, 1.10000m, 1.10010m), (figures.QuoteTime, figures.Bid, figures.Ask));
        // A point and the mean of 0 to 2 above the ask.
        Assert.Equal(1.10012m, figures.Price);
        Assert.Equal(44_004m, figures.Notional);
        // 40,000 x 1.10012 x 0.00002 and 0.4 lots.
        Assert.Equal(1.28m, figures.Commission);
        // A thirtieth of 44,004; free is what 11,001 of the order at work leaves.
        Assert.Equal((1466.80m, 9633.30m), (Math.Round(figures.MarginNeeded, 8), Math.Round(figures.FreeMargin, 8)));
        Assert.Equal(
            [
                new("MaxOrderVolume", 0, 40_000, 50_000), new("MaxOrderNotional", 0, 44_004, 60_000), new("MaxExposure", 11_001, 55_005, 70_000),
                new("MaxExposurePercent", 11_001, 55_005, 60_000), new("MaxInstrumentExposure", 11_001, 55_005, 65_000),
                new("MaxOpenPositions", 1, 1, 3), new("MaxInstrumentPositions", 1, 1, 1), new("MaxWorkingOrders", 1, 2, 5),
                new("MaxInstrumentWorkingOrders", 1, 2, 4), new("SubmitRate", 1, 2, 10),
            ], figures.Limits);
    }

    [Fact]
    public void A_limit_order_is_reckoned_at_its_price_or_where_the_market_gives_a_better_one()
    {
        AccountSettings settings = Desk.Plain with { Execution = new ExecutionModel(SlippagePoints: 3) };
        Desk desk = new Desk(settings).Quote(1.10000m, 1.10010m).See("EURUSD");
        decimal Price(OrderRequest order) => desk.Account.Preview(order, desk.Time).Figures!.Price;
        Assert.Equal(1.09000m, Price(desk.Limit(Side.Buy, 1000, 1.09000m)));
        Assert.Equal(1.10013m, Price(desk.Limit(Side.Buy, 1000, 1.10100m)));
        Assert.Equal(1.10012m, Price(desk.Limit(Side.Buy, 1000, 1.10012m)));
        Assert.Equal(1.12000m, Price(desk.Limit(Side.Sell, 1000, 1.12000m)));
        Assert.Equal(1.08997m, Price(desk.Stop(Side.Sell, 1000, 1.09000m)));
        Assert.Equal(1.09000m, Price(desk.Stop(Side.Buy, 1000, 1.11000m) with { Type = OrderType.StopLimit, LimitPrice = 1.09000m }));
        Assert.Equal(1.09897m, Price(desk.Market(Side.Sell, 1000) with { Type = OrderType.TrailingStop, TrailDistance = 0.00100m }));
        Assert.Equal(1.10113m, Price(desk.Market(Side.Buy, 1000) with { Type = OrderType.TrailingStop, TrailDistance = 0.00100m }));
    }

    [Fact]
    public void Of_an_order_that_reduces_and_adds_it_tells_the_part_that_goes()
    {
        Desk desk = new Desk().Hold(Side.Buy, 10_000, 1.1m, 1.1m);
        desk.Do(account => account.SetTradingState(TradingState.Reducing, "somebody", desk.Time));
        OrderPreview said = desk.Account.Preview(desk.Market(Side.Sell, 15_000), desk.Time);
        Assert.Equal((10_000m, Reason.Reducing), (said.Result.Accepted, said.Result.Denial!.Reason));
        OrderPreview reduces = desk.Account.Preview(desk.Market(Side.Sell, 10_000), desk.Time);
        Assert.Equal(new OrderResult(0, 10_000, null), reduces.Result);
        Assert.Equal(0, reduces.Figures!.MarginNeeded);
        Assert.Empty(reduces.Figures.Limits);
    }

    [Fact]
    public void Of_an_order_that_was_sent_it_tells_the_answer_and_of_a_malformed_one_the_fault()
    {
        Desk desk = new Desk().Quote(1.1m, 1.1m);
        OrderRequest order = desk.Limit(Side.Buy, 1000, 1m);
        OrderResult result = desk.Submit(order);
        Assert.Equal(new OrderPreview(desk.Time, result with { Repeated = true }), desk.Account.Preview(order, desk.Time));
        OrderPreview malformed = desk.Account.Preview(desk.Market(Side.Buy, 0.5m), desk.Time);
        Assert.Equal((0m, Reason.VolumePrecision), (malformed.Result.Accepted, malformed.Result.Denial!.Reason));
        Assert.Null(malformed.Figures);
        Assert.Equal(Reason.NoMarketData, desk.Account.Preview(desk.Market(Side.Buy, 1000, "GBPUSD"), desk.Time).Result.Denial!.Reason);
    }

    private static OrderPreview AskedInPassing(Desk desk, OrderRequest order, DateTime time)
    {
        JsonNode before = Desk.Picture(desk.State);
        OrderPreview said = desk.Account.Preview(order, time);
        Assert.Empty(desk.Account.Uncommitted);
        Assert.True(JsonNode.DeepEquals(before, Desk.Picture(desk.State)), "a preview changed the account");
        return said;
    }

    private static void AssertForetold(OrderPreview said, OrderResult result) => Assert.Equal(said.Result with { Ordinal = result.Ordinal }, result);
}
