using System.Globalization;
using HybridTrading.Api.Identity.Provider;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Api.Identity;

/// <summary>How this installation lets people in. Section <c>Identity</c> of the configuration (<c>Identity__SignUp</c> in the environment).</summary>
public sealed class IdentityOptions
{
    public const string Section = "Identity";

    /// <summary>The issuer and the audience of access tokens.</summary>
    public string Issuer { get; init; } = "hybridtrading";

    public string Audience { get; init; } = "hybridtrading-api";

    /// <summary>Strangers may make themselves a user; else an invitation is needed.</summary>
    public bool SignUp { get; init; }

    /// <summary>Where the console is reached, for links in mails; null takes the address of the request, which on loopback is right.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>Where users may sign in, too; null for here alone.</summary>
    public ProviderOptions? Provider { get; init; }

    /// <summary>Between asking for the erasure of a user and erasing, in which signing in cancels it; 0 to 30 days.</summary>
    public TimeSpan ErasureGrace { get; init; } = TimeSpan.FromDays(7);

    /// <exception cref="FormatException">Names key, value and expectation.</exception>
    public static IdentityOptions Read(IConfiguration configuration)
    {
        IConfigurationSection section = configuration.GetSection(Section);
        var defaults = new IdentityOptions();
        return new IdentityOptions
        {
            Issuer = section["Issuer"] ?? defaults.Issuer, Audience = section["Audience"] ?? defaults.Audience,
            SignUp = section["SignUp"] switch
            {
                null or "" or "invitation" => false,
                "open" => true,
                { } other => throw new FormatException($"Identity:SignUp is '{other}'; expected open or invitation"),
            },
            ErasureGrace = section["ErasureGraceDays"] is not { Length: > 0 } days ? defaults.ErasureGrace
                : int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= 30 ? TimeSpan.FromDays(count)
                : throw new FormatException($"Identity:ErasureGraceDays is '{days}'; expected 0 to 30"),
            PublicUrl = section["PublicUrl"] is not { Length: > 0 } url ? null
                : Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "http" or "https" ? parsed
                : throw new FormatException($"Identity:PublicUrl is '{url}'; expected an address such as https://trading.example.org"),
            Provider = ProviderOptions.Read(section),
        };
    }
}
