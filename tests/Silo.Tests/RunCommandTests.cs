using System.Text;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>The live system from its command line.</summary>
public sealed class RunCommandTests
{
    [Fact]
    public async Task Ctrl_C_drains_and_ends_with_0()
    {
        Assert.SkipWhen(HybridProgram.IgnoresInterrupt, "these tests run where Ctrl+C is ignored");
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path);

        ProgramResult result = (await system.Program.InterruptAsync()).Succeeded();

        await AssertDrainedAsync(data, system, result);
    }

    [Fact]
    public async Task The_signal_of_a_service_manager_drains_and_ends_with_0()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path);

        ProgramResult result = (await system.Program.TerminateAsync()).Succeeded();

        await AssertDrainedAsync(data, system, result);
    }

    [Fact]
    public async Task It_says_where_to_look_what_is_simulated_and_how_to_bring_real_data()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path);

        string said = system.Program.Output;
        Assert.Contains($"http://localhost:{system.Gateway}", said, StringComparison.Ordinal);
        Assert.Contains(data.Path, said, StringComparison.Ordinal);
        Assert.Contains("SIMULATED", said, StringComparison.Ordinal);
        Assert.Contains("replay", said, StringComparison.Ordinal);
        Assert.Contains("/#/welcome/", said, StringComparison.Ordinal);
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task A_second_system_on_the_same_folder_is_told_who_holds_it_and_the_first_goes_on()
    {
        using var data = new TempFolder();
        await using LiveSystem first = await LiveSystem.StartAsync(data.Path);

        using PortBlock ports = await PortBlock.TakeAsync();
        ProgramResult second = await HybridProgram.RunAsync("run", "--data", data.Path, "--port-offset", $"{ports.Offset}");

        Assert.True(second.ExitCode == 1, second.ToString());
        string line = Assert.Single(second.ErrorLines);
        Assert.Contains(data.Path, line, StringComparison.Ordinal);
        Assert.Contains($"process {first.Program.Id}", line, StringComparison.Ordinal);
        Assert.Contains("--data", line, StringComparison.Ordinal);
        Assert.Contains("healthy", await first.Client.GetStringAsync("/health"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_system_is_backed_up_restored_verified_and_started_again()
    {
        using var folder = new TempFolder();
        string data = folder["data"], backup = folder["backup"], restored = folder["restored"];
        await using LiveSystem system = await LiveSystem.StartAsync(data, further: ["--ticks-per-second", "50"]);

        (await HybridProgram.RunAsync("backup", backup, "--data", data)).Succeeded();
        (await HybridProgram.RunAsync("journal", "verify", "--data", data)).Succeeded();
        Assert.Contains("healthy", await system.Client.GetStringAsync("/health"), StringComparison.Ordinal);
        (await HybridProgram.RunAsync("restore", backup, "--data", restored)).Succeeded();
        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--data", restored)).Succeeded();
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);

        await using LiveSystem again = await LiveSystem.StartAsync(restored);
        Assert.Contains("healthy", await again.Client.GetStringAsync("/health"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_first_start_shows_a_demonstration_that_trades_by_itself_and_is_made_once()
    {
        using var data = new TempFolder();
        await using (LiveSystem first = await LiveSystem.StartAsAUserAsync(data.Path, further: ["--ticks-per-second", "20"]))
        {
            Assert.Contains("account demo", first.Program.Output, StringComparison.Ordinal);
            Assert.Contains("--no-demo", first.Program.Output, StringComparison.Ordinal);
            JsonNode account = await GetAsync(first, "accounts/demo");
            Assert.True((bool)(await GetAsync(first, "system"))["simulated"]!);
            Assert.Contains("Demonstration", (await GetAsync(first, "system"))["notices"]!.ToJsonString(), StringComparison.Ordinal);
            Assert.Equal(2, account["follows"]!.AsObject().Count);
            JsonArray strategies = (await GetAsync(first, "strategies")).AsArray();
            Assert.Equal(2, strategies.Count);
            Assert.All(strategies, strategy => Assert.Equal("Running", (string?)strategy!["status"]));
            Assert.All(strategies, strategy => Assert.StartsWith("demo-", (string?)strategy!["name"], StringComparison.Ordinal));

            await UntilAsync(async () => (await GetAsync(first, "decisions?limit=1"))["decisions"]!.AsArray().Count > 0);
            await UntilAsync(async () => (await GetAsync(first, "accounts/demo/fills?limit=1"))["fills"]!.AsArray().Count > 0);
            await UntilAsync(async () => (await GetAsync(first, "strategies")).AsArray().All(strategy => (int)strategy!["decisions"]! > 0));
            foreach (JsonNode? strategy in strategies) await ChangeAsync(first, HttpMethod.Post, $"strategies/{strategy!["name"]}/stop", "{}");
            (await first.Program.StopAsync()).Succeeded();
        }

        await using LiveSystem second = await LiveSystem.StartAsAUserAsync(data.Path);
        Assert.DoesNotContain("account demo", second.Program.Output, StringComparison.Ordinal);
        Assert.All((await GetAsync(second, "strategies")).AsArray(), strategy => Assert.Equal("Stopped", (string?)strategy!["status"]));
        Assert.Single((await GetAsync(second, "accounts")).AsArray());
        (await second.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task Without_the_demonstration_a_folder_stays_empty_for_good()
    {
        using var data = new TempFolder();
        await using (LiveSystem first = await LiveSystem.StartAsAUserAsync(data.Path, further: ["--no-demo"]))
        {
            Assert.DoesNotContain("account demo", first.Program.Output, StringComparison.Ordinal);
            (await first.Program.StopAsync()).Succeeded();
        }
        await using LiveSystem second = await LiveSystem.StartAsAUserAsync(data.Path);
        Assert.Empty((await GetAsync(second, "accounts")).AsArray());
        Assert.Empty((await GetAsync(second, "strategies")).AsArray());
        (await second.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task A_demonstration_that_was_cut_off_is_finished_by_the_next_start()
    {
        using var data = new TempFolder();
        await using (LiveSystem first = await LiveSystem.StartAsAUserAsync(data.Path)) (await first.Program.StopAsync()).Succeeded();
        // What a kill between the first and the last of its steps leaves.
        data.Write("demo", "pending");
        await using LiveSystem second = await LiveSystem.StartAsAUserAsync(data.Path);
        Assert.Equal(2, (await GetAsync(second, "strategies")).AsArray().Count);
        Assert.Equal(100_000m, (decimal)(await GetAsync(second, "accounts/demo"))["deposits"]!);
        Assert.Equal("made", File.ReadAllText(data["demo"]));
        (await second.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task The_journal_of_a_running_system_is_exported_and_verified_up_to_what_is_durable()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path);
        long opened = await ChangeAsync(system, HttpMethod.Post, "accounts", "{ \"name\": \"one\", \"currency\": \"USD\", \"deposit\": 1000 }");

        JsonObject[] events = await ExportAsync("0");
        Assert.Contains(events, one => (string?)one["name"] == "account-opened" && (long)one["position"]! <= opened);
        Assert.Equal(Enumerable.Range(0, events.Length).Select(position => (long)position), events.Select(one => (long)one["position"]!));

        // The system goes on writing, and what it writes then is in the next export.
        long paid = await ChangeAsync(system, HttpMethod.Post, "accounts/one/deposits", "{ \"amount\": 5 }");
        JsonObject[] later = await ExportAsync($"{paid}");
        Assert.Equal(paid, (long)later[0]["position"]!);
        Assert.Equal(5m, (decimal)later[0]["payload"]!["amount"]!);
        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--data", data.Path)).Succeeded();
        Assert.InRange(long.Parse(verified.Output.Split(' ')[0]), paid + 1, long.MaxValue);
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);

        (await system.Program.StopAsync()).Succeeded();
        Assert.Equal(paid, (long)(await ExportAsync($"{paid}"))[0]["position"]!);

        async Task<JsonObject[]> ExportAsync(string from)
        {
            ProgramResult exported = (await HybridProgram.RunAsync("journal", "export", "--from", from, "--data", data.Path)).Succeeded();
            return [.. exported.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];
        }
    }

    [Fact]
    public async Task A_file_in_place_of_the_data_folder_is_named()
    {
        using var folder = new TempFolder();
        string file = folder.Write("file", "not a folder");

        using PortBlock ports = await PortBlock.TakeAsync();
        ProgramResult result = await HybridProgram.RunAsync("run", "--data", file, "--port-offset", $"{ports.Offset}");

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(file, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_of_a_newer_program_is_left_alone()
    {
        using var data = new TempFolder();
        await using (LiveSystem system = await LiveSystem.StartAsync(data.Path))
        {
            (await system.Program.StopAsync()).Succeeded();
        }
        string version = data["version"], content = File.ReadAllText(version);
        File.WriteAllText(version, System.Text.RegularExpressions.Regex.Replace(content, @"\d+", "999"));

        using PortBlock ports = await PortBlock.TakeAsync();
        ProgramResult result = await HybridProgram.RunAsync("run", "--data", data.Path, "--port-offset", $"{ports.Offset}");

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains("999", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    private static async Task<JsonNode> GetAsync(LiveSystem system, string path) =>
        JsonNode.Parse(await system.Client.GetStringAsync($"/api/v1/{path}", TestContext.Current.CancellationToken))!;

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(3));
        while (!await condition()) await Task.Delay(200, patience.Token);
    }

    /// <returns>The journal position that contains the change.</returns>
    private static async Task<long> ChangeAsync(LiveSystem system, HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using HttpResponseMessage response = await system.Client.SendAsync(request, TestContext.Current.CancellationToken);
        string answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, answer);
        return (long)JsonNode.Parse(answer)!["minPosition"]!;
    }

    private static async Task AssertDrainedAsync(TempFolder data, LiveSystem system, ProgramResult result)
    {
        Assert.DoesNotContain("fail:", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("xception", result.Output + result.Error, StringComparison.Ordinal);
        Assert.All(LiveSystem.Ports(system.Map), port => Assert.True(PortBlock.IsFree(port + system.Offset),
            $"port {port + system.Offset} is still bound"));
        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--data", data.Path)).Succeeded();
        Assert.DoesNotContain("never counted", verified.Output, StringComparison.Ordinal);
    }
}
