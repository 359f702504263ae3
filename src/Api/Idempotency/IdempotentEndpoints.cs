using System.Buffers;
using System.Security.Cryptography;
using HybridTrading.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace HybridTrading.Api.Idempotency;

/// <summary>Marks endpoints that take an Idempotency-Key.</summary>
public sealed class IdempotentMetadata;

/// <summary>Callers of the same key at the same time: the first runs, the others wait for its answer.</summary>
public sealed class IdempotencyGates
{
    private readonly Dictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    public async Task<IDisposable> EnterAsync(string scope, CancellationToken cancellation)
    {
        Gate? gate;
        lock (_gates)
        {
            if (!_gates.TryGetValue(scope, out gate)) _gates[scope] = gate = new Gate();
            gate.Users++;
        }
        try
        {
            await gate.Lock.WaitAsync(cancellation);
        }
        catch
        {
            Leave(scope, gate);
            throw;
        }
        return new Inside(this, scope, gate);
    }

    private void Leave(string scope, Gate gate)
    {
        lock (_gates)
        {
            if (--gate.Users == 0) _gates.Remove(scope);
        }
    }

    private sealed class Gate
    {
        public SemaphoreSlim Lock { get; } = new(1, 1);

        public int Users { get; set; }
    }

    private sealed class Inside(IdempotencyGates gates, string scope, Gate gate) : IDisposable
    {
        public void Dispose()
        {
            gate.Lock.Release();
            gates.Leave(scope, gate);
        }
    }
}

/// <summary>
/// The Idempotency-Key of mutations. It wraps the whole endpoint, binding included, because the key's promise is about the bytes of the request:
/// the same key and body get the stored answer again, the same key with another body is refused. Answers to what was not understood (400, 413,
/// 415), not permitted (401, 403), throttled (429) or not done (5xx) are not kept, so that the same key can be tried again.
/// </summary>
public static class IdempotentEndpoints
{
    public const string KeyHeader = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public const string PositionHeader = "X-Min-Position";
    public const int LongestKey = 200;
    public const int LargestBody = 64 * 1024;

    private static readonly SearchValues<char> KeyCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-");

    private static readonly ImmutableArray<string> KeptHeaders = ["Content-Type", "ETag", "Location", PositionHeader];

    private static readonly object KeyItem = new();

    public static TBuilder Idempotent<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder =>
        {
            builder.Metadata.Add(new IdempotentMetadata());
            RequestDelegate inner = builder.RequestDelegate!;
            builder.RequestDelegate = context => RunAsync(context, inner);
        });
        return endpoint;
    }

    /// <summary>
    /// A mutation whose body is too large to be kept: what it makes is named by its key (<see cref="ReadKey"/>), so that repeating it makes nothing twice.
    /// </summary>
    public static TBuilder IdempotentUpload<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(new IdempotentMetadata()));
        return endpoint;
    }

    /// <summary>The key of the running mutation.</summary>
    public static string IdempotencyKey(this HttpContext context) =>
        context.Items[KeyItem] as string ?? throw new InvalidOperationException("the endpoint is not idempotent");

    private static async Task RunAsync(HttpContext context, RequestDelegate execute)
    {
        string key = ReadKey(context.Request);
        context.Items[KeyItem] = key;
        byte[] body = await ReadBodyAsync(context);
        byte[] hash = SHA256.HashData(body);
        var store = context.RequestServices.GetRequiredService<IAnswerStore>();
        var gates = context.RequestServices.GetRequiredService<IdempotencyGates>();
        string person = context.RequestServices.GetRequiredService<ICaller>().Person();
        string scope = $"{person} {context.Request.Method} {context.Request.PathBase}{context.Request.Path} {key}";

        using IDisposable inside = await gates.EnterAsync(scope, context.RequestAborted);
        if (await store.FindAsync(scope, context.RequestAborted) is { } stored)
        {
            if (!CryptographicOperations.FixedTimeEquals(stored.BodyHash, hash))
            {
                throw new ApiException(StatusCodes.Status422UnprocessableEntity, ApiReason.IdempotencyKeyReused,
                    $"{KeyHeader} is {ApiException.Quote(key)}; it was used with another body: expected a new key for a new request");
            }
            context.Response.Headers[ReplayedHeader] = "true";
            await GiveAsync(context, stored);
            return;
        }
        StoredAnswer answer = await ExecuteAsync(context, execute, hash, body);
        if (IsKept(answer.Status)) await store.StoreAsync(scope, answer);
        await GiveAsync(context, answer);
    }

    private static bool IsKept(int status) => status is < 500
        and not (StatusCodes.Status400BadRequest or StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden
            or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status415UnsupportedMediaType or StatusCodes.Status429TooManyRequests);

    /// <exception cref="ApiException">400: none, or not one.</exception>
    public static string ReadKey(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(KeyHeader, out Microsoft.Extensions.Primitives.StringValues values) || values is [null or ""])
        {
            throw new ApiException(StatusCodes.Status400BadRequest, ApiReason.IdempotencyKeyMissing,
                $"{KeyHeader} is missing; expected a new key (1 to {LongestKey} of A-Z a-z 0-9 . _ : -) for each thing that is to happen once");
        }
        if (values is [{ } key] && key.Length <= LongestKey && key.AsSpan().IndexOfAnyExcept(KeyCharacters) < 0) return key;
        throw new ApiException(StatusCodes.Status400BadRequest, ApiReason.IdempotencyKeyInvalid,
            $"{KeyHeader} is {ApiException.Quote(values.ToString())}; expected one of 1 to {LongestKey} of A-Z a-z 0-9 . _ : -");
    }

    private static async Task<byte[]> ReadBodyAsync(HttpContext context)
    {
        var large = new ApiException(
            StatusCodes.Status413PayloadTooLarge, ApiReason.BodyTooLarge, $"the body is too large; expected at most {LargestBody} bytes");
        if (context.Request.ContentLength > LargestBody) throw large;
        using var whole = new MemoryStream();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(8192);
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
            {
                if (whole.Length + read > LargestBody) throw large;
                whole.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return whole.ToArray();
    }

    private static async Task<StoredAnswer> ExecuteAsync(HttpContext context, RequestDelegate execute, byte[] hash, byte[] body)
    {
        Stream caller = context.Request.Body;
        IHttpResponseBodyFeature connection = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var answered = new MemoryStream();
        context.Request.Body = new MemoryStream(body, writable: false);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answered));
        try
        {
            await execute(context);
            await context.Response.BodyWriter.FlushAsync();
        }
        finally
        {
            context.Request.Body = caller;
            context.Features.Set(connection);
        }
        ImmutableDictionary<string, string> headers = KeptHeaders
            .Where(context.Response.Headers.ContainsKey)
            .ToImmutableDictionary(name => name, name => context.Response.Headers[name].ToString());
        return new StoredAnswer(hash, context.Response.StatusCode, headers, answered.ToArray());
    }

    private static async Task GiveAsync(HttpContext context, StoredAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        foreach ((string name, string value) in answer.Headers) context.Response.Headers[name] = value;
        context.Response.ContentLength = answer.Body.Length;
        if (answer.Body.Length > 0) await context.Response.Body.WriteAsync(answer.Body);
    }
}
