using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Risk;

/// <summary>Each way in which an order, a change or a cancel can be wrong in itself.</summary>
public sealed class MalformedOrderTests
{
    private static Desk Open() => new Desk().Quote(1.10000m, 1.10010m);

    [Theory]
    [InlineData(Reason.InstrumentUnknown, "EURXXX", 10_000, 0)]
    [InlineData(Reason.VolumeNotPositive, "EURUSD", 0, 0)]
    [InlineData(Reason.VolumeNotPositive, "EURUSD", -1000, 0)]
    [InlineData(Reason.VolumePrecision, "EURUSD", 1500, 0)]
    [InlineData(Reason.VolumeAboveMaximum, "EURUSD", 10_001_000, 0)]
    [InlineData(Reason.NoMarketData, "GBPUSD", 10_000, 0)]
    public void Instrument_and_volume(Reason expected, string symbol, decimal volume, int _)
    {
        Desk desk = Open();
        Assert.Equal(expected, desk.Denied(desk.Market(Side.Buy, volume, symbol)));
    }

    [Fact]
    public void Less_than_the_minimum_passes_only_where_it_closes_what_is_held()
    {
        Instrument fine = Desk.Eurusd with { VolumeStep = 100, MinVolume = 1000 };
        Desk desk = new Desk(instruments: [fine]).Hold(Side.Buy, 1200, 1.10000m, 1.10010m);
        Assert.Equal(Reason.VolumeBelowMinimum, desk.Denied(desk.Market(Side.Buy, 900)));
        desk.Accepted(desk.Market(Side.Sell, 1000));
        desk.Quote(1.10000m, 1.10010m);
        Assert.Equal(200, desk.Net());
        Assert.Equal(Reason.VolumeBelowMinimum, desk.Denied(desk.Market(Side.Sell, 100)));
        desk.Accepted(desk.Market(Side.Sell, 200));
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("~Flatten.7")]
    [InlineData("ü")]
    public void Client_order_ids_have_their_characters(string id)
    {
        Desk desk = Open();
        Assert.Equal(Reason.ClientOrderIdInvalid, desk.Denied(desk.Market(Side.Buy, 10_000) with { ClientOrderId = id }));
        Assert.Equal(Reason.ClientOrderIdInvalid, desk.Denied(desk.Market(Side.Buy, 10_000) with { OcoGroup = id }));
        Assert.Equal(Reason.ClientOrderIdInvalid, desk.Denied(desk.Market(Side.Buy, 10_000) with { ClientOrderId = new string('a', 201) }));
    }

    public static TheoryData<Reason, OrderRequest> Prices()
    {
        OrderRequest market = new("c", "EURUSD", Side.Buy, OrderType.Market, 10_000);
        OrderRequest limit = market with { Type = OrderType.Limit, LimitPrice = 1.09m }, stop = market with { Type = OrderType.Stop, StopPrice = 1.11m };
        OrderRequest trail = market with { Type = OrderType.TrailingStop, TrailDistance = 0.01m };
        return new()
        {
            { Reason.PriceMissing, market with { Type = OrderType.Limit } },
            { Reason.PriceMissing, stop with { Type = OrderType.StopLimit } },
            { Reason.PriceUnexpected, market with { LimitPrice = 1.09m } },
            { Reason.PriceUnexpected, stop with { LimitPrice = 1.09m } },
            { Reason.PriceUnexpected, limit with { StopPrice = 1.09m } },
            { Reason.TriggerPriceMissing, market with { Type = OrderType.Stop } },
            { Reason.TriggerPriceMissing, limit with { Type = OrderType.StopLimit } },
            { Reason.TrailDistanceInvalid, market with { Type = OrderType.TrailingStop } },
            { Reason.TrailDistanceInvalid, market with { TrailDistance = 0.01m } },
            { Reason.TrailDistanceInvalid, trail with { TrailDistance = 0.000001m } },
            { Reason.PriceNotPositive, limit with { LimitPrice = 0 } },
            { Reason.PriceNotPositive, limit with { LimitPrice = -1.09m } },
            { Reason.PriceNotPositive, stop with { StopPrice = -1 } },
            { Reason.PricePrecision, limit with { LimitPrice = 1.090001m } },
            { Reason.PricePrecision, limit with { LimitPrice = 1e20m } },
            { Reason.PricePrecision, limit with { LimitPrice = 3_000_000_000.00001m } },
            { Reason.VolumeAboveMaximum, market with { Volume = decimal.MaxValue } },
            { Reason.PricePrecision, market with { TakeProfit = 1.200001m } },
            { Reason.TriggerPricePrecision, stop with { StopPrice = 1.110001m } },
            { Reason.TriggerPricePrecision, market with { StopLoss = 1.000001m } },
            { Reason.StopLossWrongSide, market with { StopLoss = 1.10010m } },
            { Reason.StopLossWrongSide, market with { Side = Side.Sell, StopLoss = 1.09m } },
            { Reason.StopLossWrongSide, limit with { StopLoss = 1.095m } },
            { Reason.TakeProfitWrongSide, market with { TakeProfit = 1.10010m } },
            { Reason.TakeProfitWrongSide, stop with { TakeProfit = 1.105m } },
            { Reason.GoodTillMissing, limit with { TimeInForce = TimeInForce.Gtd } },
            { Reason.GoodTillExpired, limit with { TimeInForce = TimeInForce.Gtd, GoodTill = Desk.Start } },
            { Reason.PositionIdUnexpected, market with { PositionId = "P1" } },
            { Reason.NothingToReduce, market with { ReduceOnly = true } },
        };
    }

    [Theory]
    [MemberData(nameof(Prices))]
    public void Prices_times_and_positions(Reason expected, OrderRequest request) => Assert.Equal(expected, Open().Denied(request));

    [Fact]
    public void Ticks_coarser_than_a_point_are_kept()
    {
        Desk desk = new Desk(instruments: [Desk.Eurusd with { TickSize = 5 }]).Quote(1.10000m, 1.10010m);
        Assert.Equal(Reason.PricePrecision, desk.Denied(desk.Limit(Side.Buy, 10_000, 1.09001m)));
        desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09005m));
    }

    [Fact]
    public void A_position_that_does_not_exist_cannot_be_closed()
    {
        Desk desk = new Desk(Desk.Plain with { Mode = PositionMode.Hedging }).Hold(Side.Buy, 10_000, 1.10000m, 1.10010m);
        Assert.Equal(Reason.PositionUnknown, desk.Denied(desk.Market(Side.Sell, 10_000) with { PositionId = "P9" }));
        Assert.Equal(Reason.NothingToReduce, desk.Denied(desk.Market(Side.Buy, 10_000) with { PositionId = "P1" }));
    }

    [Fact]
    public void An_instrument_whose_currency_cannot_be_converted_is_not_traded()
    {
        Desk desk = new Desk().Quote(150.000m, 150.010m, symbol: "USDJPY");
        desk.Accepted(desk.Market(Side.Buy, 10_000, "USDJPY"));
        Instrument stray = InstrumentCatalog.Get("EURSEK");
        Desk without = new Desk(instruments: [stray]).Quote(11.00000m, 11.00100m, symbol: "EURSEK");
        Assert.Equal(Reason.NoConversionRate, without.Denied(without.Market(Side.Buy, 10_000, "EURSEK")));
    }

    [Fact]
    public void A_repeated_client_order_id_answers_as_the_first_time()
    {
        Desk desk = Open();
        OrderRequest order = desk.Market(Side.Buy, 10_000), bad = desk.Market(Side.Buy, 1500);
        OrderResult first = desk.Submit(order), denied = desk.Submit(bad);
        int events = desk.Events.Count;
        Assert.Equal(first with { Repeated = true }, desk.Submit(order));
        Assert.Equal(denied with { Repeated = true }, desk.Submit(bad));
        Assert.Equal(events, desk.Events.Count);
        desk.Quote(1.10000m, 1.10010m);
        Assert.Equal(first.Ordinal, desk.Submit(order).Ordinal);
        Assert.Equal(10_000, desk.Net());
    }

    [Fact]
    public void Changes_and_cancels_need_an_order_at_work_and_something_to_change()
    {
        Desk desk = Open();
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09000m));
        Reason? Change(OrderChange change, string? id = null) => desk.Do(account => account.Change(id ?? order.ClientOrderId, change, desk.Time)).Denial?.Reason;

        Assert.Equal(Reason.OrderUnknown, Change(new OrderChange(Volume: 5000), "nobody"));
        Assert.Equal(Reason.OrderUnknown, desk.Do(account => account.Cancel("nobody", desk.Time)).Denial!.Reason);
        Assert.Equal(Reason.ChangeEmpty, Change(new OrderChange()));
        Assert.Equal(Reason.VolumePrecision, Change(new OrderChange(Volume: 1500)));
        Assert.Equal(Reason.VolumeAboveMaximum, Change(new OrderChange(Volume: 20_000_000)));
        Assert.Equal(Reason.VolumeBelowFilled, Change(new OrderChange(Volume: 0)));
        Assert.Equal(Reason.PriceUnexpected, Change(new OrderChange(StopPrice: 1.2m)));
        Assert.Equal(Reason.PriceUnexpected, Change(new OrderChange(TrailDistance: 0.01m)));
        Assert.Equal(Reason.PricePrecision, Change(new OrderChange(LimitPrice: 1.090001m)));
        Assert.Equal(Reason.PriceNotPositive, Change(new OrderChange(LimitPrice: -1m)));
        Assert.Equal(Reason.PricePrecision, Change(new OrderChange(LimitPrice: 3_000_000_000.00001m)));
        Assert.Null(Change(new OrderChange(Volume: 5000, LimitPrice: 1.08m)));
        Assert.Null(desk.Do(account => account.Cancel(order.ClientOrderId, desk.Time)).Denial);
        Assert.Equal(Reason.OrderNotWorking, Change(new OrderChange(Volume: 5000)));
        Assert.Equal(Reason.OrderNotWorking, desk.Do(account => account.Cancel(order.ClientOrderId, desk.Time)).Denial!.Reason);
    }
}
