using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;

namespace HybridTrading.Grains.Market;

/// <summary>What drives the live market.</summary>
public abstract record LiveFeedOptions
{
    private const int ChartFrameCount = 4;

    private static readonly ImmutableArray<TimeFrame> Ladder =
        [TimeFrame.M1, TimeFrame.M5, TimeFrame.M15, TimeFrame.H1, TimeFrame.H4, TimeFrame.D1, TimeFrame.W1, TimeFrame.MN1];

    /// <summary>Time frames that are built of every instrument, for charts: the shortest that its data allow, and the next few.</summary>
    /// <param name="data">Tick, or the time frame of the bars that are known.</param>
    public static ImmutableArray<TimeFrame> ChartFrames(TimeFrame data) =>
        [.. Ladder.Append(data).Where(frame => !frame.IsTick && frame.CompareTo(data) >= 0).Distinct().Order().Take(ChartFrameCount)];
}

/// <summary>The simulated market of a system without data of its own.</summary>
public sealed record SimulatedFeedOptions(ulong Seed, SimulationOptions Simulation) : LiveFeedOptions;

/// <summary>Past data played as the live market.</summary>
/// <param name="Series">One an instrument. Empty in a process that does not host the feed.</param>
/// <param name="Running">It begins by itself; else it waits to be told.</param>
/// <param name="Speed">Times real time, above 0; null for as fast as the system goes.</param>
public sealed record RecordedFeedOptions(ImmutableArray<MarketSeries> Series, bool Running, double? Speed) : LiveFeedOptions
{
    public const double Slowest = 0.01, Fastest = 1_000_000;

    /// <summary>Tells one set of data from another: symbol, time frame, count, first and last time of each.</summary>
    public string Recording { get; } = string.Join("; ", Series.Select(series =>
        series.Count == 0 ? $"{series.Instrument.Symbol} empty"
            : $"{series.Instrument.Symbol} {series.TimeFrame}, {series.Count} from {series.EventTime(0):O} to {series.EventTime(series.Count - 1):O}"));
}
