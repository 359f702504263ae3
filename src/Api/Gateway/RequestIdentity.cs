using System.Buffers;
using System.Collections;
using System.Diagnostics;
using Microsoft.AspNetCore.Hosting;

namespace HybridTrading.Api.Gateway;

/// <summary>
/// Every request has an id (the caller's, where it sends a sound one) and a W3C trace (the caller's traceparent, where it sends one). Both are in the answer's headers,
/// in its problem, and in the scope of every log line that it causes.
/// </summary>
public sealed class RequestIdentity(ILogger<RequestIdentity> log) : IStartupFilter
{
    public const string RequestHeader = "X-Request-Id";
    public const string TraceHeader = "X-Trace-Id";

    private const string RequestTag = "http.request.id";
    private const int LongestId = 64;

    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Of the request under way; null outside of one.</summary>
    public static string? CurrentRequest
    {
        get
        {
            for (Activity? activity = Activity.Current; activity is not null; activity = activity.Parent)
            {
                if (activity.GetTagItem(RequestTag) is string id) return id;
            }
            return null;
        }
    }

    /// <summary>Of the request under way; null outside of one.</summary>
    public static string? CurrentTrace => Activity.Current?.TraceId.ToHexString();

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(RunAsync);
        next(app);
    };

    private async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        string id = context.Request.Headers[RequestHeader] is [{ Length: > 0 and <= LongestId } given] && given.AsSpan().IndexOfAnyExcept(IdCharacters) < 0
            ? given
            : Guid.CreateVersion7().ToString("N");
        // The server has begun one where somebody listens for it; else it is begun here, so that there always is one.
        Activity? own = Activity.Current is null ? Begin(context.Request) : null;
        Activity activity = Activity.Current!;
        activity.SetTag(RequestTag, id);
        context.TraceIdentifier = id;
        string trace = activity.TraceId.ToHexString();
        context.Response.Headers[RequestHeader] = id;
        context.Response.Headers[TraceHeader] = trace;
        using IDisposable? scope = log.BeginScope(new Scope(id, trace));
        try
        {
            await next(context);
        }
        finally
        {
            own?.Stop();
        }
    }

    /// <summary>Two members for those who read them, one text for those who print it.</summary>
    private sealed class Scope(string request, string trace) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => 2;

        public KeyValuePair<string, object?> this[int index] => index switch
        {
            0 => new("RequestId", request),
            1 => new("TraceId", trace),
            _ => throw new ArgumentOutOfRangeException(nameof(index)),
        };

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            yield return this[0];
            yield return this[1];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => $"RequestId:{request} TraceId:{trace}";
    }

    private static Activity Begin(HttpRequest request)
    {
        var activity = new Activity("HybridTrading.Request");
        activity.SetIdFormat(ActivityIdFormat.W3C);
        if (request.Headers.TraceParent is [{ } parent] && ActivityContext.TryParse(parent, request.Headers.TraceState, isRemote: true, out ActivityContext caller))
        {
            activity.SetParentId(caller.TraceId, caller.SpanId, caller.TraceFlags);
            activity.TraceStateString = caller.TraceState;
        }
        return activity.Start();
    }
}
