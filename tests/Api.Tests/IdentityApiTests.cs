using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Identity;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace HybridTrading.Tests;

/// <summary>The door of the real API: real grains, a real journal, mails as files.</summary>
public sealed class IdentityApiTests
{
    [Fact]
    public async Task TheFirstOwnerComesByTheLinkOnce()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using var stranger = new Visitor(host);
        Assert.Equal("needed", (await stranger.GetAsync("auth/state")).Expect(200)["setup"].GetString());
        (await stranger.GetAsync("accounts")).ExpectProblem(401, "SignInNeeded");
        object asked = new { token = "guessed", email = "owner@example.org", name = "Olive", password = Visitor.Password };
        (await stranger.PostAsync("auth/setup", asked)).ExpectProblem(403, "SetupTokenInvalid");
        string link = await Visitor.LinkAsync(host);
        (await stranger.PostAsync("auth/setup", new { token = link, email = "owner@example.org", name = "Olive", password = "short" })).ExpectProblem(400, "InvalidInput", "password");
        (await stranger.PostAsync("auth/setup", new { token = link, email = "owner", name = "Olive", password = Visitor.Password })).ExpectProblem(400, "InvalidInput", "email");

        Answer tokens = (await stranger.PostAsync("auth/setup", new { token = link, email = "Owner@Example.org", name = "Olive", password = Visitor.Password })).Expect(200);
        Assert.Equal("owner@example.org", tokens["user"].GetProperty("email").GetString());
        Assert.False(tokens.Json.TryGetProperty("refreshToken", out JsonElement told) && told.ValueKind != JsonValueKind.Null);
        (await stranger.PostAsync("auth/setup", new { token = link, email = "second@example.org", name = "Second", password = Visitor.Password })).ExpectProblem(409, "SetupDone");
        Assert.Equal("done", (await stranger.GetAsync("auth/state"))["setup"].GetString());

        stranger.Keep(tokens);
        (await stranger.GetAsync("accounts")).Expect(200);
        Answer me = (await stranger.GetAsync("me")).Expect(200);
        Answer export = (await stranger.GetAsync("me/export")).Expect(200);
        Assert.Equal("owner@example.org", export["user"].GetProperty("email").GetString());
        Assert.Equal(1, export["sessions"].GetArrayLength());
        Assert.Equal("local", me["tenant"].GetProperty("id").GetString());
        Assert.Contains("Administrator", me["roles"].EnumerateArray().Select(role => role.GetString()));

        // It is all there after a restart, and the cookie renews the session.
        await host.RestartAsync();
        using var later = new Visitor(host);
        Assert.Equal("done", (await later.GetAsync("auth/state"))["setup"].GetString());
        (await later.SignInAsync("OWNER@example.ORG")).Expect(200);
        Assert.Single(later.Cookies.GetCookies(new Uri(host.Address, "/api/v1/auth/refresh")), cookie => cookie.HttpOnly);
        later.Keep((await later.PostAsync("auth/refresh", new { })).Expect(200));
        (await later.GetAsync("me")).Expect(200);
    }

    [Fact]
    public async Task UntilThereIsAnOwnerOnlyTheMachineItselfIsServed()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        Assert.False(host.Services.GetRequiredService<IPublicAccess>().IsOpen);
        using Visitor owner = await Visitor.OwnerAsync(host);
        await UntilAsync(() => Task.FromResult(host.Services.GetRequiredService<IPublicAccess>().IsOpen));
    }

    [Fact]
    public async Task WhoGuessesGetsNowhereAndLearnsNothing()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using var thief = new Visitor(host);
        Answer unknown = (await thief.SignInAsync("nobody@example.org", "wrong password!")).ExpectProblem(401, "SignInFailed");
        for (int i = 0; i < Lockout.Free; i++)
        {
            Answer wrong = (await thief.SignInAsync("owner@example.org", "wrong password!")).ExpectProblem(401, "SignInFailed");
            Assert.Equal(unknown.Detail, wrong.Detail);
        }
        Answer closed = (await thief.SignInAsync("owner@example.org")).ExpectProblem(423, "LockedOut");
        Assert.InRange(int.Parse(closed.Headers["Retry-After"], CultureInfo.InvariantCulture), 1, 30);
        // Whoever is in stays in.
        (await owner.GetAsync("me")).Expect(200);
    }

    [Fact]
    public async Task TokensThatAreNotGoodAreRefused()
    {
        var clock = new MovedTime();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        string good = owner.Token!;
        string[] parts = good.Split('.');

        async Task RefusedAsync(string token)
        {
            owner.Token = token;
            (await owner.GetAsync("me")).ExpectProblem(401, "TokenInvalid");
        }

        await RefusedAsync("rubbish");
        await RefusedAsync($"{parts[0]}.{parts[1]}.");
        await RefusedAsync($"{parts[0]}.{parts[1]}.{new string('A', 86)}");
        await RefusedAsync($"{Encoded("""{"alg":"none","kid":"x","typ":"at+jwt"}""")}.{parts[1]}.{parts[2]}");
        string forged = $"{Encoded("""{"alg":"HS256","kid":"x","typ":"at+jwt"}""")}.{parts[1]}";
        string jwks = (await owner.GetAsync("/.well-known/jwks.json")).Expect(200).Text;
        await RefusedAsync($"{forged}.{System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(jwks), Encoding.UTF8.GetBytes(forged)))}");
        await RefusedAsync(await SignAsync(host, new TokenRequest("stranger", "hybridtrading-api", owner.Id, "local", "s", [Role.Owner])));
        await RefusedAsync(await SignAsync(host, new TokenRequest("hybridtrading", "others", owner.Id, "local", "s", [Role.Owner])));
        using (ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            await RefusedAsync(AccessToken.Sign(new AccessClaims("hybridtrading", "hybridtrading-api", owner.Id, "local", "s", [Role.Owner], now, now, now + 600, "j", now * 1000), "made-up", other));
        }

        owner.Token = good;
        (await owner.GetAsync("me")).Expect(200);
        clock.Moved = TimeSpan.FromMinutes(5);
        string later = await SignAsync(host, new TokenRequest("hybridtrading", "hybridtrading-api", owner.Id, "local", "s", [Role.Owner]));
        clock.Moved = TimeSpan.Zero;
        await RefusedAsync(later);
        clock.Moved = AccessToken.Life + TimeSpan.FromSeconds(1);
        await RefusedAsync(good);
    }

    [Fact]
    public async Task ARefreshTokenThatIsShownTwiceEndsTheSession()
    {
        var clock = new MovedTime();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using var program = new Visitor(host);
        Answer first = (await program.PostAsync("auth/sign-in", new { email = "owner@example.org", password = Visitor.Password, cookie = false })).Expect(200);
        string stolen = first["refreshToken"].GetString()!;
        Answer second = (await program.PostAsync("auth/refresh", new { refreshToken = stolen })).Expect(200);
        program.Keep(second);
        (await program.GetAsync("me")).Expect(200);
        clock.Moved = TimeSpan.FromSeconds(20);
        (await program.PostAsync("auth/refresh", new { refreshToken = stolen })).ExpectProblem(401, "SessionEnded");
        (await program.PostAsync("auth/refresh", new { refreshToken = second["refreshToken"].GetString() })).ExpectProblem(401, "SessionEnded");
        // And the access token that is out is worth nothing, as soon as the word has come round.
        await UntilAsync(async () => (await program.GetAsync("me")).Status == 401);
        (await owner.GetAsync("me")).Expect(200);
    }

    [Fact]
    public async Task SigningOutEverywhereEndsTokensAndConnectionsAtOnce()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using var phone = new Visitor(host);
        (await phone.SignInAsync("owner@example.org")).Expect(200);
        (await phone.PostAsync("accounts", new { name = "main" })).Expect(201);
        await Assert.ThrowsAnyAsync<Exception>(() => HubClient.ConnectAsync(host.Address));
        await using HubClient hub = await HubClient.ConnectAsync(host.Address, phone.Token);
        await hub.SubscribeAsync(["EURUSD"], "main");

        Answer sessions = (await owner.GetAsync("me/sessions")).Expect(200);
        Assert.Equal(2, sessions.Json.GetArrayLength());
        (await owner.DeleteAsync("me/sessions")).Expect(204);
        await UntilAsync(async () => (await phone.GetAsync("me")).Status == 401);
        await hub.Closed.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        (await owner.GetAsync("me")).Expect(200);
        Assert.Equal(1, (await owner.GetAsync("me/sessions")).Json.GetArrayLength());
        (await owner.PostAsync("auth/sign-out", new { })).Expect(204);
        await UntilAsync(async () => (await owner.GetAsync("me")).Status == 401);
        (await owner.PostAsync("auth/refresh", new { })).ExpectProblem(401, "SessionEnded");
    }

    [Fact]
    public async Task ASecondFactorIsAskedForAndEachCodeCountsOnce()
    {
        var clock = new MovedTime();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.PostAsync("me/second-factor", new { password = "wrong password!" })).ExpectProblem(403, "PasswordWrong");
        Answer offer = (await owner.PostAsync("me/second-factor", new { password = Visitor.Password })).Expect(200);
        byte[] secret = FromBase32(offer["secret"].GetString()!);
        string Code() => Totp.Code(secret, Totp.StepOf(clock.GetUtcNow().UtcDateTime));
        (await owner.PostAsync("me/second-factor/confirm", new { code = "000000" == Code() ? "000001" : "000000" })).ExpectProblem(403, "CodeWrong");
        string used = Code();
        string[] recovery = [.. (await owner.PostAsync("me/second-factor/confirm", new { code = used })).Expect(200)["recoveryCodes"].EnumerateArray().Select(code => code.GetString()!)];
        Assert.Equal(10, recovery.Distinct().Count());

        using var next = new Visitor(host);
        (await next.SignInAsync("owner@example.org")).ExpectProblem(401, "SecondFactorNeeded");
        (await next.SignInAsync("owner@example.org", code: used)).ExpectProblem(401, "SignInFailed");
        clock.Moved += TimeSpan.FromSeconds(30);
        (await next.SignInAsync("owner@example.org", code: Code())).Expect(200);
        (await next.SignInAsync("owner@example.org", code: Code())).ExpectProblem(401, "SignInFailed");
        (await next.SignInAsync("owner@example.org", code: recovery[3])).Expect(200);
        (await next.SignInAsync("owner@example.org", code: recovery[3])).ExpectProblem(401, "SignInFailed");
        Assert.Equal(9, (await next.GetAsync("me"))["recoveryCodesLeft"].GetInt32());
        (await next.PostAsync("me/second-factor/remove", new { password = Visitor.Password, code = recovery[4] })).Expect(204);
        (await next.SignInAsync("owner@example.org")).Expect(200);
    }

    [Fact]
    public async Task AnInvitationBringsInWhomItWasSentToAndNobodyElse()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.PostAsync("members/invitations", new { email = "tom@example.org", roles = new[] { "Administrator" } })).ExpectProblem(400, "InvalidInput", "roles");
        (await owner.PostAsync("members/invitations", new { email = "tom@example.org", roles = new[] { "Trader" } })).Expect(201);
        string link = host.MailLink("tom@example.org", "invitation");
        using var tom = new Visitor(host);
        Answer shown = (await tom.GetAsync($"auth/invitations/{link}")).Expect(200);
        Assert.Equal("tom@example.org", shown["email"].GetString());
        Assert.False(shown["known"].GetBoolean());
        // The link is to one address; another user who got hold of it stays out.
        (await owner.PostAsync($"auth/invitations/{link}/accept", new { })).ExpectProblem(403, "NotPermitted");
        tom.Keep((await tom.PostAsync($"auth/invitations/{link}/accept", new { name = "Tom", password = Visitor.Password })).Expect(200));
        Assert.Equal("local", tom.Tenant);
        (await tom.GetAsync($"auth/invitations/{link}")).ExpectProblem(404, "LinkInvalid");
        (await new Visitor(host).PostAsync($"auth/invitations/{link}/accept", new { name = "Tim", password = Visitor.Password })).ExpectProblem(403, "LinkInvalid");

        // Each sees their own; the owner sees all of the tenant.
        (await tom.PostAsync("accounts", new { name = "toms" })).Expect(201);
        (await owner.GetAsync("accounts/toms")).ExpectProblem(404, "AccountUnknown");
        (await owner.GetAsync($"accounts/toms?user={tom.Id}")).Expect(200);
        (await tom.GetAsync("accounts?user=owner")).ExpectProblem(403, "PermissionMissing");
        (await tom.GetAsync("members")).ExpectProblem(403, "PermissionMissing");
        Assert.Equal(2, (await owner.GetAsync("members")).Expect(200).Json.GetArrayLength());

        // What they were they are no more, from now on, whatever their token says.
        (await owner.PutAsync($"members/{tom.Id}/roles", new { roles = new[] { "Viewer" } })).Expect(200);
        await UntilAsync(async () => (await tom.GetAsync("me")).Status == 401);
        tom.Keep((await tom.PostAsync("auth/refresh", new { })).Expect(200));
        (await tom.PostAsync("accounts", new { name = "more" })).ExpectProblem(403, "PermissionMissing");
        (await tom.GetAsync("accounts?user=owner")).Expect(200);
        (await owner.DeleteAsync($"members/{owner.Id}")).ExpectProblem(400, "InvalidInput", "user");
        (await owner.DeleteAsync($"members/{tom.Id}")).Expect(204);
        await UntilAsync(async () => (await tom.GetAsync("me")).Status == 401);
        (await tom.SignInAsync("tom@example.org")).Expect(200);
        Assert.NotEqual("local", tom.Tenant);
        Assert.Equal(0, (await tom.GetAsync("accounts")).Expect(200).Json.GetArrayLength());
    }

    [Fact]
    public async Task StrangersSignUpWhereTheyMayAndProveTheirAddress()
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton(new IdentityOptions { SignUp = true }), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using var ann = new Visitor(host);
        (await ann.PostAsync("auth/sign-up", new { email = "ann@example.org", name = "Ann", password = Visitor.Password })).Expect(202);
        (await ann.SignInAsync("ann@example.org")).ExpectProblem(403, "EmailUnverified");
        string link = host.MailLink("ann@example.org", "verify");
        (await ann.PostAsync("auth/verify-email", new { token = link + "x" })).ExpectProblem(403, "LinkInvalid");
        (await ann.PostAsync("auth/verify-email", new { token = link })).Expect(204);
        (await ann.PostAsync("auth/verify-email", new { token = link })).ExpectProblem(403, "LinkInvalid");
        (await ann.SignInAsync("ann@example.org")).Expect(200);
        Assert.NotEqual(owner.Tenant, ann.Tenant);
        (await ann.GetAsync($"accounts?user={owner.Id}")).Expect(200).Let(answer => Assert.Equal(0, answer.Json.GetArrayLength()));

        // The same address again answers alike, and mails its owner.
        (await new Visitor(host).PostAsync("auth/sign-up", new { email = "Ann@Example.org", name = "Eve", password = Visitor.Password })).Expect(202);
        (await ann.SignInAsync("ann@example.org")).Expect(200);

        (await ann.PostAsync("auth/forgot-password", new { email = "nobody@example.org" })).Expect(202);
        (await ann.PostAsync("auth/forgot-password", new { email = "ann@example.org" })).Expect(202);
        string reset = host.MailLink("ann@example.org", "reset");
        (await ann.PostAsync("auth/reset-password", new { token = reset, password = "short" })).ExpectProblem(400, "InvalidInput", "password");
        (await ann.PostAsync("auth/reset-password", new { token = reset, password = "another good phrase" })).Expect(204);
        await UntilAsync(async () => (await ann.GetAsync("me")).Status == 401);
        (await ann.SignInAsync("ann@example.org")).ExpectProblem(401, "SignInFailed");
        (await ann.SignInAsync("ann@example.org", "another good phrase")).Expect(200);
    }

    [Fact]
    public async Task AnAdministratorClosesAnAccessAtOnceAndNeverTheirOwn()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor tom = await owner.InviteAsync("tom", "Trader");
        await UntilAsync(async () => (await owner.GetAsync("users")).Expect(200).Json.GetArrayLength() == 2);
        JsonElement[] users = [.. (await owner.GetAsync("users?limit=1")).Json.EnumerateArray(), .. (await owner.GetAsync("users?after=owner")).Json.EnumerateArray()];
        Assert.Equal(["owner@example.org", "tom@example.org"], users.Select(user => user.GetProperty("email").GetString()));
        Assert.Equal("local", users[1].GetProperty("tenants")[0].GetProperty("id").GetString());

        (await tom.GetAsync("users")).ExpectProblem(403, "PermissionMissing");
        (await owner.PutAsync("users/owner", new { locked = true })).ExpectProblem(400, "InvalidInput", "id");
        (await owner.PutAsync($"users/{tom.Id}", new { })).ExpectProblem(400, "InvalidInput", "locked");
        (await owner.PutAsync("users/nobody", new { locked = true })).ExpectProblem(404, "UserUnknown");
        Assert.True((await owner.PutAsync($"users/{tom.Id}", new { locked = true })).Expect(200)["locked"].GetBoolean());
        await UntilAsync(async () => (await tom.GetAsync("me")).Status == 401);
        (await tom.SignInAsync("tom@example.org")).ExpectProblem(403, "Barred");
        (await owner.PutAsync($"users/{tom.Id}", new { locked = false, administrator = true })).Expect(200);
        (await tom.SignInAsync("tom@example.org")).Expect(200);
        (await tom.GetAsync("users")).Expect(200);
    }

    [Fact]
    public async Task WhereStrangersMayNotSignUpTheyCannot()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using var ann = new Visitor(host);
        (await ann.PostAsync("auth/sign-up", new { email = "ann@example.org", name = "Ann", password = Visitor.Password })).ExpectProblem(403, "SignUpClosed");
    }

    [Theory]
    [InlineData(ApiKeyKind.Hmac)]
    [InlineData(ApiKeyKind.Ecdsa)]
    public async Task AProgramSignsItsRequests(ApiKeyKind kind)
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using ECDsa pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string? publicKey = kind == ApiKeyKind.Ecdsa ? pair.ExportSubjectPublicKeyInfoPem() : null;
        (await owner.PostAsync("me/api-keys", new { name = "bot", kind = kind.ToString(), publicKey, scopes = new[] { "ManageKeys" }, expiresDays = 30 })).ExpectProblem(400, "InvalidInput", "scopes");
        (await owner.PostAsync("me/api-keys", new { name = "bot", kind = kind.ToString(), publicKey, scopes = new[] { "ReadTrading" }, expiresDays = 400 })).ExpectProblem(400, "InvalidInput", "expiresDays");
        Answer made = (await owner.PostAsync("me/api-keys", new { name = "bot", kind = kind.ToString(), publicKey, scopes = new[] { "ReadTrading", "Trade" }, expiresDays = 30 })).Expect(201);
        string id = made["key"].GetProperty("id").GetString()!;
        byte[] secret = kind == ApiKeyKind.Hmac ? System.Buffers.Text.Base64Url.DecodeFromChars(made["secret"].GetString()!) : [];

        using var bot = new Visitor(host);
        Action<HttpRequestMessage> Sign(string method, string target, string body, long? timestamp = null, string? nonce = null, string? signedBody = null) => request =>
        {
            var signed = new SignedRequest(
                id, method, target, timestamp ?? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), nonce ?? ApiHost.NewKey(),
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(signedBody ?? body))), "");
            byte[] message = Encoding.UTF8.GetBytes(signed.Canonical);
            byte[] signature = kind == ApiKeyKind.Hmac
                ? HMACSHA256.HashData(secret, message)
                : pair.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            request.Headers.Add(TokenAuthentication.KeyHeader, id);
            request.Headers.Add(TokenAuthentication.TimestampHeader, signed.Timestamp.ToString(CultureInfo.InvariantCulture));
            request.Headers.Add(TokenAuthentication.NonceHeader, signed.Nonce);
            request.Headers.Add(TokenAuthentication.SignatureHeader, System.Buffers.Text.Base64Url.EncodeToString(signature));
        };

        const string body = """{"name":"bots"}""";
        (await bot.SendAsync(HttpMethod.Post, "accounts", body, Sign("POST", "/api/v1/accounts", body))).Expect(201);
        (await bot.SendAsync(HttpMethod.Get, "accounts?limit=5", null, Sign("GET", "/api/v1/accounts?limit=5", ""))).Expect(200);
        (await bot.SendAsync(HttpMethod.Get, "accounts?limit=6", null, Sign("GET", "/api/v1/accounts?limit=5", ""))).ExpectProblem(401, "TokenInvalid");
        (await bot.SendAsync(HttpMethod.Post, "accounts", body, Sign("POST", "/api/v1/accounts", body, signedBody: """{"name":"evil"}"""))).ExpectProblem(401, "TokenInvalid");
        (await bot.SendAsync(HttpMethod.Get, "accounts", null, Sign("GET", "/api/v1/accounts", "", DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds()))).ExpectProblem(401, "TokenInvalid");
        string nonce = ApiHost.NewKey();
        (await bot.SendAsync(HttpMethod.Get, "accounts", null, Sign("GET", "/api/v1/accounts", "", nonce: nonce))).Expect(200);
        (await bot.SendAsync(HttpMethod.Get, "accounts", null, Sign("GET", "/api/v1/accounts", "", nonce: nonce))).ExpectProblem(401, "TokenInvalid");
        // It may do what it was given, not all that its user may.
        (await bot.SendAsync(HttpMethod.Get, "members", null, Sign("GET", "/api/v1/members", ""))).ExpectProblem(403, "PermissionMissing");
        Assert.Single((await owner.GetAsync("me/api-keys")).Json.EnumerateArray(), key => key.GetProperty("id").GetString() == id && key.GetProperty("lastUsed").ValueKind == JsonValueKind.String);
        (await owner.DeleteAsync($"me/api-keys/{id}")).Expect(204);
        (await bot.SendAsync(HttpMethod.Get, "accounts", null, Sign("GET", "/api/v1/accounts", ""))).ExpectProblem(401, "TokenInvalid");
    }

    private static async Task<string> SignAsync(ApiHost host, TokenRequest request)
    {
        using Principal.Scope scope = Principal.OfGateway();
        return (await host.Services.GetRequiredService<IGrainFactory>().GetGrain<ISigningKeysGrain>(Keys.SigningKeys).Sign(request)).Value;
    }

    private static string Encoded(string json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    internal static byte[] FromBase32(string text)
    {
        List<byte> bytes = [];
        int buffer = 0, bits = 0;
        foreach (char letter in text)
        {
            buffer = (buffer << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter);
            bits += 5;
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)(buffer >> bits));
            buffer &= (1 << bits) - 1;
        }
        return [.. bytes];
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (int look = 0; look < 1000; look++)
        {
            if (await isSo()) return;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Fail("it never came to be");
    }
}
