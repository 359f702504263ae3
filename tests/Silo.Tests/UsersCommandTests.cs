using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

public sealed class UsersCommandTests
{
    private const string Email = "annabelle.zweig@example.org", Password = "correct horse battery";

    [Fact]
    public async Task A_user_is_erased_by_the_start_after_the_command()
    {
        using var data = new TempFolder();
        await using (LiveSystem system = await LiveSystem.StartAsync(data.Path))
        {
            using (var invitation = new HttpRequestMessage(HttpMethod.Post, "/api/v1/members/invitations") { Content = JsonContent.Create(new { email = Email, roles = new[] { "Trader" } }) })
            {
                invitation.Headers.Add("Idempotency-Key", "invite");
                Assert.Equal(HttpStatusCode.Created, (await system.Client.SendAsync(invitation, TestContext.Current.CancellationToken)).StatusCode);
            }
            string link = Outbox.Link(Path.Combine(data.Path, "outbox"), Email, "invitation");
            using var stranger = new HttpClient { BaseAddress = system.Client.BaseAddress, Timeout = TimeSpan.FromSeconds(30) };
            (await stranger.PostAsJsonAsync($"/api/v1/auth/invitations/{link}/accept", new { name = "Annabelle", password = Password }, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
            string beside = (await HybridProgram.RunAsync("users", "list", "--data", data.Path)).Succeeded().Output;
            Assert.Contains(Email, beside, StringComparison.Ordinal);
            Assert.Equal(1, (await HybridProgram.RunAsync("users", "erase", Email, "--reason", "asked by letter", "--yes", "x", "--data", data.Path)).ExitCode);
            (await system.Program.StopAsync()).Succeeded();
        }
        string id = (await HybridProgram.RunAsync("users", "list", "--data", data.Path)).Succeeded().Output.Split('\n').Single(line => line.EndsWith(Email, StringComparison.Ordinal)).Split(' ')[0];
        Assert.Equal(2, (await HybridProgram.RunAsync("users", "erase", "nobody@example.org", "--reason", "asked", "--data", data.Path)).ExitCode);
        ProgramResult asked = await HybridProgram.RunAsync("users", "erase", Email, "--reason", "asked by letter", "--data", data.Path);
        Assert.Equal(2, asked.ExitCode);
        Assert.Contains($"--yes {id}", asked.Error, StringComparison.Ordinal);
        (await HybridProgram.RunAsync("users", "erase", Email, "--reason", "asked by letter", "--yes", id, "--data", data.Path)).Succeeded();
        await using (LiveSystem system = await LiveSystem.StartAsync(data.Path))
        {
            for (int look = 0; look < 600 && Events(data.Path, "user-erased") == 0; look++) await Task.Delay(100, TestContext.Current.CancellationToken);
            using HttpResponseMessage users = await system.Client.GetAsync("/api/v1/users", TestContext.Current.CancellationToken);
            Assert.DoesNotContain(JsonNode.Parse(await users.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!.AsArray(), user => (string?)user!["id"] == id);
            (await system.Program.StopAsync()).Succeeded();
        }
        Assert.Equal(1, Events(data.Path, "user-erased"));
        Assert.DoesNotContain(Email, (await HybridProgram.RunAsync("users", "list", "--data", data.Path)).Succeeded().Output, StringComparison.Ordinal);
        // The tenant goes on, and its stream says whom it has invited; nothing of the user's own can be read.
        string[] exported = (await HybridProgram.RunAsync("journal", "export", "--data", data.Path)).Succeeded().Output.Split('\n');
        Assert.All(exported.Where(line => line.Contains(Email, StringComparison.Ordinal)), line => Assert.Contains("\"tenant/local\"", line, StringComparison.Ordinal));
        Assert.EndsWith("sound\n", (await HybridProgram.RunAsync("journal", "verify", "--data", data.Path)).Succeeded().Output, StringComparison.Ordinal);
    }

    /// <summary>Names of events are in the clear.</summary>
    private static int Events(string data, string name)
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
        return found;
    }
}
