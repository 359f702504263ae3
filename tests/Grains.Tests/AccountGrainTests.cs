using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;
using Orleans.Runtime;

namespace HybridTrading.Grains.Tests;

public sealed class AccountGrainTests
{
    private const string Strategy = "acme/ann/turning";

    [Fact]
    public async Task An_account_that_was_never_opened_says_so_and_records_nothing()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = world.AccountGrain();
        Assert.Null(await account.GetView());
        Assert.Contains("never opened", (await account.Adjust(1m, "", "r1")).Fault);
        OrderAnswer answer = await account.Place(TestWorld.MarketOrder("o1"));
        Assert.Equal(Reason.NotFollowing, answer.Result.Denial!.Reason);
        Assert.Empty(await world.AccountEventsAsync());
    }

    [Fact]
    public async Task Opens_once_and_tells_what_is_wrong_with_settings()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = world.AccountGrain();
        Assert.Contains("currency is '$'", (await account.Open(TestWorld.Settings with { Currency = "$" }, RiskLimits.None, 1000m)).Fault);
        Assert.Contains("deposit is -1", (await account.Open(TestWorld.Settings, RiskLimits.None, -1m)).Fault);
        Assert.Empty(await world.AccountEventsAsync());
        await world.OpenAccountAsync();
        await account.Open(TestWorld.Settings, RiskLimits.None, 5m);
        Assert.Equal(100_000m, (await account.GetView())!.Balance);
    }

    [Fact]
    public async Task A_request_for_money_counts_once()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        CommandResult first = await account.Adjust(50m, "gift", "r1");
        Assert.True(first.MinPosition >= 0);
        await account.Adjust(50m, "gift", "r1");
        Assert.Equal(100_050m, (await account.GetView())!.Balance);
        Assert.Single((await world.AccountEventsAsync()).OfType<BalanceAdjusted>(), adjusted => adjusted.RequestId == "r1");
    }

    [Fact]
    public async Task Places_changes_cancels_and_fills()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);

        OrderAnswer placed = await account.Place(TestWorld.LimitOrder("limit", 1.09m));
        Assert.Null(placed.Result.Denial);
        OrderAnswer changed = await account.Change("limit", new OrderChange(LimitPrice: 1.095m));
        Assert.Null(changed.Result.Denial);
        await world.QuoteAsync("EURUSD", 110_001);
        Assert.Equal(109_500, (await account.GetView())!.WorkingOrders.Single().Limit);
        Assert.Null((await account.Cancel("limit")).Result.Denial);
        await account.Place(TestWorld.MarketOrder("market"));
        await world.QuoteAsync("EURUSD", 110_010);

        AccountView view = (await account.GetView())!;
        Assert.Empty(view.WorkingOrders);
        PositionView position = Assert.Single(view.Positions);
        Assert.Equal(1000m, position.Volume);
        Assert.Equal(1.10012m, position.AverageEntry);
    }

    [Fact]
    public async Task A_client_order_id_that_comes_again_orders_once()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        OrderAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => account.Place(TestWorld.MarketOrder("same"))));
        Assert.Single(answers, answer => !answer.Result.Repeated);
        Assert.Single(answers.Select(answer => answer.Result.Ordinal).Distinct());
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Equal(1000m, (await account.GetView())!.Positions.Single().Volume);

        await world.RestartAsync();
        Assert.True((await world.AccountGrain().Place(TestWorld.MarketOrder("same"))).Result.Repeated);
        Assert.True((await world.AccountGrain().Place(TestWorld.MarketOrder("same", volume: 2000))).Result.Repeated);
        Assert.Equal(1000m, (await world.AccountGrain().GetView())!.Positions.Single().Volume);
    }

    [Fact]
    public async Task A_decision_is_answered_the_same_whenever_it_comes()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await account.SetFollow(Strategy, new FollowTerms(Sizing.AsTheStrategySays));
        await world.QuoteAsync("EURUSD", 110_000);
        Decision decision = Decisions.Long(Strategy, 1, world.Now, 0, 3000m);

        DecisionVerdict first = await account.Receive(decision);
        Assert.Equal(3000m, first.Volume);
        Same(first, await account.Receive(decision));
        await world.RestartAsync();
        Same(first, await world.AccountGrain().Receive(decision));
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Equal(3000m, (await world.AccountGrain().GetView())!.Positions.Single().Volume);
        Assert.Equal(Reason.NotFollowing, (await world.AccountGrain().Receive(decision with { Id = "acme/ann/other#1", Strategy = "acme/ann/other" })).Reason);
    }

    [Fact]
    public async Task Snapshot_and_tail_are_the_fold_of_the_stream()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        for (int i = 0; i < 9; i++)
        {
            await world.QuoteAsync("EURUSD", 110_000 + 10 * i);
            await account.Place(TestWorld.MarketOrder($"o{i}", i % 3 == 2 ? Side.Sell : Side.Buy));
        }
        await world.QuoteAsync("EURUSD", 110_100);
        // A tail of one event, whether or not the last snapshot was of the event before.
        await account.Adjust(1m, "", "tail");
        string before = Text((await account.GetView())!);
        Snapshot snapshot = (await world.Snapshots.LoadAsync(Keys.AccountStream(TestWorld.Account)))!;
        List<AccountEvent> events = await world.AccountEventsAsync();
        Assert.InRange(snapshot.Version, 5, events.Count - 1);

        AccountState folded = new(world.Options.Universe), restored = AccountState.Restore(
            world.Options.Universe, JsonSerializer.Deserialize(snapshot.Payload.Span, AccountJson.Default.AccountSnapshot)!);
        foreach (AccountEvent happened in events) folded.Apply(happened);
        foreach (AccountEvent happened in events.Skip((int)snapshot.Version)) restored.Apply(happened);
        Assert.Equal(folded.Balance, restored.Balance);
        Assert.Equal(folded.Books.Single().Holdings, restored.Books.Single().Holdings);

        await world.RestartAsync();
        Assert.Equal(before, Text((await world.AccountGrain().GetView())!));
    }

    [Fact]
    public async Task What_was_not_recorded_did_not_happen()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await account.Place(TestWorld.LimitOrder("kept", 1.05m));
        using (world.Journal.Refuse((stream, _) => stream == Keys.AccountStream(TestWorld.Account)))
        {
            Task<OrderAnswer>[] placing = [.. Enumerable.Range(0, 5).Select(i => account.Place(TestWorld.LimitOrder($"lost{i}", 1.05m)))];
            // Each learns that its order was not recorded, or (on genuine Orleans, which forwards a request to the next activation only twice while
            // one after the other discards its memory) that it reached no activation at all.
            foreach (Task<OrderAnswer> each in placing)
            {
                Exception refusal = await Assert.ThrowsAnyAsync<Exception>(() => each);
                Assert.True(refusal is NotRecordedException or OrleansException, refusal.ToString());
            }
            Assert.Contains(placing, each => each.Exception!.InnerException is NotRecordedException);
        }
        AccountView view = (await account.GetView())!;
        Assert.Equal("kept", Assert.Single(view.WorkingOrders).ClientOrderId);
        Assert.Equal((await world.AccountEventsAsync()).Count, view.Version);
        Assert.Null((await account.Place(TestWorld.LimitOrder("lost0", 1.05m))).Result.Denial);
        Assert.Equal(2, (await account.GetView())!.WorkingOrders.Length);
    }

    [Fact]
    public async Task Watches_markets_while_it_has_something_there_also_after_a_restart()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await account.Place(TestWorld.MarketOrder("in") with { StopLoss = 1.09m });
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Single((await account.GetView())!.Positions);

        await world.RestartAsync();
        // Nobody wakes the account: its market remembers who watches.
        await world.QuoteAsync("EURUSD", 108_000);
        Assert.Contains(await world.AccountEventsAsync(), happened => happened is OrderFilled { Points: 108_000 });
        await world.QuoteAsync("EURUSD", 108_100, 108_200);
        AccountView view = (await world.AccountGrain().GetView())!;
        Assert.Empty(view.Positions);
        long version = view.Version;
        await world.QuoteAsync("EURUSD", 90_000);
        Assert.Equal(version, (await world.AccountGrain().GetView())!.Version);
    }

    private static string Text(AccountView view) => JsonSerializer.Serialize(view with { Time = default });

    private static void Same(DecisionVerdict expected, DecisionVerdict actual)
    {
        Assert.Equal(expected with { Orders = [] }, actual with { Orders = [] });
        Assert.Equal(expected.Orders, actual.Orders);
    }
}
