using HybridTrading.Domain.Alerts;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Grains.Alerts;

/// <summary>How this installation sends alerts. Section <c>Alerts</c> of the configuration (<c>Alerts__AllowInternal</c> in the environment).</summary>
public sealed class AlertOptions
{
    public const string Section = "Alerts";

    public AlertPacing Pacing { get; init; } = new();

    /// <summary>
    /// Web hooks may lead to addresses of this machine and of private networks, there also by plain http on loopback. For a system of one's own: with
    /// strangers as users it lets them reach what the machine reaches.
    /// </summary>
    public bool AllowInternal { get; init; }

    /// <summary>From the name's look-up to the end of the answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Where the console is reached, for mails; null says it in words.</summary>
    public Uri? Console { get; init; }

    /// <summary>Spreads attempts: the next value in [0, 1). Without another none is spread.</summary>
    public Func<double> Chance { get; init; } = static () => 0.5;

    /// <param name="chance">As <see cref="Chance"/>.</param>
    /// <exception cref="FormatException">Names key, value and expectation.</exception>
    public static AlertOptions Read(IConfiguration configuration, Func<double> chance)
    {
        string? text = configuration.GetSection(Section)["AllowInternal"];
        return new AlertOptions
        {
            AllowInternal = text is { Length: > 0 }
                && (bool.TryParse(text, out bool allow) ? allow : throw new FormatException($"Alerts:AllowInternal is '{text}'; expected true or false")),
            Chance = chance,
            Console = Uri.TryCreate(configuration["Identity:PublicUrl"], UriKind.Absolute, out Uri? console) ? console : null,
        };
    }
}
