using System.Text.Json.Serialization;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Market;

namespace HybridTrading.Api;

/// <summary>What can be traded. Prices and steps in price, volumes in units of the base.</summary>
/// <param name="Open">Does it trade now? Where past data are played: at their time.</param>
/// <param name="DataTimeFrame">What is known of it: tick, or the time frame of the shortest bars that can be had.</param>
/// <param name="Simulated">Its market is made up by this program.</param>
public sealed record InstrumentView(
    string Symbol, string Name, AssetClass AssetClass, string BaseCurrency, string QuoteCurrency, int Digits, decimal TickSize, decimal PipSize,
    decimal ContractSize, decimal VolumeStep, decimal MinVolume, decimal MaxVolume, bool Open, string DataTimeFrame, bool Simulated)
{
    public static InstrumentView Of(Instrument one, DateTime now, TimeFrame data, bool simulated) => new(
        one.Symbol, one.Name, one.AssetClass, one.BaseCurrency, one.QuoteCurrency, one.Digits, one.TickSize * one.PointSize,
        one.PipSize * one.PointSize,
        one.ContractSize, one.VolumeStep, one.MinVolume, one.MaxVolume, one.Calendar.IsOpen(now), data.ToString(), simulated);
}

/// <summary>The best bid and ask, read from a copy that is behind its market by milliseconds.</summary>
/// <param name="Position">Place in the market log: which state of the market it shows.</param>
/// <param name="BidSize">Units of the base; 0 when the source does not say.</param>
/// <param name="AskSize">Units of the base; 0 when the source does not say.</param>
public sealed record QuoteView(
    string Symbol, long Position, DateTime Time, decimal Bid, decimal Ask, decimal BidSize, decimal AskSize, bool Simulated)
{
    /// <summary>Null before the first quote.</summary>
    public static QuoteView? Of(MarketView view, Instrument instrument, bool simulated) => view.Quote.Bid == 0 ? null : new QuoteView(
        view.Symbol, view.Position, view.Quote.Time, instrument.ToPrice(view.Quote.Bid), instrument.ToPrice(view.Quote.Ask),
        view.Quote.BidSize * instrument.VolumeStep, view.Quote.AskSize * instrument.VolumeStep, simulated);
}

/// <summary>A bar of bid prices.</summary>
/// <param name="Time">Its opening.</param>
/// <param name="Volume">Traded, or the count of ticks where the source knows no volume.</param>
public sealed record BarView(DateTime Time, decimal Open, decimal High, decimal Low, decimal Close, double Volume)
{
    /// <summary>True for one that has not closed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Forming { get; init; }

    public static BarView Of(in Bar bar, Instrument instrument, bool forming = false) => new(
        bar.OpenTime, instrument.ToPrice(bar.Bid.Open), instrument.ToPrice(bar.Bid.High), instrument.ToPrice(bar.Bid.Low),
        instrument.ToPrice(bar.Bid.Close), bar.Volume)
    { Forming = forming };
}

/// <summary>Bars, the oldest first; the last may be forming.</summary>
public sealed record BarSeries(string Symbol, string TimeFrame, bool Simulated, ImmutableArray<BarView> Bars);

/// <summary>A bar as the hub pushes it. Its stream is symbol and time frame, its sequence the position.</summary>
/// <param name="Position">Place in the market log of the latest event that the market had seen.</param>
public sealed record BarPush(
    string Symbol, string TimeFrame, long Position, DateTime Time, decimal Open, decimal High, decimal Low, decimal Close, double Volume, bool Forming)
{
    public static BarPush Of(MarketView market, TimeFrame timeFrame, in Bar bar, Instrument instrument, bool forming) => new(
        market.Symbol, timeFrame.ToString(), market.Position, bar.OpenTime, instrument.ToPrice(bar.Bid.Open), instrument.ToPrice(bar.Bid.High),
        instrument.ToPrice(bar.Bid.Low),
        instrument.ToPrice(bar.Bid.Close), bar.Volume, forming);
}

/// <summary>The features of an instrument and time frame at the close of its last bar.</summary>
/// <param name="Position">Place in the market log; -1 before the first bar.</param>
/// <param name="Features">By name; null while one is not ready.</param>
public sealed record FeaturesView(DateTime? Time, long Position, ImmutableSortedDictionary<string, double?> Features);
