using HybridTrading.Domain.Configuration;

namespace HybridTrading.Domain.Alerts;

/// <summary>An alert by its number.</summary>
public sealed record NumberedAlert(long Number, Alert Alert);

/// <summary>What is to be sent, as often as it takes, under one id.</summary>
/// <param name="Number">Version of the event that made it.</param>
/// <param name="Failures">Attempts that have failed.</param>
/// <param name="Next">When it is to be tried.</param>
/// <param name="Why">Of the last failure; empty before.</param>
public sealed record AlertMessage(
    long Number, DateTime Made, ImmutableArray<NumberedAlert> Alerts, ImmutableSortedDictionary<AlertKind, int> Folded, int Failures, DateTime Next,
    string Why);

/// <summary>One channel: what waits, what is being sent, and how fast it may go.</summary>
public sealed record ChannelBook
{
    public static readonly ImmutableSortedDictionary<AlertKind, int> NothingFolded = ImmutableSortedDictionary<AlertKind, int>.Empty;

    /// <summary>For the next message, the oldest first; at most <see cref="AlertBook.MostWaiting"/>.</summary>
    public ImmutableArray<NumberedAlert> Waiting { get; init; } = [];

    /// <summary>What is only counted, for the next message.</summary>
    public ImmutableSortedDictionary<AlertKind, int> Folded { get; init; } = NothingFolded;

    /// <summary>Being sent; null for none. There is one at a time, so a receiver that is down gets one long message when it is back.</summary>
    public AlertMessage? Message { get; init; }

    /// <summary>Messages that might have gone and did not, at <see cref="TokensAt"/>.</summary>
    public double Tokens { get; init; }

    public DateTime TokensAt { get; init; }

    /// <summary>The target that said that it is gone; null while the channel is open.</summary>
    public string? ClosedFor { get; init; }

    public string? ClosedWhy { get; init; }

    public DateTime? LastDelivered { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsQuiet => Message is null && Waiting.IsEmpty && Folded.IsEmpty;

    /// <summary>When the next message may be made, if something waits for it.</summary>
    public DateTime MayMakeAt(AlertPace pace) =>
        TokensAt == default || Tokens >= 1 ? TokensAt : TokensAt + (1 - Tokens) * pace.Every;

    internal ChannelBook Take(DateTime now, AlertPace pace)
    {
        double tokens = TokensAt == default ? pace.Burst : Math.Min(pace.Burst, Tokens + (now - TokensAt) / pace.Every);
        return this with { Tokens = tokens - 1, TokensAt = now };
    }
}

/// <summary>
/// A person's alerts as the events of their stream have made them. It decides what becomes of a fact and when a message is made; it sends nothing.
/// Immutable: what is decided is recorded, and makes the next book.
/// </summary>
public sealed record AlertBook
{
    /// <summary>Alerts that a message tells in full; those beyond are counted.</summary>
    public const int MostWaiting = 100;

    /// <summary>Of the record itself, as a snapshot.</summary>
    public const int Shape = 1;

    /// <summary>By stream: the version up to which alerts have been made of it.</summary>
    public ImmutableDictionary<string, long> Seen { get; init; } = ImmutableDictionary<string, long>.Empty;

    public ChannelBook WebHook { get; init; } = new();

    public ChannelBook Email { get; init; } = new();

    /// <summary>Something was raised since everything was settled.</summary>
    public bool IsOpen { get; init; }

    public ChannelBook Of(AlertChannel channel) => channel == AlertChannel.WebHook ? WebHook : Email;

    /// <summary>What to record of facts that are worth an alert. Each source makes one alert, however often it is told.</summary>
    /// <param name="facts">In the order of their sources.</param>
    /// <param name="channels">Those that are set up.</param>
    public ImmutableArray<AlertEvent> Raise(ImmutableArray<AlertFact> facts, ImmutableArray<AlertChannel> channels, DateTime now)
    {
        ImmutableArray<AlertEvent>.Builder raised = ImmutableArray.CreateBuilder<AlertEvent>();
        var seen = new Dictionary<string, long>(StringComparer.Ordinal);
        var folded = new Dictionary<(AlertKind Kind, string Stream), (int Count, long Last, ImmutableArray<AlertChannel> Channels)>();
        int inFull = 0;
        foreach ((Alert alert, AlertSource source) in facts)
        {
            if (source.Version <= seen.GetValueOrDefault(source.Stream, Seen.GetValueOrDefault(source.Stream, -1))) continue;
            seen[source.Stream] = source.Version;
            ImmutableArray<AlertChannel> full = [.. channels.Where(channel => Of(channel).Waiting.Length + inFull >= MostWaiting)];
            bool isTold = inFull < MostWaiting && (channels.IsEmpty || full.Length < channels.Length);
            if (isTold)
            {
                raised.Add(new AlertRaised(now, alert, source, [.. channels.Except(full)]));
                inFull++;
            }
            if (isTold && full.IsEmpty) continue;
            int count = folded.GetValueOrDefault((alert.Kind, source.Stream)).Count + 1;
            folded[(alert.Kind, source.Stream)] = (count, source.Version, isTold ? full : channels);
        }
        foreach (((AlertKind kind, string stream), (int count, long last, ImmutableArray<AlertChannel> to)) in folded)
        {
            raised.Add(new AlertsFolded(now, kind, count, new AlertSource(stream, last), to));
        }
        return raised.ToImmutable();
    }

    /// <summary>The message that everything that waits for a channel becomes; null while nothing may go, or nothing waits.</summary>
    public MessageMade? MessageDue(AlertChannel channel, AlertPacing pacing, DateTime now)
    {
        ChannelBook book = Of(channel);
        return book.Message is not null || book.IsQuiet || book.MayMakeAt(pacing.Of(channel)) > now ? null
            : new MessageMade(now, channel, [.. book.Waiting.Select(alert => alert.Number)], book.Folded);
    }

    /// <summary>What follows of an attempt that failed: another, or the end.</summary>
    /// <param name="retryAfter">What the receiver asks for; null for nothing.</param>
    /// <param name="chance">In [0, 1).</param>
    public AlertEvent Failed(AlertChannel channel, string why, TimeSpan? retryAfter, AlertPacing pacing, double chance, DateTime now)
    {
        AlertMessage message = Of(channel).Message ?? throw new InvalidOperationException($"nothing is being sent by {channel}");
        DateTime end = message.Made + pacing.GiveUpAfter;
        TimeSpan wait = pacing.Backoff(message.Failures + 1, chance);
        if (retryAfter > wait) wait = retryAfter.Value < pacing.GiveUpAfter ? retryAfter.Value : pacing.GiveUpAfter;
        return now + wait > end
            ? new MessageSettled(now, channel, message.Number, MessageOutcome.GivenUp, why)
            : new MessageFailed(now, channel, message.Number, message.Failures + 1, why, now + wait);
    }

    /// <summary>Says that nothing is to be sent any more, when that is news.</summary>
    public AlertsSettled? SettledNow(DateTime now) => IsOpen && WebHook.IsQuiet && Email.IsQuiet ? new AlertsSettled(now) : null;

    /// <summary>When something is to be done next; null for nothing.</summary>
    public DateTime? DueAt(AlertChannel channel, AlertPacing pacing)
    {
        ChannelBook book = Of(channel);
        return book.Message is { } message ? message.Next : book.IsQuiet ? null : book.MayMakeAt(pacing.Of(channel));
    }

    /// <param name="number">The event's version.</param>
    public AlertBook With(AlertEvent happened, long number, AlertPacing pacing)
    {
        switch (happened)
        {
            case AlertRaised e:
                var alert = new NumberedAlert(number, e.Alert);
                return e.Channels.Aggregate(After(e.Source), (book, channel) =>
                    book.Put(channel, book.Of(channel) with { Waiting = book.Of(channel).Waiting.Add(alert) })) with
                {
                    IsOpen = true,
                };
            case AlertsFolded e:
                return e.Channels.Aggregate(After(e.Source), (book, channel) =>
                {
                    ChannelBook of = book.Of(channel);
                    return book.Put(channel, of with { Folded = of.Folded.SetItem(e.Kind, of.Folded.GetValueOrDefault(e.Kind) + e.Count) });
                }) with
                {
                    IsOpen = true,
                };
            case MessageMade e:
                {
                    ChannelBook of = Of(e.Channel);
                    var message = new AlertMessage(
                        number, e.Time, [.. of.Waiting.Where(one => e.Alerts.Contains(one.Number))], e.Folded, 0, e.Time, "");
                    return Put(e.Channel, of.Take(e.Time, pacing.Of(e.Channel)) with
                    {
                        Message = message,
                        Waiting = [.. of.Waiting.Where(one => !e.Alerts.Contains(one.Number))],
                        Folded = ChannelBook.NothingFolded,
                    });
                }
            case MessageFailed e:
                {
                    ChannelBook of = Of(e.Channel);
                    return Put(e.Channel, of with { Message = of.Message! with { Failures = e.Attempt, Next = e.Next, Why = e.Why } });
                }
            case MessageSettled e:
                {
                    ChannelBook of = Of(e.Channel);
                    return Put(e.Channel, of with
                    {
                        Message = null,
                        LastDelivered = e.Outcome == MessageOutcome.Delivered ? e.Time : of.LastDelivered,
                    });
                }
            case ChannelClosed e:
                // What waits for a target that is gone is told nowhere; the list of alerts has it.
                return Put(e.Channel, Of(e.Channel) with { ClosedFor = e.Target, ClosedWhy = e.Why, Waiting = [], Folded = ChannelBook.NothingFolded });
            case ChannelReopened e:
                return Put(e.Channel, Of(e.Channel) with { ClosedFor = null, ClosedWhy = null });
            case AlertsSettled:
                return this with { IsOpen = false };
            default:
                throw new InvalidOperationException($"unknown event {happened.GetType().Name}");
        }
    }

    private AlertBook Put(AlertChannel channel, ChannelBook book) =>
        channel == AlertChannel.WebHook ? this with { WebHook = book } : this with { Email = book };

    private AlertBook After(AlertSource source) => this with { Seen = Seen.SetItem(source.Stream, source.Version) };
}
