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
    private const int Rounds = 5, Accounts = 40, OrdersPerSecond = 200, BetweenKills = 1000;
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

        Task[] clients = [.. Enumerable.Range(0, Accounts).Select(account => SendAsync(cluster, $"load-{account}", new Random(seed + account + 1)))];
        List<double> rates = [await RateAsync(clients)];
        List<double> longest = [];
        for (int round = 0; round < Rounds; round++)
        {
            Member silo = cluster.Silos[round % cluster.Silos.Length];
            await Task.Delay(random.Next(0, 1000), TestContext.Current.CancellationToken);
            await silo.Program!.KillAsync();
            _longestWait.Clear();
            await silo.Program.DisposeAsync();
            cluster.Launch(silo);
            await cluster.IsUpAsync(silo);
            // Every account has been answered since the kill, so that none still waits whose wait would not be counted.
            await EachAnsweredAsync(clients);
            longest.Add(_longestWait.Values.Max().TotalSeconds);
            rates.Add(await RateAsync(clients));
        }

        await cluster.Server.StopAsync();
        _longestWait.Clear();
        Task away = Task.Delay(Outage, TestContext.Current.CancellationToken);
        try
        {
            await MeanwhileAsync(cluster, away);
        }
        catch
        {
            output.WriteLine(cluster.Said());
            throw;
        }
        await away;
        await cluster.Server.StartAsync();
        await EachAnsweredAsync(clients);
        _done = true;
        await Task.WhenAll(clients);

        for (int account = 0; account < Accounts; account++) await CheckAsync(cluster, $"load-{account}");
        ProgramResult verified = (await cluster.VerifyAsync()).Succeeded();
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);
        output.WriteLine($"{Rounds} silos killed: an account could not trade for {string.Join(", ", longest.Select(seconds => $"{seconds:N1}"))} s at most; "
            + $"{string.Join(", ", rates.Select(rate => $"{rate:N0}"))} orders/s of {OrdersPerSecond} wanted before, between and after; the database away for {Outage.TotalSeconds:N0} s: {Waits()}; "
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
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>While the database is away: an order is refused and told why, quotes go on, and what was is still to be read.</summary>
    private static async Task MeanwhileAsync(ClusterSystem cluster, Task away)
    {
        for (int gateway = 0; gateway < cluster.Clients.Length; gateway++)
        {
            HttpClient client = cluster.Clients[gateway];
            JsonObject order = new() { ["symbol"] = "BTCUSD", ["side"] = "Buy", ["type"] = "Market", ["volume"] = 0.01m };
            (HttpStatusCode status, JsonNode refusal) = await AnswerAsync(client, Request(HttpMethod.Post, "/api/v1/accounts/load-0/orders", $"away-{gateway}", order));
            Assert.True(status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout, $"{status} {refusal}");
            Assert.True((string?)refusal["reason"] is "NotRecorded" or "Unavailable" or "TimedOut", $"{refusal}");
            Assert.False(string.IsNullOrEmpty((string?)refusal["detail"]), $"{refusal}");

            DateTime first = await QuotedAsync(client);
            while (await QuotedAsync(client) <= first)
            {
                Assert.False(away.IsCompleted, $"no quote after {first:O} while the database was away");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
            (status, JsonNode orders) = await AnswerAsync(client, Request(HttpMethod.Get, "/api/v1/accounts/load-0/orders?limit=10", null, null));
            Assert.True(status == HttpStatusCode.OK && orders["orders"]!.AsArray().Count > 0, $"{status} {orders}");
        }
        Assert.False(away.IsCompleted, "all of it while the database was away");

        static async Task<DateTime> QuotedAsync(HttpClient client)
        {
            (HttpStatusCode status, JsonNode quotes) = await AnswerAsync(client, Request(HttpMethod.Get, "/api/v1/quotes?symbols=BTCUSD", null, null));
            Assert.True(status == HttpStatusCode.OK, $"{status} {quotes}");
            return (DateTime)quotes[0]!["time"]!;
        }
    }

    private static async Task<(HttpStatusCode Status, JsonNode Answer)> AnswerAsync(HttpClient client, HttpRequestMessage request)
    {
        using HttpRequestMessage sent = request;
        using HttpResponseMessage response = await client.SendAsync(sent, TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }

    /// <summary>Answers a second while nothing is amiss.</summary>
    private async Task<double> RateAsync(Task[] clients)
    {
        long began = Stopwatch.GetTimestamp();
        await AnswersAsync(clients, BetweenKills);
        return BetweenKills / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private async Task EachAnsweredAsync(Task[] clients)
    {
        long start = Stopwatch.GetTimestamp();
        while (_longestWait.Count < Accounts)
        {
            if (clients.FirstOrDefault(client => client.IsFaulted) is { } broken) await broken;
            Assert.True(Stopwatch.GetElapsedTime(start) < Longest, $"waited {Longest} for an answer to each account");
            await Task.Delay(50, TestContext.Current.CancellationToken);
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
