using HybridTrading.Grains.Telemetry;

namespace HybridTrading.Grains.Operations;

/// <summary>How a service is.</summary>
public enum ServiceStatus : byte
{
    /// <summary>It can do its work.</summary>
    Healthy,

    /// <summary>It works, with something missing.</summary>
    Degraded,

    /// <summary>It cannot do its work, or nothing was heard of it for too long.</summary>
    Unhealthy,

    /// <summary>Its process ended in order.</summary>
    Stopped,
}

/// <summary>A service as its process reports it.</summary>
/// <param name="Name">Our name, of the default port map.</param>
/// <param name="SiloPort">Null with the Local host, which opens none.</param>
/// <param name="Detail">Why it is not healthy; null when it is.</param>
[GenerateSerializer, Immutable, Alias("ht.ServiceReport")]
public sealed record ServiceReport(string Name, int Port, int? WebSocketPort, int? SiloPort, int? GatewayPort, ServiceStatus Status, string? Detail);

/// <summary>What a process says of its commits; those of a window are null without any.</summary>
[GenerateSerializer, Immutable, Alias("ht.JournalFigures")]
public sealed record JournalFigures(
    long Events, long PendingBytes, long Commits, double? CommitsPerSecond, double? EventsPerCommit, TimeSpan? CommitP50, TimeSpan? CommitP99);

/// <param name="Files">0 for a part that is no file.</param>
[GenerateSerializer, Immutable, Alias("ht.StoragePartReport")]
public sealed record StoragePartReport(string Name, long Bytes, int Files);

/// <param name="Kind">files or postgresql.</param>
[GenerateSerializer, Immutable, Alias("ht.StorageReport")]
public sealed record StorageReport(string Kind, string Location, JournalFigures Journal, ImmutableArray<StoragePartReport> Parts, long FreeBytes);

/// <summary>What a process tells the central hub every <see cref="CentralHub.ReportInterval"/>.</summary>
/// <param name="Process">Names this run of the process among all.</param>
/// <param name="Host">Local or Cluster.</param>
/// <param name="Address">The name of its machine.</param>
/// <param name="Grains">Null where it runs none.</param>
/// <param name="Storage">Null where it has none.</param>
[GenerateSerializer, Immutable, Alias("ht.ProcessReport")]
public sealed record ProcessReport(
    string Process, string Host, string Version, string Address, DateTime StartedAt, ImmutableArray<ServiceReport> Services, GrainFigures? Grains, StorageReport? Storage);

/// <summary>A process as the central hub knows it.</summary>
/// <param name="LastSeen">When it last reported, by the hub's clock.</param>
/// <param name="Report">Its last report, with the status of its services as the hub judges it.</param>
/// <param name="Gone">Nothing more is expected of it: it ended in order, or has been silent for too long.</param>
[GenerateSerializer, Immutable, Alias("ht.KnownProcess")]
public sealed record KnownProcess(DateTime LastSeen, ProcessReport Report, bool Gone = false);

/// <summary>A service of a process is another than it was.</summary>
/// <param name="From">Null where the process was not known before.</param>
[GenerateSerializer, Immutable, Alias("ht.ServiceTransition")]
public sealed record ServiceTransition(DateTime Time, string Process, ServiceStatus? From, ServiceStatus To, string? Detail);

/// <summary>The bounds of the registry.</summary>
public static class CentralHub
{
    public const string Key = "hub";

    /// <summary>Transitions kept of each service.</summary>
    public const int MostTransitions = 200;

    /// <summary>Processes known at a time; the longest gone make room.</summary>
    public const int MostProcesses = 500;

    /// <summary>How often a process reports.</summary>
    public static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(5);

    /// <summary>A process that has not reported for so long is unhealthy.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <summary>A process that has been gone for so long is taken off.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromHours(1);
}

/// <summary>The registry of the processes of an installation: where each service runs, and how it has been.</summary>
[Shared, Alias("ht.ICentralHubGrain")]
public interface ICentralHubGrain : IGrainWithStringKey
{
    /// <summary>A process lives, and is as it says.</summary>
    [Alias("Report")] Task Report(ProcessReport report);

    /// <summary>A process ends in order.</summary>
    [Alias("Leave")] Task Leave(string process);

    /// <summary>By the name of the process. The API asks who may know.</summary>
    [Shared, Alias("GetProcesses")] Task<ImmutableArray<KnownProcess>> GetProcesses();

    /// <summary>Of a service, the latest first.</summary>
    [Shared, Alias("GetHistory")] Task<ImmutableArray<ServiceTransition>> GetHistory(string service);
}
