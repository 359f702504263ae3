using HybridTrading.Domain.Markets;

namespace HybridTrading.Grains.Trading;

/// <summary>What the trading grains are told by the host.</summary>
public sealed class TradingOptions
{
    /// <summary>The instruments of this world.</summary>
    public required InstrumentUniverse Universe { get; init; }

    /// <summary>
    /// A run (replay): strategies decide one after the other in the order of their keys, events come one at a time, and commands take their time from
    /// the events. Live: the shards work side by side and commands take the clock.
    /// </summary>
    public bool IsRun { get; init; }

    /// <summary>When the run begins: the time of commands before its first event.</summary>
    public DateTime RunStart { get; init; }

    /// <summary>Bars of history a feature set is warmed with when a strategy joins; 0 in a run.</summary>
    public int WarmUpBars { get; init; }

    /// <summary>Events of an account between two snapshots.</summary>
    public int SnapshotEvery { get; init; } = 1000;

    /// <summary>Strategies in one shard.</summary>
    public int ShardSize { get; init; } = 256;
}
