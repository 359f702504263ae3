namespace HybridTrading.Tests.Host;

/// <summary>The machine's time, moved; its timers are not.</summary>
internal sealed class MovedTime : TimeProvider
{
    public TimeSpan Moved { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Moved;
}
