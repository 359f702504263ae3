using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using HybridTrading.Api;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests.Host;

/// <summary>
/// A client of the trading hub that keeps what it was pushed and can wait for more. What the journal tells it keeps under the names of its parts, too,
/// once it has seen that each push goes on where the one before ended.
/// </summary>
internal sealed class HubClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HubConnection _connection;
    private readonly List<(string Name, JsonElement Value)> _pushed = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HubClient(HubConnection connection)
    {
        _connection = connection;
        connection.Closed += _ =>
        {
            _closed.TrySetResult();
            return Task.CompletedTask;
        };
        foreach (string name in (string[])["quotes", "bars", "account", "job", "configuration"]) connection.On<JsonElement>(name, value => Keep(name, value));
        connection.On<JsonElement>("journal", TakeJournal);
        connection.On<JsonElement>("gap", gap =>
        {
            lock (_pushed) Sequence = gap.GetProperty("sequence").GetInt64();
            Keep("gap", gap);
        });
    }

    /// <summary>The journal sequence up to which it has been told everything.</summary>
    public long? Sequence { get; private set; }

    /// <summary>Completes when the server has ended the connection.</summary>
    public Task Closed => _closed.Task;

    /// <param name="token">Of who connects; null where nobody needs to sign in.</param>
    public static async Task<HubClient> ConnectAsync(Uri server, string? token = null)
    {
        var builder = new HubConnectionBuilder();
        var address = new UriBuilder(server) { Scheme = "ws", Path = HybridApi.HubPath, Query = token is null ? "" : $"access_token={token}" }.Uri;
        builder.Services.AddSingleton<IConnectionFactory>(new WebSocketConnectionFactory(address));
        builder.Services.AddSingleton<EndPoint>(new UriEndPoint(address));
        builder.Services.AddSingleton<IHubProtocol, JsonHubProtocol>();
        var client = new HubClient(builder.Build());
        await client._connection.StartAsync();
        return client;
    }

    /// <param name="after">The sequence that was seen elsewhere.</param>
    public async Task<JsonElement> SubscribeAsync(string[] symbols, string? account, long? after = null)
    {
        JsonElement snapshot = await _connection.InvokeAsync<JsonElement>("Subscribe", new { symbols, account, after });
        lock (_pushed) Sequence = Math.Max(Sequence ?? -1, snapshot.GetProperty("sequence").GetInt64());
        return snapshot;
    }

    /// <summary>Calls a method as it is named.</summary>
    public Task<JsonElement> InvokeAsync(string method, params object?[] arguments) => _connection.InvokeCoreAsync<JsonElement>(method, arguments);

    /// <summary>Everything pushed so far, under whatever name.</summary>
    public (string Name, JsonElement Value)[] All()
    {
        lock (_pushed) return [.. _pushed];
    }

    /// <summary>Everything pushed under a name so far, lists as their items.</summary>
    public JsonElement[] Pushed(string name)
    {
        lock (_pushed) return [.. _pushed.Where(one => one.Name == name).SelectMany(one => Items(one.Value))];
    }

    /// <summary>The first item pushed under a name (of a list: one of its items) that is as wanted; waits for it.</summary>
    public async Task<JsonElement> WaitForAsync(string name, Func<JsonElement, bool> wanted)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task more;
            lock (_pushed)
            {
                foreach ((string pushed, JsonElement value) in _pushed)
                {
                    if (pushed != name) continue;
                    foreach (JsonElement item in Items(value))
                    {
                        if (wanted(item)) return item;
                    }
                }
                more = _more.Task;
            }
            await more.WaitAsync(patience.Token);
        }
    }

    public async ValueTask DisposeAsync() => await _connection.DisposeAsync();

    private static JsonElement[] Items(JsonElement value) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];

    private void TakeJournal(JsonElement push)
    {
        lock (_pushed)
        {
            // The first may come before the answer to the subscription that says where it begins.
            if (Sequence is { } seen && push.GetProperty("after").GetInt64() > seen) Keep("hole", push);
            Sequence = push.GetProperty("sequence").GetInt64();
        }
        Keep("journal", push);
        foreach (string part in (string[])["decisions", "orders", "fills", "lists"])
        {
            if (push.TryGetProperty(part, out JsonElement value)) Keep(part, value);
        }
    }

    private void Keep(string name, JsonElement value)
    {
        TaskCompletionSource more;
        lock (_pushed)
        {
            _pushed.Add((name, value.Clone()));
            more = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        more.SetResult();
    }
}

/// <summary>Connects the SignalR client straight to a WebSocket.</summary>
internal sealed class WebSocketConnectionFactory(Uri address) : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(address, cancellationToken);
        return new WebSocketConnection(socket);
    }
}

internal sealed class WebSocketConnection : ConnectionContext
{
    private readonly WebSocket _socket;
    private readonly Pipe _received = new();
    private readonly Pipe _sent = new();
    private readonly Task _pumps;

    public WebSocketConnection(WebSocket socket)
    {
        _socket = socket;
        Transport = new Duplex(_received.Reader, _sent.Writer);
        _pumps = Task.WhenAll(ReceiveAsync(), SendAsync());
    }

    public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("N");

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new ConcurrentDictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    public override async ValueTask DisposeAsync()
    {
        await Transport.Output.CompleteAsync();
        await Transport.Input.CompleteAsync();
        _socket.Abort();
        await _pumps;
        _socket.Dispose();
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                ValueWebSocketReceiveResult part = await _socket.ReceiveAsync(_received.Writer.GetMemory(4096), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close) break;
                _received.Writer.Advance(part.Count);
                if ((await _received.Writer.FlushAsync()).IsCompleted) break;
            }
            await _received.Writer.CompleteAsync();
        }
        catch (Exception gone) when (IsGone(gone))
        {
            await _received.Writer.CompleteAsync();
        }
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                ReadResult ready = await _sent.Reader.ReadAsync();
                if (!ready.Buffer.IsEmpty) await _socket.SendAsync(ready.Buffer.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
                _sent.Reader.AdvanceTo(ready.Buffer.End);
                if (ready.IsCompleted) break;
            }
        }
        catch (Exception gone) when (IsGone(gone))
        {
            await _sent.Reader.CompleteAsync();
        }
    }

    /// <summary>The socket was aborted or has ended: while it is used, or just before.</summary>
    private static bool IsGone(Exception failure) => failure is WebSocketException or OperationCanceledException or InvalidOperationException;

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
