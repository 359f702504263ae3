namespace HybridTrading.Domain.Alerts;

/// <summary>How many messages a channel takes: a bucket of tokens, each message takes one.</summary>
/// <param name="Burst">Messages that may go one right after the other, after a quiet time.</param>
/// <param name="Every">Then one in this time.</param>
public sealed record AlertPace(int Burst, TimeSpan Every);

/// <summary>When messages are sent, tried again and given up.</summary>
public sealed record AlertPacing
{
    public AlertPace WebHook { get; init; } = new(30, TimeSpan.FromSeconds(2));

    public AlertPace Email { get; init; } = new(5, TimeSpan.FromMinutes(5));

    /// <summary>About how long until a message is tried for the second time; each time after that twice as long.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>From when a message was made until it is given up. It is also the longest that a receiver's Retry-After is honoured.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromHours(12);

    public AlertPace Of(AlertChannel channel) => channel == AlertChannel.WebHook ? WebHook : Email;

    /// <summary>Exponential backoff with equal jitter: half of it is certain, half by chance, so that not everything comes back at once.</summary>
    /// <param name="attempt">That has failed; 1 upwards.</param>
    /// <param name="chance">In [0, 1).</param>
    public TimeSpan Backoff(int attempt, double chance)
    {
        double doubled = FirstRetry.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 40));
        return TimeSpan.FromSeconds(Math.Min(doubled, LongestRetry.TotalSeconds) * (0.5 + 0.5 * chance));
    }
}
