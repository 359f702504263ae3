using System.Numerics;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Risk;

/// <summary>No number that comes in, however large, small or fine, throws: then or at any later event. What is denied changes nothing.</summary>
public sealed class MagnitudeTests
{
    private const string Strategy = "t/u/s";

    /// <summary>A third anything that a decimal can be, a third the ends of its range, a third what an order could say.</summary>
    private static readonly Gen<decimal> AnyDecimal = Gen.OneOf(
        from low in Gen.Choose(int.MinValue, int.MaxValue)
        from middle in Gen.Choose(int.MinValue, int.MaxValue)
        from high in Gen.Choose(int.MinValue, int.MaxValue)
        from negative in Gen.Elements(false, true)
        from scale in Gen.Choose(0, 28)
        select new decimal(low, middle, high, negative, (byte)scale),
        Gen.Elements(decimal.MaxValue, decimal.MinValue, decimal.MaxValue / 100_000, 0.0000000000000000000000000001m, -0.0000000000000000000000000001m, 0m, -1m,
            1e27m, 1e20m, 3_000_000_000m, 3_000_000_000.00001m, 2_999_999_999.99999m, 1e15m, 0.00001m),
        from thousands in Gen.Choose(0, 12_000)
        from price in Gen.Choose(105_000, 115_000)
        from isVolume in Gen.Elements(false, true)
        select isVolume ? thousands * 1000m : price / 100_000m);

    private static readonly Gen<decimal?> Perhaps = Gen.OneOf(Gen.Constant<decimal?>(null), AnyDecimal.Select(value => (decimal?)value));

    private static readonly Gen<OrderRequest> AnyOrder =
        from side in Gen.Elements(Side.Buy, Side.Sell)
        from type in Gen.Elements(Enum.GetValues<OrderType>())
        from volume in Gen.Frequency((3, Gen.Constant(10_000m)), (2, AnyDecimal))
        from level in AnyDecimal
        from second in AnyDecimal
        from odd in Gen.Choose(0, 9)
        from stopLoss in Perhaps
        from takeProfit in Perhaps
        from trailing in Perhaps
        from reduceOnly in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
        from owner in Gen.Elements("", Strategy)
        select new OrderRequest("", "EURUSD", side, type, volume,
            LimitPrice: odd == 0 || type is OrderType.Limit or OrderType.StopLimit ? level : null,
            StopPrice: odd == 1 || type is OrderType.Stop or OrderType.StopLimit ? second : null,
            TrailDistance: odd == 2 || type == OrderType.TrailingStop ? second : null,
            StopLoss: stopLoss, TakeProfit: takeProfit, TrailingStopLoss: trailing, ReduceOnly: reduceOnly, Strategy: owner);

    private static readonly Gen<OrderChange> AnyChange =
        from volume in Perhaps
        from limit in Perhaps
        from stop in Perhaps
        from trail in Perhaps
        select new OrderChange(volume, limit, stop, trail);

    private static Desk Open(PositionMode mode = PositionMode.Netting, bool slow = false) => new Desk(
        Desk.Plain with { Mode = mode, MarginCallPercent = 100, StopOutPercent = 50, Execution = new ExecutionModel(slow ? TimeSpan.FromSeconds(1) : default, CommissionRate: 0.00002m) },
        RiskLimits.Default with { SubmitRate = null, ModifyRate = null, PriceCollarPercent = null }).Hold(Side.Buy, 20_000, 1.10000m, 1.10010m);

    /// <summary>All but that an order was denied.</summary>
    private static JsonNode Standing(AccountState state) => System.Text.Json.JsonSerializer.SerializeToNode(state.Capture() with
    {
        Now = default,
        NextOrdinal = 0,
        LastPosition = 0,
        ClientOrders = System.Collections.Immutable.ImmutableDictionary<string, long>.Empty,
        Denials = System.Collections.Immutable.ImmutableDictionary<long, Denial>.Empty,
    }, AccountJson.Default.AccountSnapshot)!;

    /// <summary>The market goes on, through a bar and a night, and the account is looked at and stored.</summary>
    private static void GoOn(Desk desk)
    {
        desk.Quote(1.10020m, 1.10030m).Quote(1.09000m, 1.09010m).Quote(1.12000m, 1.12010m, 5, 5).Bar(1.10000m, 1.13000m, 1.08000m, 1.10000m);
        desk.Wait(TimeSpan.FromDays(1)).Quote(1.10000m, 1.10010m);
        (decimal equity, decimal margin) = (desk.State.Equity, desk.State.UsedMargin);
        desk.PutAwayAndRestore();
        Assert.Equal((equity, margin), (desk.State.Equity, desk.State.UsedMargin));
        desk.Quote(1.10000m, 1.10010m);
    }

    private static void AssertTold(Denial denial)
    {
        Assert.NotEqual(Reason.None, denial.Reason);
        Assert.False(string.IsNullOrWhiteSpace(denial.Detail));
    }

    [Fact]
    public void Orders_of_any_numbers_are_taken_or_denied_and_every_later_event_is_handled() => Prop.ForAll(
        Arb.From(Gen.ArrayOf(AnyOrder, 12)), Arb.From(Gen.Elements(PositionMode.Netting, PositionMode.Hedging)), (orders, mode) =>
        {
            Desk desk = Open(mode);
            int i = 0;
            foreach (OrderRequest order in orders)
            {
                JsonNode before = Standing(desk.State);
                OrderResult result = desk.Submit(order with { ClientOrderId = $"any{++i}" });
                if (result.IsAccepted) continue;
                AssertTold(result.Denial!);
                Assert.True(JsonNode.DeepEquals(before, Standing(desk.State)), $"denied, {order} changed the account");
            }
            GoOn(desk);
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Changes_to_any_numbers_are_taken_or_denied_and_every_later_event_is_handled() => Prop.ForAll(
        Arb.From(Gen.ArrayOf(AnyChange, 12)), Arb.From(Gen.Elements(false, true)), (changes, slow) =>
        {
            Desk desk = Open(slow: slow);
            OrderRequest[] orders =
            [
                desk.Limit(Side.Buy, 10_000, 1.05m), desk.Stop(Side.Sell, 10_000, 1.05m),
                desk.Stop(Side.Buy, 10_000, 1.15m) with { Type = OrderType.StopLimit, LimitPrice = 1.16m },
                desk.Market(Side.Sell, 10_000) with { Type = OrderType.TrailingStop, TrailDistance = 0.05m },
            ];
            foreach (OrderRequest order in orders) desk.Accepted(order);
            for (int i = 0; i < changes.Length; i++)
            {
                JsonNode before = Standing(desk.State);
                OrderChange change = changes[i];
                OrderResult result = desk.Do(account => account.Change(orders[i % orders.Length].ClientOrderId, change, desk.Time));
                if (result.Denial is not { } denial) continue;
                AssertTold(denial);
                Assert.True(JsonNode.DeepEquals(before, Standing(desk.State)), $"denied, {change} changed the account");
            }
            GoOn(desk);
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Decisions_and_sizes_of_any_numbers_too() => Prop.ForAll(
        Arb.From(from kind in Gen.Elements(Enum.GetValues<SizingKind>())
                 from value in Gen.Frequency((1, AnyDecimal), (1, Gen.Choose(1, 200).Select(percent => (decimal)percent)))
                 from most in Perhaps
                 select new FollowTerms(new Sizing(kind, value), MaxUnits: most)),
        Arb.From(Gen.ArrayOf(from stance in Gen.Elements(Stance.Short, Stance.Long)
                             from stop in Perhaps
                             from take in Perhaps
                             from trail in Perhaps
                             from limit in Gen.Frequency((3, Gen.Constant<decimal?>(null)), (1, Perhaps))
                             from entry in Gen.Frequency((3, Gen.Constant<decimal?>(null)), (1, Perhaps))
                             from units in Gen.Frequency((1, Gen.Constant(10_000m)), (1, AnyDecimal))
                             select (new Intent(stance, "", stop, take, trail, limit, entry), units), 6)),
        (terms, wants) =>
        {
            Desk desk = Open();
            if (desk.Do(account => account.SetFollow(Strategy, terms, desk.Time)) is not null) return;
            int i = 0;
            foreach ((Intent intent, decimal units) in wants)
            {
                DecisionVerdict verdict = desk.Do(account => account.Receive(
                    new Decision($"{Strategy}#{++i}", Strategy, "EURUSD", TimeFrame.M1, desk.Time, desk.Position, default, [], Stance.Flat, intent, units)));
                if (verdict.Volume == 0) Assert.NotEqual(Reason.None, verdict.Reason);
                desk.Quote(1.10000m, 1.10010m);
            }
            GoOn(desk);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Payments_of_any_amount_are_booked_to_the_last_decimal_or_refused() => Prop.ForAll(
        Arb.From(Gen.ArrayOf(AnyDecimal, 8)), Arb.From(Gen.Elements<int?>(null, 0, 2)), (amounts, digits) =>
        {
            var desk = new Desk(Desk.Plain with { MoneyDigits = digits });
            BigInteger paid = Exact(desk.State.Balance);
            for (int i = 0; i < amounts.Length; i++)
            {
                decimal amount = amounts[i];
                string? fault = desk.Do(account => account.Adjust(amount, "", $"r{i}", desk.Time));
                if (fault is null) paid += Exact(amount);
                else Assert.StartsWith("amount is", fault);
                Assert.Equal(paid, Exact(desk.State.Balance));
            }
            desk.Hold(Side.Buy, 1000, 1.1m, 1.1m);
            GoOn(desk);
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Settings_and_limits_of_any_numbers_are_refused_by_name_or_never_stand_in_the_way_of_a_quote() => Prop.ForAll(
        Arb.From(Gen.ArrayOf(Perhaps, 12)), Arb.From(Gen.Choose(0, 11)), Arb.From(AnyDecimal), (values, which, deposit) =>
        {
            // One number of the limits, the rest in order; one of the settings.
            decimal? value = values[which];
            RiskLimits limits = which switch
            {
                0 => new() { MaxOrderVolume = value },
                1 => new() { MinOrderNotional = value },
                2 => new() { MaxOrderNotional = value },
                3 => new() { PriceCollarPercent = value },
                4 => new() { MaxExposure = value },
                5 => new() { MaxExposurePercent = value },
                6 => new() { MaxInstrumentExposure = value },
                7 => new() { MaxDrawdownPercent = value },
                8 => new() { LossLimits = [new LossLimit(LossPeriod.Day, Amount: value)] },
                9 => new() { LossLimits = [new LossLimit(LossPeriod.Week, Percent: value)] },
                10 => new() { SubmitRate = new RateLimit(3, Ticks(value)) },
                _ => new() { ModifyRate = new RateLimit(3, Ticks(value)) },
            };
            AccountSettings settings = Desk.Plain with
            {
                Leverage = which == 0 ? values[1] : null,
                StopOutPercent = which == 1 ? values[2] : null,
                MarginCallPercent = which == 2 ? values[3] : null,
                EquitySampling = which == 3 ? Ticks(values[4]) : null,
                Execution = new ExecutionModel(
                    CommissionRate: which == 4 ? values[5] ?? 0 : 0, CommissionPerLot: which == 5 ? values[6] ?? 0 : 0, CommissionMinimum: which == 6 ? values[7] ?? 0 : 0),
            };
            var account = new Account("t/u/b", new AccountState(new InstrumentUniverse([Desk.Eurusd])));
            if (account.Open(settings, limits, deposit, Desk.Start) is { } fault)
            {
                Assert.Matches(" (is|expected|needs) ", fault);
                Assert.Null(account.State.Settings);
                return;
            }
            var desk = new Desk(settings, limits, deposit);
            desk.Quote(1.1m, 1.1001m);
            foreach (decimal volume in new[] { 1000m, 2000m, 10_000_000m }) desk.Submit(desk.Limit(Side.Buy, volume, 1.1m));
            GoOn(desk);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    /// <summary>In units of 10^-28, where nothing is rounded.</summary>
    private static BigInteger Exact(decimal value)
    {
        int[] bits = decimal.GetBits(value);
        BigInteger digits = ((BigInteger)(uint)bits[2] << 64) + ((BigInteger)(uint)bits[1] << 32) + (uint)bits[0];
        return (value < 0 ? -digits : digits) * BigInteger.Pow(10, 28 - value.Scale);
    }

    private static TimeSpan Ticks(decimal? value) => value is not { } number ? TimeSpan.FromMinutes(1)
        : new TimeSpan((long)Math.Clamp(number, long.MinValue, long.MaxValue));
}
