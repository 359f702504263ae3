using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Users;

namespace HybridTrading.Domain.Tests.Users;

public sealed class ProviderTokenTests : IDisposable
{
    private const string Issuer = "https://login.example.org/realm", Client = "console", Nonce = "n-1";

    private static readonly DateTime Now = new(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc);
    private static readonly long Seconds = new DateTimeOffset(Now).ToUnixTimeSeconds();

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ProviderKeys _keys;

    public ProviderTokenTests() => _keys = Keys(Jwk(_rsa, "r"), Jwk(_curve, "e"));

    public void Dispose()
    {
        _rsa.Dispose();
        _curve.Dispose();
    }

    [Theory]
    [InlineData("RS256", "r")]
    [InlineData("PS256", "r")]
    [InlineData("ES256", "e")]
    public void One_that_is_as_it_should_be_is_taken(string algorithm, string key)
    {
        (ProviderClaims? claims, _) = Verify(Sign(Claims(), algorithm, key));
        Assert.Equal((Issuer, "ann", "ann@example.org", true, "high"), (claims!.Issuer, claims.Subject, claims.Email, claims.EmailVerified, claims.Context));
        Assert.Equal(["pwd", "mfa"], claims.Methods);
        Assert.Equal(Now.AddMinutes(5), claims.Expires);
    }

    [Theory]
    [InlineData("iss", "\"https://login.example.org/realm/\"", TokenFault.Issuer)]
    [InlineData("iss", "[\"https://login.example.org/realm\"]", TokenFault.Issuer)]
    [InlineData("aud", "\"other\"", TokenFault.Audience)]
    [InlineData("aud", "[]", TokenFault.Audience)]
    [InlineData("aud", "[\"console\",\"other\"]", TokenFault.Party)]
    [InlineData("azp", "\"other\"", TokenFault.Party)]
    [InlineData("sub", "\"\"", TokenFault.Malformed)]
    [InlineData("sub", "7", TokenFault.Malformed)]
    [InlineData("exp", "\"soon\"", TokenFault.Malformed)]
    [InlineData("iat", "null", TokenFault.Malformed)]
    [InlineData("exp", "0", TokenFault.Expired)]
    [InlineData("exp", "NOW", TokenFault.Expired)]
    [InlineData("nbf", "NOW+31", TokenFault.NotYetValid)]
    [InlineData("iat", "NOW+31", TokenFault.NotYetValid)]
    [InlineData("nonce", "\"n-2\"", TokenFault.Nonce)]
    [InlineData("nonce", "null", TokenFault.Nonce)]
    public void One_claim_that_is_wrong_is_enough(string claim, string value, TokenFault fault)
    {
        JsonObject claims = Claims();
        claims[claim] = value == "NOW" ? Seconds : value == "NOW+31" ? Seconds + 31 : JsonNode.Parse(value);
        Assert.Equal(fault, Verify(Sign(claims, "RS256", "r")).Fault);
    }

    [Fact]
    public void Several_audiences_need_the_authorized_party()
    {
        JsonObject claims = Claims();
        (claims["aud"], claims["azp"]) = (new JsonArray("other", Client), Client);
        Assert.NotNull(Verify(Sign(claims, "RS256", "r")).Claims);
    }

    [Fact]
    public void The_header_chooses_no_algorithm()
    {
        string good = Sign(Claims(), "RS256", "r");
        string payload = good.Split('.')[1], signature = good.Split('.')[2];
        foreach (string algorithm in (string[])["none", "None", "HS256", "HS512", "RS1", "ES384", ""])
        {
            string signed = $"{Part(new JsonObject { ["alg"] = algorithm, ["kid"] = "r" })}.{payload}";
            Assert.Equal(TokenFault.Algorithm, Verify($"{signed}.{signature}").Fault);
            Assert.Equal(TokenFault.Algorithm, Verify($"{signed}.").Fault);
            byte[] secret = Encoding.UTF8.GetBytes(_rsa.ExportSubjectPublicKeyInfoPem());
            Assert.Equal(TokenFault.Algorithm, Verify($"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(signed)))}").Fault);
        }
        // One that is known but not wanted here.
        Assert.Equal(TokenFault.Algorithm, ProviderToken.Verify(good, Expected with { Algorithms = [ProviderAlgorithms.Es256] }, Now, _keys.Find).Fault);
        // A key is for its own kind of signature.
        Assert.Equal(TokenFault.UnknownKey, Verify(Sign(Claims(), "RS256", "r", named: "e")).Fault);
        Assert.Equal(TokenFault.Algorithm, Verify(Sign(Claims(), "RS256", "r", critical: true)).Fault);
    }

    [Fact]
    public void Without_a_key_id_the_only_fitting_key_is_meant()
    {
        Assert.NotNull(Verify(Sign(Claims(), "RS256", "r", named: "")).Claims);
        using RSA second = RSA.Create(2048);
        ProviderKeys two = Keys(Jwk(_rsa, "r"), Jwk(second, "s"));
        Assert.Equal(TokenFault.UnknownKey, ProviderToken.Verify(Sign(Claims(), "RS256", "r", named: ""), Expected, Now, two.Find).Fault);
    }

    [Fact]
    public void Keys_that_are_not_to_be_used_are_left_out()
    {
        using RSA small = RSA.Create(1024);
        JsonObject encrypting = Jwk(_rsa, "enc"), other = Jwk(_curve, "p384"), bound = Jwk(_rsa, "bound");
        (encrypting["use"], other["crv"], bound["alg"]) = ("enc", "P-384", "PS256");
        ProviderKeys keys = Keys(Jwk(small, "small"), encrypting, other, bound, new JsonObject { ["kty"] = "oct", ["k"] = "AAAA", ["kid"] = "secret" }, new JsonObject { ["kty"] = "RSA" });
        Assert.Equal(1, keys.Count);
        Assert.NotNull(keys.Find("bound", "PS256"));
        Assert.Null(keys.Find("bound", "RS256"));
        foreach (string json in (string[])["", "[]", "{}", "{\"keys\":{}}", "null"]) Assert.Throws<FormatException>(() => ProviderKeys.Parse(Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public void A_claim_that_stands_there_twice_is_no_claim()
    {
        string payload = Claims().ToJsonString();
        Assert.Equal(TokenFault.Malformed, Verify(Sign(payload[..^1] + ",\"sub\":\"owner\"}", "RS256", "r")).Fault);
    }

    [Fact]
    public void No_character_of_it_can_be_another()
    {
        string token = Sign(Claims(), "ES256", "e");
        Prop.ForAll(Gen.Choose(0, token.Length - 1).ToArbitrary(), Gen.Choose(33, 126).ToArbitrary(), (place, letter) =>
        {
            string changed = token[..place] + (char)letter + token[(place + 1)..];
            return changed == token || Verify(changed).Claims is null;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void Nothing_that_anybody_sends_breaks_it() => Prop.ForAll<string?, string?>((header, payload) =>
    {
        string token = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header ?? ""))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload ?? ""))}.AAAA";
        return Verify(token).Claims is null && Verify(header ?? "").Claims is null && ProviderToken.IssuerOf(token) is null;
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private static ProviderExpectation Expected => new(Issuer, Client, ProviderAlgorithms.All, Nonce);

    private (ProviderClaims? Claims, TokenFault Fault) Verify(string token) => ProviderToken.Verify(token, Expected, Now, _keys.Find);

    private static JsonObject Claims() => new()
    {
        ["iss"] = Issuer, ["aud"] = Client, ["sub"] = "ann", ["iat"] = Seconds, ["exp"] = Seconds + 300, ["nonce"] = Nonce,
        ["email"] = "ann@example.org", ["email_verified"] = true, ["acr"] = "high", ["amr"] = new JsonArray("pwd", "mfa"),
    };

    private string Sign(JsonObject claims, string algorithm, string key, string? named = null, bool critical = false) => Sign(claims.ToJsonString(), algorithm, key, named, critical);

    private string Sign(string claims, string algorithm, string key, string? named = null, bool critical = false)
    {
        var header = new JsonObject { ["alg"] = algorithm };
        if (named != "") header["kid"] = named ?? key;
        if (critical) header["crit"] = new JsonArray("b64");
        string signed = $"{Part(header)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        byte[] bytes = Encoding.ASCII.GetBytes(signed);
        byte[] signature = key == "e" ? _curve.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
            : _rsa.SignData(bytes, HashAlgorithmName.SHA256, algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    private static ProviderKeys Keys(params JsonObject[] keys) => ProviderKeys.Parse(Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString()));

    private static JsonObject Jwk(RSA key, string id)
    {
        RSAParameters parameters = key.ExportParameters(false);
        return new JsonObject { ["kty"] = "RSA", ["kid"] = id, ["n"] = Base64Url.EncodeToString(parameters.Modulus), ["e"] = Base64Url.EncodeToString(parameters.Exponent) };
    }

    private static JsonObject Jwk(ECDsa key, string id)
    {
        ECPoint point = key.ExportParameters(false).Q;
        return new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = id, ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) };
    }
}
