using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Users;

namespace HybridTrading.Domain.Tests.Users;

public sealed class IdentityRuleTests
{
    private static readonly DateTime Now = new(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc);

    /// <summary>The values of RFC 6238, appendix B, whose last six digits a six-digit code has.</summary>
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    public void Codes_are_those_of_the_standard(long seconds, string code) => Assert.Equal(code, Totp.Code("12345678901234567890"u8, seconds / 30));

    [Fact]
    public void A_code_counts_once_and_only_near_its_time()
    {
        byte[] secret = [.. "12345678901234567890"u8];
        long step = Totp.StepOf(Now);
        Assert.Equal(step, Totp.Match(secret, Totp.Code(secret, step), Now, -1));
        Assert.Null(Totp.Match(secret, Totp.Code(secret, step), Now, step));
        Assert.Equal(step - 1, Totp.Match(secret, Totp.Code(secret, step - 1), Now, -1));
        Assert.Null(Totp.Match(secret, Totp.Code(secret, step - 2), Now, -1));
        Assert.Null(Totp.Match(secret, Totp.Code(secret, step + 2), Now, -1));
        Assert.Null(Totp.Match(secret, "12345", Now, -1));
    }

    /// <summary>RFC 4648, section 10, without padding.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base_32_is_that_of_the_standard(string plain, string expected) => Assert.Equal(expected, Base32.Encode(Encoding.ASCII.GetBytes(plain)));

    [Theory]
    [InlineData("a@b.c", true)]
    [InlineData("first.last+tag@mail.example.org", true)]
    [InlineData("someone@localhost", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("no-at.example.org", false)]
    [InlineData("@example.org", false)]
    [InlineData("a@", false)]
    [InlineData("a b@example.org", false)]
    [InlineData("a@b@example.org", false)]
    [InlineData("a@example..org", false)]
    [InlineData("a@-example.org", false)]
    [InlineData("a@exam_ple.org", false)]
    [InlineData("<a@example.org>", false)]
    [InlineData("a@example.org\r\nBcc: x@y.z", false)]
    public void Addresses_are_what_a_mail_server_takes(string? address, bool sound) => Assert.Equal(sound, EmailAddress.Fault(address) is null);

    [Theory]
    [InlineData("correct horse battery", true)]
    [InlineData("tz7#qmLw0-pX", true)]
    [InlineData("elevenchars", false)]
    [InlineData("aaaaaaaaaaaaaaaa", false)]
    [InlineData("abcdefghijklmnop", false)]
    [InlineData("Password1234", false)]
    [InlineData("hybridtrading1", false)]
    [InlineData("jane.doe@example.org", false)]
    [InlineData("JaneDoe123456", false)]
    public void Passwords_are_long_and_not_the_obvious(string password, bool good) =>
        Assert.Equal(good, PasswordPolicy.Fault(password, "jane.doe@example.org", "Jane Doe") is null);

    [Fact]
    public void The_door_closes_for_longer_and_longer_but_not_for_long()
    {
        Assert.Null(Lockout.Until(4, Now));
        Assert.Equal(Now.AddSeconds(30), Lockout.Until(5, Now));
        Assert.Equal(Now.AddSeconds(60), Lockout.Until(6, Now));
        Assert.Equal(Now.AddMinutes(15), Lockout.Until(10, Now));
        Assert.Equal(Now.AddMinutes(15), Lockout.Until(1_000_000, Now));
    }

    [Fact]
    public void A_refresh_token_renews_once_and_its_reuse_ends_the_session()
    {
        Session session = new("s", "t", Sessions.HashOf("one"), "", Now, Now, "", "");
        (Renewal outcome, Session? renewed) = Sessions.Renew(session, "one", Sessions.HashOf("two"), Now.AddMinutes(9));
        Assert.Equal(Renewal.Renewed, outcome);
        // An answer that was lost on its way, or two tabs at once.
        Assert.Equal(Renewal.Renewed, Sessions.Renew(renewed, "one", Sessions.HashOf("three"), Now.AddMinutes(9).AddSeconds(10)).Outcome);
        Assert.Equal(Renewal.Reused, Sessions.Renew(renewed, "one", Sessions.HashOf("three"), Now.AddMinutes(9).AddSeconds(11)).Outcome);
        Assert.Equal(Renewal.Unknown, Sessions.Renew(renewed, "never", Sessions.HashOf("three"), Now.AddMinutes(10)).Outcome);
        Assert.Equal(Renewal.Renewed, Sessions.Renew(renewed, "two", Sessions.HashOf("three"), Now.AddDays(13)).Outcome);
        Assert.Equal(Renewal.Unknown, Sessions.Renew(renewed, "two", Sessions.HashOf("three"), Now.AddDays(15)).Outcome);
        Assert.Equal(Renewal.Unknown, Sessions.Renew(renewed! with { Renewed = Now.AddDays(89) }, "two", Sessions.HashOf("three"), Now.AddDays(91)).Outcome);
    }

    [Fact]
    public void The_session_unused_for_longest_makes_room()
    {
        ImmutableArray<Session> sessions = [];
        for (int i = 0; i < Sessions.Most + 5; i++) sessions = Sessions.Add(sessions, new Session($"s{i}", "", "", "", Now.AddSeconds(i), Now.AddSeconds(i), "", ""), Now.AddSeconds(i));
        Assert.Equal(Sessions.Most, sessions.Length);
        Assert.DoesNotContain(sessions, session => session.Id is "s0" or "s4");
        Assert.Contains(sessions, session => session.Id == $"s{Sessions.Most + 4}");
    }

    [Fact]
    public void A_nonce_counts_once_and_none_counts_again_after_a_restart()
    {
        long now = new DateTimeOffset(Now).ToUnixTimeMilliseconds();
        var window = new NonceWindow(0);
        Assert.Null(window.Take(now, "0123456789abcdef", Now));
        Assert.Contains("used before", window.Take(now, "0123456789abcdef", Now));
        Assert.Null(window.Take(now + 1, "0123456789abcdeg", Now));
        Assert.Contains("timestamp", window.Take(now - 5001, "0123456789abcdeh", Now));
        Assert.Contains("timestamp", window.Take(now + 5001, "0123456789abcdeh", Now));
        Assert.Contains("nonce", window.Take(now, "short", Now));
        Assert.Contains("nonce", window.Take(now, "0123456789abcde!", Now));

        // Killed: what was stored is the mark ahead of all that was taken.
        Assert.True(window.Mark >= window.Latest);
        var next = new NonceWindow(window.Mark);
        Assert.Contains("after a restart", next.Take(now + 1, "0123456789abcdeg", Now));
        DateTime later = Now + NonceWindow.Ahead + TimeSpan.FromSeconds(1);
        Assert.Null(next.Take(new DateTimeOffset(later).ToUnixTimeMilliseconds(), "0123456789abcdeg", later));
        // Left in good order: the latest is enough.
        Assert.Null(new NonceWindow(window.Latest).Take(now + 2, "0123456789abcdei", Now));
    }

    [Fact]
    public void A_signature_is_over_every_line_of_a_request()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(ApiKey.SecretSize);
        using ECDsa pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Null(ApiKey.PublicKeyFault(pair.ExportSubjectPublicKeyInfoPem(), out string material));
        var request = new SignedRequest("u.k", "POST", "/api/v1/accounts?x=1", 1000, "0123456789abcdef", "00ff", "");
        foreach (ApiKey key in (ApiKey[])
            [
                new("u.k", "n", "t", ApiKeyKind.Hmac, Convert.ToBase64String(secret), [], Now, Now),
                new("u.k", "n", "t", ApiKeyKind.Ecdsa, material, [], Now, Now),
            ])
        {
            byte[] message = Encoding.UTF8.GetBytes(request.Canonical);
            string signature = System.Buffers.Text.Base64Url.EncodeToString(key.Kind == ApiKeyKind.Hmac
                ? HMACSHA256.HashData(secret, message)
                : pair.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
            Assert.True(key.IsSigned(request.Canonical, signature));
            foreach (SignedRequest other in (SignedRequest[])
                [
                    request with { Method = "GET" }, request with { Target = "/api/v1/accounts?x=2" }, request with { Timestamp = 1001 },
                    request with { Nonce = "0123456789abcdeg" }, request with { BodyHash = "00fe" },
                ])
            {
                Assert.False(key.IsSigned(other.Canonical, signature));
            }
            Assert.False(key.IsSigned(request.Canonical, ""));
            Assert.False(key.IsSigned(request.Canonical, "not base64url!"));
        }
    }

    [Fact]
    public void A_public_key_is_one_on_p256()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.NotNull(ApiKey.PublicKeyFault(other.ExportSubjectPublicKeyInfoPem(), out _));
        Assert.NotNull(ApiKey.PublicKeyFault("-----BEGIN PUBLIC KEY-----", out _));
        Assert.NotNull(ApiKey.PublicKeyFault("rubbish", out _));
        Assert.NotNull(ApiKey.PublicKeyFault(null, out _));
    }

    /// <summary>Said here once more, role by role: a change of the table must be meant.</summary>
    [Fact]
    public void Roles_may_do_what_they_are_meant_to()
    {
        Assert.Equal(Enum.GetValues<Permission>().Except([Permission.Operate, Permission.Administer, Permission.ReadMetrics, Permission.Compliance]), RolePermissions.Of(Role.Owner).Order());
        foreach (Role reader in (Role[])[Role.Viewer, Role.Auditor, Role.ComplianceOfficer])
        {
            Assert.False(May(reader, Permission.Trade));
            Assert.False(May(reader, Permission.Automate));
            Assert.False(May(reader, Permission.ManageMembers));
            Assert.True(May(reader, Permission.ReadTenant));
        }
        Assert.False(May(Role.Trader, Permission.ReadTenant));
        Assert.False(May(Role.Trader, Permission.HaltTenant));
        Assert.True(May(Role.ComplianceOfficer, Permission.HaltTenant));
        Assert.False(May(Role.Administrator, Permission.ReadTrading));
        Assert.Equal([Role.Administrator], Enum.GetValues<Role>().Where(role => RolePermissions.Of(role).Contains(Permission.Administer)));
    }

    private static bool May(Role role, Permission permission) => RolePermissions.Of(role).Contains(permission);

    [Fact]
    public void The_last_owner_stays_and_administrators_are_not_made_by_tenants()
    {
        var tenant = new Tenant();
        tenant.Apply(new TenantFounded(Now, "desk", "a"));
        Assert.True(tenant.IsLastOwner("a"));
        tenant.Apply(new MemberJoined(Now, "b", [Role.Owner, Role.Trader], "i1"));
        Assert.False(tenant.IsLastOwner("a"));
        Assert.Contains("Administrator", Tenant.Fault([Role.Owner, Role.Administrator]));
        Assert.NotNull(Tenant.Fault([]));
        Assert.NotNull(Tenant.Fault([Role.Viewer, Role.Viewer]));
        Assert.Null(Tenant.Fault([Role.Viewer, Role.Auditor]));
    }
}
