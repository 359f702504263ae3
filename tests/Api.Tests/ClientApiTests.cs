using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Users;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

/// <summary>Services that sign in for a tenant: OAuth 2.0 client credentials on the real API.</summary>
public sealed class ClientApiTests
{
    [Fact]
    public async Task AServiceGetsTokensForWhatItWasGivenAndNothingElse()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (string id, string secret) = await MakeAsync(owner, "ReadMarket", "ReadTrading", "Trade");
        Answer list = (await owner.GetAsync("clients")).Expect(200);
        Assert.DoesNotContain(secret, list.Text);
        Assert.Equal(JsonValueKind.Null, list.Json[0].GetProperty("lastUsed").ValueKind);

        using var service = new Visitor(host);
        Answer token = (await TokenAsync(host, $"{id}:{secret}")).Expect(200);
        Assert.Equal(("Bearer", 600, "ReadMarket ReadTrading Trade"), (token["token_type"].GetString(), token["expires_in"].GetInt32(), token["scope"].GetString()));
        Assert.Equal(("no-store", "no-cache"), (token.Headers["Cache-Control"], token.Headers["Pragma"]));
        service.Token = token["access_token"].GetString();
        (await service.GetAsync("quotes")).Expect(200);
        long position = (await service.PostAsync("accounts", new { name = "main", currency = "USD" })).Expect(201).MinPosition;
        (await service.GetAsync("journal")).ExpectProblem(403, "PermissionMissing");
        (await service.GetAsync("members")).ExpectProblem(403, "PermissionMissing");
        (await service.GetAsync("accounts?user=owner")).ExpectProblem(403, "PermissionMissing");
        (await service.PostAsync("auth/sign-out", new { })).Expect(204);
        // What is the service's is not the owner's, and the tenant is the client's own.
        Assert.Empty((await owner.GetAsync($"accounts?minPosition={position}")).Expect(200).Json.EnumerateArray());
        Assert.Equal("main", (await owner.GetAsync($"accounts?user={id}")).Expect(200).Json[0].GetProperty("name").GetString());

        Answer less = (await TokenAsync(host, $"{id}:{secret}", scope: "ReadMarket")).Expect(200);
        Assert.Equal("ReadMarket", less["scope"].GetString());
        service.Token = less["access_token"].GetString();
        (await service.GetAsync("quotes")).Expect(200);
        (await service.GetAsync("accounts")).ExpectProblem(403, "PermissionMissing");
        Assert.Equal(JsonValueKind.String, (await owner.GetAsync("clients")).Json[0].GetProperty("lastUsed").ValueKind);

        // All of it is there after a restart.
        await host.RestartAsync();
        (await TokenAsync(host, $"{id}:{secret}")).Expect(200);
    }

    [Fact]
    public async Task FailuresHaveTheFormOfOAuth()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (string id, string secret) = await MakeAsync(owner, "ReadMarket");

        async Task FaultAsync(int status, string error, string? basic, string form)
        {
            Answer answer = (await FormAsync(host, basic, form)).Expect(status);
            Assert.Equal((error, "application/json"), (answer["error"].GetString(), answer.ContentType));
            Assert.NotEmpty(answer["error_description"].GetString()!);
            Assert.DoesNotContain(secret, answer.Text);
            if (error == "invalid_client" && basic is not null) Assert.StartsWith("Basic ", answer.Headers["WWW-Authenticate"]);
        }

        const string Grant = "grant_type=client_credentials";
        string good = $"{id}:{secret}";
        (await FormAsync(host, null, $"{Grant}&client_id={id}&client_secret={secret}")).Expect(200);
        (await FormAsync(host, good, Grant)).Expect(200);
        await FaultAsync(400, "invalid_request", good, "");
        await FaultAsync(400, "invalid_request", good, $"{Grant}&{Grant}");
        await FaultAsync(400, "invalid_request", good, $"{Grant}&client_secret={secret}");
        await FaultAsync(400, "invalid_request", good, $"{Grant}&scope={new string('x', 9000)}");
        await FaultAsync(400, "unsupported_grant_type", good, "grant_type=password&username=owner@example.org&password=x");
        await FaultAsync(400, "unsupported_grant_type", good, "grant_type=authorization_code&code=x");
        await FaultAsync(400, "invalid_scope", good, $"{Grant}&scope=Trade");
        await FaultAsync(400, "invalid_scope", good, $"{Grant}&scope=ReadMarket+ReadMarket");
        await FaultAsync(400, "invalid_scope", good, $"{Grant}&scope=0");
        await FaultAsync(401, "invalid_client", null, Grant);
        await FaultAsync(401, "invalid_client", null, $"{Grant}&client_id={id}");
        await FaultAsync(401, "invalid_client", $"{id}:wrong", Grant);
        await FaultAsync(401, "invalid_client", $"{id}:", Grant);
        await FaultAsync(401, "invalid_client", $"local.cmadeup:{secret}", Grant);
        await FaultAsync(401, "invalid_client", $"other{id[5..]}:{secret}", Grant);
        await FaultAsync(401, "invalid_client", $"owner:{Visitor.Password}", Grant);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Address, "/api/v1/auth/token")) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        using HttpResponseMessage json = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        // What is no form does not even reach the route.
        (await Answer.ReadAsync(json)).ExpectProblem(415, "MediaTypeUnsupported");
    }

    [Fact]
    public async Task ASecretIsRotatedWithAnOverlapAndAtOnceWhereItHasLeaked()
    {
        var clock = new MovedTime();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (string id, string first) = await MakeAsync(owner, "ReadMarket");
        string second = (await owner.PostAsync($"clients/{id}/secrets", new { expiresDays = 30, overlapHours = 1 })).Expect(200)["secret"].GetString()!;
        (await TokenAsync(host, $"{id}:{first}")).Expect(200);
        (await TokenAsync(host, $"{id}:{second}")).Expect(200);
        clock.Moved = TimeSpan.FromMinutes(61);
        (await TokenAsync(host, $"{id}:{first}")).Expect(401);
        Answer token = (await TokenAsync(host, $"{id}:{second}")).Expect(200);

        using var service = new Visitor(host) { Token = token["access_token"].GetString() };
        (await service.GetAsync("quotes")).Expect(200);
        (await owner.SignInAsync("owner@example.org")).Expect(200);
        string third = (await owner.PostAsync($"clients/{id}/secrets", new { expiresDays = 2, overlapHours = 0 })).Expect(200)["secret"].GetString()!;
        (await TokenAsync(host, $"{id}:{second}")).Expect(401);
        await UntilAsync(async () => (await service.GetAsync("quotes")).Reason == "TokenInvalid");
        service.Token = (await TokenAsync(host, $"{id}:{third}")).Expect(200)["access_token"].GetString();
        (await service.GetAsync("quotes")).Expect(200);

        // Not so far that the service signs with another key, which a verifier looks for every few seconds only, by a clock that is not moved.
        clock.Moved += TimeSpan.FromDays(3);
        (await TokenAsync(host, $"{id}:{third}")).Expect(401);
        (await owner.SignInAsync("owner@example.org")).Expect(200);
        (await owner.PostAsync("clients/local.cmadeup/secrets", new { expiresDays = 30 })).ExpectProblem(404, "UserUnknown");
        (await owner.PostAsync($"clients/{id}/secrets", new { expiresDays = 367 })).ExpectProblem(400, "InvalidInput", "expiresDays");
        (await owner.PostAsync($"clients/{id}/secrets", new { expiresDays = 1, overlapHours = 169 })).ExpectProblem(400, "InvalidInput", "overlapHours");
    }

    [Fact]
    public async Task ARemovedClientIsOutAtOnceWithTokensThatWereFoundGood()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (string id, string secret) = await MakeAsync(owner, "ReadMarket");
        using var service = new Visitor(host) { Token = (await TokenAsync(host, $"{id}:{secret}"))["access_token"].GetString() };
        (await service.GetAsync("quotes")).Expect(200);
        (await owner.DeleteAsync($"clients/{id}")).Expect(204);
        (await TokenAsync(host, $"{id}:{secret}")).Expect(401);
        await UntilAsync(async () => (await service.GetAsync("quotes")).Reason == "TokenInvalid");
        (await owner.DeleteAsync($"clients/{id}")).ExpectProblem(404, "UserUnknown");
        Assert.Empty((await owner.GetAsync("clients")).Expect(200).Json.EnumerateArray());
        // Who made it and who took it away is in the journal.
        string[] told = [];
        await UntilAsync(async () =>
        {
            told = [.. (await owner.GetAsync("journal?user=clients&limit=200")).Expect(200)["entries"].EnumerateArray().Select(one => one.GetProperty("name").GetString()!)];
            return told.Contains("client-removed");
        });
        Assert.Equal(["client-made", "client-signed-in", "client-removed"], told);
    }

    [Fact]
    public async Task NobodyGivesWhatTheyDoNotHaveNorWhatIsForPersons()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor second = await owner.InviteAsync("second", "Owner");
        foreach (Permission scope in ServiceClient.ForPersonsOnly) await RefusedAsync(owner, $"{scope}");
        await RefusedAsync(owner, "ReadMarket", "ReadMarket");
        await RefusedAsync(owner);
        (await owner.PostAsync("clients", new { name = "x", scopes = new[] { "Everything" }, expiresDays = 30 })).ExpectProblem(400, "InvalidInput");
        (await owner.PostAsync("clients", new { name = " ", scopes = new[] { "ReadMarket" }, expiresDays = 30 })).ExpectProblem(400, "InvalidInput", "name");
        (await owner.PostAsync("clients", new { name = "x", scopes = new[] { "ReadMarket" }, expiresDays = 0 })).ExpectProblem(400, "InvalidInput", "expiresDays");
        // What is the installation's an owner who is no administrator cannot give, nor take over by a secret of their own.
        foreach (Permission scope in ServiceClient.OfInstallation) await RefusedAsync(second, $"{scope}");
        (string id, _) = await MakeAsync(owner, "Compliance", "ReadMetrics", "Operate");
        (await second.PostAsync($"clients/{id}/secrets", new { expiresDays = 30 })).ExpectProblem(400, "InvalidInput", "id");
        (await second.DeleteAsync($"clients/{id}")).Expect(204);

        static async Task RefusedAsync(Visitor who, params string[] scopes) =>
            (await who.PostAsync("clients", new { name = "x", scopes, expiresDays = 30 })).ExpectProblem(400, "InvalidInput", "scopes");
    }

    [Fact]
    public async Task ClientsOfAnotherTenantAreNobodysBusiness()
    {
        await using ApiHost host = await ApiHost.StartAsync(
            services => services.AddSingleton(new Api.Identity.IdentityOptions { SignUp = true }), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (string id, string secret) = await MakeAsync(owner, "ReadMarket");
        using var stranger = new Visitor(host);
        (await stranger.PostAsync("auth/sign-up", new { email = "eve@example.org", name = "Eve", password = Visitor.Password })).Expect(202);
        (await stranger.PostAsync("auth/verify-email", new { token = host.MailLink("eve@example.org", "verify") })).Expect(204);
        (await stranger.SignInAsync("eve@example.org")).Expect(200);
        Assert.Empty((await stranger.GetAsync("clients")).Expect(200).Json.EnumerateArray());
        (await stranger.DeleteAsync($"clients/{id}")).ExpectProblem(404, "UserUnknown");
        (await stranger.PostAsync($"clients/{id}/secrets", new { expiresDays = 30 })).ExpectProblem(404, "UserUnknown");
        (await TokenAsync(host, $"{id}:{secret}")).Expect(200);
        (string own, _) = await MakeAsync(stranger, "ReadTenant", "ReadTrading");
        Assert.StartsWith(stranger.Tenant + ".", own);
    }

    [Fact]
    public async Task WhoTriesTooOftenWaits()
    {
        var clock = new MovedTime();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (string id, string secret) = await MakeAsync(owner, "ReadMarket");
        for (int i = 0; i < Lockout.Free; i++) (await TokenAsync(host, $"{id}:wrong")).Expect(401);
        Answer closed = (await TokenAsync(host, $"{id}:{secret}")).Expect(429);
        Assert.Equal("invalid_client", closed["error"].GetString());
        Assert.InRange(int.Parse(closed.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture), 1, 30);
        clock.Moved = TimeSpan.FromSeconds(31);
        (await TokenAsync(host, $"{id}:{secret}")).Expect(200);
    }

    [Fact]
    public async Task NoFormMakesTheServiceFail()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        Gen<string> word = Gen.OneOf(
            Gen.Elements("grant_type", "client_id", "client_secret", "scope", "client_credentials", "local.c", "a.b.c", ".", "%", "%zz", "&", "=", "+", "ReadMarket", "\0", "\ud800", new string('x', 3000)),
            ArbMap.Default.GeneratorFor<string>().Select(text => text ?? ""));
        Gen<(string? Basic, string Form)> requests =
            from names in Gen.ListOf(word)
            from values in Gen.ArrayOf(word, names.Count)
            from basic in Gen.OneOf(Gen.Constant<string?>(null), word.Select(text => (string?)text))
            select (basic, "grant_type=client_credentials&" + string.Join('&', names.Zip(values, (name, value) => $"{name}={value}")));
        Prop.ForAll(requests.ToArbitrary(), request =>
        {
            Answer answer = FormAsync(host, request.Basic, request.Form).GetAwaiter().GetResult();
            Assert.True(answer.Status is >= 400 and < 500, $"{request.Basic} {request.Form}: {answer.Status} {answer.Text}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess(true));
    }

    internal static async Task<(string Id, string Secret)> MakeAsync(Visitor owner, params string[] scopes)
    {
        Answer made = (await owner.PostAsync("clients", new { name = "A service", scopes, expiresDays = 90 })).Expect(201);
        return (made["client"].GetProperty("id").GetString()!, made["secret"].GetString()!);
    }

    private static Task<Answer> TokenAsync(ApiHost host, string pair, string? scope = null) =>
        FormAsync(host, pair, $"grant_type=client_credentials{(scope is null ? "" : $"&scope={Uri.EscapeDataString(scope)}")}");

    private static async Task<Answer> FormAsync(ApiHost host, string? basic, string form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Address, "/api/v1/auth/token"));
        if (basic is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(basic)));
        request.Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded");
        using HttpResponseMessage response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (int look = 0; look < 3000; look++)
        {
            if (await condition()) return;
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
        Assert.Fail("it never came to that");
    }
}
