using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Tests;

/// <summary>What a web hook got.</summary>
internal sealed record HookCall(string Path, string Id, long Timestamp, string Signatures, string Body)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string Text => string.Join('\n', Json.GetProperty("alerts").EnumerateArray().Select(alert => alert.GetProperty("text").GetString()));

    public string Kinds => string.Join(' ', Json.GetProperty("alerts").EnumerateArray().Select(alert => alert.GetProperty("kind").GetString()));

    /// <summary>Checks as a receiver would, with its own code: is this of who knows the secret?</summary>
    public bool IsSignedBy(string secret)
    {
        byte[] hash = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{Id}.{Timestamp}.{Body}"));
        return Signatures.Split(' ').Contains("v1," + Convert.ToBase64String(hash));
    }
}

/// <summary>A web server on this machine that takes web hooks and answers as a test says.</summary>
internal sealed class HookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _lock = new();
    private ImmutableArray<HookCall> _calls = [];

    private HookReceiver(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public string Url => new Uri(Address, "/hook").ToString();

    public ImmutableArray<HookCall> Calls
    {
        get
        {
            lock (_lock) return _calls;
        }
    }

    /// <summary>How it answers; it is told what came and how many came before.</summary>
    public Func<HookCall, int, HttpContext, Task> Answer { get; set; } = (_, _, context) => Status(context, 200);

    public static Task Status(HttpContext context, int status, Action<HttpResponse>? more = null)
    {
        context.Response.StatusCode = status;
        more?.Invoke(context.Response);
        return Task.CompletedTask;
    }

    public static async Task<HookReceiver> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new HookReceiver(builder.Build());
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Waits until so many calls have come.</summary>
    public async Task<ImmutableArray<HookCall>> UntilAsync(int count)
    {
        for (int look = 0; look < 3000; look++)
        {
            if (Calls is { } calls && calls.Length >= count) return calls;
            await Task.Delay(10);
        }
        throw new InvalidOperationException($"{Calls.Length} of {count} calls came: {string.Join("; ", Calls.Select(call => call.Body))}");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        string body = await reader.ReadToEndAsync();
        IHeaderDictionary headers = context.Request.Headers;
        var call = new HookCall(
            context.Request.Path, headers["webhook-id"].ToString(), long.Parse(headers["webhook-timestamp"].ToString()), headers["webhook-signature"].ToString(), body);
        int before;
        lock (_lock)
        {
            before = _calls.Length;
            _calls = _calls.Add(call);
        }
        await Answer(call, before, context);
    }
}
