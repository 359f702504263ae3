using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace HybridTrading.Scenarios.Tests;

/// <summary>The system under the port tables of the documents.</summary>
public sealed class PortMapScenarios
{
    [Theory]
    [InlineData("hybrid", 45)]
    [InlineData("backend", 27)]
    [InlineData("deltran", 10)]
    [InlineData("fks", 19)]
    public async Task Every_port_of_a_document_answers_for_its_service(string map, int services)
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, map);
        using var client = new HttpClient();

        int answered = 0;
        foreach ((string name, string _, int port, int? webSocketPort, string? health, bool compliance) in LiveSystem.Services(map))
        {
            string expected = health ?? $$"""{"status":"healthy","service":"{{name}}","port":{{port + system.Offset}}}""";
            foreach (int each in new[] { port, webSocketPort }.OfType<int>())
            {
                using HttpResponseMessage answer = await client.GetAsync($"http://127.0.0.1:{each + system.Offset}/health",
                    TestContext.Current.CancellationToken);
                Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{name} at {each}: {answer.StatusCode}");
                Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
                Assert.Equal(expected, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
            using HttpResponseMessage ready = await client.GetAsync($"http://127.0.0.1:{port + system.Offset}/health/ready",
                TestContext.Current.CancellationToken);
            if (compliance) Assert.Equal(HttpStatusCode.Unauthorized, ready.StatusCode);
            else
            {
                string state = await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                Assert.Equal(name, JsonDocument.Parse(state).RootElement.GetProperty("service").GetString());
            }
            answered++;
        }
        Assert.Equal(services, answered);
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_its_service_and_the_way_out_and_nothing_is_half_started()
    {
        using var data = new TempFolder();
        using PortBlock ports = await PortBlock.TakeAsync();
        int offset = ports.Offset;
        using (var holder = new TcpListener(IPAddress.Loopback, 8007 + offset))
        {
            holder.Start();
            ProgramResult result = await HybridProgram.RunAsync("run", "--data", data.Path, "--port-offset", $"{offset}");

            Assert.True(result.ExitCode == 2, result.ToString());
            string line = Assert.Single(result.ErrorLines);
            Assert.Contains($"port {8007 + offset} (trading-engine) is in use", line, StringComparison.Ordinal);
            Assert.Matches(@"--port-offset \d+$", line);
            Assert.DoesNotContain("is running", result.Output, StringComparison.Ordinal);
            Assert.All(LiveSystem.Ports("hybrid").Where(port => port != 8007), port =>
                Assert.True(PortBlock.IsFree(port + offset), $"port {port + offset} is bound"));
            Assert.False(Directory.Exists(data["journal"]), "a journal was made");
        }
        // Its folder is free, and the system comes up there.
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path);
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task Chosen_services_listen_and_no_others()
    {
        using var data = new TempFolder();
        using PortBlock ports = await PortBlock.TakeAsync();
        int offset = ports.Offset;
        await using HybridProgram program = HybridProgram.Start("run", "--data", data.Path, "--port-offset", $"{offset}", "--services",
            "trading-engine,audit-trail");
        while (!program.HasExited && !program.Output.Contains("Ctrl+C stops.", StringComparison.Ordinal))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.False(program.HasExited, program.Output + program.Error);

        Assert.All(LiveSystem.Ports("hybrid"), port => Assert.Equal(port is not (8007 or 8018), PortBlock.IsFree(port + offset)));
        (await program.StopAsync()).Succeeded();
    }
}
