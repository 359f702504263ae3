using HybridTrading.Domain.Users;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Api.Identity.Provider;

/// <summary>
/// The external OpenID Connect provider of this installation. Section <c>Identity:Provider</c> of the configuration (<c>Identity__Provider__Issuer</c> in
/// the environment).
/// </summary>
public sealed record ProviderOptions
{
    public const string Section = "Provider";

    /// <summary>Exactly as the provider writes it: https, or http on loopback.</summary>
    public required string Issuer { get; init; }

    /// <summary>What the button on the sign-in page calls it.</summary>
    public required string Name { get; init; }

    /// <summary>Of this installation, as the provider has registered it.</summary>
    public required string ClientId { get; init; }

    /// <summary>Null for a client that the provider knows without one; PKCE stands in any case.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>The audience of access tokens of the provider that the API takes; null where it takes none.</summary>
    public string? Audience { get; init; }

    /// <summary>Asked for at sign-in.</summary>
    public string Scopes { get; init; } = "openid email profile";

    public ImmutableArray<string> Algorithms { get; init; } = ProviderAlgorithms.All;

    /// <summary>The provider's word for a second factor counts in place of ours.</summary>
    public bool TrustsSecondFactor { get; init; }

    /// <summary>Values of acr that mean a second factor, beside "mfa" in amr.</summary>
    public ImmutableArray<string> SecondFactorContexts { get; init; } = [];

    /// <summary>Null where there is none.</summary>
    /// <param name="identity">Section <c>Identity</c>.</param>
    /// <exception cref="FormatException">Names key, value and expectation.</exception>
    public static ProviderOptions? Read(IConfigurationSection identity)
    {
        IConfigurationSection section = identity.GetSection(Section);
        if (section["Issuer"] is not { Length: > 0 } issuer)
        {
            return section.GetChildren().FirstOrDefault(child => !string.IsNullOrEmpty(child.Value)) is { } alone
                ? throw new FormatException($"{alone.Path} is of a provider; expected Identity:Provider:Issuer with it")
                : null;
        }
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out Uri? parsed) || !IsSafe(parsed) || parsed.Query.Length > 0 || parsed.Fragment.Length > 0)
        {
            throw new FormatException($"Identity:Provider:Issuer is '{issuer}'; expected an address such as https://login.example.org, http on loopback only");
        }
        if (section["ClientId"] is not { Length: > 0 } client)
        {
            throw new FormatException("Identity:Provider:ClientId is missing; expected what the provider calls this installation");
        }
        string? audience = section["Audience"] is { Length: > 0 } given ? given : null;
        // What proves a sign-in to this installation would else open the API to whoever sees it.
        if (audience == client)
        {
            throw new FormatException($"Identity:Provider:Audience is '{audience}', which is the ClientId, too; expected an audience of the API's own");
        }
        string scopes = section["Scopes"] is { Length: > 0 } wanted ? wanted : "openid email profile";
        if (!scopes.Split(' ').Contains("openid")) throw new FormatException($"Identity:Provider:Scopes is '{scopes}'; expected openid among them");
        ImmutableArray<string> algorithms = section["Algorithms"] is { Length: > 0 } names ? Words(names) : ProviderAlgorithms.All;
        if (algorithms.FirstOrDefault(name => !ProviderAlgorithms.All.Contains(name)) is { } unknown)
        {
            throw new FormatException($"Identity:Provider:Algorithms has '{unknown}'; expected of {string.Join(", ", ProviderAlgorithms.All)}");
        }
        return new ProviderOptions
        {
            Issuer = issuer, ClientId = client, Audience = audience, Scopes = scopes, Algorithms = algorithms,
            Name = section["Name"] is { Length: > 0 and <= 40 } name ? name : parsed.Host,
            ClientSecret = section["ClientSecret"] is { Length: > 0 } secret ? secret : null,
            TrustsSecondFactor = section["SecondFactor"] switch
            {
                null or "" or "ours" => false,
                "provider" => true,
                { } other => throw new FormatException($"Identity:Provider:SecondFactor is '{other}'; expected ours or provider"),
            },
            SecondFactorContexts = Words(section["SecondFactorContexts"] ?? ""),
        };
    }

    /// <summary>Nobody on the way can read or change what is fetched there.</summary>
    public static bool IsSafe(Uri address) => address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);

    private static ImmutableArray<string> Words(string text) => [.. text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
}
