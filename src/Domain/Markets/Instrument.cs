namespace HybridTrading.Domain.Markets;

public enum AssetClass { Forex, Metal, Crypto, Equity, Index, Future, Other }

/// <summary>
/// What is traded: how its price and volume are counted, what it costs to hold, when it trades.
/// Prices are whole points of 10^-<see cref="Digits"/>; volumes are units of the base (not lots).
/// </summary>
/// <param name="Symbol">Upper-case name, for example EURUSD.</param>
/// <param name="BaseCurrency">What one unit is (EUR, XAU, BTC, or the share itself).</param>
/// <param name="QuoteCurrency">What the price is counted in.</param>
/// <param name="Digits">Decimals of the price, 0 to 10.</param>
/// <param name="TickSize">Smallest price step, in points.</param>
/// <param name="PipSize">One pip, in points (10 for a five-digit currency pair).</param>
/// <param name="ContractSize">Units in one lot.</param>
/// <param name="VolumeStep">Smallest volume step, in units.</param>
/// <param name="MinVolume">Smallest order, in units.</param>
/// <param name="MaxVolume">Largest order, in units.</param>
/// <param name="MarginRate">Initial margin as a share of the notional (0.01 = leverage 100).</param>
/// <param name="SwapLongPoints">Points a unit of a long position earns (negative: pays) a night.</param>
/// <param name="SwapShortPoints">The same for a short position.</param>
/// <param name="Calendar">When it trades, and when the swap and the day turn.</param>
[GenerateSerializer, Immutable, Alias("ht.Instrument")]
public sealed record Instrument(
    string Symbol,
    string Name,
    AssetClass AssetClass,
    string BaseCurrency,
    string QuoteCurrency,
    int Digits,
    long TickSize,
    long PipSize,
    decimal ContractSize,
    decimal VolumeStep,
    decimal MinVolume,
    decimal MaxVolume,
    decimal MarginRate,
    decimal SwapLongPoints,
    decimal SwapShortPoints,
    TradingCalendar Calendar)
{
    private static readonly decimal[] PowersOfTen =
        [1m, 10m, 100m, 1000m, 10_000m, 100_000m, 1_000_000m, 10_000_000m, 100_000_000m, 1_000_000_000m, 10_000_000_000m];

    private static readonly decimal[] PointSizes = [.. PowersOfTen.Select(power => 1m / power)];

    /// <summary>
    /// The greatest price in points that is taken in: below it a price is exact in a double, and sums over 10,000 prices are exact in a long.
    /// </summary>
    public const long MaxPricePoints = 300_000_000_000_000;

    /// <summary>The price of <see cref="MaxPricePoints"/>: greater prices and distances are refused where they come in.</summary>
    public decimal MaxPrice => ToPrice(MaxPricePoints);

    /// <summary>The value of one point, 10^-Digits.</summary>
    public decimal PointSize => PointSizes[Digits];

    /// <summary>Points in one unit of price, 10^Digits: exact in a double.</summary>
    public double PointsPerUnit => (double)PowersOfTen[Digits];

    /// <summary>The price of <paramref name="points"/> as an exact decimal.</summary>
    public decimal ToPrice(long points) => points / PowersOfTen[Digits];

    /// <summary>The exact points of a price.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The price has more decimals than the instrument.</exception>
    public long ToPoints(decimal price)
    {
        decimal points = price * PowersOfTen[Digits];
        return points == decimal.Truncate(points) && Math.Abs(points) <= long.MaxValue
            ? (long)points
            : throw new ArgumentOutOfRangeException(nameof(price), price, $"{Symbol} has {Digits} decimals");
    }

    /// <summary>The same instrument with prices counted finer; points, ticks and pips keep their meaning in price.</summary>
    public Instrument WithDigits(int digits)
    {
        if (digits < Digits || digits > 10) throw new ArgumentOutOfRangeException(nameof(digits), digits, $"expected {Digits} to 10");
        long factor = (long)PowersOfTen[digits - Digits];
        return this with
        {
            Digits = digits,
            TickSize = factor == 1 ? TickSize : 1,
            PipSize = PipSize * factor,
            SwapLongPoints = SwapLongPoints * factor,
            SwapShortPoints = SwapShortPoints * factor,
        };
    }
}
