using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace HybridTrading.Scenarios.Tests;

/// <summary>kill -9 in the middle of the erasure of a user: each start goes on with it, until nothing of the person is left in any file.</summary>
public sealed class ErasureKillTests(ITestOutputHelper output)
{
    private const string Password = "correct horse battery", Email = "annabelle.zweig@example.org", Name = "Annabelle Zweig-Oberland";
    private const int Users = 4;

    [Fact]
    public async Task An_erasure_that_was_killed_goes_on_after_the_start()
    {
        using var folder = new TempFolder();
        string data = folder["data"];
        LiveSystem system = await LiveSystem.StartAsync(data);
        try
        {
            for (int number = 0; number < Users; number++)
            {
                (string id, string token) = await JoinAsync(system, data, $"{number}.{Email}");
                await TradeAsync(system, token);
                HttpResponseMessage asked = await SendAsync(system, HttpMethod.Post, $"users/{id}/erasure",
                    new JsonObject { ["confirm"] = id, ["reason"] = "asked by letter", ["immediately"] = true });
                Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
                // A little later each time, so that it is cut off at another place.
                await Task.Delay(number * 15, TestContext.Current.CancellationToken);
                await system.Program.KillAsync();
                await system.DisposeAsync();
                system = await LiveSystem.StartAsync(data);
                await UntilAsync(async () => !await IsThereAsync(system, id), "a list without the user");
                await UntilAsync(() => Task.FromResult(Journalled(data, "user-erased", number + 1)), "the last event of the erasure");
                output.WriteLine($"user {number} is erased");
            }
            (await system.Program.StopAsync()).Succeeded();
        }
        finally
        {
            await system.DisposeAsync();
        }
        foreach (string file in Directory.GetFiles(data, "*", SearchOption.AllDirectories))
        {
            byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            foreach (string word in (string[])["annabelle.zweig", Name]) Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(word)) < 0, $"{file} holds '{word}'");
        }
        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--data", data)).Succeeded();
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(" 0 erased", verified.Output, StringComparison.Ordinal);
    }

    /// <summary>Names of events are in the clear.</summary>
    private static bool Journalled(string data, string name, int times)
    {
        int found = 0;
        byte[] word = Encoding.UTF8.GetBytes(name);
        foreach (string file in Directory.GetFiles(Path.Combine(data, "journal"), "*.log"))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            ReadOnlySpan<byte> left = bytes;
            for (int at; (at = left.IndexOf(word)) >= 0; left = left[(at + word.Length)..]) found++;
        }
        return found >= times;
    }

    private static async Task<(string Id, string Token)> JoinAsync(LiveSystem system, string data, string email)
    {
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(system, HttpMethod.Post, "members/invitations", new JsonObject { ["email"] = email, ["roles"] = new JsonArray("Trader") })).StatusCode);
        string link = Outbox.Link(Path.Combine(data, "outbox"), email, "invitation");
        using var stranger = new HttpClient { BaseAddress = system.Client.BaseAddress, Timeout = TimeSpan.FromSeconds(30) };
        using HttpResponseMessage joined = await stranger.PostAsJsonAsync($"/api/v1/auth/invitations/{link}/accept",
            new JsonObject { ["name"] = Name, ["password"] = Password, ["cookie"] = false }, TestContext.Current.CancellationToken);
        string text = await joined.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(joined.IsSuccessStatusCode, text);
        JsonNode tokens = JsonNode.Parse(text)!;
        return ((string)tokens["user"]!["id"]!, (string)tokens["accessToken"]!);
    }

    private static async Task TradeAsync(LiveSystem system, string token)
    {
        using var client = new HttpClient { BaseAddress = system.Client.BaseAddress, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach ((string path, JsonObject body) in new[]
        {
            ("accounts", new JsonObject { ["name"] = "main", ["currency"] = "USD" }),
            ("strategies", new JsonObject { ["name"] = "cross", ["definition"] = "sma-cross", ["symbol"] = "BTCUSD", ["timeFrame"] = "M1", ["accounts"] = new JsonArray("main") }),
            ("user-config", new JsonObject { ["section"] = "display", ["values"] = new JsonObject { ["theme"] = "dark" }, ["comment"] = $"as {Name} likes it" }),
        })
        {
            using HttpResponseMessage answer = await SendAsync(client, HttpMethod.Post, path, body);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        }
    }

    private static async Task<bool> IsThereAsync(LiveSystem system, string id)
    {
        using HttpResponseMessage users = await system.Client.GetAsync("/api/v1/users?limit=1000", TestContext.Current.CancellationToken);
        return !users.IsSuccessStatusCode || (await users.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains($"\"{id}\"", StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> SendAsync(LiveSystem system, HttpMethod method, string path, JsonObject body) => SendAsync(system.Client, method, path, body);

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, JsonObject body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        for (int look = 0; look < 600; look++)
        {
            if (await isSo()) return;
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"not within a minute: {what}");
    }
}
