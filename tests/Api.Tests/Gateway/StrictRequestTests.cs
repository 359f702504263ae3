using System.Net.Sockets;
using System.Text;
using HybridTrading.Api;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests.Gateway;

/// <summary>What is not taken in, and how that is said.</summary>
public sealed class StrictRequestTests
{
    [Fact]
    public async Task An_unknown_member_is_named_with_the_name_that_was_meant()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer refused = (await host.PostAsync("accounts", """{"name": "main", "curency": "USD"}""")).ExpectProblem(400, ApiReason.InvalidInput, "curency");
        Assert.Contains("did you mean 'currency'?", refused.Detail);
        refused = (await host.PostAsync("accounts", """{"name": "main", "limits": {"maxOrderVolum": 1}}""")).ExpectProblem(400, ApiReason.InvalidInput);
        Assert.Contains("did you mean 'maxOrderVolume'?", refused.Detail);
    }

    [Fact]
    public async Task A_repeated_member_is_named()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("accounts", """{"name": "main", "name": "other"}""")).ExpectProblem(400, ApiReason.InvalidInput, "name");
        Answer inside = (await host.PostAsync("accounts", """{"name": "main", "limits": {"submitRate": {"count": 1, "count": 2}}}"""))
            .ExpectProblem(400, ApiReason.InvalidInput, "limits.submitRate.count");
        Assert.Contains("'limits.submitRate.count' stands there twice", inside.Detail);
    }

    [Fact]
    public async Task What_is_nested_too_deeply_says_so()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        string deep = string.Concat(Enumerable.Repeat("{\"a\":", 40)) + "1" + new string('}', 40);
        Assert.Contains("nested more than 16 deep", (await host.PostAsync("accounts", deep)).ExpectProblem(400, ApiReason.InvalidInput, "body").Detail);
        string wide = $$"""{"name": "{{new string('x', 70_000)}}"}""";
        (await host.PostAsync("accounts", wide)).ExpectProblem(413, ApiReason.BodyTooLarge);
    }

    [Theory]
    [InlineData(9_000, 0, 0)]
    [InlineData(1, 40_000, 0)]
    [InlineData(1, 1, 100)]
    public async Task Lines_and_headers_have_bounds(int path, int header, int headers)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(host.Address.Host, host.Address.Port);
        await using NetworkStream stream = socket.GetStream();
        var text = new StringBuilder($"GET /{new string('p', path)} HTTP/1.1\r\nHost: localhost\r\n");
        if (header > 0) text.Append($"X-Large: {new string('h', header)}\r\n");
        for (int i = 0; i < headers; i++) text.Append($"X-{i}: 1\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text.Append("\r\n").ToString()));
        using var reader = new StreamReader(stream, Encoding.ASCII);
        string? first = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Matches("^HTTP/1.1 (414|431) ", first);
    }

    [Fact]
    public async Task Lists_of_accounts_and_strategies_come_in_pages()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        long position = 0;
        foreach (string name in (string[])["c", "a", "b", "d"]) position = (await host.OpenAsync(name)).MinPosition;
        Answer first = (await host.GetAsync($"accounts?limit=3&minPosition={position}")).Expect(200);
        Assert.Equal(["a", "b", "c"], first.Json.EnumerateArray().Select(one => one.GetProperty("name").GetString()));
        Assert.Equal("</api/v1/accounts?limit=3&after=c>; rel=\"next\"", first.Headers["Link"]);
        Answer last = (await host.GetAsync("accounts?limit=3&after=c")).Expect(200);
        Assert.Equal(["d"], last.Json.EnumerateArray().Select(one => one.GetProperty("name").GetString()));
        Assert.False(last.Headers.ContainsKey("Link"));
        Assert.Equal(2, (await host.GetAsync("accounts?after=bb")).Expect(200).Json.GetArrayLength());
        (await host.GetAsync("accounts?limit=0")).ExpectProblem(400, ApiReason.InvalidInput, "limit");
        (await host.GetAsync("strategies?after=NO!")).ExpectProblem(400, ApiReason.InvalidInput, "after");
    }
}
