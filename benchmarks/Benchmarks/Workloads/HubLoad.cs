using System.CommandLine;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>
/// Two thousand consoles that watch a price ten times a second: the whole system is one process, the consoles are another. Measured is how old a price is when it
/// arrives. Part of that age is meant: of quotes that come faster than ten a second the hub shows the latest, so a single connection tells how much.
/// </summary>
internal sealed class HubLoad() : Workload("hub")
{
    private const int Connections = 2000;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        await using RunningSystem system = await RunningSystem.StartAsync(context, ["--ticks-per-second", "50"], cancellation);
        using HttpClient client = await system.SignInAsync(1, cancellation);
        string token = client.DefaultRequestHeaders.Authorization!.Parameter!;
        HubReport alone = await ClientsAsync(1), all = await ClientsAsync(Connections);
        add(new Row(Name, "hub: age of a price on arrival, one connection, p99", "ms", Single(alone.P99), Note: FormattableString.Invariant(
            $"p50 {alone.P50:0} ms; {alone.QuotesPerConnection:0.0} quote messages a second")));
        add(new Row(Name, $"hub: the same with {Connections} connections, p99", "ms", Single(all.P99), Note: FormattableString.Invariant(
            $"p50 {all.P50:0} ms, highest {all.Highest:0} ms; each gets {all.QuotesPerConnection:0.0} quote messages a second (least {all.Fewest:0.0}), {all.MessagesPerSecond:0} messages/s in all, memory of the system {system.PeakMemory() / 1e6:0} MB")));

        async Task<HubReport> ClientsAsync(int connections)
        {
            using System.Diagnostics.Process clients = Process.Start(
                "HybridTrading.Benchmarks.dll", [HubClients.Name, system.Address.ToString(), $"{connections}", $"{(int)Duration.TotalSeconds}"],
                new Dictionary<string, string> { [HubClients.TokenVariable] = token });
            Task<string> error = clients.StandardError.ReadToEndAsync(cancellation);
            string output = await clients.StandardOutput.ReadToEndAsync(cancellation);
            await clients.WaitForExitAsync(cancellation);
            return clients.ExitCode == 0
                ? JsonSerializer.Deserialize<HubReport>(output, JsonSerializerOptions.Web)!
                : throw new InvalidOperationException($"{HubClients.Name} ended with {clients.ExitCode}: {await error}");
        }

        static Sample Single(double value) => new(value, value, value);
    }
}

/// <summary>What the clients saw while all of them were connected.</summary>
/// <param name="P50">Milliseconds from a quote's own time to its arrival; so with the others.</param>
/// <param name="QuotesPerConnection">Messages with a quote, a second, of the median connection.</param>
/// <param name="Fewest">Of the connection that got the fewest.</param>
/// <param name="MessagesPerSecond">Of all connections and kinds.</param>
internal sealed record HubReport(double P50, double P99, double Highest, double QuotesPerConnection, double Fewest, double MessagesPerSecond);

/// <summary>
/// Many connections to the hub in one process. They read the protocol's frames without a client library and look only for the time of a quote, so that the load takes
/// as little as it can of the machine that it shares with what it measures.
/// </summary>
internal static class HubClients
{
    public const string Name = "hub-clients", TokenVariable = "HUB_TOKEN";

    private const int ConnectingAtOnce = 20;
    private const byte RecordSeparator = 0x1e;
    private static readonly TimeSpan PingPace = TimeSpan.FromSeconds(10);

    public static Command Command()
    {
        var server = new Argument<string>("server");
        var connections = new Argument<int>("connections");
        var seconds = new Argument<int>("seconds");
        var command = new Command(Name, "Connections to the hub that count what they are told.") { server, connections, seconds };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => RunAsync(
            new Uri(parsed.GetValue(server)!), parsed.GetValue(connections), TimeSpan.FromSeconds(parsed.GetValue(seconds)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(Uri server, int count, TimeSpan duration, CancellationToken cancellation)
    {
        string token = Environment.GetEnvironmentVariable(TokenVariable) ?? throw new InvalidOperationException($"{TokenVariable} is missing; expected a token");
        var hub = new UriBuilder(new Uri(server, "/hubs/trading")) { Scheme = "ws", Query = $"access_token={Uri.EscapeDataString(token)}" }.Uri;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Connection[] connections = [.. Enumerable.Range(0, count).Select(_ => new Connection())];
        await Parallel.ForEachAsync(
            connections, new ParallelOptions { MaxDegreeOfParallelism = ConnectingAtOnce, CancellationToken = cancellation },
            async (connection, one) => await connection.ConnectAsync(hub, one));
        Task[] reading = [.. connections.Select(connection => Task.Run(() => connection.ReadAsync(stop.Token), CancellationToken.None))];
        // All of them are served a while before anything counts.
        await Task.Delay(TimeSpan.FromSeconds(5), cancellation);
        foreach (Connection connection in connections) connection.Begin();
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(duration, cancellation);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (Connection connection in connections) connection.End();
        await stop.CancelAsync();
        await Task.WhenAll(reading);

        int[] histogram = new int[Connection.Slowest + 1];
        foreach (Connection connection in connections)
        {
            for (int ms = 0; ms < histogram.Length; ms++) histogram[ms] += connection.Ages[ms];
        }
        if (connections.All(connection => connection.Quotes == 0)) throw new InvalidOperationException("no quote was pushed");
        double[] rates = [.. connections.Select(connection => connection.Quotes / seconds).Order()];
        var report = new HubReport(
            Percentile(histogram, 0.5), Percentile(histogram, 0.99), Array.FindLastIndex(histogram, one => one > 0), rates[rates.Length / 2], rates[0],
            connections.Sum(connection => (long)connection.Messages) / seconds);
        Console.Out.WriteLine(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
        return 0;
    }

    private static int Percentile(int[] histogram, double share)
    {
        long left = (long)Math.Ceiling(histogram.Sum(one => (long)one) * share);
        int ms = 0;
        while ((left -= histogram[ms]) > 0) ms++;
        return ms;
    }

    private sealed class Connection
    {
        /// <summary>Ages of this many milliseconds and above count as this.</summary>
        public const int Slowest = 5000;

        private readonly ClientWebSocket _socket = new();
        private bool _counts;

        /// <summary>Of quotes on arrival, by whole milliseconds.</summary>
        public int[] Ages { get; } = new int[Slowest + 1];

        public int Quotes { get; private set; }

        public int Messages { get; private set; }

        public void Begin() => Volatile.Write(ref _counts, true);

        public void End() => Volatile.Write(ref _counts, false);

        public async Task ConnectAsync(Uri hub, CancellationToken cancellation)
        {
            _socket.Options.Proxy = null;
            await _socket.ConnectAsync(hub, cancellation);
            await SendAsync("""{"protocol":"json","version":1}""", cancellation);
            // A market that never closes.
            await SendAsync("""{"type":1,"invocationId":"1","target":"Subscribe","arguments":[{"symbols":["BTCUSD"],"account":null}]}""", cancellation);
        }

        /// <exception cref="InvalidOperationException">The server ended the connection.</exception>
        public async Task ReadAsync(CancellationToken stop)
        {
            byte[] buffer = new byte[4096];
            int filled = 0;
            using Timer ping = new(_ => _ = SendAsync("""{"type":6}""", stop), null, PingPace, PingPace);
            try
            {
                while (true)
                {
                    if (filled == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
                    ValueWebSocketReceiveResult read = await _socket.ReceiveAsync(buffer.AsMemory(filled), stop);
                    if (read.MessageType == WebSocketMessageType.Close) throw new InvalidOperationException($"the hub closed a connection: {_socket.CloseStatusDescription}");
                    filled += read.Count;
                    int from = 0;
                    for (int length; (length = buffer.AsSpan(from, filled - from).IndexOf(RecordSeparator)) >= 0; from += length + 1) Take(buffer.AsSpan(from, length));
                    buffer.AsSpan(from, filled - from).CopyTo(buffer);
                    filled -= from;
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            finally
            {
                _socket.Dispose();
            }
        }

        private void Take(ReadOnlySpan<byte> message)
        {
            if (!Volatile.Read(ref _counts)) return;
            if (message.StartsWith("""{"type":3"""u8) && message.IndexOf("\"error\""u8) >= 0) throw new InvalidOperationException(Encoding.UTF8.GetString(message));
            Messages++;
            if (!message.StartsWith("""{"type":1,"target":"quotes" """u8[..^1])) return;
            int at = message.IndexOf("\"time\":"u8);
            var value = new Utf8JsonReader(message[(at < 0 ? message.Length : at + 7)..], isFinalBlock: false, default);
            if (!value.Read() || !value.TryGetDateTime(out DateTime time)) throw new InvalidOperationException($"a quote without time: {Encoding.UTF8.GetString(message)}");
            Quotes++;
            Ages[Math.Clamp((int)(DateTime.UtcNow - time).TotalMilliseconds, 0, Slowest)]++;
        }

        private async Task SendAsync(string message, CancellationToken cancellation)
        {
            try
            {
                await _socket.SendAsync(Encoding.UTF8.GetBytes(message + (char)RecordSeparator), WebSocketMessageType.Text, endOfMessage: true, cancellation);
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or WebSocketException)
            {
                // The reader tells how it ended.
            }
        }
    }
}
