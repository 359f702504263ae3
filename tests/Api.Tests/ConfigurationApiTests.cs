using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Domain.Users;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

public sealed class ConfigurationApiTests(ITestOutputHelper output)
{
    private const string Secret = "a secret of some length";

    [Fact]
    public async Task ADocumentIsMadeChangedComparedRolledBackAndRemoved()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        object dark = new { section = "display", values = new { theme = "dark" }, comment = "for the night" };
        Answer made = (await host.PostAsync("user-config", dark)).Expect(201);
        Assert.Equal("/api/v1/user-config/owner/display", made.Headers["Location"]);
        Assert.Equal("\"1\"", made.Headers["ETag"]);
        Assert.Equal(made.MinPosition.ToString(), made.Headers["X-Min-Position"]);
        Answer read = (await host.GetAsync(made.Headers["Location"])).Expect(200);
        Assert.Equal(made["document"].GetRawText(), read.Json.GetRawText());
        Assert.Equal(("display", "owner", "for the night", 1L),
            (read["section"].GetString(), read["changedBy"].GetString(), read["comment"].GetString(), read["version"].GetInt64()));

        object light = new { values = new { theme = "light", timeZone = "local" }, version = 1 };
        Answer changed = (await host.PutAsync("user-config/display", light)).Expect(200);
        Assert.Equal(2, changed["document"].GetProperty("version").GetInt64());
        JsonElement[] differences = [.. (await host.GetAsync("user-config/owner/display/diff?from=1&to=2")).Expect(200).Json.EnumerateArray()];
        Assert.Equal(["theme Changed \"dark\" \"light\"", "timeZone Added null \"local\""], differences.Select(each => $"{each.GetProperty("setting")} "
            + $"{each.GetProperty("change")} {each.GetProperty("from").GetRawText()} {each.GetProperty("to").GetRawText()}"));
        (await host.GetAsync("user-config/owner/display/diff?from=1&to=3")).ExpectProblem(404, "ConfigurationUnknown");

        Answer back = (await host.PostAsync("user-config/display/rollback", new { to = 1, version = 2, comment = "it was better" })).Expect(200);
        Assert.Equal("""{"theme":"dark"}""", back["document"].GetProperty("values").GetRawText());
        Answer removed = (await host.DeleteAsync("user-config/display?version=3&comment=enough")).Expect(200);
        Assert.True(removed["document"].GetProperty("removed").GetBoolean());
        Assert.Empty((await host.GetAsync("user-config/owner"))["documents"].EnumerateArray());

        JsonElement[] versions = [.. (await host.GetAsync("user-config/owner/display/versions")).Expect(200).Json.EnumerateArray()];
        Assert.Equal(["4 Removed enough", "3 RolledBack it was better", "2 Changed ", "1 Created for the night"], versions.Select(
            version => $"{version.GetProperty("number")} {version.GetProperty("action")} {version.GetProperty("comment")}"));
        Assert.Equal(1, versions[1].GetProperty("restores").GetInt64());
        Assert.Equal("light", (await host.GetAsync("user-config/owner/display/versions/2")).Expect(200)["values"].GetProperty("theme").GetString());
        (await host.GetAsync("user-config/owner/display/versions/9")).ExpectProblem(404, "ConfigurationUnknown");
        Answer anew = (await host.PostAsync("user-config", new { section = "display", values = new { } })).Expect(201);
        Assert.Equal(5, anew["document"].GetProperty("version").GetInt64());
        (await host.PostAsync("user-config", new { section = "display", values = new { } })).ExpectProblem(409, "ConfigurationExists");
    }

    [Fact]
    public async Task WhatCountsIsShownWithTheLayerThatSaysIt()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("strategies", StrategyApiTests.Cross())).Expect(201);
        object ofTenant = new { section = "trading", values = new { sizing = Fixed(1000), confirmOrders = false } };
        (await host.PostAsync("tenant-config", ofTenant)).Expect(201);
        (await host.PostAsync("user-config", new { section = "trading", values = new { sizing = Fixed(2000) } })).Expect(201);
        (await host.PostAsync("user-config", new { section = "trading", strategy = "cross", values = new { sizing = Fixed(3000) } })).Expect(201);
        (await host.PostAsync("user-config", new { section = "trading", strategy = "none", values = new { sizing = Fixed(3000) } })).ExpectProblem(
            404, "StrategyUnknown");

        Assert.Equal("3000 Strategy; false Tenant; 0.8 Default", await Effective("user-config/owner?strategy=cross"));
        Assert.Equal("2000 User; false Tenant; 0.8 Default", await Effective("user-config/owner"));
        Assert.Equal("1000 Tenant; false Tenant; 0.8 Default", await Effective("tenant-config"));
        Assert.Equal(["trading", "trading@cross"], (await host.GetAsync("user-config/owner"))["documents"].EnumerateArray()
            .Select(one => one.GetProperty("id").GetString()));

        async Task<string> Effective(string path)
        {
            JsonElement all = (await host.GetAsync(path)).Expect(200)["effective"];
            JsonElement sizing = all.GetProperty("trading").GetProperty("sizing"), confirm = all.GetProperty("trading").GetProperty("confirmOrders");
            JsonElement near = all.GetProperty("risk").GetProperty("nearLimitShare");
            return $"{sizing.GetProperty("value").GetProperty("value")} {sizing.GetProperty("source")}; "
                + $"{confirm.GetProperty("value").GetRawText()} {confirm.GetProperty("source")}; {near.GetProperty("value")} {near.GetProperty("source")}";
        }
    }

    [Fact]
    public async Task OfTwoWhoWriteAtOnceExactlyOneIsToldTheVersionThatThereIs()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("user-config", new { section = "risk", values = new { staleFeedSeconds = 1 } })).Expect(201);
        for (int version = 1; version <= 20; version++)
        {
            Answer[] answers = await Task.WhenAll(new[] { 100, 200 }.Select(add => Task.Run(() =>
                host.PutAsync("user-config/risk", new { values = new { staleFeedSeconds = add + version }, version }))));
            Answer won = Assert.Single(answers, answer => answer.Status == 200);
            Answer lost = Assert.Single(answers, answer => answer.Status == 409).ExpectProblem(409, "VersionConflict");
            Assert.Equal(version + 1, lost["currentVersion"].GetInt64());
            Answer stands = await host.GetAsync("user-config/owner/risk");
            Assert.Equal(won["document"].GetProperty("values").GetRawText(), stands["values"].GetRawText());
        }
    }

    [Fact]
    public async Task AChangeNamesTheVersionThatItIsMadeTo()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("user-config", new { section = "risk", values = new { staleFeedSeconds = 1 } })).Expect(201);
        object values = new { staleFeedSeconds = 2 };
        (await host.PutAsync("user-config/risk", new { values })).ExpectProblem(400, "InvalidInput", "version");
        (await host.DeleteAsync("user-config/risk")).ExpectProblem(400, "InvalidInput", "version");
        (await IfMatchAsync(host, "\"2\"", new { values })).ExpectProblem(409, "VersionConflict");
        (await IfMatchAsync(host, "1", new { values })).ExpectProblem(400, "InvalidInput", "version");
        (await IfMatchAsync(host, "*", new { values })).ExpectProblem(400, "InvalidInput", "version");
        (await IfMatchAsync(host, "\"1\"", new { values, version = 2 })).ExpectProblem(400, "InvalidInput", "version");
        Assert.Equal("\"2\"", (await IfMatchAsync(host, "\"1\"", new { values })).Expect(200).Headers["ETag"]);

        // The same request again, as after a lost answer, is the same answer and no conflict.
        string key = ApiHost.NewKey();
        Answer once = (await host.PutAsync("user-config/risk", new { values = new { staleFeedSeconds = 3 }, version = 2 }, key)).Expect(200);
        Answer twice = (await host.PutAsync("user-config/risk", new { values = new { staleFeedSeconds = 3 }, version = 2 }, key)).Expect(200);
        Assert.True(twice.IsReplayed);
        Assert.Equal((once.Text, once.Headers["ETag"]), (twice.Text, twice.Headers["ETag"]));
    }

    [Fact]
    public async Task ASecretIsKeptAndChangedAndRemovedAndNeverReturned()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        var answers = new List<Answer>
        {
            (await host.PostAsync("user-config",
                new { section = "notifications", values = new { webHookSecret = Secret, email = "a@b.example" } })).Expect(201),
            (await host.PutAsync("user-config/notifications", new { values = new { email = "c@d.example" }, version = 1 })).Expect(200),
        };
        Assert.True(answers[1]["document"].GetProperty("secrets").TryGetProperty("webHookSecret", out JsonElement first));
        Answer all = (await host.GetAsync("user-config/owner")).Expect(200);
        JsonElement effective = all["effective"].GetProperty("notifications").GetProperty("webHookSecret");
        Assert.Equal((JsonValueKind.Null, true, "User"),
            (effective.GetProperty("value").ValueKind, effective.GetProperty("set").GetBoolean(), effective.GetProperty("source").GetString()));
        Assert.Equal(first.GetDateTime(), effective.GetProperty("changedAt").GetDateTime());

        answers.Add(
            (await host.PutAsync("user-config/notifications", new { values = new { webHookSecret = Secret + "2" }, version = 2 })).Expect(200));
        answers.Add(
            (await host.PutAsync("user-config/notifications", new { values = new { webHookSecret = (string?)null }, version = 3 })).Expect(200));
        Assert.Empty(answers[^1]["document"].GetProperty("secrets").EnumerateObject());
        Answer wrong = (await host.PutAsync("user-config/notifications", new { values = new { webHookSecret = "short-one" }, version = 4 }))
            .ExpectProblem(400, "InvalidInput", "values.webHookSecret");
        Assert.DoesNotContain("short-one", wrong.Text);

        answers.Add(all);
        foreach (string path in (string[])["user-config/owner/notifications", "user-config/owner/notifications/versions",
            "user-config/owner/notifications/versions/1",
            "user-config/owner/notifications/diff?from=1&to=3", "journal?limit=100"])
        {
            answers.Add((await host.GetAsync(path)).Expect(200));
        }
        Assert.All(answers, answer => Assert.DoesNotContain(Secret, answer.Text));
        // Nor is it in any file of the installation.
        await host.RestartAsync(folder => Assert.All(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories),
            file => Assert.DoesNotContain(Secret, File.ReadAllText(file, System.Text.Encoding.Latin1))));
    }

    [Theory]
    [InlineData("""{"values":{}}""", "section")]
    [InlineData("""{"section":"weather","values":{}}""", "section")]
    [InlineData("""{"section":"display"}""", "values")]
    [InlineData("""{"section":"display","values":[]}""", "values")]
    [InlineData("""{"section":"display","values":{"colour":1}}""", "values.colour")]
    [InlineData("""{"section":"display","values":{"theme":"blue"}}""", "values.theme")]
    [InlineData("""{"section":"display","values":{},"strategy":"A/B"}""", "strategy")]
    [InlineData("""{"section":"display","values":{},"comment":"a\u0000b"}""", "comment")]
    [InlineData("""{"section":"display","values":{},"extra":1}""", "extra")]
    [InlineData("""{"section":"risk","values":{"nearLimitShare":1e400}}""", "values.nearLimitShare")]
    [InlineData("""{"section":"trading","values":{"limits":{"maxExposure":-1}}}""", "values.limits.maxExposure")]
    [InlineData("""{"section":"schedule","values":{"pausedHours":[{"days":["Mon"],"from":"25:00","to":"06:00"}]}}""", "values.pausedHours.0.from")]
    public async Task BadInputIsRefusedByFieldValueAndExpectation(string body, string field)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer refused = (await host.PostAsync("user-config", body)).ExpectProblem(400, "InvalidInput", field);
        Assert.Contains("expected", refused.Detail);
        Assert.Empty((await host.GetAsync("user-config/owner"))["documents"].EnumerateArray());
    }

    [Fact]
    public async Task AllThatIsWrongIsToldAtOnce()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer refused = (await host.PostAsync("user-config", """{"section":"display","values":{"theme":"blue","locale":1,"x":2}}""")).ExpectProblem(
            400, "InvalidInput");
        Assert.Equal(["values.locale", "values.theme", "values.x"], refused["errors"].EnumerateObject().Select(one => one.Name).Order());
        (await host.PostAsync("tenant-config", new { section = "notifications", values = new { email = "a@b.example" } })).ExpectProblem(
            400, "InvalidInput", "values.email");
        (await host.PostAsync("tenant-config", new { section = "trading", strategy = "cross", values = new { } })).ExpectProblem(400, "InvalidInput",
            "strategy");
        (await host.PutAsync("user-config/weather", new { values = new { }, version = 1 })).ExpectProblem(404, "ConfigurationUnknown");
        (await host.GetAsync("user-config/owner/weather")).ExpectProblem(404, "ConfigurationUnknown");
        (await host.GetAsync("user-config/A")).ExpectProblem(400, "InvalidInput", "userId");
        (await host.GetAsync("user-config/owner?strategy=A")).ExpectProblem(400, "InvalidInput", "strategy");
    }

    [Fact]
    public async Task SchemasArePublished()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        JsonElement[] sections = [.. (await host.GetAsync("config-schemas")).Expect(200).Json.EnumerateArray()];
        Assert.Equal(["display", "trading", "notifications", "risk", "schedule"], sections
            .Select(section => section.GetProperty("section").GetString()));
        foreach (JsonElement section in sections)
        {
            Answer schema = (await host.GetAsync($"config-schemas/{section.GetProperty("section").GetString()}")).Expect(200);
            Assert.Equal("application/schema+json", schema.ContentType);
            Assert.True(JsonElement.DeepEquals(section.GetProperty("schema"), schema.Json));
        }
        (await host.GetAsync("config-schemas/weather")).ExpectProblem(404, "ConfigurationUnknown");
    }

    [Fact]
    public async Task NewAccountsAndFollowersBeginWithWhatIsConfigured()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("user-config",
            new { section = "trading", values = new { limits = new { maxOrderVolume = 5000 }, sizing = Fixed(2000) } })).Expect(201);
        Answer opened = await host.OpenAsync("main");
        JsonElement limits = opened["account"].GetProperty("limits");
        Assert.Equal((5000m, JsonValueKind.Null),
            (limits.GetProperty("maxOrderVolume").GetDecimal(), limits.GetProperty("maxExposurePercent").ValueKind));
        // Opened again by a repeat, after the configuration was changed: the same account.
        (await host.PutAsync("user-config/trading", new { values = new { sizing = Fixed(2000) }, version = 1 })).Expect(200);
        await host.OpenAsync("main");
        Assert.Equal(2000m, (await host.OpenAsync("second"))["account"].GetProperty("limits").GetProperty("maxExposurePercent").GetDecimal());

        (await host.PostAsync("strategies", StrategyApiTests.Cross(accounts: ["main"]))).Expect(201);
        Assert.Equal(2000m, await FollowedAsync("main"));
        (await host.PostAsync("user-config", new { section = "trading", strategy = "cross", values = new { sizing = Fixed(3000) } })).Expect(201);
        (await host.PutAsync("accounts/second/follows/cross", new { })).Expect(200);
        Assert.Equal(3000m, await FollowedAsync("second"));
        (await host.PutAsync("accounts/second/follows/cross", new { sizing = Fixed(10) })).Expect(200);
        Assert.Equal(10m, await FollowedAsync("second"));

        async Task<decimal> FollowedAsync(string account) => (await host.GetAsync($"accounts/{account}")).Expect(200)["follows"].GetProperty("cross")
            .GetProperty("sizing").GetProperty("value").GetDecimal();
    }

    [Fact]
    public async Task AChangeIsInTheAccountAndOnItsOwnersScreenAtOnce()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        (await host.PutAsync("accounts/main/limits", new { maxOpenPositions = 2 })).Expect(200);
        (await host.PostAsync("accounts/main/orders", OrderApiTests.Market(1000))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        await client.SubscribeAsync(["EURUSD"], "main");
        await client.WaitForAsync("account", account => Use(account) == (1m, 0.5m, false));

        long begun = Stopwatch.GetTimestamp();
        Answer made = (await host.PostAsync("user-config", new { section = "risk", values = new { nearLimitShare = 0.5m } })).Expect(201);
        JsonElement told = await client.WaitForAsync("configuration", _ => true);
        output.WriteLine($"told over the hub after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms");
        await client.WaitForAsync("account", account => Use(account) == (1m, 0.5m, true));
        output.WriteLine($"in the account grain, and its view on the screen, after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms");
        Assert.Equal(("User", "risk", 1L, made.MinPosition), (told.GetProperty("layer").GetString(), told.GetProperty("id").GetString(),
            told.GetProperty("version").GetInt64(), told.GetProperty("position").GetInt64()));

        (await host.PostAsync("tenant-config", new { section = "display", values = new { theme = "dark" } })).Expect(201);
        await client.WaitForAsync("configuration", push =>
            push.GetProperty("layer").GetString() == "Tenant" && push.GetProperty("id").GetString() == "display");

        static (decimal, decimal, bool) Use(JsonElement account)
        {
            JsonElement use = Assert.Single(account.GetProperty("limitUse").EnumerateArray());
            return (use.GetProperty("used").GetDecimal(), use.GetProperty("share").GetDecimal(), use.GetProperty("near").GetBoolean());
        }
    }

    [Fact]
    public async Task OthersReadWhatTheyMayAndChangeNothing()
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddHttpContextAccessor().AddScoped<ICaller, HeaderCaller>());
        (await AsAsync("ann", HttpMethod.Post, "user-config", new { section = "risk", values = new { staleFeedSeconds = 7 } })).Expect(201);
        object email = new { section = "notifications", values = new { email = "ann@acme.example" } };
        (await AsAsync("ann", HttpMethod.Post, "user-config", email)).Expect(201);
        (await AsAsync("bob", HttpMethod.Get, "user-config/ann")).ExpectProblem(403, "PermissionMissing");
        (await AsAsync("bob", HttpMethod.Get, "user-config/ann/risk/versions")).ExpectProblem(403, "PermissionMissing");
        (await AsAsync("bob", HttpMethod.Get, "tenant-config")).ExpectProblem(403, "PermissionMissing");
        (await AsAsync("bob", HttpMethod.Post, "tenant-config", new { section = "risk", values = new { } })).ExpectProblem(403, "PermissionMissing");

        // The auditor sees it, but for what is private.
        Answer seen = (await AsAsync("auditor", HttpMethod.Get, "user-config/ann")).Expect(200);
        Assert.Equal("risk", Assert.Single(seen["documents"].EnumerateArray()).GetProperty("id").GetString());
        Assert.False(seen["effective"].TryGetProperty("notifications", out _));
        Assert.DoesNotContain("ann@acme.example", seen.Text);
        (await AsAsync("auditor", HttpMethod.Get, "user-config/ann/risk")).Expect(200);
        (await AsAsync("auditor", HttpMethod.Get, "user-config/ann/notifications")).ExpectProblem(404, "ConfigurationUnknown");
        (await AsAsync("auditor", HttpMethod.Get, "user-config/ann/notifications/versions/1")).ExpectProblem(404, "ConfigurationUnknown");

        // What bob changes is his own, and what is another tenant's is not there.
        (await AsAsync("bob", HttpMethod.Put, "user-config/risk", new { values = new { }, version = 1 })).ExpectProblem(404, "ConfigurationUnknown");
        Answer elsewhere = (await AsAsync("auditor", HttpMethod.Get, "user-config/ann", tenant: "beta")).Expect(200);
        Assert.Empty(elsewhere["documents"].EnumerateArray());

        async Task<Answer> AsAsync(string user, HttpMethod method, string path, object? body = null, string tenant = "acme")
        {
            using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = body is null ? null : JsonContent.Create(body) };
            request.Headers.Add("X-Tenant", tenant);
            request.Headers.Add("X-User", user);
            if (method != HttpMethod.Get) request.Headers.Add("Idempotency-Key", ApiHost.NewKey());
            using HttpResponseMessage response = await host.Client.SendAsync(request);
            return await Answer.ReadAsync(response);
        }
    }

    private static object Fixed(decimal units) => new { kind = "FixedUnits", value = units };

    private static async Task<Answer> IfMatchAsync(ApiHost host, string tag, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/v1/user-config/risk") { Content = JsonContent.Create(body) };
        request.Headers.TryAddWithoutValidation("If-Match", tag);
        request.Headers.Add("Idempotency-Key", ApiHost.NewKey());
        using HttpResponseMessage response = await host.Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    /// <summary>Whoever the request says: bob is a trader, the auditor an auditor.</summary>
    private sealed class HeaderCaller(IHttpContextAccessor http) : ICaller
    {
        public string Tenant => http.HttpContext?.Request.Headers["X-Tenant"].ToString() is { Length: > 0 } tenant ? tenant : "acme";

        public string User => http.HttpContext?.Request.Headers["X-User"].ToString() is { Length: > 0 } user ? user : "nobody";

        public bool Has(Permission permission) => RolePermissions.Of(User == "auditor" ? Role.Auditor : Role.Trader).Contains(permission);
    }
}
