using HybridTrading.Api.Identity;
using HybridTrading.Api.Identity.Provider;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Tests;

/// <summary>What is said of the external provider in the configuration.</summary>
public sealed class ProviderOptionsTests
{
    private static readonly (string Key, string Value)[] Least = [("Issuer", "https://login.example.org/realm"), ("ClientId", "console")];

    [Fact]
    public void Issuer_and_client_are_enough()
    {
        ProviderOptions provider = Read(Least)!;
        Assert.Equal(("login.example.org", "openid email profile", null, null, false), (provider.Name, provider.Scopes, provider.ClientSecret, provider.Audience, provider.TrustsSecondFactor));
        Assert.Equal(["RS256", "PS256", "ES256"], provider.Algorithms);
        Assert.Null(Read());
    }

    [Fact]
    public void Everything_can_be_said()
    {
        ProviderOptions provider = Read([.. Least, ("Name", "Example Login"), ("ClientSecret", "s"), ("Audience", "api"), ("Scopes", "openid email"), ("Algorithms", "ES256"),
            ("SecondFactor", "provider"), ("SecondFactorContexts", "high, higher")])!;
        Assert.Equal(("Example Login", "openid email", "s", "api", true), (provider.Name, provider.Scopes, provider.ClientSecret, provider.Audience, provider.TrustsSecondFactor));
        Assert.Equal(["ES256"], provider.Algorithms);
        Assert.Equal(["high", "higher"], provider.SecondFactorContexts);
    }

    [Theory]
    [InlineData("Issuer", "http://login.example.org")]
    [InlineData("Issuer", "login.example.org")]
    [InlineData("Issuer", "https://login.example.org?realm=1")]
    [InlineData("ClientId", "")]
    [InlineData("Audience", "console")]
    [InlineData("Scopes", "email")]
    [InlineData("Algorithms", "HS256")]
    [InlineData("Algorithms", "RS256 none")]
    [InlineData("SecondFactor", "no")]
    public void What_cannot_be_is_refused_by_name(string key, string value)
    {
        FormatException refused = Assert.Throws<FormatException>(() => Read([.. Least.Where(pair => pair.Key != key), (key, value)]));
        Assert.StartsWith($"Identity:Provider:{key} ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_provider_without_an_issuer_is_a_mistake() =>
        Assert.Contains("Identity:Provider:ClientId", Assert.Throws<FormatException>(() => Read(("ClientId", "console"))).Message, StringComparison.Ordinal);

    private static ProviderOptions? Read(params (string Key, string Value)[] settings) => IdentityOptions.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create($"Identity:Provider:{pair.Key}", (string?)pair.Value))).Build()).Provider;
}
