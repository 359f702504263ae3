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

    /// <summary>When the past data begin that are played as the market; null where it goes by the clock.</summary>
    public DateTime? RecordedFrom { get; init; }

    /// <summary>The time frame of the data by symbol where past bars are played: no shorter bars can be had.</summary>
    public ImmutableDictionary<string, TimeFrame> DataFrames { get; init; } = ImmutableDictionary<string, TimeFrame>.Empty;

    /// <summary>Tick where shorter bars are not out of reach.</summary>
    public TimeFrame DataFrameOf(string symbol) => DataFrames.GetValueOrDefault(symbol, TimeFrame.Tick);

    /// <summary>What a user should know: what is simulated, who can reach the service.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];

    public string DataFolder { get; init; } = "";

    /// <summary>The feed that drives the market, for the system view.</summary>
    public string FeedName { get; init; } = "";
}
