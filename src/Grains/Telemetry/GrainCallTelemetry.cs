using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Hosting;

namespace HybridTrading.Grains.Telemetry;

public static class TelemetryHosting
{
    /// <summary>Counts and traces the grain calls of a silo. To be added before other filters, so that what those refuse is counted, too.</summary>
    public static ISiloBuilder AddTelemetry(this ISiloBuilder silo)
    {
        silo.Services.AddMetrics();
        silo.Services.TryAddSingleton<TradingMetrics>();
        silo.Services.TryAddSingleton<FeedMetrics>();
        silo.Services.TryAddSingleton<GrainCallStatistics>();
        silo.AddIncomingGrainCallFilter<GrainCallTelemetry>();
        return silo;
    }
}

/// <summary>The trace that a call belongs to, as it travels in the request context (W3C Trace Context).</summary>
public static class GrainTracing
{
    public const string SourceName = "HybridTrading.Grains";

    internal const string Parent = "traceparent";
    internal const string State = "tracestate";

    // Sources are made once a process: whoever listens to them is found by their name.
    internal static readonly ActivitySource Source = new(SourceName);

    /// <summary>Grain calls in this flow of control belong to the trace under way, if there is one.</summary>
    public static void Join()
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id } current) return;
        RequestContext.Set(Parent, id);
        if (current.TraceStateString is { } state) RequestContext.Set(State, state);
    }

    /// <summary>What follows in this flow of control belongs to no trace.</summary>
    internal static void Leave()
    {
        Activity.Current = null;
        RequestContext.Remove(Parent);
        RequestContext.Remove(State);
    }

    /// <summary>Begins a trace with what a grain does by itself; null inside of another trace, and where nobody collects traces.</summary>
    internal static Activity? Begin(string name)
    {
        if (Activity.Current is not null || Source.StartActivity(name) is not { } root) return null;
        Join();
        return root;
    }
}

/// <summary>Counts every call that reaches a grain, and makes a span of those that belong to a trace.</summary>
public sealed class GrainCallTelemetry(GrainCallStatistics statistics, TimeProvider clock) : IIncomingGrainCallFilter
{
    public Task Invoke(IIncomingGrainCallContext context)
    {
        GrainMethod method = statistics.Of(context);
        long began = clock.GetTimestamp();
        if (RequestContext.Get(GrainTracing.Parent) is string parent) return TraceAsync(context, method, parent, began);
        Task call = context.Invoke();
        if (!call.IsCompletedSuccessfully) return FinishAsync(call, context, method, began);
        statistics.Record(method, context, clock.GetElapsedTime(began), failure: null);
        return call;
    }

    private async Task FinishAsync(Task call, IIncomingGrainCallContext context, GrainMethod method, long began)
    {
        Exception? failure = null;
        try
        {
            await call;
        }
        catch (Exception thrown)
        {
            failure = thrown;
            throw;
        }
        finally
        {
            statistics.Record(method, context, clock.GetElapsedTime(began), failure);
        }
    }

    private async Task TraceAsync(IIncomingGrainCallContext context, GrainMethod method, string parent, long began)
    {
        using Activity span = StartSpan(method.Name, parent);
        // What the grain calls is inside of this span.
        RequestContext.Set(GrainTracing.Parent, span.Id!);
        if (span.IsAllDataRequested)
        {
            foreach ((string key, object? value) in method.Tags) span.SetTag(key, value);
            span.SetTag("hybridtrading.grain.target", GrainCallStatistics.TargetOf(method, context));
        }
        try
        {
            await FinishAsync(context.Invoke(), context, method, began);
        }
        catch (Exception failure)
        {
            span.SetTag("error.type", failure.GetType().FullName).SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }

    /// <summary>Where nobody collects traces the span is made all the same: log lines name it.</summary>
    private static Activity StartSpan(string name, string parent)
    {
        string? state = RequestContext.Get(GrainTracing.State) as string;
        if (ActivityContext.TryParse(parent, state, isRemote: true, out ActivityContext context)
            && GrainTracing.Source.StartActivity(name, ActivityKind.Server, context) is { } span)
        {
            return span;
        }
        var unseen = new Activity(name) { TraceStateString = state };
        return unseen.SetParentId(parent).Start();
    }
}
