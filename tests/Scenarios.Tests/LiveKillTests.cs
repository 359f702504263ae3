using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace HybridTrading.Scenarios.Tests;

/// <summary>
/// kill -9 against the live paper service under load: clients that send each order with an Idempotency-Key until it is answered, a strategy that
/// decides every second, and a restart on the same data after each kill.
/// </summary>
public sealed class LiveKillTests(ITestOutputHelper output)
{
    private const int Kills = 25, Clients = 8;
    private const string Account = "load";
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromMinutes(1);

    /// <summary>What a client sent and what it was told.</summary>
    private sealed record Sent(string Key, string Type, int Status, long Ordinal, JsonNode Answer);

    private readonly ConcurrentDictionary<string, Sent> _acknowledged = new();
    private readonly ConcurrentBag<string> _cancelled = [];
    private volatile LiveSystem? _system;
    private volatile bool _done;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_nothing_is_done_twice()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var folder = new TempFolder();
        string data = folder["data"];
        _system = await StartAsync(data);
        JsonNode account;
        try
        {
            await OpenAsync();
            Task[] clients = [.. Enumerable.Range(0, Clients).Select(number => SendAsync(number, new Random(seed + number + 1)))];
            for (int kill = 0; kill < Kills; kill++)
            {
                // At work again, and then any moment.
                int before = _acknowledged.Count;
                await UntilAsync(() => Task.FromResult(_acknowledged.Count >= before + 40 || clients.Any(client => client.IsFaulted)),
                    "40 further answers");
                if (clients.FirstOrDefault(client => client.IsFaulted) is { } broken) await broken;
                await Task.Delay(random.Next(0, 700), TestContext.Current.CancellationToken);
                LiveSystem killed = _system;
                _system = null;
                await killed.Program.KillAsync();
                await killed.DisposeAsync();
                _system = await StartAsync(data);
            }
            _done = true;
            await Task.WhenAll(clients);
            await PostAsync("/api/v1/strategies/ticker/stop", "stop", new JsonObject());
            await UntilAsync(async () => (await OrdersAsync("open")).All(order => (string?)order["type"] != "Market"),
                "an end of every market order");
            account = await GetAsync($"/api/v1/accounts/{Account}");
            (await _system.Program.StopAsync()).Succeeded();
        }
        finally
        {
            if (_system is { } last) await last.DisposeAsync();
        }

        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--data", data)).Succeeded();
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);
        ProgramResult exported = (await HybridProgram.RunAsync("journal", "export", "--data", data)).Succeeded();
        Check(account, [.. exported.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)]);
    }

    private static Task<LiveSystem> StartAsync(string data) => LiveSystem.StartAsync(data, further: ["--ticks-per-second", "20"]);

    private async Task OpenAsync()
    {
        JsonObject terms = new()
        {
            ["name"] = Account, ["currency"] = "USD", ["deposit"] = 10_000_000, ["commissionPerLot"] = 2, ["slippagePoints"] = 1,
            ["limits"] = new JsonObject(),
        };
        await CreateAsync("/api/v1/accounts", terms);
        JsonObject ticker = new()
        {
            ["name"] = "ticker", ["definition"] = "sma-cross", ["symbol"] = "BTCUSD", ["timeFrame"] = "S1", ["accounts"] = new JsonArray(Account),
            ["start"] = true,
            ["parameters"] = new JsonObject { ["fast"] = 1, ["slow"] = 2, ["units"] = 0.5 },
        };
        await CreateAsync("/api/v1/strategies", ticker);
    }

    private async Task CreateAsync(string path, JsonObject body)
    {
        (HttpStatusCode status, JsonNode answer) = await PostAsync(path, "create", body);
        Assert.True(status == HttpStatusCode.Created, $"{path}: {status} {answer}");
    }

    /// <summary>One client: an order every tenth of a second, each until it is answered; some far limits are cancelled afterwards.</summary>
    private async Task SendAsync(int number, Random random)
    {
        using var pace = new PeriodicTimer(Pace);
        for (int count = 0; !_done; count++)
        {
            await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            string key = $"c{number}-{count}";
            string side = random.Next(2) == 0 ? "Buy" : "Sell";
            bool limit = random.Next(4) == 0;
            JsonObject order = new()
            {
                ["symbol"] = "BTCUSD", ["side"] = side, ["type"] = limit ? "Limit" : "Market", ["volume"] = random.Next(1, 20) / 100m,
            };
            // Far from the market: it rests until it is cancelled.
            if (limit) order["limitPrice"] = side == "Buy" ? 1000 : 1_000_000;
            (HttpStatusCode status, JsonNode answer) = await PostAsync($"/api/v1/accounts/{Account}/orders", key, order);
            Assert.True(status is HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity, $"{key}: {status} {answer}");
            long ordinal = (long?)answer["order"]?["ordinal"] ?? 0;
            Assert.True(_acknowledged.TryAdd(key, new Sent(key, (string)order["type"]!, (int)status, ordinal, answer)));
            if (limit && ordinal > 0 && random.Next(2) == 0)
            {
                (HttpStatusCode cancelled, JsonNode told) = await RepeatAsync(client =>
                    Request(HttpMethod.Delete, $"/api/v1/accounts/{Account}/orders/{key}", $"{key}-cancel", null));
                Assert.True(cancelled == HttpStatusCode.OK, $"cancel {key}: {cancelled} {told}");
                _cancelled.Add(key);
            }
        }
    }

    private void Check(JsonNode account, JsonNode[] journal)
    {
        string stream = (string)journal.Single(one => (string?)one["name"] == "account-opened")["stream"]!;
        JsonNode[] events = [.. journal.Where(one => (string)one["stream"]! == stream)];
        Assert.Equal(Enumerable.Range(1, events.Length).Select(version => (long)version), events.Select(one => (long)one["version"]!));
        JsonNode[] Named(string name) => [.. events.Where(one => (string?)one["name"] == name).Select(one => one["payload"]!)];

        // Nothing acknowledged is missing, and no order is there twice.
        JsonNode[] accepted = [.. Named("order-accepted").Select(one => one["order"]!)], denied = Named("order-denied");
        string[] ids = [.. accepted.Select(order => (string)order["clientOrderId"]!),
            .. denied.Select(one => (string)one["request"]!["clientOrderId"]!)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        ILookup<string, long> ordinals = accepted.Select(order => (Id: (string)order["clientOrderId"]!, Ordinal: (long)order["ordinal"]!))
            .Concat(denied.Select(one => (Id: (string)one["request"]!["clientOrderId"]!, Ordinal: (long)one["ordinal"]!)))
            .ToLookup(pair => pair.Id, pair => pair.Ordinal);
        Assert.All(_acknowledged.Values, sent =>
        {
            Assert.True(ordinals.Contains(sent.Key), $"{sent.Key} was answered with {sent.Status} and is not in the journal: {sent.Answer}");
            if (sent.Ordinal > 0) Assert.Equal(sent.Ordinal, Assert.Single(ordinals[sent.Key]));
        });
        string[] unasked = [.. accepted.Where(order => (string?)order["strategy"] is null or "").Select(order => (string)order["clientOrderId"]!)
            .Except(_acknowledged.Keys)];
        Assert.True(unasked.Length == 0, $"nobody sent {string.Join(", ", unasked)}");

        // No fill is there twice, and no order without effect.
        JsonNode[] fills = Named("order-filled"), ended = Named("order-ended");
        Assert.Equal(fills.Length, fills.Select(fill => ((long)fill["ordinal"]!, (long)fill["fill"]!)).Distinct().Count());
        ILookup<long, JsonNode> fillsOf = fills.ToLookup(fill => (long)fill["ordinal"]!), endsOf = ended.ToLookup(one => (long)one["ordinal"]!);
        HashSet<long> working = [.. account["workingOrders"]!.AsArray().Select(order => (long)order!["ordinal"]!)];
        foreach (JsonNode order in accepted)
        {
            long ordinal = (long)order["ordinal"]!;
            decimal volume = (decimal)order["volume"]!, filled = fillsOf[ordinal].Sum(fill => (decimal)fill["volume"]!);
            Assert.Equal(
                Enumerable.Range(1, fillsOf[ordinal].Count()).Select(fill => (long)fill),
                fillsOf[ordinal].Select(fill => (long)fill["fill"]!));
            bool complete = filled == volume, over = endsOf[ordinal].Any(), works = working.Contains(ordinal);
            Assert.True(new[] { complete, over, works }.Count(each => each) == 1,
                $"order {ordinal} of {volume} is filled {filled}, {(over ? "" : "not ")}ended, {(works ? "" : "not ")}working: {order}");
            Assert.True(filled <= volume, $"order {ordinal} of {volume} is filled {filled}");
        }
        long Ordinal(string key) => ordinals[key].Single();
        Assert.All(_cancelled, key => Assert.Equal("Cancelled", (string?)Assert.Single(endsOf[Ordinal(key)])["status"]));
        Assert.All(_acknowledged.Values.Where(sent => sent.Type == "Market" && sent.Ordinal > 0), sent => Assert.True(
            fillsOf[sent.Ordinal].Any() || endsOf[sent.Ordinal].Any(), $"{sent.Key} (order {sent.Ordinal}) is without effect"));

        // The account is what its journal says.
        Dictionary<long, JsonNode> orderOf = accepted.ToDictionary(order => (long)order["ordinal"]!);
        SortedDictionary<string, decimal> holdings = new(StringComparer.Ordinal);
        foreach (JsonNode fill in fills)
        {
            JsonNode order = orderOf[(long)fill["ordinal"]!];
            decimal signed = (decimal)fill["volume"]! * ((string)order["side"]! == "Buy" ? 1 : -1);
            Book(holdings, ((string?)order["strategy"] ?? "").Split('/')[^1], signed);
        }
        Dictionary<string, decimal> shown = account["positions"]!.AsArray()
            .ToDictionary(position => (string)position!["owner"]!, position => (decimal)position!["volume"]!);
        Assert.Equal(holdings.Where(pair => pair.Value != 0), shown.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        decimal deposits = Named("balance-adjusted").Sum(one => (decimal)one["amount"]!), realised = fills.Sum(fill => (decimal)fill["realised"]!);
        decimal commissions = fills.Sum(fill => (decimal)fill["commission"]!), swaps = Named("swap-charged").Sum(one => (decimal)one["amount"]!);
        Assert.Equal(realised, (decimal)account["realised"]!);
        Assert.Equal(commissions, (decimal)account["commissions"]!);
        Assert.Equal(deposits + realised - commissions + swaps, (decimal)account["balance"]!);

        // No decision reached the account twice.
        JsonNode[] decisions = Named("decision-received");
        Assert.Equal(decisions.Length, decisions.Select(one => (string)one["decision"]!).Distinct().Count());
        Assert.True(decisions.Length >= 5, $"the strategy decided {decisions.Length} times");

        int refused = _acknowledged.Values.Count(sent => sent.Status == 422);
        output.WriteLine($"{Kills} kills; {_acknowledged.Count} orders answered, {refused} of them denied, {_cancelled.Count} cancelled; "
            + $"{accepted.Length} accepted, {fills.Length} fills, {decisions.Length} decisions of the strategy, {journal.Length} events");
    }

    /// <summary>The rule of a netting account: a strategy trades its own holding; what a person trades first comes off opposite holdings, in order
    /// of their owners.</summary>
    private static void Book(SortedDictionary<string, decimal> holdings, string owner, decimal volume)
    {
        string[] opposite = [.. holdings.Where(pair => Math.Sign(pair.Value) == -Math.Sign(volume)).Select(pair => pair.Key)];
        foreach (string each in opposite)
        {
            if (owner.Length > 0) break;
            decimal taken = Math.Sign(volume) * Math.Min(Math.Abs(volume), Math.Abs(holdings[each]));
            holdings[each] += taken;
            volume -= taken;
        }
        holdings[owner] = holdings.GetValueOrDefault(owner) + volume;
    }

    private async Task<JsonNode[]> OrdersAsync(string status)
    {
        JsonNode page = await GetAsync($"/api/v1/accounts/{Account}/orders?status={status}&limit=1000");
        return [.. page["orders"]!.AsArray().Select(order => order!)];
    }

    private async Task<JsonNode> GetAsync(string path)
    {
        (HttpStatusCode status, JsonNode answer) = await RepeatAsync(_ => Request(HttpMethod.Get, path, null, null));
        Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {answer}");
        return answer;
    }

    private Task<(HttpStatusCode Status, JsonNode Answer)> PostAsync(string path, string key, JsonObject body) =>
        RepeatAsync(_ => Request(HttpMethod.Post, path, key, body));

    private static HttpRequestMessage Request(HttpMethod method, string path, string? key, JsonObject? body)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create((JsonNode)body) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return request;
    }

    /// <summary>Sends until there is an answer that is not the server's own trouble, whichever start of the system gives it.</summary>
    private async Task<(HttpStatusCode Status, JsonNode Answer)> RepeatAsync(Func<HttpClient, HttpRequestMessage> make)
    {
        long start = Stopwatch.GetTimestamp();
        for (string trouble = "no system"; ;)
        {
            if (Stopwatch.GetElapsedTime(start) > Longest) Assert.Fail($"no answer in {Longest}: {trouble}");
            if (_system is { } system)
            {
                try
                {
                    using HttpRequestMessage request = make(system.Client);
                    using HttpResponseMessage response = await system.Client.SendAsync(request, TestContext.Current.CancellationToken);
                    string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                    if ((int)response.StatusCode < 500) return (response.StatusCode, JsonNode.Parse(text)!);
                    trouble = $"{request.Method} {request.RequestUri}: {response.StatusCode} {text}";
                }
                catch (Exception e) when (e is HttpRequestException or ObjectDisposedException or IOException or TaskCanceledException)
                {
                    // Killed in the middle.
                    TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                    trouble = e.Message;
                }
            }
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Longest) Assert.Fail($"waited {Longest} for {what}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
