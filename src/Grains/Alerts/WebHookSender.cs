using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Grains.Alerts;

/// <summary>What came of an attempt.</summary>
public enum AttemptOutcome : byte { Delivered, Failed, Refused, Gone }

/// <param name="Why">One sentence; empty when delivered.</param>
/// <param name="RetryAfter">What the receiver asks for; null for nothing.</param>
/// <param name="Target">Of a web hook: where it was posted to.</param>
public sealed record Attempt(AttemptOutcome Outcome, string Why = "", TimeSpan? RetryAfter = null, string? Target = null);

/// <summary>A message on its way to a web hook.</summary>
/// <param name="Secrets">Each signs; the newest first.</param>
/// <param name="Id">The same for the same message, however often it is sent.</param>
public sealed record WebHookCall(Uri Target, ImmutableArray<string> Secrets, string Id, ReadOnlyMemory<byte> Body);

/// <summary>
/// Posts messages to addresses that users name. It connects to public addresses alone, and looks at the address that it connects to, so that a name
/// that leads somewhere else a moment later does not help. Redirects are not followed and answers are not kept. Signed as Standard Webhooks
/// (https://www.standardwebhooks.com) says.
/// </summary>
public sealed class WebHookSender : IDisposable
{
    /// <summary>Of an answer, so that the connection can be used again; a longer one closes it.</summary>
    private const int LongestAnswer = 16 << 10;

    private readonly AlertOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _client;

    public WebHookSender(AlertOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, Credentials = null,
            MaxResponseHeadersLength = 16, MaxConnectionsPerServer = 4, MaxResponseDrainSize = 0,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            ActivityHeadersPropagator = null, ConnectCallback = ConnectAsync,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<Attempt> SendAsync(WebHookCall call, CancellationToken cancellation)
    {
        if (call.Target.Scheme != Uri.UriSchemeHttps && !(_options.AllowInternal && call.Target.IsLoopback))
        {
            return new Attempt(AttemptOutcome.Refused, $"the address begins with {call.Target.Scheme}; expected https");
        }
        using var patience = new CancellationTokenSource(_options.Patience, _clock);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            using HttpRequestMessage request = Sign(call, _clock.GetUtcNow());
            using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            await DrainAsync(response, limit.Token).ConfigureAwait(false);
            return Read(response);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return new Attempt(AttemptOutcome.Failed, string.Create(CultureInfo.InvariantCulture, $"no answer within {_options.Patience.TotalSeconds:0.#} s"));
        }
        catch (HttpRequestException e)
        {
            return e.InnerException is InternalAddressException inner
                ? new Attempt(AttemptOutcome.Refused, inner.Message)
                : new Attempt(AttemptOutcome.Failed, Describe(e));
        }
        catch (IOException)
        {
            return new Attempt(AttemptOutcome.Failed, "the connection was lost");
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>The signatures of a message: <c>v1,</c> and the base 64 of HMAC-SHA-256 over id, time and body with dots between, by each secret.</summary>
    /// <param name="secret">A text; one that begins with <c>whsec_</c> is, as the standard has it, base 64 of the key.</param>
    public static string Signature(string secret, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, KeyOf(secret));
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")));
        hash.AppendData(body);
        return "v1," + Convert.ToBase64String(hash.GetHashAndReset());
    }

    private static byte[] KeyOf(string secret)
    {
        const string Prefix = "whsec_";
        byte[] key = new byte[secret.Length];
        return secret.StartsWith(Prefix, StringComparison.Ordinal) && Convert.TryFromBase64String(secret[Prefix.Length..], key, out int length) && length > 0
            ? key[..length]
            : Encoding.UTF8.GetBytes(secret);
    }

    private static HttpRequestMessage Sign(WebHookCall call, DateTimeOffset now)
    {
        long timestamp = now.ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, call.Target) { Content = new ReadOnlyMemoryContent(call.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("HybridTrading-Alerts", "1"));
        request.Headers.Add("webhook-id", call.Id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", string.Join(' ', call.Secrets.Select(secret => Signature(secret, call.Id, timestamp, call.Body.Span))));
        return request;
    }

    private Attempt Read(HttpResponseMessage response)
    {
        int status = (int)response.StatusCode;
        string why = $"the receiver answered {status}";
        return status switch
        {
            >= 200 and < 300 => new Attempt(AttemptOutcome.Delivered),
            410 => new Attempt(AttemptOutcome.Gone, "the receiver answered 410: it is gone for good"),
            408 or 425 or 429 or >= 500 => new Attempt(AttemptOutcome.Failed, why, RetryAfter(response)),
            >= 300 and < 400 => new Attempt(AttemptOutcome.Refused, $"{why}; redirects are not followed"),
            _ => new Attempt(AttemptOutcome.Refused, why),
        };
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.RetryAfter is not { } after) return null;
        TimeSpan wait = after.Delta ?? after.Date - _clock.GetUtcNow() ?? TimeSpan.Zero;
        return wait > TimeSpan.Zero ? wait : null;
    }

    private static async Task DrainAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using Stream answer = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        byte[] buffer = new byte[LongestAnswer];
        try
        {
            await answer.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // What the status says holds, whatever becomes of the rest.
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        IPAddress[] addresses = IPAddress.TryParse(context.DnsEndPoint.Host.Trim('[', ']'), out IPAddress? literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellation).ConfigureAwait(false);
        if (!_options.AllowInternal && addresses.FirstOrDefault(address => !PublicAddress.Is(address)) is { } inner) throw new InternalAddressException(inner);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Describe(HttpRequestException e) => e switch
    {
        { InnerException: AuthenticationException } => "its certificate is not trusted, or TLS could not be agreed on",
        { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } } => "its name is not known",
        { InnerException: SocketException socket } => $"it cannot be reached: {socket.SocketErrorCode}",
        _ => $"the call failed: {e.HttpRequestError}",
    };

    private sealed class InternalAddressException(IPAddress address)
        : Exception($"its name leads to {address}, which is not a public address");
}
