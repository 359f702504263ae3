using System.Collections.Concurrent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Views;

namespace HybridTrading.Grains.Tests;

public sealed class ViewTests
{
    private static readonly TimeSpan Step = Observing.Pace;

    [Fact]
    public async Task A_market_shows_itself_to_who_looks_until_that_is_forgotten()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        var screen = new Screen();
        IMarketObserver observer = world.Grains.CreateObjectReference<IMarketObserver>(screen);
        Versioned<MarketView> first = await world.Market().Observe(observer);
        Assert.Equal(110_000, first.View.Quote.Bid);

        await world.QuoteAsync("EURUSD", 110_010, 110_020);
        await world.UntilAsync(() => Task.FromResult(screen.Markets.Any(market => market.View.Quote.Bid == 110_020)), Step, "the market shows its quote");
        Assert.All(screen.Markets, market => Assert.True(market.Version == first.Version || market.Version.IsAfter(first.Version)));

        await world.Market().Forget(observer);
        int shown = screen.Markets.Count;
        await ShownToAnotherAsync(world, 110_030);
        Assert.Equal(shown, screen.Markets.Count);
        GC.KeepAlive(screen);
    }

    [Fact]
    public async Task Who_does_not_renew_is_forgotten_and_who_does_is_not()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        Screen lazy = new(), loyal = new();
        await world.Market().Observe(world.Grains.CreateObjectReference<IMarketObserver>(lazy));
        IMarketObserver renewing = world.Grains.CreateObjectReference<IMarketObserver>(loyal);
        for (TimeSpan passed = TimeSpan.Zero; passed <= Observing.Expiration; passed += Observing.Renewal)
        {
            await world.Market().Observe(renewing);
            world.Time.Advance(Observing.Renewal);
        }
        int shown = lazy.Markets.Count;
        await world.QuoteAsync("EURUSD", 110_010);
        await world.UntilAsync(() => Task.FromResult(loyal.Markets.Any(market => market.View.Quote.Bid == 110_010)), Step, "the loyal one sees the quote");
        Assert.Equal(shown, lazy.Markets.Count);
        GC.KeepAlive(lazy);
        GC.KeepAlive(loyal);
    }

    [Fact]
    public async Task An_account_shows_its_owner_what_changed_and_nobody_else_may_look()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        Screen mine = new(), theirs = new();
        IAccountObserver observer = world.Grains.CreateObjectReference<IAccountObserver>(mine);
        using (Principal.Of("acme")) Assert.Null(await world.AccountGrain().Observe(observer));
        await world.OpenAccountAsync();
        using (Principal.Of("beta"))
        {
            IAccountObserver stranger = world.Grains.CreateObjectReference<IAccountObserver>(theirs);
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => world.AccountGrain().Observe(stranger));
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => world.AccountGrain().Forget(observer));
        }
        AccountView before;
        using (Principal.Of("acme")) before = (await world.AccountGrain().Observe(observer))!;
        Assert.Empty(before.Positions);

        await world.AccountGrain().Place(TestWorld.MarketOrder("mine"));
        await world.QuoteAsync("EURUSD", 110_010);
        await UntilShownAsync(world, mine, account => account.Positions.Length == 1);
        AccountView opened = mine.Accounts.Last(account => account.Positions.Length == 1);
        Assert.True(opened.Version > before.Version);
        // Marks alone are news, too.
        await world.QuoteAsync("EURUSD", 110_500);
        await UntilShownAsync(world, mine, account => account.Equity > opened.Equity);
        AccountView[] shown = [.. mine.Accounts];
        Assert.Equal(shown.Select(account => account.Version).Order(), shown.Select(account => account.Version));
        Assert.Empty(theirs.Accounts);
        GC.KeepAlive(theirs);
    }

    [Fact]
    public async Task A_replica_follows_its_market()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IMarketReplicaGrain replica = world.Grains.GetGrain<IMarketReplicaGrain>("EURUSD");
        Assert.Equal(-1, (await replica.GetView()).Position);
        foreach (long bid in (long[])[110_000, 110_010, 110_020])
        {
            long position = (await world.QuoteAsync("EURUSD", bid)).Single().Position;
            await world.UntilAsync(async () => (await replica.GetView()).Position == position, TimeSpan.FromMilliseconds(20), "the replica has the quote");
            Assert.Equal(bid, (await replica.GetView()).Quote.Bid);
        }
        await Assert.ThrowsAnyAsync<Exception>(() => world.Grains.GetGrain<IMarketReplicaGrain>("NOSUCH").GetView());
    }

    [Fact]
    public async Task A_replica_follows_its_features_and_goes_on_after_a_restart()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.RunStrategyAsync("acme/ann/turning", TestWorld.Account);
        await world.MinutesAsync("EURUSD", 110_000, 110_010, 110_020);
        Assert.Equal(2, (await world.Grains.GetGrain<IFeaturesReplicaGrain>("EURUSD/M1").GetView())!.Closed.Position + 1);
        await world.RestartAsync();
        await world.MinutesAsync("EURUSD", 110_030, 110_040);
        FeatureUpdate source = (await world.Features(TimeFrame.M1).GetView())!;
        await world.UntilAsync(
            async () => (await world.Grains.GetGrain<IFeaturesReplicaGrain>("EURUSD/M1").GetView())?.Closed == source.Closed,
            TimeSpan.FromMilliseconds(20), "the replica has the features");
    }

    [Fact]
    public async Task A_poll_waits_for_what_is_new_and_no_longer_than_the_bound()
    {
        var clock = new HybridTrading.Tests.FakeTimeProvider();
        int value = 1;
        var source = new ViewSource<int>(() => value, clock, CancellationToken.None);
        Versioned<int> known = await source.AfterAsync(default, CancellationToken.None);
        Assert.Equal(1, known.View);

        Task<Versioned<int>> waiting = source.AfterAsync(known.Version, CancellationToken.None), too = source.AfterAsync(known.Version, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        value = 2;
        source.Change();
        Assert.Equal(2, (await waiting).View);
        Assert.True((await too).Version.IsAfter(known.Version));

        known = await source.AfterAsync(known.Version, CancellationToken.None);
        waiting = source.AfterAsync(known.Version, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        clock.Advance(ViewSource<int>.LongestWait);
        Assert.Equal(known, await waiting);

        Assert.Equal(2, (await new ViewSource<int>(() => value, clock, CancellationToken.None).AfterAsync(known.Version, CancellationToken.None)).View);
    }

    [Fact]
    public async Task A_poll_ends_when_its_source_leaves_or_the_asker_or_the_host()
    {
        var clock = new HybridTrading.Tests.FakeTimeProvider();
        using CancellationTokenSource asker = new(), host = new();
        var source = new ViewSource<int>(() => 1, clock, host.Token);
        Task<Versioned<int>> left = source.AfterAsync(source.Version, asker.Token), stays = source.AfterAsync(source.Version, CancellationToken.None);
        asker.Cancel();
        Assert.Equal(1, (await left).View);
        Assert.False(stays.IsCompleted);
        source.End();
        Assert.Equal(1, (await stays).View);
        Assert.True(source.AfterAsync(source.Version, CancellationToken.None).IsCompleted);

        var other = new ViewSource<int>(() => 1, clock, host.Token);
        Task<Versioned<int>> ends = other.AfterAsync(other.Version, CancellationToken.None);
        Assert.False(ends.IsCompleted);
        host.Cancel();
        Assert.Equal(1, (await ends).View);
    }

    /// <summary>A quote that another observer, who came last, has seen: whoever was to be told of it has been.</summary>
    private static async Task ShownToAnotherAsync(TestWorld world, long bid)
    {
        var another = new Screen();
        await world.Market().Observe(world.Grains.CreateObjectReference<IMarketObserver>(another));
        await world.QuoteAsync("EURUSD", bid);
        await world.UntilAsync(() => Task.FromResult(another.Markets.Any(market => market.View.Quote.Bid == bid)), Step, "another sees the quote");
        GC.KeepAlive(another);
    }

    private static Task UntilShownAsync(TestWorld world, Screen screen, Func<AccountView, bool> wanted) =>
        world.UntilAsync(() => Task.FromResult(screen.Accounts.Any(wanted)), Step, "the account shows it");

    private sealed class Screen : IMarketObserver, IAccountObserver
    {
        public ConcurrentQueue<Versioned<MarketView>> Markets { get; } = [];

        public ConcurrentQueue<AccountView> Accounts { get; } = [];

        public void Show(Versioned<MarketView> market) => Markets.Enqueue(market);

        public void Show(AccountView account) => Accounts.Enqueue(account);
    }
}
