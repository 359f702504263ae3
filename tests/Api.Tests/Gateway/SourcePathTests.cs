using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests.Gateway;

/// <summary>The paths of the documents that the system was planned by: none of them is unknown here.</summary>
public sealed class SourcePathTests
{
    /// <summary>All of them, in the order of the document; those of user-config are the configuration service's and have tests of their own.</summary>
    public static readonly TheoryData<string, string> NotThereYet = new()
    {
        { "POST", "user-features" },
        { "GET", "feature-sets/ann" },
        { "POST", "validation/pattern" },
        { "GET", "patterns/ann" },
        { "POST", "user-patterns" },
        { "POST", "coordination/register" },
        { "GET", "agents/status" },
        { "POST", "consensus/request" },
        { "POST", "decisions/make" },
        { "GET", "models/status" },
        { "POST", "consensus/aggregate" },
    };

    [Fact]
    public async Task What_is_not_there_yet_points_to_what_is()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        string[] known = [.. host.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Select(endpoint => endpoint.RoutePattern.RawText!.TrimEnd('/'))];
        foreach ((string method, string path) in NotThereYet.Select(row => (row.Data.Item1, row.Data.Item2)))
        {
            Answer answer = (await host.SendAsync(new HttpMethod(method), path, null, null)).ExpectProblem(501, ApiReason.ServiceNotAvailable);
            Assert.NotEmpty(answer["service"].GetString()!);
            string instead = answer["instead"].GetString()!;
            Assert.Contains(instead, known);
            Assert.Equal($"<{instead}>; rel=\"alternate\"", answer.Headers["Link"]);
        }
    }

    [Fact]
    public async Task The_features_are_listed_as_the_document_says()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        JsonElement features = (await host.GetAsync("features")).Expect(200).Json;
        Assert.Contains(features.EnumerateArray(), feature => feature.GetProperty("usage").GetString()!.StartsWith("sma(", StringComparison.Ordinal));
    }
}
