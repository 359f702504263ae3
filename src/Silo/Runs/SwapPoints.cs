using System.Globalization;
using HybridTrading.Domain;
using HybridTrading.Domain.Markets;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo;

/// <summary>What holding a position costs or earns a night, as a run was told.</summary>
/// <param name="Symbol">Null: every instrument that is not named.</param>
/// <param name="Points">Of the instrument as it is known (0.00001 of EURUSD, however many decimals the data have), a unit and night; negative is paid.</param>
public sealed record SwapPoints(string? Symbol, decimal Points)
{
    private const decimal Most = 1_000_000m;

    /// <summary>Reads <c>-7.5</c> or <c>EURUSD=-7.5</c>.</summary>
    /// <exception cref="UsageException">It is neither.</exception>
    public static SwapPoints Parse(string option, string text)
    {
        int equals = text.IndexOf('=');
        bool isNumber = decimal.TryParse(
            text.AsSpan(equals + 1), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal points);
        return isNumber && equals != 0 && Math.Abs(points) <= Most
            ? new SwapPoints(equals < 0 ? null : text[..equals].ToUpperInvariant(), points)
            : throw new UsageException($"{option} is '{text}'; expected points from {-Most} to {Most}, or SYMBOL=POINTS");
    }

    /// <exception cref="UsageException">Something is said twice, or of an instrument that is not there.</exception>
    public static void Check(string option, ImmutableArray<SwapPoints> given, ImmutableArray<MarketSeries> data)
    {
        string[] known = [.. data.Select(series => series.Instrument.Symbol)];
        foreach (IGrouping<string?, SwapPoints> same in given.GroupBy(each => each.Symbol))
        {
            if (same.Count() > 1) throw new UsageException($"{option}: {same.Key ?? "every instrument"} is given {same.Count()} times");
            if (same.Key is { } symbol && !known.Contains(symbol))
            {
                throw new UsageException($"{option} {symbol}: not in the data{NearestName.Suggestion(symbol, known)}");
            }
        }
    }

    /// <summary>In points of <paramref name="instrument"/>, which may count finer than it is known to; null when nothing is said of it.</summary>
    public static decimal? Of(ImmutableArray<SwapPoints> given, Instrument instrument)
    {
        SwapPoints? found = given.FirstOrDefault(each => each.Symbol == instrument.Symbol) ?? given.FirstOrDefault(each => each.Symbol is null);
        Instrument known = InstrumentCatalog.GetOrDefault(instrument.Symbol, assetClass: instrument.AssetClass);
        return found?.Points * known.PointSize / instrument.PointSize;
    }
}
