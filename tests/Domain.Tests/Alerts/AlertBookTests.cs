using System.Collections.Immutable;
using System.Text.Json;
using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;

namespace HybridTrading.Domain.Tests.Alerts;

public sealed class AlertBookTests
{
    private const string Stream = "account/acme/ann/main";

    private static readonly DateTime Begin = new(2026, 1, 5, 12, 0, 0, DateTimeKind.Utc);
    private static readonly ImmutableArray<AlertChannel> Both = [AlertChannel.WebHook, AlertChannel.Email];
    private static readonly AlertPacing Pacing = new();

    private AlertBook _book = new();
    private long _version;

    [Fact]
    public void An_alert_goes_to_every_channel_at_once_and_is_settled_when_both_have_it()
    {
        Raise(Begin, Both, 5);
        Assert.True(_book.IsOpen);
        Assert.Null(_book.SettledNow(Begin));
        long[] messages = [.. Both.Select(channel => Do(_book.MessageDue(channel, Pacing, Begin)!))];
        Assert.All(Both, channel => Assert.Equal([1L], _book.Of(channel).Message!.Alerts.Select(one => one.Number)));
        Assert.All(Both, channel => Assert.Null(_book.MessageDue(channel, Pacing, Begin)));
        Do(new MessageSettled(Begin, AlertChannel.WebHook, messages[0], MessageOutcome.Delivered, ""));
        Assert.Null(_book.SettledNow(Begin));
        Do(new MessageSettled(Begin, AlertChannel.Email, messages[1], MessageOutcome.GivenUp, "down"));
        Do(_book.SettledNow(Begin)!);
        Assert.False(_book.IsOpen);
        Assert.Null(_book.SettledNow(Begin));
        Assert.Equal(Begin, _book.WebHook.LastDelivered);
        Assert.Null(_book.Email.LastDelivered);
    }

    [Fact]
    public void A_source_makes_one_alert_however_often_it_is_told()
    {
        Raise(Begin, Both, 5, 7);
        Assert.Equal([1L, 2L], _book.WebHook.Waiting.Select(one => one.Number));
        Assert.Empty(_book.Raise(Facts(AlertKind.Fill, 5, 7), Both, Begin));
        AlertRaised next = Assert.IsType<AlertRaised>(Assert.Single(_book.Raise(Facts(AlertKind.Fill, 7, 8), Both, Begin)));
        Assert.Equal(8, next.Source.Version);
        Assert.Single(_book.Raise([new AlertFact(Facts(AlertKind.Fill, 5)[0].Alert, new AlertSource("account/acme/ann/other", 5))], Both, Begin));
    }

    [Fact]
    public void A_storm_is_a_hundred_alerts_and_a_count_and_comes_in_one_message()
    {
        foreach (int batch in Enumerable.Range(0, 20)) Raise(Begin, Both, [.. Enumerable.Range(batch * 500, 500).Select(version => (long)version + 1)]);
        Assert.Equal(AlertBook.MostWaiting, _book.WebHook.Waiting.Length);
        // Of a batch of 500 what does not fit is one event.
        Assert.Equal(100 + 20, _version);
        Do(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin)!);
        AlertMessage message = _book.WebHook.Message!;
        Assert.Equal((100, 9_900), (message.Alerts.Length, message.Folded[AlertKind.Fill]));
        Assert.True(_book.WebHook.Waiting.IsEmpty && _book.WebHook.Folded.IsEmpty);
        Assert.Equal(100, _book.Email.Waiting.Length);
    }

    [Fact]
    public void A_channel_with_room_is_told_in_full_what_another_only_counts()
    {
        Raise(Begin, Both, [.. Enumerable.Range(1, 100).Select(version => (long)version)]);
        Do(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin)!);
        Raise(Begin, Both, 101);
        Assert.Equal(AlertKind.Fill, Assert.Single(_book.WebHook.Waiting).Alert.Kind);
        Assert.Empty(_book.WebHook.Folded);
        Assert.Equal(1, _book.Email.Folded[AlertKind.Fill]);
    }

    [Fact]
    public void Without_a_channel_alerts_are_recorded_and_wait_for_nothing()
    {
        Raise(Begin, [], [.. Enumerable.Range(1, 150).Select(version => (long)version)]);
        Assert.Equal(101, _version);
        Assert.NotNull(_book.SettledNow(Begin));
    }

    [Fact]
    public void After_a_burst_a_channel_takes_one_message_in_its_time_and_what_came_meanwhile_is_in_it()
    {
        int sent = 0;
        for (int second = 0; second < 3600; second++)
        {
            DateTime now = Begin.AddSeconds(second);
            Raise(now, [AlertChannel.Email], second + 1);
            if (_book.MessageDue(AlertChannel.Email, Pacing, now) is not { } made) continue;
            long number = Do(made);
            Do(new MessageSettled(now, AlertChannel.Email, number, MessageOutcome.Delivered, ""));
            sent++;
        }
        // 5 at once, then one in 5 minutes: 11 more until just before the hour is full.
        Assert.Equal(16, sent);
        Assert.Equal(Begin.AddHours(1), _book.DueAt(AlertChannel.Email, Pacing)!.Value, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void While_a_message_is_tried_the_next_ones_gather()
    {
        Raise(Begin, Both, 1);
        Do(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin)!);
        Raise(Begin.AddSeconds(1), Both, 2, 3);
        Assert.Null(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin.AddHours(1)));
        long first = _book.WebHook.Message!.Number;
        Do(_book.Failed(AlertChannel.WebHook, "down", null, Pacing, 0, Begin.AddSeconds(1)));
        Assert.Equal((first, 1, "down"), (_book.WebHook.Message!.Number, _book.WebHook.Message.Failures, _book.WebHook.Message.Why));
        Do(new MessageSettled(Begin, AlertChannel.WebHook, first, MessageOutcome.Delivered, ""));
        Do(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin.AddSeconds(2))!);
        Assert.Equal(2, _book.WebHook.Message!.Alerts.Length);
    }

    [Theory, InlineData(0.0), InlineData(0.5), InlineData(0.999)]
    public void It_is_tried_less_and_less_often_for_half_a_day_and_then_given_up(double chance)
    {
        Raise(Begin, Both, 1);
        Do(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin)!);
        DateTime now = Begin;
        TimeSpan before = TimeSpan.Zero;
        AlertEvent next;
        while ((next = _book.Failed(AlertChannel.WebHook, "down", null, Pacing, chance, now)) is MessageFailed failed)
        {
            TimeSpan wait = failed.Next - now;
            Assert.InRange(wait, before, Pacing.LongestRetry);
            before = wait;
            now = failed.Next;
            Do(failed);
        }
        Assert.Equal(MessageOutcome.GivenUp, Assert.IsType<MessageSettled>(next).Outcome);
        Assert.InRange(now - Begin, Pacing.GiveUpAfter - Pacing.LongestRetry, Pacing.GiveUpAfter);
        Assert.InRange(_book.WebHook.Message!.Failures, 25, 60);
    }

    [Fact]
    public void Retry_after_is_honoured_when_it_is_longer_and_never_beyond_the_end()
    {
        Raise(Begin, Both, 1);
        Do(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin)!);
        Assert.Equal(Begin.AddMinutes(10), Failed(TimeSpan.FromMinutes(10)));
        Assert.Equal(Begin.AddSeconds(1), Failed(TimeSpan.FromMilliseconds(1)));
        Assert.Equal(Begin + Pacing.GiveUpAfter, Failed(TimeSpan.FromDays(3650)));

        DateTime Failed(TimeSpan after) =>
            Assert.IsType<MessageFailed>(_book.Failed(AlertChannel.WebHook, "busy", after, Pacing, 0, Begin)).Next;
    }

    [Fact]
    public void A_receiver_that_is_gone_takes_what_waits_for_it_along()
    {
        Raise(Begin, Both, 1);
        long message = Do(_book.MessageDue(AlertChannel.WebHook, Pacing, Begin)!);
        Raise(Begin, Both, 2);
        Do(new MessageSettled(Begin, AlertChannel.WebHook, message, MessageOutcome.Refused, "410"));
        Do(new ChannelClosed(Begin, AlertChannel.WebHook, "https://example.org/", "410"));
        Assert.True(_book.WebHook.IsQuiet);
        Assert.Equal("https://example.org/", _book.WebHook.ClosedFor);
        Assert.Equal(2, _book.Email.Waiting.Length);
        Do(new ChannelReopened(Begin, AlertChannel.WebHook));
        Assert.Null(_book.WebHook.ClosedFor);
    }

    [Fact]
    public void A_snapshot_holds_all_of_it()
    {
        Raise(Begin, Both, [.. Enumerable.Range(1, 130).Select(version => (long)version)]);
        Do(_book.MessageDue(AlertChannel.Email, Pacing, Begin)!);
        Do(_book.Failed(AlertChannel.Email, "down", null, Pacing, 0.25, Begin));
        Raise(Begin, Both, 131);
        string json = JsonSerializer.Serialize(_book, AlertJson.Default.AlertBook);
        AlertBook read = JsonSerializer.Deserialize(json, AlertJson.Default.AlertBook)!;
        Assert.Equal(json, JsonSerializer.Serialize(read, AlertJson.Default.AlertBook));
        Assert.Equal((_book.Email.Message!.Next, 30, 131L), (read.Email.Message!.Next, read.Email.Message.Folded[AlertKind.Fill], read.Seen[Stream]));
        Assert.Equal(_book.DueAt(AlertChannel.Email, Pacing), read.DueAt(AlertChannel.Email, Pacing));
    }

    private static ImmutableArray<AlertFact> Facts(AlertKind kind, params long[] versions) =>
        [.. versions.Select(version => new AlertFact(new Alert(kind, Begin, "main", $"event {version}"), new AlertSource(Stream, version)))];

    private void Raise(DateTime now, ImmutableArray<AlertChannel> channels, params long[] versions)
    {
        foreach (AlertEvent raised in _book.Raise(Facts(AlertKind.Fill, versions), channels, now)) Do(raised);
    }

    private long Do(AlertEvent happened)
    {
        _book = _book.With(happened, ++_version, Pacing);
        return _version;
    }
}
