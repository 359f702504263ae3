using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HybridTrading.Api.Identity.Provider;
using HybridTrading.Domain.Users;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

/// <summary>Sign-in and tokens of an external OpenID Connect provider, which runs beside the API on a port of its own.</summary>
public sealed class ProviderApiTests
{
    [Fact]
    public async Task AnExistingUserLinksTheProviderWhileSignedInAndSignsInByIt()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor ann = await owner.InviteAsync("ann", "Trader");
        using var browser = new Visitor(host);
        Assert.Equal("Example Login", (await browser.GetAsync("auth/state"))["provider"].GetString());

        // The same address, verified by the provider, and yet it opens nothing.
        (await browser.SignInByProviderAsync()).ExpectProblem(403, "ProviderUnlinked");

        (await ann.PostAsync("me/provider-links", new { })).ExpectProblem(403, "PasswordWrong");
        (await ann.PostAsync("me/provider-links", new { password = "another password!" })).ExpectProblem(403, "PasswordWrong");
        Answer links = (await ann.LinkAsync()).Expect(200);
        JsonElement link = Assert.Single(links["links"].EnumerateArray());
        Assert.Equal((provider.Issuer, "ann@example.org", "local"),
            (link.GetProperty("issuer").GetString(), link.GetProperty("email").GetString(), link.GetProperty("tenant").GetString()));

        (await browser.SignInByProviderAsync()).Expect(200);
        Assert.Equal(ann.Id, browser.Id);
        (await browser.GetAsync("me")).Expect(200);
        (await browser.PostAsync("auth/refresh", new { })).Expect(200);

        // Another address at the provider changes nothing, another subject does.
        provider.Person["email"] = "owner@example.org";
        (await browser.SignInByProviderAsync()).Expect(200);
        Assert.Equal(ann.Id, browser.Id);
        provider.Person["sub"] = "somebody-else";
        using var other = new Visitor(host);
        (await other.SignInByProviderAsync()).ExpectProblem(403, "ProviderUnlinked");
        provider.Person["sub"] = "ann-7";
        // One person at the provider is one user here.
        (await owner.LinkAsync()).ExpectProblem(409, "UserExists");

        await host.RestartAsync();
        using var later = new Visitor(host);
        (await later.SignInByProviderAsync()).Expect(200);
        (await later.DeleteAsync($"me/provider-links/{link.GetProperty("id").GetString()}")).Expect(204);
        (await later.SignInByProviderAsync()).ExpectProblem(403, "ProviderUnlinked");
    }

    [Fact]
    public async Task SomebodyNewComesByInvitationWithoutAPassword()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.PostAsync("members/invitations", new { email = "newcomer@example.org", roles = new[] { "Trader" } })).Expect(201);
        string invitation = host.MailLink("newcomer@example.org", "invitation");
        using var newcomer = new Visitor(host);
        (await newcomer.SignInByProviderAsync("local.made-up")).ExpectProblem(403, "LinkInvalid");
        (await newcomer.SignInByProviderAsync(invitation)).Expect(200);
        Answer me = (await newcomer.GetAsync("me")).Expect(200);
        Assert.Equal(("newcomer@example.org", "Ann Other", "local"),
            (me["email"].GetString(), me["name"].GetString(), me["tenant"].GetProperty("id").GetString()));
        using var again = new Visitor(host);
        (await again.SignInByProviderAsync()).Expect(200);
        Assert.Equal(newcomer.Id, again.Id);

        // There is no password to guess, and the only way in stays.
        (await again.SignInAsync("newcomer@example.org", "")).ExpectProblem(401, "SignInFailed");
        Answer links = (await newcomer.GetAsync("me/provider-links")).Expect(200);
        Assert.False(links["hasPassword"].GetBoolean());
        string link = links["links"][0].GetProperty("id").GetString()!;
        (await newcomer.DeleteAsync($"me/provider-links/{link}")).ExpectProblem(409, "PasswordMissing");
        (await newcomer.PostAsync("me/password", new { current = "anything", password = Visitor.Password })).ExpectProblem(409, "PasswordMissing");
        (await newcomer.PostAsync("me/erasure", new { password = "anything", confirm = "newcomer@example.org" })).ExpectProblem(409, "PasswordMissing");
        (await newcomer.PostAsync("auth/forgot-password", new { email = "newcomer@example.org" })).Expect(202);
        (await newcomer.PostAsync("auth/reset-password", new { token = host.MailLink("newcomer@example.org", "reset"), password = Visitor.Password })).Expect(204);
        (await newcomer.SignInAsync("newcomer@example.org")).Expect(200);
        (await newcomer.DeleteAsync($"me/provider-links/{link}")).Expect(204);
    }

    [Fact]
    public async Task WhereSignUpIsOpenTheProvidersAddressCountsOnlyIfItVouchesForIt()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(signUp: true), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using var ann = new Visitor(host);
        (await ann.SignInByProviderAsync()).Expect(200);
        Assert.True((await ann.GetAsync("me"))["emailVerified"].GetBoolean());

        // What the provider does not vouch for is proven by a mail, and is nobody's way to another's user.
        provider.Person = new JsonObject { ["sub"] = "bob-8", ["email"] = "bob@example.org", ["email_verified"] = "true" };
        using var bob = new Visitor(host);
        (await bob.SignInByProviderAsync()).ExpectProblem(403, "EmailUnverified");
        (await bob.SignInByProviderAsync()).ExpectProblem(403, "EmailUnverified");
        (await bob.PostAsync("auth/verify-email", new { token = host.MailLink("bob@example.org", "verify") })).Expect(204);
        (await bob.SignInByProviderAsync()).Expect(200);
        Assert.NotEqual(ann.Id, bob.Id);

        provider.Person = new JsonObject { ["sub"] = "thief-9", ["email"] = "owner@example.org", ["email_verified"] = false };
        using var thief = new Visitor(host);
        (await thief.SignInByProviderAsync()).ExpectProblem(403, "EmailUnverified");
        provider.Person["email_verified"] = true;
        (await thief.SignInByProviderAsync()).ExpectProblem(409, "UserExists");
        provider.Person.Remove("email");
        (await thief.SignInByProviderAsync()).ExpectProblem(403, "ProviderUnlinked");
    }

    [Theory]
    [InlineData("wrong issuer")]
    [InlineData("wrong audience")]
    [InlineData("another party")]
    [InlineData("wrong nonce")]
    [InlineData("no nonce")]
    [InlineData("expired")]
    [InlineData("not yet valid")]
    [InlineData("issued later")]
    [InlineData("no subject")]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("unknown key")]
    [InlineData("tampered")]
    [InlineData("no token")]
    public async Task AnIdTokenThatIsNotGoodLetsNobodyIn(string fault)
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.LinkAsync()).Expect(200);
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        provider.Twist = claims =>
        {
            switch (fault)
            {
                case "wrong issuer": claims["iss"] = "https://login.example.org"; break;
                case "wrong audience": claims["aud"] = "another-client"; break;
                case "another party": (claims["aud"], claims["azp"]) = (new JsonArray(LocalProvider.ClientId, "another"), "another"); break;
                case "wrong nonce": claims["nonce"] = "another"; break;
                case "no nonce": claims.Remove("nonce"); break;
                case "expired": claims["exp"] = now - 1; break;
                case "not yet valid": claims["nbf"] = now + 120; break;
                case "issued later": claims["iat"] = now + 120; break;
                case "no subject": claims.Remove("sub"); break;
            }
        };
        provider.Forge = claims => fault switch
        {
            "none" => LocalProvider.Unsigned(new JsonObject { ["alg"] = "none", ["kid"] = provider.KeyId }, claims) + ".",
            "HS256" => ByPublicKey(provider, claims),
            "unknown key" => provider.Sign(claims, "made-up"),
            "tampered" => Tampered(provider, claims),
            "no token" => "",
            _ => provider.Sign(claims),
        };
        using var browser = new Visitor(host);
        (await browser.SignInByProviderAsync()).ExpectProblem(401, "ProviderRefused");
        // It was that, and nothing else.
        (provider.Twist, provider.Forge) = (_ => { }, null);
        (await browser.SignInByProviderAsync()).Expect(200);
    }

    [Fact]
    public async Task AnAnswerIsForTheBrowserThatAskedAndCountsOnce()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.LinkAsync()).Expect(200);
        using Visitor browser = new(host), other = new(host);

        (string code, string state, _) = await browser.AskProviderAsync();
        // Nobody can be made to go on with an answer that somebody else has asked for.
        (await other.PostAsync("auth/provider/complete", new { code, state })).ExpectProblem(401, "ProviderRefused");
        await other.AskProviderAsync();
        (await other.PostAsync("auth/provider/complete", new { code, state })).ExpectProblem(401, "ProviderRefused");
        // A sign-in is no link, and a link no sign-in.
        (await owner.PostAsync("me/provider-links/complete", new { code, state })).ExpectProblem(401, "ProviderRefused");
        (string linkCode, string linkState, _) = await owner.AskProviderAsync("me/provider-links", new { password = Visitor.Password });
        (await owner.PostAsync("auth/provider/complete", new { code = linkCode, state = linkState })).ExpectProblem(401, "ProviderRefused");

        string cookie = Assert.Single(browser.Cookies.GetCookies(new Uri(host.Address, "/api/v1/auth/provider")), one => one.Name == "ht_provider" && one.HttpOnly).Value;
        (await browser.PostAsync("auth/provider/complete", new { code, state })).Expect(200);
        // Replayed: the browser has forgotten it, and with its cookie kept by a thief the provider has.
        (await browser.PostAsync("auth/provider/complete", new { code, state })).ExpectProblem(401, "ProviderRefused");
        browser.Cookies.Add(host.Address, new System.Net.Cookie("ht_provider", cookie, "/"));
        (await browser.PostAsync("auth/provider/complete", new { code, state })).ExpectProblem(401, "ProviderRefused");
        (await browser.PostAsync("auth/provider/complete", new { code = "", state = "" })).ExpectProblem(401, "ProviderRefused");
    }

    [Fact]
    public async Task AProviderThatNamesItselfInRedirectsMustBeTheOne()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        provider.NamesIssuer = true;
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.LinkAsync()).Expect(200);
        using var browser = new Visitor(host);
        foreach (string? issuer in (string?[])[null, "https://login.example.org"])
        {
            (string code, string state, _) = await browser.AskProviderAsync();
            (await browser.PostAsync("auth/provider/complete", new { code, state, issuer })).ExpectProblem(401, "ProviderRefused");
        }
        (await browser.SignInByProviderAsync()).Expect(200);
    }

    [Fact]
    public async Task OurSecondFactorIsAskedForUnlessTheInstallationTakesTheProvidersWord()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        var clock = new MovedTime();
        bool trusts = false;
        await using ApiHost host = await ApiHost.StartAsync(
            services => provider.Configure(clock, change: options => options with { TrustsSecondFactor = trusts })(services), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.LinkAsync()).Expect(200);
        byte[] secret = IdentityApiTests.FromBase32((await owner.PostAsync("me/second-factor", new { password = Visitor.Password })).Expect(200)["secret"].GetString()!);
        string shown = Totp.Code(secret, Totp.StepOf(clock.GetUtcNow().UtcDateTime));
        string recovery = (await owner.PostAsync("me/second-factor/confirm", new { code = shown })).Expect(200)["recoveryCodes"][0].GetString()!;

        provider.Person["amr"] = new JsonArray("pwd", "mfa");
        using var browser = new Visitor(host);
        Answer half = (await browser.SignInByProviderAsync()).Expect(200);
        Assert.Equal(JsonValueKind.Null, half["tokens"].ValueKind);
        string ticket = half["ticket"].GetString()!;
        (await browser.GetAsync("me")).ExpectProblem(401, "SignInNeeded");
        (await browser.PostAsync("auth/refresh", new { })).ExpectProblem(401, "SessionEnded");
        (await browser.PostAsync("auth/provider/confirm", new { ticket, code = "no-such-code" })).ExpectProblem(401, "SignInFailed");
        (await browser.PostAsync("auth/provider/confirm", new { ticket = "owner.guessed", code = recovery })).ExpectProblem(401, "SignInFailed");
        browser.Keep((await browser.PostAsync("auth/provider/confirm", new { ticket, code = recovery })).Expect(200));
        (await browser.GetAsync("me")).Expect(200);
        // Ticket and code are used up.
        string late = (await browser.SignInByProviderAsync())["ticket"].GetString()!;
        (await browser.PostAsync("auth/provider/confirm", new { ticket = late, code = recovery })).ExpectProblem(401, "SignInFailed");
        clock.Moved = TimeSpan.FromMinutes(6);
        string next = Totp.Code(secret, Totp.StepOf(clock.GetUtcNow().UtcDateTime));
        (await browser.PostAsync("auth/provider/confirm", new { ticket, code = next })).ExpectProblem(401, "SignInFailed");
        (await browser.PostAsync("auth/provider/confirm", new { ticket = late, code = next })).ExpectProblem(401, "SignInFailed");
        clock.Moved = TimeSpan.Zero;

        trusts = true;
        await host.RestartAsync();
        using var trusted = new Visitor(host);
        (await trusted.SignInByProviderAsync()).Expect(200);
        Assert.Equal("owner", trusted.Id);
        provider.Person["amr"] = new JsonArray("pwd");
        using var plain = new Visitor(host);
        Assert.NotEmpty((await plain.SignInByProviderAsync()).Expect(200)["ticket"].GetString()!);
        provider.Person["acr"] = "high";
        using var high = new Visitor(host);
        (await high.SignInByProviderAsync()).Expect(200);
        Assert.Equal("owner", high.Id);
    }

    [Fact]
    public async Task KeysAreFetchedOnceAndAgainForANewOneButNotForEveryTokenThatIsMadeUp()
    {
        var clock = new MovedTime();
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.LinkAsync()).Expect(200);
        using var program = new Visitor(host);
        for (int i = 0; i < 5; i++)
        {
            program.Token = provider.AccessToken(claims => claims["jti"] = $"{i}");
            (await program.GetAsync("accounts")).Expect(200);
        }
        Assert.Equal(1, provider.KeysAsked);

        // A key that nobody has: looked for once within the floor.
        clock.Moved += ExternalProvider.Floor;
        for (int i = 0; i < 5; i++)
        {
            program.Token = provider.Sign(provider.Claims(LocalProvider.Audience), $"made-up-{i}");
            (await program.GetAsync("accounts")).ExpectProblem(401, "TokenInvalid");
        }
        Assert.Equal(2, provider.KeysAsked);

        string before = provider.AccessToken(claims => claims["jti"] = "before");
        provider.Rotate();
        clock.Moved += ExternalProvider.Floor;
        program.Token = provider.AccessToken();
        (await program.GetAsync("accounts")).Expect(200);
        Assert.Equal(3, provider.KeysAsked);
        // The key before is gone.
        program.Token = before;
        (await program.GetAsync("accounts")).ExpectProblem(401, "TokenInvalid");

        // While the provider is away, what is known goes on, beyond the hour for which nobody would ask.
        provider.IsDown = true;
        clock.Moved += TimeSpan.FromHours(2);
        program.Token = provider.AccessToken(now: clock.GetUtcNow());
        (await program.GetAsync("accounts")).Expect(200);
        using var browser = new Visitor(host);
        Assert.Equal(200, (await browser.PostAsync("auth/provider", new { })).Status);
        provider.IsDown = false;
        (string code, string state, _) = await browser.AskProviderAsync();
        provider.IsDown = true;
        (await browser.PostAsync("auth/provider/complete", new { code, state })).ExpectProblem(503, "ProviderUnavailable");
    }

    [Fact]
    public async Task WithoutTheProviderPasswordsGoOnAndItsTokensAreRefused()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        provider.IsDown = true;
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        Answer start = (await owner.PostAsync("auth/provider", new { })).ExpectProblem(503, "ProviderUnavailable");
        Assert.True(start.Headers.ContainsKey("Retry-After"));
        (await owner.SignInAsync("owner@example.org")).Expect(200);
        owner.Token = provider.AccessToken();
        (await owner.GetAsync("accounts")).ExpectProblem(401, "TokenInvalid");
    }

    [Fact]
    public async Task TheApiTakesTheProvidersTokensForWhatTheLinkedUserMayDoHere()
    {
        var clock = new MovedTime();
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor ann = await owner.InviteAsync("ann", "Trader");
        using var program = new Visitor(host) { Token = provider.AccessToken() };
        (await program.GetAsync("accounts")).ExpectProblem(401, "TokenInvalid");
        (await ann.LinkAsync()).Expect(200);
        long position = (await program.PostAsync("accounts", new { name = "main", currency = "USD" })).Expect(201).MinPosition;
        Assert.Equal("main", (await ann.GetAsync($"accounts?minPosition={position}")).Json[0].GetProperty("name").GetString());
        // Nothing that a person has to do here.
        (await program.PostAsync("me/api-keys", new { name = "k", scopes = new[] { "ReadMarket" }, expiresDays = 1 })).ExpectProblem(403, "PermissionMissing");
        (await program.GetAsync("me/sessions")).ExpectProblem(403, "PermissionMissing");
        // Nor can it be made a session, which may do all of it.
        (await program.PostAsync("me/tenant", new { tenant = "local" })).ExpectProblem(403, "NotPermitted");

        async Task RefusedAsync(string token)
        {
            using var stranger = new Visitor(host) { Token = token };
            (await stranger.GetAsync("accounts")).ExpectProblem(401, "TokenInvalid");
        }

        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        await RefusedAsync(provider.AccessToken(claims => claims["aud"] = LocalProvider.ClientId));
        await RefusedAsync(provider.AccessToken(claims => claims["iss"] = "https://login.example.org"));
        await RefusedAsync(provider.AccessToken(claims => claims["exp"] = now));
        await RefusedAsync(provider.AccessToken(claims => claims["nbf"] = now + 120));
        await RefusedAsync(provider.AccessToken(claims => claims["sub"] = "somebody-else"));
        await RefusedAsync(provider.AccessToken(claims => claims.Remove("exp")));
        await RefusedAsync(LocalProvider.Unsigned(new JsonObject { ["alg"] = "none", ["kid"] = provider.KeyId }, provider.Claims(LocalProvider.Audience)) + ".");
        await RefusedAsync(ByPublicKey(provider, provider.Claims(LocalProvider.Audience)));
        await RefusedAsync(Tampered(provider, provider.Claims(LocalProvider.Audience)));
        (await program.GetAsync("accounts")).Expect(200);

        // Roles are ours, and so is the door: what changes here counts for tokens that were found good before.
        (await owner.PutAsync($"members/{ann.Id}/roles", new { roles = new[] { "Viewer" } })).Expect(200);
        await UntilAsync(async () => (await program.PostAsync("accounts", new { name = "second", currency = "USD" })).Reason == "PermissionMissing");
        (await program.GetAsync("accounts")).Expect(200);
        (await owner.PutAsync($"users/{ann.Id}", new { locked = true })).Expect(200);
        await UntilAsync(async () => (await program.GetAsync("accounts")).Reason == "TokenInvalid");
        (await owner.PutAsync($"users/{ann.Id}", new { locked = false })).Expect(200);
        await UntilAsync(async () => (await program.GetAsync("accounts")).Status == 200);
        (await ann.SignInAsync("ann@example.org")).Expect(200);
        string link = (await ann.GetAsync("me/provider-links"))["links"][0].GetProperty("id").GetString()!;
        (await ann.DeleteAsync($"me/provider-links/{link}")).Expect(204);
        await UntilAsync(async () => (await program.GetAsync("accounts")).Reason == "TokenInvalid");
    }

    [Fact]
    public async Task WithoutAnAudienceTheApiTakesNoneOfItsTokens()
    {
        await using LocalProvider provider = await LocalProvider.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(provider.Configure(change: options => options with { Audience = null }), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.LinkAsync()).Expect(200);
        owner.Token = provider.AccessToken();
        (await owner.GetAsync("accounts")).ExpectProblem(401, "TokenInvalid");
    }

    [Fact]
    public async Task WithoutAProviderThereIsNoSuchSignIn()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        Assert.Equal(JsonValueKind.Null, (await owner.GetAsync("auth/state"))["provider"].ValueKind);
        (await owner.PostAsync("auth/provider", new { })).ExpectProblem(404, "ProviderUnavailable");
        (await owner.PostAsync("me/provider-links", new { password = Visitor.Password })).ExpectProblem(404, "ProviderUnavailable");
    }

    /// <summary>Signed with what everybody knows: the provider's public key as a shared secret.</summary>
    private static string ByPublicKey(LocalProvider provider, JsonObject claims)
    {
        string signed = LocalProvider.Unsigned(new JsonObject { ["alg"] = "HS256", ["kid"] = provider.KeyId }, claims);
        byte[] secret = Encoding.UTF8.GetBytes(provider.Key.ExportSubjectPublicKeyInfoPem());
        return $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(signed)))}";
    }

    private static string Tampered(LocalProvider provider, JsonObject claims)
    {
        string[] parts = provider.Sign(claims).Split('.');
        claims["sub"] = "owner";
        return $"{LocalProvider.Unsigned(new JsonObject { ["alg"] = "RS256", ["kid"] = provider.KeyId }, claims)}.{parts[2]}";
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
