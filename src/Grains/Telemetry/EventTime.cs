namespace HybridTrading.Grains.Telemetry;

/// <summary>
/// When the market took the event that calls follow from; it travels in the request context with what closes a bar, to whoever decides on it. Between machines it is
/// as good as their clocks.
/// </summary>
internal static class EventTime
{
    private const string Key = "ht.event-time";

    public static void Set(DateTime taken) => RequestContext.Set(Key, taken.Ticks);

    /// <summary>Null where the call does not follow from an event.</summary>
    public static TimeSpan? Elapsed(TimeProvider clock) => RequestContext.Get(Key) is long ticks ? TimeSpan.FromTicks(clock.GetUtcNow().Ticks - ticks) : null;
}
