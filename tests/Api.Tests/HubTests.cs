using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Api.Hubs;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging.Abstractions;
using HubConnection = HybridTrading.Api.Hubs.HubConnection;

namespace HybridTrading.Tests;

public sealed class HubTests
{
    [Fact]
    public async Task SubscribingAnswersWithHowThingsStand()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        (await host.PostAsync("strategies", StrategyApiTests.Cross())).Expect(201);
        await OrderApiTests.UntilAsync(host, "strategies", _ => true);
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        JsonElement snapshot = await client.SubscribeAsync(["EURUSD", "GBPUSD"], "main");
        Assert.Equal("EURUSD", Assert.Single(snapshot.GetProperty("quotes").EnumerateArray()).GetProperty("symbol").GetString());
        Assert.Equal("main", snapshot.GetProperty("account").GetProperty("name").GetString());
        Assert.Equal("cross", Assert.Single(snapshot.GetProperty("strategies").EnumerateArray()).GetProperty("name").GetString());
    }

    [Fact]
    public async Task QuotesAndBarsComeForTheSymbolsAskedFor()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.GetAsync("bars/EURUSD?timeFrame=M1")).Expect(200);
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        await client.SubscribeAsync(["EURUSD"], null);
        await host.QuoteAsync("GBPUSD", 1.3m, 1.3001m);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m, TimeSpan.FromMinutes(1));
        JsonElement quote = await client.WaitForAsync("quotes", _ => true);
        Assert.Equal("EURUSD", quote.GetProperty("symbol").GetString());
        Assert.Equal(1.1m, quote.GetProperty("bid").GetDecimal());
        JsonElement forming = await client.WaitForAsync("bars", bar => bar.GetProperty("forming").GetBoolean());
        await host.QuoteAsync("EURUSD", 1.2m, 1.2001m, TimeSpan.FromSeconds(1));
        await host.QuoteAsync("EURUSD", 1.15m, 1.1501m, TimeSpan.FromMinutes(1));
        JsonElement closed = await client.WaitForAsync("bars", bar => !bar.GetProperty("forming").GetBoolean());
        Assert.Equal(forming.GetProperty("time").GetString(), closed.GetProperty("time").GetString());
        Assert.Equal(1.2m, closed.GetProperty("high").GetDecimal());
        Assert.Equal("M1", closed.GetProperty("timeFrame").GetString());
    }

    [Fact]
    public async Task WhatTheJournalTellsIsPushedWithItsPosition()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        await host.OpenAsync("other");
        (await host.PostAsync("strategies", StrategyApiTests.Cross(start: true, accounts: ["main"]))).Expect(201);
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        await client.SubscribeAsync(["EURUSD"], "main");
        (await host.PostAsync("accounts/other/orders", OrderApiTests.Market(1000, "not-mine"))).Expect(201);
        Answer placed = (await host.PostAsync("accounts/main/orders", OrderApiTests.Market(3000, "mine"))).Expect(201);
        JsonElement order = await client.WaitForAsync("orders", _ => true);
        Assert.Equal("mine", order.GetProperty("clientOrderId").GetString());
        Assert.Equal("main", order.GetProperty("account").GetString());
        Assert.Equal(placed.MinPosition, order.GetProperty("position").GetInt64());

        await StrategyApiTests.TrendAsync(host);
        JsonElement fill = await client.WaitForAsync("fills", one => one.GetProperty("ordinal").GetInt64() == 1);
        Assert.Equal("main", fill.GetProperty("account").GetString());
        Assert.Equal(3000m, fill.GetProperty("volume").GetDecimal());
        await client.WaitForAsync(
            "orders", one => one.GetProperty("clientOrderId").GetString() == "mine" && one.GetProperty("status").GetString() == "Filled");
        JsonElement decision = await client.WaitForAsync("decisions", one => one.GetProperty("verdicts").GetArrayLength() == 1);
        Assert.StartsWith("cross#", decision.GetProperty("id").GetString());
        Assert.True(decision.GetProperty("position").GetInt64() > placed.MinPosition);
        JsonElement account = await client.WaitForAsync("account", one => one.GetProperty("positions").GetArrayLength() > 0);
        Assert.Equal("main", account.GetProperty("name").GetString());
    }

    [Fact]
    public async Task WhoLooksIsToldWhenSomebodyElseChangesTheLists()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        await client.SubscribeAsync([], null);

        Answer opened = await host.OpenAsync("elsewhere");
        JsonElement accounts = await client.WaitForAsync("lists", lists => lists.GetProperty("accounts").GetBoolean());
        Assert.InRange(accounts.GetProperty("minPosition").GetInt64(), 0, opened.MinPosition);
        Assert.False(accounts.GetProperty("strategies").GetBoolean());

        Answer made = (await host.PostAsync("strategies", StrategyApiTests.Cross(start: false))).Expect(201);
        JsonElement strategies = await client.WaitForAsync("lists", lists => lists.GetProperty("strategies").GetBoolean());
        long position = strategies.GetProperty("minPosition").GetInt64();
        Assert.InRange(position, opened.MinPosition + 1, made.MinPosition);
        JsonElement listed = (await host.GetAsync($"strategies?minPosition={position}")).Json;
        Assert.Equal("cross", Assert.Single(listed.EnumerateArray()).GetProperty("name").GetString());

        Answer started = (await host.PostAsync("strategies/cross/start", new { })).Expect(200);
        await client.WaitForAsync("lists", lists => lists.GetProperty("minPosition").GetInt64() == started.MinPosition);
    }

    [Fact]
    public async Task ABadSubscriptionSaysWhatWasExpected()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        HubException symbol = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync(["NOSUCH"], null));
        Assert.Contains("NOSUCH", symbol.Message);
        HubException account = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync([], "none"));
        Assert.Contains("none", account.Message);
        await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync([], "NOT A NAME"));
        await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync([.. Enumerable.Repeat("EURUSD", 101)], null));
        await client.SubscribeAsync(["EURUSD"], null);
    }

    [Fact]
    public async Task ASlowConnectionKeepsTheLatestQuoteAndIsToldFromWhereToRead()
    {
        var client = new SlowClient();
        var clock = new FakeTimeProvider();
        var connection = new HubConnection("slow", new LocalOwner(), client, clock, NullLogger.Instance);
        connection.Watch(["EURUSD"], null);
        connection.Join(99);
        connection.Start();
        connection.Push(Quote(1), []);
        await client.SendingAsync("quotes");
        // It is stuck in its first send; everything below waits behind it.
        for (int i = 2; i <= 5000; i++) connection.Push(Quote(i), []);
        for (int i = 0; i <= HubConnection.MostNews; i++) connection.Push(100 + i, 100 + i, null, [], [Order(i)], []);
        connection.Push(5000, 5002, null, [], [Order(5000)], []);
        client.Release();
        await clock.AdvanceUntilAsync(client.SendingAsync("journal"));
        Assert.Equal(new Gap("journal", 100, 100 + HubConnection.MostNews), Assert.Single(client.Sent("gap")));
        Assert.Equal([1L, 5000L], client.Sent("quotes").SelectMany(sent => (IEnumerable<QuotePush>)sent!).Select(quote => quote.Position));
        JournalPush news = Assert.IsType<JournalPush>(Assert.Single(client.Sent("journal")));
        Assert.Equal((100 + HubConnection.MostNews, 5002L), (news.After, news.Sequence));
        Assert.Equal(5000, Assert.Single(news.Orders).Ordinal);
        Assert.Equal(5002, connection.Leave());
        connection.Stop();

        static QuotePush Quote(long position) => new("EURUSD", position, DateTime.UnixEpoch, 1, 1, true);
        static OrderView Order(long ordinal) =>
            new(ordinal, "id", "EURUSD", Side.Buy, OrderType.Market, 1, 0, null, null, null, null, TimeInForce.Gtc, null, false,
            null, null, "", "", OrderPurpose.Trade, OrderStatus.Working, Reason.None, null, DateTime.UnixEpoch, DateTime.UnixEpoch);
    }

    /// <summary>A client whose first message is not taken until it is released.</summary>
    private sealed class SlowClient : IClientProxy
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<(string Method, object? Value)> _sent = [];
        private readonly Dictionary<string, TaskCompletionSource> _sending = [];

        public Task SendCoreAsync(string method, object?[] args, CancellationToken cancellationToken = default)
        {
            lock (_sent)
            {
                _sent.Add((method, args[0] is IEnumerable<QuotePush> quotes ? quotes.ToArray() : args[0]));
                Of(method).TrySetResult();
            }
            return _released.Task;
        }

        public void Release() => _released.SetResult();

        public Task SendingAsync(string method)
        {
            lock (_sent) return Of(method).Task;
        }

        public object?[] Sent(string method)
        {
            lock (_sent) return [.. _sent.Where(one => one.Method == method).Select(one => one.Value)];
        }

        private TaskCompletionSource Of(string method)
        {
            if (!_sending.TryGetValue(method, out TaskCompletionSource? sending)) _sending[method] = sending = new(
                TaskCreationOptions.RunContinuationsAsynchronously);
            return sending;
        }
    }
}

internal static class FakeTimeExtensions
{
    /// <summary>Lets time pass in small steps until something has happened; each step waits until somebody waits for time.</summary>
    public static async Task AdvanceUntilAsync(this FakeTimeProvider clock, Task happened)
    {
        for (int step = 0; step < 10_000 && !happened.IsCompleted; step++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(happened, Task.Yield().AsTask());
        }
        await happened.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static async Task AsTask(this System.Runtime.CompilerServices.YieldAwaitable yield) => await yield;
}
