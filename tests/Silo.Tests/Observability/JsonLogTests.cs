using System.Diagnostics;
using System.Text.Json;
using HybridTrading.Silo.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HybridTrading.Silo.Tests.Observability;

public sealed class JsonLogTests
{
    [Fact]
    public void A_line_is_one_object_with_trace_request_and_values()
    {
        using Activity activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        var scopes = new LoggerExternalScopeProvider();
        using IDisposable request = scopes.Push(new Dictionary<string, object?> { ["RequestId"] = "r-1", ["RequestPath"] = "/api/v1/orders", ["TraceId"] = "other" });
        KeyValuePair<string, object?>[] values = [new("Account", "a \"b\"\n"), new("Count", 3), new("{OriginalFormat}", "account {Account}: {Count}")];
        JsonElement line = Write(LogLevel.Warning, values, new InvalidOperationException("no"), scopes);

        Assert.Equal(("warning", "Cat", "Named", "said"), (line.GetProperty("level").GetString(), line.GetProperty("category").GetString(),
            line.GetProperty("event").GetString(), line.GetProperty("message").GetString()));
        Assert.Equal((activity.TraceId.ToString(), activity.SpanId.ToString(), "r-1"), (line.GetProperty("traceId").GetString(), line.GetProperty("spanId").GetString(),
            line.GetProperty("requestId").GetString()));
        Assert.Equal("/api/v1/orders", Assert.Single(line.GetProperty("scope").EnumerateObject()).Value.GetString());
        Assert.Equal(["Account", "Count"], line.GetProperty("values").EnumerateObject().Select(value => value.Name));
        Assert.Equal("a \"b\"\n", line.GetProperty("values").GetProperty("Account").GetString());
        Assert.Equal(3, line.GetProperty("values").GetProperty("Count").GetInt32());
        Assert.Contains("no", line.GetProperty("exception").GetString(), StringComparison.Ordinal);
        Assert.Equal(DateTimeKind.Utc, line.GetProperty("time").GetDateTime().Kind);
    }

    [Fact]
    public void What_is_not_there_is_not_written()
    {
        Activity.Current = null;
        JsonElement line = Write<KeyValuePair<string, object?>[]>(LogLevel.Information, [new("{OriginalFormat}", "said")], null, new LoggerExternalScopeProvider());
        Assert.Equal(["time", "level", "category", "event", "message"], line.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task The_program_writes_them_when_told_so()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--log-format", "json");
        ProgramResult result = (await system.Program.StopAsync()).Succeeded();
        string[] lines = [.. result.Output.Split('\n').Where(line => line.StartsWith('{'))];
        Assert.Contains(lines, line => JsonElement.Parse(line).GetProperty("message").GetString()!.StartsWith("Data in ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_format_that_there_is_not_ends_with_one_line()
    {
        using var data = new TempFolder();
        using PortBlock ports = await PortBlock.TakeAsync();
        await using HybridProgram program = HybridProgram.Start(new Dictionary<string, string> { ["Logging__Format"] = "xml" }, "run", "--data", data.Path,
            "--port-offset", $"{ports.Offset}");
        ProgramResult result = await program.WaitAsync();
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.EndsWith("Logging:Format is 'xml'; expected console or json", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    private static JsonElement Write<TState>(LogLevel level, TState state, Exception? exception, IExternalScopeProvider scopes)
    {
        using var text = new StringWriter();
        var entry = new LogEntry<TState>(level, "Cat", new EventId(7, "Named"), state, exception, (_, _) => "said");
        new JsonLogFormatter().Write(entry, scopes, text);
        Assert.EndsWith("}\n", text.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, text.ToString().Count(one => one == '\n'));
        return JsonElement.Parse(text.ToString());
    }
}
