using System.Collections.Immutable;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Tests.Accounts;

/// <summary>What holds of every account, whatever happens to it.</summary>
public sealed class AccountProperties
{
    // More of them by HT_PROPERTY_TESTS, when the account has changed.
    private static readonly int Times = int.TryParse(Environment.GetEnvironmentVariable("HT_PROPERTY_TESTS"), out int times) ? times : 150;

    private static void ForAll(Action<Terms, Step[]> holds, int? times = null) =>
        Prop.ForAll(Scenario.Any, any => holds(any.Terms, any.Steps)).Check(Config.QuickThrowOnFailure.WithMaxTest(times ?? Times));

    [Fact]
    public void Scenarios_reach_what_they_are_to_prove()
    {
        HashSet<string> missing = [.. typeof(AccountEvent).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(AccountEvent))).Select(type => type.Name)
            .Except([nameof(LimitsChanged), nameof(TenantHaltsChanged), nameof(LimitsNear)])];
        HashSet<Reason> never =
        [
            Reason.Halted, Reason.Reducing, Reason.NothingToReduce, Reason.OcoFilled, Reason.ReduceOnlyExhausted, Reason.ImmediateOrCancel,
            Reason.FillOrKill, Reason.Expired, Reason.DayEnded, Reason.Requested, Reason.Flatten,
        ];
        // A margin call is met about once in three hundred scenarios: as many are drawn as it takes, up to sixty times the usual.
        for (int round = 0; round < 60 && missing.Count + never.Count > 0; round++)
        {
            foreach ((Terms terms, Step[] steps) in Scenario.Any.Generator.Sample(100, 500))
            {
                foreach (AccountEvent happened in new Scenario(terms).Play(steps).Desk.Events)
                {
                    missing.Remove(happened.GetType().Name);
                    if (happened is OrderDenied denied) never.Remove(denied.Denial.Reason);
                    if (happened is OrderEnded ended) never.Remove(ended.Reason);
                }
            }
        }
        Assert.Empty(missing);
        Assert.Empty(never);
    }

    [Fact]
    public void Every_order_moves_lawfully_ends_once_and_fills_no_more_than_its_volume() => ForAll((terms, steps) =>
    {
        // An unlawful move throws inside the account.
        Desk desk = new Scenario(terms).Play(steps).Desk;
        Dictionary<long, (decimal Volume, decimal Filled, bool Ended)> orders = [];
        foreach (AccountEvent happened in desk.Events)
        {
            (long ordinal, decimal volume, decimal filled, bool ends) = happened switch
            {
                OrderAccepted e => (e.Order.Ordinal, e.Order.Volume, 0m, false),
                OrderChanged e => (e.Ordinal, e.Volume, 0m, false),
                OrderFilled e => (e.Ordinal, 0m, e.Volume, false),
                OrderEnded e => (e.Ordinal, 0m, 0m, true),
                OrderWorking e => (e.Ordinal, 0m, 0m, false),
                OrderRested e => (e.Ordinal, 0m, 0m, false),
                OrderTriggered e => (e.Ordinal, 0m, 0m, false),
                StopTrailed e => (e.Ordinal, 0m, 0m, false),
                OrderChangeRequested e => (e.Ordinal, 0m, 0m, false),
                OrderCancelRequested e => (e.Ordinal, 0m, 0m, false),
                _ => (0L, 0m, 0m, false),
            };
            if (ordinal == 0) continue;
            (decimal Volume, decimal Filled, bool Ended) order = orders.GetValueOrDefault(ordinal);
            Assert.False(order.Ended, $"{happened} after order {ordinal} had ended");
            if (happened is OrderAccepted) Assert.DoesNotContain(ordinal, orders.Keys);
            if (volume > 0) order.Volume = volume;
            order.Filled += filled;
            Assert.True(order.Filled <= order.Volume, $"{happened}: {order.Filled} of {order.Volume}");
            order.Ended = ends || order.Filled == order.Volume;
            orders[ordinal] = order;
        }
        Assert.Equal(orders.Where(order => !order.Value.Ended).Select(order => order.Key), desk.State.Books.SelectMany(book => book.Orders).Select(order => order.Ordinal).Order());
    });

    [Fact]
    public void Cash_and_positions_conserve_value_to_the_last_decimal() => ForAll((terms, steps) =>
    {
        Desk desk = new Scenario(terms with { Rounded = false }).Play(steps).Desk;
        // One price for both sides, so that a position is worth the same to whoever holds it.
        desk.Quote(1.12345m, 1.12345m, 1, 1).Quote(1.26543m, 1.26543m, 1, 1, "GBPUSD").See("EURUSD").See("GBPUSD");
        Dictionary<long, Order> orders = desk.Events.OfType<OrderAccepted>().ToDictionary(accepted => accepted.Order.Ordinal, accepted => accepted.Order);
        decimal cash = desk.Events.OfType<BalanceAdjusted>().Sum(adjusted => adjusted.Amount) + desk.Events.OfType<SwapCharged>().Sum(swap => swap.Amount), held = 0;
        foreach (OrderFilled fill in desk.Fills)
        {
            Order order = orders[fill.Ordinal];
            cash -= (int)order.Side * fill.Volume * fill.Points * 0.00001m + fill.Commission;
            held += (int)order.Side * fill.Volume * (order.Symbol == "EURUSD" ? 1.12345m : 1.26543m);
        }
        Assert.Equal(cash + held, desk.State.Equity);
        Assert.Equal(desk.State.Deposits + desk.State.Realised - desk.State.Commissions + desk.State.Swaps, desk.State.Balance);
        foreach (SymbolBook book in desk.State.Books)
        {
            Assert.Equal(book.Holdings.Sum(holding => holding.Volume), book.NetVolume);
            Assert.DoesNotContain(book.Holdings, holding => holding.Volume == 0);
        }
    });

    [Fact]
    public void What_is_booked_on_trades_is_what_the_balance_gained_also_when_rounded() => ForAll((terms, steps) =>
    {
        Desk desk = new Scenario(terms with { Rounded = true }).Play(steps).Desk;
        decimal booked = desk.State.TakeClosedTrades().Sum(trade => trade.Holding.Result) + desk.State.Books.SelectMany(book => book.Holdings).Sum(holding => holding.Result);
        Assert.Equal(desk.State.Balance - desk.State.Deposits, booked, 15);
        Assert.Equal(Math.Round(desk.State.Balance, 2), desk.State.Balance);
    });

    [Fact]
    public void The_recorded_events_through_their_json_give_the_live_state() => ForAll((terms, steps) =>
    {
        Desk desk = new Scenario(terms).Play(steps).Desk;
        var folded = new AccountState(desk.Universe);
        foreach (AccountEvent happened in desk.Events)
        {
            AccountEvent again = ThroughJson(happened);
            Assert.Equal(Json(happened), Json(again));
            folded.Apply(again);
        }
        Assert.True(JsonNode.DeepEquals(Recorded(desk.State), Recorded(folded)), $"{Recorded(desk.State)}\n{Recorded(folded)}");
    });

    [Fact]
    public void Put_away_and_restored_after_any_step_an_account_goes_on_as_if_nothing_had_happened() => ForAll((terms, steps) =>
    {
        Desk through = new Scenario(terms).Play(steps).Desk;
        var interrupted = new Scenario(terms);
        for (int i = 0; i < steps.Length; i++)
        {
            interrupted.Play(steps[i]);
            if (steps[i].D % 3 == 0) interrupted.Desk.PutAwayAndRestore();
        }
        AssertSame(through, interrupted.Desk);
        Assert.True(JsonNode.DeepEquals(Desk.Picture(through.State), Desk.Picture(interrupted.Desk.State)));
    });

    [Fact]
    public void Everything_delivered_twice_does_what_it_does_once() => ForAll((terms, steps) =>
        AssertSame(new Scenario(terms).Play(steps).Desk, new Scenario(terms, twice: true).Play(steps).Desk));

    [Fact]
    public void What_a_restored_account_had_seen_before_does_nothing_when_it_comes_again() => ForAll((terms, steps) =>
    {
        Desk through = new Scenario(terms).Play(steps).Desk;
        var interrupted = new Scenario(terms);
        foreach (Step step in steps)
        {
            interrupted.Play(step);
            if (step.D % 5 != 0) continue;
            interrupted.Desk.PutAwayAndRestore();
            for (int i = Math.Max(0, interrupted.Desk.Delivered.Count - 1 - step.C % 8); i < interrupted.Desk.Delivered.Count; i++) interrupted.Desk.DeliverAgain(i);
        }
        AssertSame(through, interrupted.Desk);
    });

    [Fact]
    public void The_gauge_shows_the_equity_to_the_last_decimal_and_so_the_tracker_by_it_what_the_tracker_by_decimals_does()
    {
        int exact = 0, not = 0;
        ForAll((terms, steps) =>
        {
            var scenario = new Scenario(terms);
            var gauge = new EquityGauge(scenario.Desk.State);
            EquityTracker byGauge = new(scenario.Desk.State.Balance), byDecimals = new(scenario.Desk.State.Balance);
            // Long enough for the curve to be thinned.
            for (int pass = 0; pass < 60; pass++)
            {
                foreach (Step step in steps)
                {
                    scenario.Play(step);
                    decimal equity = scenario.Desk.State.Equity;
                    byGauge.Mark(scenario.Desk.Time, gauge);
                    byDecimals.Mark(scenario.Desk.Time, equity);
                    if (gauge.Units is not { } units)
                    {
                        not++;
                        continue;
                    }
                    exact++;
                    Assert.Equal(equity, gauge.AmountOf(units));
                    Assert.Equal((units, units), gauge.UnitsOf(equity));
                }
            }
            Assert.Equal((byDecimals.Peak, byDecimals.MaxDrawdown), (byGauge.Peak, byGauge.MaxDrawdown));
            Assert.Equal(byDecimals.Curve, byGauge.Curve);
        }, 12);
        Assert.True(exact > not, $"{exact} of {exact + not}");
    }

    [Fact]
    public void Risk_never_denies_what_only_reduces() => ForAll((terms, steps) =>
    {
        Desk desk = new Scenario(terms with { Watched = true }).Play(steps).Desk;
        foreach (SymbolBook book in desk.State.Books)
        {
            foreach (Holding holding in book.Holdings)
            {
                OrderRequest close = desk.Market(holding.Volume > 0 ? Side.Sell : Side.Buy, Math.Abs(holding.Volume), holding.Symbol) with
                {
                    ClientOrderId = $"close.{holding.Id}".Replace('/', '.'),
                    Strategy = holding.Owner,
                    ReduceOnly = true,
                    PositionId = terms.Mode == PositionMode.Hedging ? holding.Id : null,
                };
                // A person's own holding may lie against the net position, which is what a person reduces.
                if (terms.Mode == PositionMode.Netting && holding.Owner.Length == 0 && Math.Sign(book.NetVolume) != Math.Sign(holding.Volume)) continue;
                OrderResult result = desk.Submit(close);
                Assert.Null(result.Denial);
            }
            Side side = book.NetVolume > 0 ? Side.Sell : Side.Buy;
            decimal free = Math.Abs(book.NetVolume) - book.Orders.Where(order => order.Side == side && !order.ReduceOnly).Sum(order => order.Remaining);
            if (terms.Mode == PositionMode.Netting && free > 0) desk.Accepted(desk.Market(side, free, book.Instrument.Symbol) with { ClientOrderId = $"net.{book.Instrument.Symbol}" });
        }
    });

    [Fact]
    public void Under_any_limits_and_in_any_state_an_order_that_only_reduces_goes_whole() => Prop.ForAll(Scenario.Any, Arb.From(TightLimits), Arb.From(Gen.Choose(0, 999)),
        (any, limits, number) =>
        {
            Desk desk = new Scenario(any.Terms).Play(any.Steps).Desk;
            desk.Do(account => account.SetLimits(limits, desk.Time));
            desk.Do(account => account.SetTradingState((TradingState)(number % 3), "somebody", desk.Time));
            if (number % 2 == 0) desk.Do(account => account.SetTenantHalts([new TenantHalt(1, null, false, "acme/zoe", desk.Time, "storm")], desk.Time));
            foreach (SymbolBook book in desk.State.Books)
            {
                foreach (Holding holding in book.Holdings.ToArray())
                {
                    bool netting = any.Terms.Mode == PositionMode.Netting;
                    // A person's own holding may lie against the net position, which is what a person reduces.
                    if (netting && holding.Owner.Length == 0 && Math.Sign(book.NetVolume) != Math.Sign(holding.Volume)) continue;
                    decimal most = netting && holding.Owner.Length == 0 ? Math.Min(Math.Abs(holding.Volume), Math.Abs(book.NetVolume)) : Math.Abs(holding.Volume);
                    var side = holding.Volume > 0 ? Side.Sell : Side.Buy;
                    decimal price = book.Instrument.ToPrice(holding.Volume > 0 ? book.Mark.Bid : book.Mark.Ask), far = (int)side * (number % 400) / 1000m;
                    OrderRequest order = desk.Market(side, Math.Max(1000, Math.Floor(most * (1 + number % 4) / 4 / 1000) * 1000), holding.Symbol) with
                    {
                        ClientOrderId = $"reduce.{holding.Id}".Replace('/', '.'),
                        Strategy = holding.Owner,
                        ReduceOnly = true,
                        PositionId = netting ? null : holding.Id,
                    };
                    order = (number % 4) switch
                    {
                        0 => order with { Type = OrderType.Limit, LimitPrice = price + far },
                        1 => order with { Type = OrderType.Stop, StopPrice = price - far },
                        2 => order with { Type = OrderType.TrailingStop, TrailDistance = 0.2m },
                        _ => order,
                    };
                    OrderResult result = desk.Submit(order);
                    Assert.Equal((null, order.Volume), (result.Denial, result.Accepted));
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Times));

    private static Gen<RiskLimits> TightLimits =>
        from which in Gen.Choose(0, (1 << 14) - 1)
        select new RiskLimits
        {
            MaxOrderVolume = Has(which, 0) ? 0.01m : null, MinOrderNotional = Has(which, 1) ? 1e12m : null, MaxOrderNotional = Has(which, 2) ? 0.01m : null,
            PriceCollarPercent = Has(which, 3) ? 0.001m : null, MaxExposure = Has(which, 4) ? 0.01m : null, MaxExposurePercent = Has(which, 5) ? 0.001m : null,
            MaxInstrumentExposure = Has(which, 6) ? 0.01m : null, MaxOpenPositions = Has(which, 7) ? 1 : null, MaxInstrumentPositions = Has(which, 8) ? 1 : null,
            MaxWorkingOrders = Has(which, 9) ? 1 : null, MaxInstrumentWorkingOrders = Has(which, 10) ? 1 : null,
            SubmitRate = Has(which, 11) ? new RateLimit(1, TimeSpan.FromDays(1)) : null, AllowedInstruments = Has(which, 12) ? ["XAUUSD"] : [],
            LossLimits = Has(which, 13) ? [new LossLimit(LossPeriod.Day, Amount: 0.01m)] : [],
        };

    private static bool Has(int which, int bit) => (which >> bit & 1) > 0;

    [Fact]
    public void While_an_account_may_only_reduce_no_fill_adds_to_its_position_or_to_its_strategy_s_own() => ForAll((terms, steps) =>
    {
        Desk desk = new Scenario(terms).Play(steps).Desk;
        var state = new AccountState(desk.Universe);
        foreach (AccountEvent happened in desk.Events)
        {
            if (happened is OrderFilled fill && state.TradingState != TradingState.Active)
            {
                Order order = state.FindOrder(fill.Ordinal)!;
                SymbolBook book = state.Book(order.Symbol);
                decimal most = order.ReduceOnly ? book.Reducible(order.Side, order.Owner, order.PositionId) : book.Reducing(order.Side, order.Owner);
                Assert.True(fill.Volume <= most, $"{fill} of {order} with {book.NetVolume} held");
            }
            state.Apply(happened);
        }
    });

    [Fact]
    public void Whose_account_it_is_and_what_the_orders_are_called_does_not_change_the_hash() => ForAll((terms, steps) =>
        Assert.Equal(Hash(new Scenario(terms).Play(steps).Desk), Hash(new Scenario(terms, "other/person", "x-").Play(steps).Desk)));

    private static string Hash(Desk desk)
    {
        var orders = new OrderList(desk.Universe);
        foreach (AccountEvent happened in desk.Events) orders.Apply(happened);
        return OrderList.Hash([KeyValuePair.Create("a", orders)]);
    }

    private static void AssertSame(Desk a, Desk b)
    {
        Assert.Equal(a.Events.Count, b.Events.Count);
        for (int i = 0; i < a.Events.Count; i++) Assert.Equal(Json(a.Events[i]), Json(b.Events[i]));
    }

    private static string Json(AccountEvent happened) =>
        System.Text.Encoding.UTF8.GetString(AccountEventCatalog.Events.Encode(happened, happened.Time, "").Payload.Span);

    private static AccountEvent ThroughJson(AccountEvent happened)
    {
        NewEvent written = AccountEventCatalog.Events.Encode(happened, happened.Time, "");
        return AccountEventCatalog.Events.Decode(new RecordedEvent(0, "account", 0, written.Name, written.Schema, written.Time, written.Causation, "", "", written.Payload, false));
    }

    /// <summary>The state without what only the market showed: marks, the places and the time of the last quotes.</summary>
    private static JsonNode Recorded(AccountState state)
    {
        AccountSnapshot snapshot = state.Capture();
        AccountSnapshot recorded = snapshot with
        {
            Now = default,
            Equity = 0,
            UsedMargin = 0,
            LastPosition = 0,
            Books = [.. snapshot.Books.Where(book => book.Holdings.Length + book.Orders.Length > 0)
                .Select(book => book with { Mark = default, MarkPosition = 0, Position = 0, OpenResult = 0 })],
        };
        return System.Text.Json.JsonSerializer.SerializeToNode(recorded, AccountJson.Default.AccountSnapshot)!;
    }
}
