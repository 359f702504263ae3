using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace HybridTrading.Scenarios.Tests;

/// <summary>kill -9 against the live system while fills are told to a web hook that fails every other time: each fill is told, and no message says two things.</summary>
public sealed class AlertKillTests
{
    private const int Kills = 4, FillsBetween = 15;
    private const string Secret = "sixteen letters!";

    private static readonly Dictionary<string, string> Allow = new() { ["Alerts__AllowInternal"] = "true" };

    [Fact]
    public async Task Every_fill_is_told_and_every_message_is_the_same_each_time()
    {
        using var folder = new TempFolder();
        string data = folder["data"];
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        // A failure, an answer that comes late (the process may be killed in between), and a good one.
        receiver.Answer = async (_, before, context) =>
        {
            if (before % 3 == 1) await Task.Delay(200);
            await HookReceiver.Status(context, before % 3 == 0 ? 503 : 200);
        };
        LiveSystem system = await StartAsync(data);
        int fills = 0;
        try
        {
            JsonObject notifications = new() { ["kinds"] = new JsonArray("Fill"), ["webHookUrl"] = receiver.Url, ["webHookSecret"] = Secret };
            await PostAsync(system, "user-config", "hook", new() { ["section"] = "notifications", ["values"] = notifications }, HttpStatusCode.Created);
            await PostAsync(system, "accounts", "open",
                new() { ["name"] = "main", ["currency"] = "USD", ["deposit"] = 10_000_000, ["limits"] = new JsonObject() }, HttpStatusCode.Created);
            for (int kill = 0; kill <= Kills; kill++)
            {
                for (int i = 0; i < FillsBetween; i++)
                {
                    JsonObject order = new() { ["symbol"] = "BTCUSD", ["side"] = i % 2 == 0 ? "Buy" : "Sell", ["type"] = "Market", ["volume"] = 0.01m };
                    await PostAsync(system, "accounts/main/orders", $"order-{kill}-{i}", order, HttpStatusCode.Created);
                }
                if (kill == Kills) break;
                int calls = receiver.Calls.Length;
                await UntilAsync(() => Task.FromResult(receiver.Calls.Length > calls || kill % 2 == 1), () => "no further call");
                await system.Program.KillAsync();
                await system.DisposeAsync();
                system = await StartAsync(data);
            }
            string stand = "";
            await UntilAsync(async () =>
            {
                fills = (await GetAsync(system, "accounts/main/fills?limit=1000"))["fills"]!.AsArray().Count;
                int open = (await GetAsync(system, "accounts/main/orders?status=open"))["orders"]!.AsArray().Count;
                JsonArray alerts = (await GetAsync(system, "alerts?limit=1000"))["items"]!.AsArray();
                string[] states = [.. alerts.Select(alert => (string)alert!["deliveries"]![0]!["state"]!)];
                stand = $"{open} orders open, {fills} fills, {string.Join(", ", states.CountBy(state => state))}: {await GetAsync(system, "alerts/channels")}";
                return open == 0 && fills >= (Kills + 1) * FillsBetween && states.Length == fills && states.All(state => state == "Delivered");
            }, () => stand);
            (await system.Program.StopAsync()).Succeeded();
        }
        finally
        {
            await system.DisposeAsync();
        }

        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--data", data)).Succeeded();
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);
        HookCall[] all = [.. receiver.Calls];
        Assert.All(all, call => Assert.True(call.IsSignedBy(Secret)));
        // However often a message came, it was the same; and no alert was in two messages.
        HookCall[] messages = [.. all.GroupBy(call => call.Id).Select(same => Assert.Single(same.DistinctBy(call => call.Body)))];
        long[] numbers = [.. messages.SelectMany(call => call.Json.GetProperty("alerts").EnumerateArray()).Select(alert => alert.GetProperty("number").GetInt64())];
        Assert.Equal(fills, numbers.Length);
        Assert.Equal(numbers.Length, numbers.Distinct().Count());
        Assert.All(messages, call => Assert.DoesNotContain(call.Json.GetProperty("folded").EnumerateObject(), folded => folded.Value.ValueKind == JsonValueKind.Number));
    }

    private static Task<LiveSystem> StartAsync(string data) => LiveSystem.StartAsync(Allow, data, "--ticks-per-second", "50");

    /// <summary>Until it is answered: the same key does it once.</summary>
    private static async Task PostAsync(LiveSystem system, string path, string key, JsonObject body, HttpStatusCode expected)
    {
        for (int attempt = 0; ; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
            request.Headers.Add("Idempotency-Key", key);
            using HttpResponseMessage answer = await system.Client.SendAsync(request, TestContext.Current.CancellationToken);
            if (answer.StatusCode == expected) return;
            string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            bool isLater = answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout || text.Contains("NoMarketData", StringComparison.Ordinal);
            Assert.True(isLater && attempt < 100, $"{path}: {answer.StatusCode} {text}");
            if (text.Contains("NoMarketData", StringComparison.Ordinal)) key += "-";
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<JsonNode> GetAsync(LiveSystem system, string path) =>
        JsonNode.Parse(await system.Client.GetStringAsync($"/api/v1/{path}", TestContext.Current.CancellationToken))!;

    private static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> stand)
    {
        for (int look = 0; look < 900; look++)
        {
            if (await isSo()) return;
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"it never came to that: {stand()}");
    }
}
