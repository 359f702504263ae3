using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace HybridTrading.Scenarios.Tests;

/// <summary>kill -9 in the middle of a search: after the restart it comes to its end by itself, and to the same as one that nobody disturbed.</summary>
public sealed class JobKillTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_job_whose_process_was_killed_is_finished_by_the_next_one_or_given_up_with_the_reason()
    {
        string file = SharedData.Path("data/mt5-history/gbpusd_h1.zip");
        using var folder = new TempFolder();
        string data = folder["data"];
        LiveSystem system = await LiveSystem.StartAsync(data);
        try
        {
            string set = (string)(await UploadAsync(system, file))["id"]!;
            string quiet = await SubmitAsync(system, "optimisations", Search(set, 40), "quiet");
            JsonNode undisturbed = await EndAsync(system, $"optimisations/{quiet}");

            // Long enough to be met in the middle of it.
            string search = await SubmitAsync(system, "optimisations", Search(set, 400), "search"), waiting = await SubmitAsync(system, "optimisations", Search(set, 40), "waiting");
            await UntilAsync(system, $"optimisations/{search}", job => (string?)job["status"] == "running" && (double)job["progress"]! > 0.02);
            system = await KillAsync(system, data);
            // It is not said to run before it does, and it runs without being asked.
            JsonNode again = await UntilAsync(system, $"optimisations/{search}", job => (string?)job["status"] == "running");
            Assert.Equal(2, (int)again["attempts"]!);
            system = await KillAsync(system, data);
            await UntilAsync(system, $"optimisations/{search}", job => (string?)job["status"] == "running");
            system = await KillAsync(system, data);
            JsonNode given = await EndAsync(system, $"optimisations/{search}");
            Assert.Equal("failed", (string?)given["status"]);
            Assert.Contains("3 times", (string?)given["fault"]);

            // What waited behind it comes to what it comes to without a kill.
            JsonNode finished = await EndAsync(system, $"optimisations/{waiting}");
            Assert.Equal("finished", (string?)finished["status"]);
            Assert.Equal((string?)undisturbed["summary"]!["orderListHash"], (string?)finished["summary"]!["orderListHash"]);
            Assert.Equal((decimal)undisturbed["summary"]!["finalEquity"]!, (decimal)finished["summary"]!["finalEquity"]!);
            Assert.True((await system.Client.GetAsync($"/api/v1/optimisations/{waiting}/report.html", TestContext.Current.CancellationToken)).IsSuccessStatusCode);
            (await system.Program.StopAsync()).Succeeded();
        }
        finally
        {
            await system.DisposeAsync();
        }
        (await HybridProgram.RunAsync("journal", "verify", "--data", data)).Succeeded();
    }

    [Fact]
    public async Task A_job_killed_once_is_finished_as_if_nothing_had_been()
    {
        string file = SharedData.Path("data/mt5-history/gbpusd_h1.zip");
        using var folder = new TempFolder();
        string data = folder["data"];
        LiveSystem system = await LiveSystem.StartAsync(data);
        try
        {
            string set = (string)(await UploadAsync(system, file))["id"]!;
            string killed = await SubmitAsync(system, "optimisations", Search(set, 60), "killed");
            await UntilAsync(system, $"optimisations/{killed}", job => (string?)job["status"] == "running");
            system = await KillAsync(system, data);
            JsonNode job = await EndAsync(system, $"optimisations/{killed}");
            Assert.Equal("finished", (string?)job["status"]);
            // Three were seen once, at a load of 40 on two cores; what began it once more is not known.
            Assert.InRange((int)job["attempts"]!, 2, 3);
            // The same key finds the job that it made before the kill.
            Assert.Equal(killed, await SubmitAsync(system, "optimisations", Search(set, 60), "killed"));
            string twin = await SubmitAsync(system, "optimisations", Search(set, 60), "twin");
            Assert.Equal((string?)(await EndAsync(system, $"optimisations/{twin}"))["summary"]!["orderListHash"], (string?)job["summary"]!["orderListHash"]);
        }
        finally
        {
            await system.DisposeAsync();
        }
    }

    private static JsonObject Search(string set, int trials) => new()
    {
        ["dataSets"] = new JsonArray(set), ["limits"] = new JsonObject(), ["search"] = $"random:{trials}",
        ["strategies"] = new JsonArray(new JsonObject { ["definition"] = "sma-cross" }),
        ["vary"] = new JsonObject { ["fast"] = "5..100/1", ["slow"] = "110..400/1" },
    };

    private static async Task<LiveSystem> KillAsync(LiveSystem system, string data)
    {
        await system.Program.KillAsync();
        await system.DisposeAsync();
        return await LiveSystem.StartAsync(data);
    }

    private static async Task<JsonNode> UploadAsync(LiveSystem system, string file)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/data-sets?name={Path.GetFileName(file)}");
        request.Headers.Add("Idempotency-Key", "upload");
        request.Content = new ByteArrayContent(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken))
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/zip") },
        };
        return await SendAsync(system, request);
    }

    private static async Task<string> SubmitAsync(LiveSystem system, string kind, JsonObject body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{kind}") { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key);
        return (string)(await SendAsync(system, request))["id"]!;
    }

    private static async Task<JsonNode> SendAsync(LiveSystem system, HttpRequestMessage request)
    {
        using HttpResponseMessage response = await system.Client.SendAsync(request, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{request.RequestUri}: {text}");
        return JsonNode.Parse(text)!;
    }

    private static Task<JsonNode> EndAsync(LiveSystem system, string path) => UntilAsync(system, path, job => job["endedAt"] is not null);

    private static async Task<JsonNode> UntilAsync(LiveSystem system, string path, Func<JsonNode, bool> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Longest);
        while (true)
        {
            JsonNode job = JsonNode.Parse(await system.Client.GetStringAsync($"/api/v1/{path}", patience.Token))!;
            if (isSo(job)) return job;
            Assert.True(job["endedAt"] is null, $"{path} has ended otherwise: {job}");
            await Task.Delay(20, patience.Token);
        }
    }
}
