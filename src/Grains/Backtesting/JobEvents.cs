using System.Text.Json.Serialization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Grains.Backtesting;

/// <summary>Something that happened to a job.</summary>
public abstract record JobEvent(DateTime Time);

public sealed record JobQueued(DateTime Time, JobRequest Request) : JobEvent(Time);

/// <param name="Attempt">1 upwards: more than one when a process ended while it ran.</param>
public sealed record JobStarted(DateTime Time, int Attempt) : JobEvent(Time);

/// <summary>A long run has come a quarter further.</summary>
public sealed record JobProgressed(DateTime Time, double Progress) : JobEvent(Time);

/// <summary>Its process ends in order: it will be run from the beginning, and the attempt does not count.</summary>
public sealed record JobInterrupted(DateTime Time) : JobEvent(Time);

public sealed record JobFinished(DateTime Time, RunSummary? Summary, SearchSummary? Search) : JobEvent(Time);

public sealed record JobFailed(DateTime Time, string Fault) : JobEvent(Time);

public sealed record JobCancelled(DateTime Time) : JobEvent(Time);

public sealed record JobRemoved(DateTime Time) : JobEvent(Time);

// Nulls are written: one that a caller gave (no stop-out) is not the default.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(JobQueued))]
[JsonSerializable(typeof(JobStarted))]
[JsonSerializable(typeof(JobProgressed))]
[JsonSerializable(typeof(JobInterrupted))]
[JsonSerializable(typeof(JobFinished))]
[JsonSerializable(typeof(JobFailed))]
[JsonSerializable(typeof(JobCancelled))]
[JsonSerializable(typeof(JobRemoved))]
[JsonSerializable(typeof(JobView))]
public sealed partial class JobJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a job's stream.</summary>
public static class JobEventCatalog
{
    public static readonly EventCatalog<JobEvent> Events = new EventCatalog<JobEvent>()
        .Add("job-queued", 1, JobJson.Default.JobQueued)
        .Add("job-started", 1, JobJson.Default.JobStarted)
        .Add("job-progressed", 1, JobJson.Default.JobProgressed)
        .Add("job-interrupted", 1, JobJson.Default.JobInterrupted)
        .Add("job-finished", 1, JobJson.Default.JobFinished)
        .Add("job-failed", 1, JobJson.Default.JobFailed)
        .Add("job-cancelled", 1, JobJson.Default.JobCancelled)
        .Add("job-removed", 1, JobJson.Default.JobRemoved);

    /// <summary>How the job stands after an event.</summary>
    /// <param name="job">Null before its first event.</param>
    /// <param name="key">tenant/user/id.</param>
    /// <param name="version">Of its stream with the event.</param>
    /// <returns>Null once it is removed.</returns>
    public static JobView? After(this JobView? job, JobEvent happened, string key, long version) => happened switch
    {
        JobQueued e => new JobView(key, e.Request, JobStatus.Queued, 0, e.Time, null, null, null, null, 0, false, null, null, version),
        JobRemoved => null,
        _ when job is null => throw new InvalidDataException($"job {key} begins with {happened.GetType().Name}"),
        JobStarted e => job with { Status = JobStatus.Running, StartedAt = e.Time, Progress = 0, Attempts = e.Attempt, Version = version },
        JobProgressed e => job with { Progress = e.Progress, Version = version },
        JobInterrupted => job with { Status = JobStatus.Queued, StartedAt = null, Progress = 0, Attempts = job.Attempts - 1, Version = version },
        JobFinished e => job with { Status = JobStatus.Finished, EndedAt = e.Time, Progress = 1, HasReport = e.Summary is not null, Summary = e.Summary, Search = e.Search, Version = version },
        JobFailed e => job with { Status = JobStatus.Failed, EndedAt = e.Time, Fault = e.Fault, Version = version },
        JobCancelled e => job with { Status = JobStatus.Cancelled, EndedAt = e.Time, Version = version },
        _ => throw new InvalidDataException($"job {key}: unknown event {happened.GetType().Name}"),
    };
}

/// <summary>Something that happened to a user's data sets.</summary>
public abstract record DataSetEvent(DateTime Time);

public sealed record DataSetAdded(DateTime Time, DataSet Set) : DataSetEvent(Time);

public sealed record DataSetRemoved(DateTime Time, string Id) : DataSetEvent(Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(DataSetAdded))]
[JsonSerializable(typeof(DataSetRemoved))]
public sealed partial class DataSetJson : JsonSerializerContext;

public static class DataSetEventCatalog
{
    public static readonly EventCatalog<DataSetEvent> Events = new EventCatalog<DataSetEvent>()
        .Add("data-set-added", 1, DataSetJson.Default.DataSetAdded)
        .Add("data-set-removed", 1, DataSetJson.Default.DataSetRemoved);
}
