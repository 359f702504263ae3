using HybridTrading.Grains.Operations;
using HybridTrading.Grains.Telemetry;

namespace HybridTrading.Api;

/// <summary>Every service of the port map, and where it runs.</summary>
public sealed record ServiceList(DateTime AsOf, ImmutableArray<ServiceState> Services);

/// <param name="Status">healthy, degraded, unhealthy, stopped, or absent: nobody hosts it.</param>
public sealed record ServiceState(string Name, string Status, ImmutableArray<ServiceInstance> Instances);

/// <summary>A service in a process.</summary>
/// <param name="Process">Names this run of the process.</param>
/// <param name="Host">Local or Cluster.</param>
/// <param name="SiloPort">Null with the Local host.</param>
/// <param name="Detail">Why it is not healthy.</param>
public sealed record ServiceInstance(
    string Process, string Host, string Version, string Address, int Port, int? WebSocketPort, int? SiloPort, int? GatewayPort, DateTime StartedAt,
    DateTime LastSeenAt, string Status, string? Detail);

/// <summary>How a service has been, the latest change first.</summary>
public sealed record ServiceHistory(string Name, ImmutableArray<ServiceChange> Transitions);

/// <param name="From">Null where the process was not known before.</param>
public sealed record ServiceChange(DateTime Time, string Process, string? From, string To, string? Detail);

/// <summary>What the grains of each process have been doing.</summary>
/// <param name="WindowSeconds">What figures of the window look back to.</param>
public sealed record GrainActivity(DateTime AsOf, int WindowSeconds, ImmutableArray<ProcessGrains> Processes);

/// <param name="At">When it reported.</param>
public sealed record ProcessGrains(
    string Process, string Address, string Host, DateTime At, ImmutableArray<GrainTypeView> Types, ImmutableArray<GrainMethodView> Methods,
    ImmutableArray<SlowCallView> Slowest);

/// <param name="Calls">Since the process started.</param>
/// <param name="P50">Milliseconds, of the window; null without calls in it.</param>
/// <param name="P99">Milliseconds, of the window; null without calls in it.</param>
public sealed record GrainTypeView(string Type, string? Service, long? Activations, long Calls, double CallsPerSecond, double? P50, double? P99)
{
    public static GrainTypeView Of(GrainTypeFigures one) =>
        new(one.GrainClass, one.Service, one.Activations, one.Calls, one.PerSecond, one.P50?.TotalMilliseconds, one.P99?.TotalMilliseconds);
}

/// <param name="Calls">Since the process started.</param>
/// <param name="P50">Milliseconds, of the window, as those that follow; null without calls in it.</param>
/// <param name="LongPoll">It waits on purpose.</param>
public sealed record GrainMethodView(
    string Type, string Method, long Calls, long Failures, double CallsPerSecond, double? P50, double? P99, double? Max, bool LongPoll)
{
    public static GrainMethodView Of(GrainMethodFigures one) => new(one.GrainClass, one.Method, one.Calls, one.Failures, one.PerSecond,
        one.P50?.TotalMilliseconds, one.P99?.TotalMilliseconds, one.Max?.TotalMilliseconds, one.LongPoll);
}

/// <param name="Target">Key of a shared grain; else the tenant alone.</param>
/// <param name="Duration">Milliseconds.</param>
/// <param name="TraceId">Null where the call was not traced.</param>
public sealed record SlowCallView(string Type, string Method, string Target, DateTime At, double Duration, bool Failed, string? TraceId)
{
    public static SlowCallView Of(SlowCall one) => new(one.GrainClass, one.Method, one.Target, one.At, one.Duration.TotalMilliseconds, one.Failed, one.TraceId);
}

/// <summary>What the storage of each process takes and does.</summary>
public sealed record StorageActivity(DateTime AsOf, ImmutableArray<ProcessStorage> Processes);

/// <param name="At">When it reported.</param>
/// <param name="Kind">files or postgresql.</param>
/// <param name="FreeBytes">Of the disk that holds the folder.</param>
public sealed record ProcessStorage(
    string Process, string Address, DateTime At, string Kind, string Location, JournalActivity Journal, ImmutableArray<StoragePartView> Parts, long FreeBytes);

/// <param name="Events">In the journal.</param>
/// <param name="Commits">Since the process started.</param>
/// <param name="CommitP50">Milliseconds, of the last minute; null without commits in it.</param>
/// <param name="CommitP99">Milliseconds, of the last minute; null without commits in it.</param>
public sealed record JournalActivity(
    long Events, long PendingBytes, long Commits, double? CommitsPerSecond, double? EventsPerCommit, double? CommitP50, double? CommitP99)
{
    public static JournalActivity Of(JournalFigures one) => new(one.Events, one.PendingBytes, one.Commits, one.CommitsPerSecond, one.EventsPerCommit,
        one.CommitP50?.TotalMilliseconds, one.CommitP99?.TotalMilliseconds);
}

/// <param name="Files">0 for a part that is no file.</param>
public sealed record StoragePartView(string Name, long Bytes, int Files);

/// <summary>How the feed's instruments do.</summary>
public sealed record FeedActivity(DateTime AsOf, bool Simulated, long Position, DateTime? Time, ImmutableArray<FeedSymbolView> Symbols);

/// <param name="AgeSeconds">Null before the first quote and where past data are played.</param>
/// <param name="Received">What came in; what was dropped follows.</param>
public sealed record FeedSymbolView(
    string Symbol, DateTime? LastAt, double? AgeSeconds, long Received, long Duplicates, long Late, long Invalid, long Gaps);
