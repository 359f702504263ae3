using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using HybridTrading.Domain.Telemetry;
using HybridTrading.Grains.Hosting;

namespace HybridTrading.Grains.Telemetry;

/// <summary>On a method of a grain interface: it waits on purpose, so its duration says nothing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongPollAttribute : Attribute;

/// <summary>How many activations of a grain class are in memory; each host has its own way to know.</summary>
/// <param name="GrainClass">Its name without namespace.</param>
public sealed record GrainActivations(string GrainClass, long Count);

/// <summary>Counts the activations of this process.</summary>
public interface IGrainCensus
{
    ImmutableArray<GrainActivations> Count();
}

/// <summary>One grain class and method, counted.</summary>
public sealed class GrainMethod
{
    private long _calls, _failures;

    internal GrainMethod(Type grainClass, MethodInfo method)
    {
        Type declaring = method.DeclaringType!;
        GrainClass = grainClass.Name;
        // What Orleans itself calls (timers, reminders) is told apart by the class that is called.
        Name = $"{(GrainInterfaces.AreOrleans(declaring) ? GrainClass : declaring.Name)}/{method.Name}";
        Service = grainClass.GetCustomAttribute<HostedByAttribute>()?.Service;
        IsShared = grainClass.GetInterfaces().Any(each => each.IsDefined(typeof(SharedAttribute), inherit: false));
        IsLongPoll = method.IsDefined(typeof(LongPollAttribute), inherit: false);
        Type = grainClass;
        Tags = [KeyValuePair.Create<string, object?>("rpc.system.name", "orleans"), KeyValuePair.Create<string, object?>("rpc.method", Name)];
        Window = new LatencyWindow(GrainCallStatistics.Window);
    }

    public string GrainClass { get; }

    /// <summary>Interface/Method.</summary>
    public string Name { get; }

    /// <summary>The service that hosts the class; null for classes of no service.</summary>
    public string? Service { get; }

    public bool IsLongPoll { get; }

    internal bool IsShared { get; }

    internal Type Type { get; }

    internal KeyValuePair<string, object?>[] Tags { get; }

    internal LatencyHistogram Durations { get; } = new();

    internal LatencyWindow Window { get; }

    public long Calls => Volatile.Read(ref _calls);

    public long Failures => Volatile.Read(ref _failures);

    internal void Count(TimeSpan duration, bool failed)
    {
        Interlocked.Increment(ref _calls);
        if (failed) Interlocked.Increment(ref _failures);
        Durations.Record(duration);
    }
}

/// <summary>A call that took long.</summary>
/// <param name="Target">Key of a shared grain; else the tenant alone, since names are the owner's business.</param>
/// <param name="TraceId">Null where the call was not traced.</param>
[GenerateSerializer, Immutable, Alias("ht.SlowCall")]
public sealed record SlowCall(string GrainClass, string Method, string Target, DateTime At, TimeSpan Duration, bool Failed, string? TraceId);

/// <summary>A method's calls.</summary>
/// <param name="Calls">Since the process started.</param>
/// <param name="PerSecond">In the window.</param>
/// <param name="P50">Of the window, as all that follows; null without calls in it.</param>
[GenerateSerializer, Immutable, Alias("ht.GrainMethodFigures")]
public sealed record GrainMethodFigures(
    string GrainClass, string? Service, string Method, long Calls, long Failures, double PerSecond, TimeSpan? P50, TimeSpan? P99, TimeSpan? Max, bool LongPoll);

/// <summary>A grain class: its activations, and the calls of all its methods but those that wait on purpose.</summary>
/// <param name="Activations">Null where the host does not tell.</param>
[GenerateSerializer, Immutable, Alias("ht.GrainTypeFigures")]
public sealed record GrainTypeFigures(string GrainClass, string? Service, long? Activations, long Calls, double PerSecond, TimeSpan? P50, TimeSpan? P99);

/// <summary>What the grains of a process have been doing in the last minute.</summary>
[GenerateSerializer, Immutable, Alias("ht.GrainFigures")]
public sealed record GrainFigures(ImmutableArray<GrainTypeFigures> Types, ImmutableArray<GrainMethodFigures> Methods, ImmutableArray<SlowCall> Slowest);

/// <summary>Every grain call of this process: how many, how long, which were slow. Also the metric <c>rpc.server.call.duration</c>.</summary>
public sealed class GrainCallStatistics
{
    public const int MostSlow = 20;

    /// <summary>How far figures look back.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    /// <summary>Faster calls are never among the slow.</summary>
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(1);

    private static readonly InstrumentAdvice<double> Buckets = new()
    {
        HistogramBucketBoundaries = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    };

    private readonly ConcurrentDictionary<MethodInfo, GrainMethod> _first = new();
    private readonly ConcurrentDictionary<(Type, MethodInfo), GrainMethod> _others = new();
    private readonly Dictionary<Type, LatencyWindow> _classes = [];
    private readonly Histogram<double> _duration;
    private readonly TimeProvider _clock;
    private readonly IGrainCensus? _census;
    private readonly Lock _gate = new();
    private readonly List<SlowCall> _slowest = [];
    private long _slow = Fast.Ticks;

    /// <param name="census">Null where the host does not count activations.</param>
    public GrainCallStatistics(IMeterFactory meters, TimeProvider clock, IGrainCensus? census = null)
    {
        (_clock, _census) = (clock, census);
        Meter meter = meters.Create(TradingMetrics.MeterName);
        _duration = meter.CreateHistogram("rpc.server.call.duration", "s", "Grain calls, from when the grain takes one until its answer.", null, Buckets);
        if (census is null) return;
        meter.CreateObservableUpDownCounter("hybridtrading.grain.activations",
            () => census.Count().Select(each => new Measurement<long>(each.Count, KeyValuePair.Create<string, object?>("grain.type", each.GrainClass))),
            "{activation}", "Grains in memory, by class.");
    }

    /// <summary>The counters of the method that is called.</summary>
    public GrainMethod Of(IIncomingGrainCallContext context)
    {
        MethodInfo method = context.InterfaceMethod;
        Type grainClass = context.Grain.GetType();
        if (!_first.TryGetValue(method, out GrainMethod? known)) known = _first.GetOrAdd(method, new GrainMethod(grainClass, method));
        if (known.Type == grainClass) return known;
        // An interface of Orleans' own has many classes.
        return _others.TryGetValue((grainClass, method), out GrainMethod? other)
            ? other
            : _others.GetOrAdd((grainClass, method), new GrainMethod(grainClass, method));
    }

    /// <summary>A call has its answer.</summary>
    /// <param name="failure">Null where it went well.</param>
    public void Record(GrainMethod method, IIncomingGrainCallContext context, TimeSpan duration, Exception? failure)
    {
        method.Count(duration, failure is not null);
        if (failure is null) _duration.Record(duration.TotalSeconds, method.Tags);
        else _duration.Record(duration.TotalSeconds, FailedTags(method, failure));
        if (!method.IsLongPoll && duration.Ticks > Volatile.Read(ref _slow)) Keep(method, context, duration, failure is not null);
    }

    /// <summary>What was done in the last minute. To be asked every few seconds, by one caller.</summary>
    public GrainFigures Sample()
    {
        DateTime now = _clock.GetUtcNow().UtcDateTime;
        GrainMethod[] methods = [.. _first.Values, .. _others.Values];
        ILookup<string, long> activations = (_census?.Count() ?? []).ToLookup(each => each.GrainClass, each => each.Count, StringComparer.Ordinal);
        List<GrainTypeFigures> types = [];
        foreach (IGrouping<Type, GrainMethod> grainClass in methods.GroupBy(method => method.Type))
        {
            if (!_classes.TryGetValue(grainClass.Key, out LatencyWindow? window)) _classes.Add(grainClass.Key, window = new LatencyWindow(Window));
            GrainMethod[] working = [.. grainClass.Where(method => !method.IsLongPoll)];
            (LatencyFigures figures, TimeSpan over) = window.Sample(LatencyHistogram.Sum(working.Select(method => method.Durations.Snapshot())), now);
            string name = grainClass.Key.Name;
            types.Add(new GrainTypeFigures(name, grainClass.First().Service, activations.Contains(name) ? activations[name].Sum() : null,
                working.Sum(method => method.Calls), PerSecond(figures, over), P(figures, figures.P50), P(figures, figures.P99)));
        }
        return new GrainFigures(
            [.. types.OrderByDescending(type => type.PerSecond).ThenBy(type => type.GrainClass, StringComparer.Ordinal)],
            [.. methods.Select(method => FiguresOf(method, now)).OrderByDescending(method => method.PerSecond).ThenBy(method => method.Method, StringComparer.Ordinal)],
            Slowest(now));
    }

    /// <summary>The key of a shared grain; else the tenant alone.</summary>
    internal static string TargetOf(GrainMethod method, IIncomingGrainCallContext context)
    {
        string key = context.TargetId.Key.ToString()!;
        return method.IsShared || !key.Contains('/', StringComparison.Ordinal) ? key : $"{Keys.TenantOf(key)}/…";
    }

    private static GrainMethodFigures FiguresOf(GrainMethod method, DateTime now)
    {
        (LatencyFigures figures, TimeSpan over) = method.Window.Sample(method.Durations.Snapshot(), now);
        return new GrainMethodFigures(method.GrainClass, method.Service, method.Name, method.Calls, method.Failures, PerSecond(figures, over),
            P(figures, figures.P50), P(figures, figures.P99), P(figures, figures.Max), method.IsLongPoll);
    }

    private static KeyValuePair<string, object?>[] FailedTags(GrainMethod method, Exception failure) =>
        [.. method.Tags, KeyValuePair.Create<string, object?>("error.type", failure.GetType().FullName)];

    /// <summary>Not known at the first look, which tells of no span of time.</summary>
    private static double PerSecond(LatencyFigures figures, TimeSpan over) => over > TimeSpan.Zero ? figures.Count / over.TotalSeconds : 0;

    private static TimeSpan? P(LatencyFigures figures, TimeSpan value) => figures.Count > 0 ? value : null;

    private void Keep(GrainMethod method, IIncomingGrainCallContext context, TimeSpan duration, bool failed)
    {
        string? trace = System.Diagnostics.Activity.Current is { Recorded: true } activity ? activity.TraceId.ToString() : null;
        var call = new SlowCall(method.GrainClass, method.Name, TargetOf(method, context), _clock.GetUtcNow().UtcDateTime, duration, failed, trace);
        lock (_gate)
        {
            _slowest.Add(call);
            if (_slowest.Count <= MostSlow) return;
            _slowest.Remove(_slowest.MinBy(each => each.Duration)!);
            Volatile.Write(ref _slow, _slowest.Min(each => each.Duration.Ticks));
        }
    }

    private ImmutableArray<SlowCall> Slowest(DateTime now)
    {
        lock (_gate)
        {
            if (_slowest.RemoveAll(call => now - call.At > Window) > 0) Volatile.Write(ref _slow, Fast.Ticks);
            return [.. _slowest.OrderByDescending(call => call.Duration)];
        }
    }
}
