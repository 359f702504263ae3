using HybridTrading.Domain.Markets;

namespace HybridTrading.Grains.Trading;

/// <summary>What the trading grains are told by the host.</summary>
public sealed class TradingOptions
{
    /// <summary>The instruments of this world.</summary>
    public required InstrumentUniverse Universe { get; init; }

    /// <summary>
    /// A run (replay): nothing but the journal is kept, and a failure ends it. Live: markets and features come back from what they saved, and one
    /// account's or strategy's failure is not the others'.
    /// </summary>
    public bool IsRun { get; init; }

    /// <summary>When past data begin, in a run or as a recorded market: the time of commands before the first event. Null where time is the clock's.</summary>
    public DateTime? EventStart { get; init; }

    /// <summary>
    /// Past data are worked off in one order that repeats: accounts and strategies one after the other by their keys. By the clock they work side by side.
    /// </summary>
    public bool InOrder => EventStart is not null;

    /// <summary>The time frame of the data by symbol, where it is not ticks: no shorter bars can be had.</summary>
    public ImmutableDictionary<string, TimeFrame> DataFrames { get; init; } = ImmutableDictionary<string, TimeFrame>.Empty;

    /// <summary>Bars of history a feature set is warmed with when a strategy joins; 0 in a run.</summary>
    public int WarmUpBars { get; init; }

    /// <summary>Events of an account between two snapshots.</summary>
    public int SnapshotEvery { get; init; } = 1000;

    /// <summary>How long a second person has to approve the release of a tenant's halt.</summary>
    public TimeSpan ReleaseWindow { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Strategies in one shard.</summary>
    public int ShardSize { get; init; } = 256;

    /// <summary>The time of a command: the clock's, or where past data are played that of the last event known.</summary>
    /// <param name="lastEvent">Of the grain that asks.</param>
    public DateTime Now(TimeProvider clock, DateTime lastEvent) =>
        EventStart is not { } start ? clock.GetUtcNow().UtcDateTime : lastEvent > start ? lastEvent : start;

    /// <summary>Tick, or the time frame of the bars that are all that is known of an instrument.</summary>
    public TimeFrame DataFrameOf(string symbol) => DataFrames.GetValueOrDefault(symbol, TimeFrame.Tick);

    /// <summary>What is wrong with wanting bars of a time frame; null when they can be had.</summary>
    public string? FrameFault(string symbol, TimeFrame frame) => frame.CompareTo(DataFrameOf(symbol)) >= 0 ? null
        : $"timeFrame is {frame}; the data of {symbol} are bars of {DataFrameOf(symbol)}, expected that or longer";
}
