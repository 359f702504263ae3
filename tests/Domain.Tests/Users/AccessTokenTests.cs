using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Users;

namespace HybridTrading.Domain.Tests.Users;

/// <summary>What RFC 8725 says goes wrong with JWTs, each tried on ours.</summary>
public sealed class AccessTokenTests : IDisposable
{
    private static readonly DateTime Now = new(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256), _other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static long Seconds => new DateTimeOffset(Now).ToUnixTimeSeconds();

    private static AccessClaims Claims => new(
        "issuer", "audience", "u1", "t1", "s1", [Role.Owner, Role.Auditor], Seconds, Seconds, Seconds + 600, "j1", Seconds * 1000);

    [Fact]
    public void A_good_one_says_who_it_speaks_for()
    {
        (AccessClaims? claims, _) = Verify(AccessToken.Sign(Claims, "k1", _key));
        Assert.Equivalent(Claims, claims, strict: true);
    }

    [Theory]
    [InlineData(-31, TokenFault.NotYetValid)]
    [InlineData(-29, null)]
    [InlineData(0, null)]
    [InlineData(599, null)]
    [InlineData(600, TokenFault.Expired)]
    [InlineData(86400, TokenFault.Expired)]
    public void It_is_good_from_its_issue_to_its_end(int after, TokenFault? expected)
    {
        (AccessClaims? claims, TokenFault fault) = Verify(AccessToken.Sign(Claims, "k1", _key), Now.AddSeconds(after));
        Assert.Equal(expected, claims is null ? fault : null);
    }

    [Fact]
    public void Not_yet_valid_by_its_own_word()
    {
        string token = AccessToken.Sign(Claims with { NotBefore = Seconds + 300 }, "k1", _key);
        Assert.Equal(TokenFault.NotYetValid, Verify(token).Fault);
        Assert.NotNull(Verify(token, Now.AddSeconds(300)).Claims);
    }

    [Fact]
    public void Of_another_issuer_for_others_or_by_another_key()
    {
        Assert.Equal(TokenFault.Issuer, Verify(AccessToken.Sign(Claims with { Issuer = "stranger" }, "k1", _key)).Fault);
        Assert.Equal(TokenFault.Audience, Verify(AccessToken.Sign(Claims with { Audience = "others" }, "k1", _key)).Fault);
        Assert.Equal(TokenFault.Signature, Verify(AccessToken.Sign(Claims, "k1", _other)).Fault);
        Assert.Equal(TokenFault.UnknownKey, Verify(AccessToken.Sign(Claims, "k2", _key)).Fault);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("HS256")]
    [InlineData("ES384")]
    [InlineData("RS256")]
    public void The_header_chooses_no_algorithm(string algorithm)
    {
        string[] parts = AccessToken.Sign(Claims, "k1", _key).Split('.');
        string signed = $"{Changed(parts[0], header => header["alg"] = algorithm)}.{parts[1]}";
        Assert.Equal(TokenFault.Algorithm, Verify($"{signed}.{parts[2]}").Fault);
        Assert.Equal(TokenFault.Algorithm, Verify($"{signed}.{Base64Url.EncodeToString("x"u8)}").Fault);
        Assert.Equal(TokenFault.Malformed, Verify($"{signed}").Fault);
    }

    [Fact]
    public void The_public_key_is_no_secret_to_sign_with()
    {
        string[] parts = AccessToken.Sign(Claims, "k1", _key).Split('.');
        string signed = $"{Changed(parts[0], header => header["alg"] = "HS256")}.{parts[1]}";
        byte[] forged = HMACSHA256.HashData(_key.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(signed));
        Assert.Equal(TokenFault.Algorithm, Verify($"{signed}.{Base64Url.EncodeToString(forged)}").Fault);
    }

    [Fact]
    public void Another_type_or_something_critical_is_not_ours()
    {
        string[] parts = AccessToken.Sign(Claims, "k1", _key).Split('.');
        foreach (Action<JsonObject> change in (Action<JsonObject>[])[header => header["typ"] = "JWT", header => header["crit"] = new JsonArray("exp")])
        {
            string signed = $"{Changed(parts[0], change)}.{parts[1]}";
            byte[] signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            Assert.Equal(TokenFault.Algorithm, Verify($"{signed}.{Base64Url.EncodeToString(signature)}").Fault);
        }
    }

    [Fact]
    public void Whatever_is_changed_it_is_no_longer_good()
    {
        string token = AccessToken.Sign(Claims, "k1", _key);
        Prop.ForAll(Gen.Choose(0, token.Length - 1).ToArbitrary(), Gen.Choose(33, 126).ToArbitrary(), (place, letter) =>
        {
            string changed = token[..place] + (char)letter + token[(place + 1)..];
            return changed == token || Verify(changed).Claims is null;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void Nothing_that_anybody_sends_breaks_it() => Prop.ForAll<string?>(text => Verify(text ?? "").Claims is null)
        .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void One_without_a_subject_tenant_or_end_is_nobodys()
    {
        string[] parts = AccessToken.Sign(Claims, "k1", _key).Split('.');
        foreach (string claim in (string[])["sub", "tid", "sid", "exp", "roles"])
        {
            string signed = $"{parts[0]}.{Changed(parts[1], body => body.Remove(claim))}";
            byte[] signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            Assert.Equal(TokenFault.Malformed, Verify($"{signed}.{Base64Url.EncodeToString(signature)}").Fault);
        }
    }

    public void Dispose()
    {
        _key.Dispose();
        _other.Dispose();
    }

    private (AccessClaims? Claims, TokenFault Fault) Verify(string token, DateTime? now = null) =>
        AccessToken.Verify(token, "issuer", "audience", now ?? Now, id => id == "k1" ? _key : null);

    private static string Changed(string part, Action<JsonObject> change)
    {
        JsonObject json = JsonNode.Parse(Base64Url.DecodeFromChars(part))!.AsObject();
        change(json);
        return Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
    }
}
