using HybridTrading.Domain.Markets;

namespace HybridTrading.Api;

/// <summary>What the API is told by the host.</summary>
public sealed class ApiOptions
{
    /// <summary>The instruments of this world.</summary>
    public required InstrumentUniverse Universe { get; init; }

    /// <summary><c>Local</c> or <c>Cluster</c>.</summary>
    public string Host { get; init; } = "Local";

    /// <summary>The market is made up by this program.</summary>
    public bool Simulated { get; init; }

    /// <summary>What a user should know: what is simulated, who can reach the service.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];

    public string DataFolder { get; init; } = "";

    /// <summary>The feed that drives the market, for the system view.</summary>
    public string FeedName { get; init; } = "";
}
