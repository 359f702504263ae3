using System.Text.Json;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.WebConsole;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

public sealed class DocumentTests
{
    [Fact]
    public async Task OpenApiListsEveryRouteWithItsKeyAndItsProblems()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        JsonElement paths = (await host.GetAsync("/openapi/v1.json")).Expect(200)["paths"];
        int routes = 0;
        foreach (RouteEndpoint endpoint in host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            string path = "/" + endpoint.RoutePattern.RawText!.Trim('/');
            if (!path.StartsWith("/api/v1/", StringComparison.Ordinal)) continue;
            path = path.Replace("{**id}", "{id}");
            foreach (string method in endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods)
            {
                routes++;
                Assert.True(paths.TryGetProperty(path, out JsonElement item), $"{path} is not in the document");
                Assert.True(item.TryGetProperty(method.ToLowerInvariant(), out JsonElement operation), $"{method} {path} is not in the document");
                Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
                Assert.NotEmpty(operation.GetProperty("operationId").GetString()!);
                string[] headers = operation.TryGetProperty("parameters", out JsonElement parameters)
                    ? [.. parameters.EnumerateArray().Where(one => one.GetProperty("in").GetString() == "header")
                        .Select(one => one.GetProperty("name").GetString()!)]
                    : [];
                // What only looks changes nothing that could be done twice.
                bool looks = method == "GET" || path is "/api/v1/rules/check" or "/api/v1/accounts/{account}/orders/preview"
                    || operation.GetProperty("responses").TryGetProperty("501", out _);
                // Nor is an answer kept that holds a secret.
                bool isSecret = endpoint.Metadata.GetMetadata<SecretAnswer>() is not null;
                Assert.Equal(looks || isSecret ? [] : ["Idempotency-Key"], headers);
                if (method == "GET") continue;
                Assert.True(operation.GetProperty("responses").GetProperty("400").GetProperty("content").TryGetProperty(
                    "application/problem+json", out _));
            }
        }
        Assert.Equal(paths.EnumerateObject().Where(path => path.Name.StartsWith("/api/v1/", StringComparison.Ordinal)).Sum(path => path.Value.EnumerateObject().Count()), routes);
        JsonElement schemas = (await host.GetAsync("/openapi/v1.json"))["components"].GetProperty("schemas");
        Assert.True(schemas.GetProperty("ProblemDetails").GetProperty("properties").TryGetProperty("reason", out _));
        Assert.Equal("string", schemas.GetProperty("OrderView").GetProperty("properties").GetProperty("createdAt").GetProperty("type").GetString());
        Assert.Equal("decimal", schemas.GetProperty("OrderView").GetProperty("properties").GetProperty("volume").GetProperty("format").GetString());
        JsonElement backtest = schemas.GetProperty("BacktestInput");
        Assert.Equal("market:EURUSD:H1", backtest.GetProperty("examples")[0].GetProperty("dataSets")[0].GetString());
        JsonElement order = schemas.GetProperty("PlaceOrder");
        Assert.Equal(["side", "symbol", "type", "volume"], order.GetProperty("required").EnumerateArray().Select(name => name.GetString()!).Order());
        Assert.Contains("ClientOrderId".ToLowerInvariant(), order.GetProperty("properties").EnumerateObject()
            .Select(one => one.Name.ToLowerInvariant()));
    }

    [Fact]
    public async Task ThePageToTryItIsThere()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer page = (await host.GetAsync("/swagger/index.html")).Expect(200);
        Assert.Equal("text/html", page.ContentType);
        (await host.GetAsync("/swagger/swagger-ui-bundle.js")).Expect(200);
    }

    [Fact]
    public async Task TheConsoleIsServedWithPoliciesAndTagsOrSaysWhatIsMissing()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer page = (await host.GetAsync("/")).Expect(200);
        Assert.Equal("text/html", page.ContentType);
        Assert.Contains("frame-ancestors 'none'", page.Headers["Content-Security-Policy"]);
        Assert.Equal("nosniff", page.Headers["X-Content-Type-Options"]);
        var files = host.Services.GetRequiredService<ConsoleFiles>();
        if (files.ByPath.Count == 0) Assert.Contains("node was not found", page.Text);
        foreach ((string path, ConsoleFile file) in files.ByPath)
        {
            Answer served = (await host.GetAsync(path)).Expect(200);
            Assert.Equal(file.ContentType.Split(';')[0], served.ContentType);
            Assert.Equal(file.IsNamedByContent ? "public, max-age=31536000, immutable" : "no-cache", served.Headers["Cache-Control"]);
            using var again = new HttpRequestMessage(HttpMethod.Get, path);
            again.Headers.TryAddWithoutValidation("If-None-Match", served.Headers["ETag"]);
            using HttpResponseMessage unchanged = await host.Client.SendAsync(again);
            Assert.Equal(System.Net.HttpStatusCode.NotModified, unchanged.StatusCode);
        }
        (await host.GetAsync("/nothing.js")).Expect(404);
    }

    [Fact]
    public void FilesNamedByTheirContentAreTold()
    {
        var files = new ConsoleFiles(typeof(DocumentTests).Assembly);
        Assert.Empty(files.ByPath);
    }

    [Fact]
    public async Task TheSystemSaysWhatRuns()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        Answer system = (await host.GetAsync("system")).Expect(200);
        Assert.Equal("0.1.0", system["version"].GetString());
        Assert.Equal("Local", system["host"].GetString());
        Assert.True(system["simulated"].GetBoolean());
        Assert.Equal("script", system["feed"].GetProperty("name").GetString());
        Assert.Equal(2, system["journal"].GetProperty("size").GetInt64());
        Assert.Equal("no-store", system.Headers["Cache-Control"]);
    }
}
