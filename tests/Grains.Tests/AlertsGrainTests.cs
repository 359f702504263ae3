using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Tests;

namespace HybridTrading.Grains.Tests;

/// <summary>Alerts in the journal and their messages at a receiver, through failures of the journal and restarts; time is the test's.</summary>
public sealed class AlertsGrainTests
{
    private const string Ann = "acme/ann", Secret = "sixteen letters!";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_price_that_stops_is_told_once_and_again_after_it_has_been_fresh_for_a_minute()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        world.Interests.All = [new MarketInterest(Ann, "EURUSD"), new MarketInterest("acme/bob", "EURUSD")];
        // Bob has chosen something else.
        await ConfigureAsync(world, "acme/bob", null, AlertKind.Fill);
        await world.Grains.GetGrain<IFeedWatchGrain>(Keys.FeedWatch).Start();
        await world.UntilAsync(async () => (await AlertsAsync(world)).Count == 1, Second, "a price that has stopped is told");
        for (int second = 0; second < 120; second++) await PassAsync(world);
        AlertRaised first = Assert.Single(await AlertsAsync(world));
        Assert.Equal((AlertKind.StaleFeed, "EURUSD", "feed/EURUSD"), (first.Alert.Kind, first.Alert.About, first.Source.Stream));
        Assert.Empty(first.Channels);

        for (int second = 0; second < 90; second++)
        {
            await world.QuoteAsync("EURUSD", 110_000 + second);
            await Task.Delay(10);
        }
        Assert.Single(await AlertsAsync(world));
        await world.UntilAsync(async () => (await AlertsAsync(world)).Count == 2, Second, "it is told again");
        Assert.Empty(await EventsAsync(world, "acme/bob"));
    }

    [Fact]
    public async Task What_the_journal_did_not_take_is_raised_once_when_it_does()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await ConfigureAsync(world, Ann, null, AlertKind.Denial);
        await world.Outbox.Start();
        using (world.Journal.Refuse((stream, _) => stream == Keys.AlertsStream(Ann)))
        {
            await world.OpenAccountAsync();
            await world.AccountGrain().Place(TestWorld.MarketOrder("one", volume: 1));
            for (int second = 0; second < 20; second++) await PassAsync(world);
            Assert.Empty(await EventsAsync(world, Ann));
        }
        await world.UntilAsync(async () => (await AlertsAsync(world)).Count > 0, Second, "the alert is raised");
        for (int second = 0; second < 20; second++) await PassAsync(world);
        Assert.Equal(AlertKind.Denial, Assert.Single(await AlertsAsync(world)).Alert.Kind);
        Assert.IsType<AlertsSettled>((await EventsAsync(world, Ann))[^1]);
    }

    [Fact]
    public async Task An_answer_that_could_not_be_recorded_is_asked_for_again_under_the_same_id()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await ConfigureAsync(world, Ann, receiver.Url, AlertKind.Halt);
        await world.Outbox.Start();
        using (world.Journal.Refuse((_, happened) => happened.Name == "alert-message-settled"))
        {
            await world.Grains.GetGrain<IAlertsGrain>(Ann).Test();
            // It has come twice, so once at least its answer was refused.
            await world.UntilAsync(() => Task.FromResult(receiver.Calls.Length >= 2), Second, "it is asked for again");
        }
        await world.UntilAsync(async () => (await EventsAsync(world, Ann)) is [.., AlertsSettled], Second, "everything is settled");
        Assert.InRange(receiver.Calls.Length, 2, 600);
        Assert.Single(receiver.Calls.DistinctBy(call => (call.Id, call.Body)));
        Assert.Equal(MessageOutcome.Delivered, Assert.Single((await EventsAsync(world, Ann)).OfType<MessageSettled>()).Outcome);
    }

    /// <summary>The outbox reads from where it stood, which is far behind the message: it remembers what is open.</summary>
    [Fact]
    public async Task A_message_that_is_open_over_many_events_is_sent_after_a_restart_without_anybody_asking()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 500);
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await ConfigureAsync(world, Ann, receiver.Url, AlertKind.Halt);
        await world.Outbox.Start();
        await world.Grains.GetGrain<IAlertsGrain>(Ann).Test();
        string id = (await receiver.UntilAsync(1))[0].Id;
        await world.OpenAccountAsync();
        for (int i = 0; i < 150; i++) await world.AccountGrain().Adjust(1, "", $"request-{i}");
        for (int second = 0; second < 10; second++) await PassAsync(world);
        await world.RestartAsync();
        int before = receiver.Calls.Length;
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 200);
        await world.Outbox.Start();
        await world.UntilAsync(async () => (await EventsAsync(world, Ann)) is [.., AlertsSettled], TimeSpan.FromMinutes(1), "everything is settled");
        Assert.True(receiver.Calls.Length > before);
        Assert.All(receiver.Calls, call => Assert.Equal(id, call.Id));
    }

    [Fact]
    public async Task A_receiver_that_stays_away_is_given_up_after_half_a_day_and_what_gathered_comes_next()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 500);
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await ConfigureAsync(world, Ann, receiver.Url, AlertKind.Halt);
        // Between two tries the grain may be idle for long enough to leave: the outbox brings it back.
        await world.Outbox.Start();
        IAlertsGrain alerts = world.Grains.GetGrain<IAlertsGrain>(Ann);
        DateTime begin = world.Now;
        for (int i = 0; i < 3; i++) await alerts.Test();
        await world.UntilAsync(async () => (await EventsAsync(world, Ann)).OfType<MessageSettled>().Any(), TimeSpan.FromMinutes(3), "it is given up");
        MessageSettled end = (await EventsAsync(world, Ann)).OfType<MessageSettled>().First();
        Assert.Equal((MessageOutcome.GivenUp, "the receiver answered 500"), (end.Outcome, end.Why));
        Assert.InRange(end.Time - begin, TimeSpan.FromHours(11), TimeSpan.FromHours(13));
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 200);
        await world.UntilAsync(async () => (await EventsAsync(world, Ann)) is [.., AlertsSettled], TimeSpan.FromMinutes(3), "the rest is delivered");
        Assert.Equal(2, receiver.Calls[^1].Json.GetProperty("alerts").GetArrayLength());
        Assert.Equal(2, receiver.Calls.DistinctBy(call => call.Id).Count());
        AlertChannelView hook = (await alerts.GetChannels())[0];
        Assert.Equal((AlertChannel.WebHook, null, 0, null), (hook.Channel, hook.Fault, hook.Waiting, hook.Message));
    }

    /// <summary>One second, and time for what it sets off.</summary>
    private static async Task PassAsync(TestWorld world)
    {
        world.Time.Advance(Second);
        await Task.Delay(10);
    }

    private static async Task ConfigureAsync(TestWorld world, string person, string? url, params AlertKind[] kinds)
    {
        var values = ImmutableSortedDictionary<string, string>.Empty.Add("kinds", $"[{string.Join(',', kinds.Select(kind => $"\"{kind}\""))}]");
        if (url is not null) values = values.Add("webHookUrl", $"\"{url}\"").Add("webHookSecret", $"\"{Secret}\"");
        Assert.Equal(ConfigurationOutcome.Done, (await world.Configuration(person).Create("notifications", values, "ann", "")).Outcome);
    }

    private static async Task<List<AlertEvent>> EventsAsync(TestWorld world, string person)
    {
        List<AlertEvent> events = [];
        await foreach (RecordedEvent recorded in world.Journal.ReadAsync(Keys.AlertsStream(person))) events.Add(AlertEventCatalog.Events.Decode(recorded));
        return events;
    }

    private static async Task<List<AlertRaised>> AlertsAsync(TestWorld world) => [.. (await EventsAsync(world, Ann)).OfType<AlertRaised>()];
}
