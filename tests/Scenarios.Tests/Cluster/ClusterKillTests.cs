using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace HybridTrading.Scenarios.Tests.Cluster;

/// <summary>
/// A cluster under load from outside: clients send each order with an Idempotency-Key, by either API process, until it is answered, while silos are killed
/// with -9 one after another and replaced, and then the database goes away for a while.
/// </summary>
public sealed class ClusterKillTests(ITestOutputHelper output)
{
    private const int Rounds = 5, Accounts = 40, OrdersPerSecond = 200;
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(20), Longest = TimeSpan.FromMinutes(2);

    private sealed record Sent(string Account, string Key, int Status, long Ordinal);

    private readonly ConcurrentDictionary<string, Sent> _answered = new();
    private readonly ConcurrentDictionary<string, TimeSpan> _longestWait = new();
    private volatile bool _done;
    private long _count;

    [Fact]
    public async Task Silos_and_the_database_go_and_no_order_is_lost_or_doubled()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using ClusterSystem cluster = await ClusterSystem.StartAsync("--ticks-per-second", "5", "--no-dashboard");
        for (int account = 0; account < Accounts; account++) await OpenAsync(cluster, $"load-{account}");

        long began = Stopwatch.GetTimestamp();
        Task[] clients = [.. Enumerable.Range(0, Accounts).Select(account => SendAsync(cluster, $"load-{account}", new Random(seed + account + 1)))];
        await AnswersAsync(clients, 200);
        for (int round = 0; round < Rounds; round++)
        {
            Member silo = cluster.Silos[round % cluster.Silos.Length];
            await Task.Delay(random.Next(0, 1000), TestContext.Current.CancellationToken);
            await silo.Program!.KillAsync();
            await silo.Program.DisposeAsync();
            cluster.Launch(silo);
            await cluster.IsUpAsync(silo);
            await AnswersAsync(clients, 200);
        }
        string byKills = Waits();
        double rate = _count / Stopwatch.GetElapsedTime(began).TotalSeconds;

        _longestWait.Clear();
        await cluster.Server.StopAsync();
        await Task.Delay(Outage, TestContext.Current.CancellationToken);
        await cluster.Server.StartAsync();
        await AnswersAsync(clients, 200);
        _done = true;
        await Task.WhenAll(clients);

        for (int account = 0; account < Accounts; account++) await CheckAsync(cluster, $"load-{account}");
        ProgramResult verified = (await cluster.VerifyAsync()).Succeeded();
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);
        output.WriteLine($"{Rounds} silos killed: {byKills}, {rate:N0} orders/s all in all; the database away for {Outage.TotalSeconds:N0} s: {Waits()}; "
            + $"{_answered.Count} orders answered, {_answered.Values.Count(sent => sent.Status == 422)} of them denied; {verified.Output.Trim()}");
    }

    private string Waits() => $"an account could not trade for {_longestWait.Values.Max().TotalSeconds:N1} s at most";

    private static async Task OpenAsync(ClusterSystem cluster, string name)
    {
        JsonObject terms = new() { ["name"] = name, ["currency"] = "USD", ["deposit"] = 10_000_000, ["limits"] = new JsonObject() };
        (HttpStatusCode status, JsonNode answer, _) = await RepeatAsync(cluster, 0, () => Request(HttpMethod.Post, "/api/v1/accounts", $"open-{name}", terms));
        Assert.True(status == HttpStatusCode.Created, $"{name}: {status} {answer}");
    }

    private async Task SendAsync(ClusterSystem cluster, string account, Random random)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds((double)Accounts / OrdersPerSecond));
        for (int number = 0; !_done; number++)
        {
            await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            string key = $"{account}-{number}";
            JsonObject order = new()
            {
                ["symbol"] = "BTCUSD", ["side"] = random.Next(2) == 0 ? "Buy" : "Sell", ["type"] = "Market", ["volume"] = random.Next(1, 20) / 100m,
            };
            (HttpStatusCode status, JsonNode answer, TimeSpan waited) = await RepeatAsync(
                cluster, number, () => Request(HttpMethod.Post, $"/api/v1/accounts/{account}/orders", key, order));
            Assert.True(status is HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity, $"{key}: {status} {answer}");
            _longestWait.AddOrUpdate(account, waited, (_, before) => before > waited ? before : waited);
            Assert.True(_answered.TryAdd(key, new Sent(account, key, (int)status, (long?)answer["order"]?["ordinal"] ?? 0)));
            if (waited > TimeSpan.FromSeconds(4)) output.WriteLine($"{key} waited {waited.TotalSeconds:N1} s");
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>Waits for further answers to every account.</summary>
    private async Task AnswersAsync(Task[] clients, int further)
    {
        long target = Interlocked.Read(ref _count) + further;
        long start = Stopwatch.GetTimestamp();
        while (Interlocked.Read(ref _count) < target)
        {
            if (clients.FirstOrDefault(client => client.IsFaulted) is { } broken) await broken;
            Assert.True(Stopwatch.GetElapsedTime(start) < Longest, $"waited {Longest} for {further} answers");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Every answered order is there once, market orders have an end, and positions are what the fills add up to; by both API processes.</summary>
    private async Task CheckAsync(ClusterSystem cluster, string account)
    {
        Sent[] sent = [.. _answered.Values.Where(one => one.Account == account)];
        await UntilAsync(async () => (await PagesAsync(cluster, 0, account, "orders", "status=open&")).Count == 0, $"an end of every order of {account}");
        List<JsonNode>[] orders = [await PagesAsync(cluster, 0, account, "orders"), await PagesAsync(cluster, 1, account, "orders")];
        Assert.Equal(orders[0].Select(order => order.ToJsonString()), orders[1].Select(order => order.ToJsonString()));
        ILookup<string, JsonNode> byKey = orders[0].ToLookup(order => (string)order["clientOrderId"]!);
        foreach (Sent one in sent)
        {
            Assert.True(byKey[one.Key].Count() <= 1, $"{one.Key} is there {byKey[one.Key].Count()} times");
            if (one.Status == (int)HttpStatusCode.UnprocessableEntity) continue;
            JsonNode order = Assert.Single(byKey[one.Key]);
            Assert.Equal(one.Ordinal, (long)order["ordinal"]!);
        }
        Assert.Empty(orders[0].Select(order => (string)order["clientOrderId"]!).Except(sent.Select(one => one.Key)));

        List<JsonNode> fills = await PagesAsync(cluster, 1, account, "fills");
        ILookup<long, decimal> filled = fills.ToLookup(fill => (long)fill["ordinal"]!, fill => (decimal)fill["volume"]!);
        foreach (JsonNode order in orders[0])
        {
            Assert.Equal((decimal)order["filled"]!, filled[(long)order["ordinal"]!].Sum());
            Assert.True((string?)order["status"] is "Filled" or "Cancelled" or "Denied" or "Rejected", $"{order}");
        }
        decimal net = fills.Sum(fill => (decimal)fill["volume"]! * ((string)fill["side"]! == "Buy" ? 1 : -1));
        JsonNode shown = await GetAsync(cluster, 0, $"/api/v1/accounts/{account}/positions");
        JsonArray positions = shown as JsonArray ?? shown["positions"]!.AsArray();
        Assert.Equal(net, positions.Sum(position => (decimal)position!["volume"]!));
    }

    private static async Task<List<JsonNode>> PagesAsync(ClusterSystem cluster, int gateway, string account, string what, string filter = "")
    {
        List<JsonNode> all = [];
        for (long? before = null; ;)
        {
            string cursor = before is { } position ? $"&before={position}" : "";
            JsonNode page = await GetAsync(cluster, gateway, $"/api/v1/accounts/{account}/{what}?{filter}limit=1000{cursor}");
            all.AddRange(page[what]!.AsArray().Select(one => one!));
            if ((long?)page["next"] is not { } next) return all;
            before = next;
        }
    }

    private static async Task<JsonNode> GetAsync(ClusterSystem cluster, int gateway, string path)
    {
        (HttpStatusCode status, JsonNode answer, _) = await RepeatAsync(cluster, gateway, () => Request(HttpMethod.Get, path, null, null));
        Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {answer}");
        return answer;
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string? key, JsonObject? body)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create((JsonNode)body) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return request;
    }

    /// <summary>Sends, by the API processes in turn, until there is an answer that is not the server's own trouble.</summary>
    private static async Task<(HttpStatusCode Status, JsonNode Answer, TimeSpan Waited)> RepeatAsync(
        ClusterSystem cluster, int gateway, Func<HttpRequestMessage> make)
    {
        long start = Stopwatch.GetTimestamp();
        string trouble = "nothing was sent";
        for (int attempt = 0; Stopwatch.GetElapsedTime(start) < Longest; attempt++)
        {
            HttpClient client = cluster.Clients[(gateway + attempt) % cluster.Clients.Length];
            try
            {
                using HttpRequestMessage request = make();
                using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);
                string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if ((int)response.StatusCode < 500) return (response.StatusCode, JsonNode.Parse(text)!, Stopwatch.GetElapsedTime(start));
                trouble = $"{request.Method} {request.RequestUri}: {response.StatusCode} {text}";
            }
            catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                trouble = e.Message;
            }
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"no answer in {Longest}: {trouble}");
        throw new UnreachableException();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Longest, $"waited {Longest} for {what}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
