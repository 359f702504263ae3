using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Api.Limits;

/// <summary>What one caller may use in a window.</summary>
/// <param name="Weight">Sum of the weights of general requests in a minute.</param>
/// <param name="Orders">Requests to order routes in ten seconds.</param>
/// <param name="Safety">Requests to the kill switch in a minute.</param>
public sealed record Budget(int Weight, int Orders, int Safety)
{
    public int Of(RouteClass routes) => routes switch { RouteClass.Order => Orders, RouteClass.Safety => Safety, _ => Weight };
}

/// <summary>How much the gateway takes of whom. Configuration: <c>Gateway:Limits:NAME</c>, as environment variable <c>Gateway__Limits__NAME</c>.</summary>
public sealed record RateLimitOptions
{
    /// <summary>Of a signed-in user, from wherever.</summary>
    public Budget User { get; init; } = new(6_000, 100, 120);

    /// <summary>Of everybody at one address who is not signed in.</summary>
    public Budget Address { get; init; } = new(1_200, 20, 60);

    /// <summary>Of whoever calls from this machine itself.</summary>
    public Budget Loopback { get; init; } = new(10_000_000, 1_000_000, 100_000);

    /// <summary>Refusals within a minute after which a caller is banned.</summary>
    public int RefusalsBeforeBan { get; init; } = 100;

    /// <summary>The first ban. Each one that follows within <see cref="LongestBan"/> of the last is twice as long.</summary>
    public TimeSpan FirstBan { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan LongestBan { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Callers that are counted each for themselves at a time, of users and of addresses; beyond that newcomers share counters.</summary>
    public int MostPartitions { get; init; } = 50_000;

    /// <exception cref="FormatException">A value is no whole number or out of bounds: the text names the variable, the value and what was expected.</exception>
    public static RateLimitOptions Read(IConfiguration configuration)
    {
        IConfigurationSection limits = configuration.GetSection("Gateway:Limits");
        var usual = new RateLimitOptions();
        return usual with
        {
            User = BudgetOf("User", usual.User),
            Address = BudgetOf("Address", usual.Address),
            Loopback = BudgetOf("Loopback", usual.Loopback),
            RefusalsBeforeBan = Number("RefusalsBeforeBan", usual.RefusalsBeforeBan, 1, 1_000_000),
            FirstBan = TimeSpan.FromSeconds(Number("FirstBanSeconds", (int)usual.FirstBan.TotalSeconds, 1, 86_400)),
            LongestBan = TimeSpan.FromSeconds(Number("LongestBanSeconds", (int)usual.LongestBan.TotalSeconds, 1, 7 * 86_400)),
            MostPartitions = Number("MostPartitions", usual.MostPartitions, 100, 10_000_000),
        };

        Budget BudgetOf(string whose, Budget otherwise) => new(
            Number($"{whose}Weight", otherwise.Weight, RouteCost.Heaviest, 1_000_000_000),
            Number($"{whose}Orders", otherwise.Orders, 1, 1_000_000_000),
            // So low that nobody could halt is no limit but a fault.
            Number($"{whose}Safety", otherwise.Safety, 10, 1_000_000_000));

        int Number(string name, int otherwise, int least, int most)
        {
            if (limits[name] is not { Length: > 0 } text) return otherwise;
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
                ? value
                : throw new FormatException($"Gateway__Limits__{name} is '{text}'; expected a whole number from {least} to {most}");
        }
    }
}
