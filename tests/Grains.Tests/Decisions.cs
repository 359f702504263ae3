using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Grains.Tests;

internal static class Decisions
{
    public static Decision Long(string strategy, long ordinal, DateTime time, long position, decimal units) => new(
        $"{strategy}#{ordinal}", strategy, "EURUSD", TimeFrame.M1, time, position, Bar(time), [], Stance.Flat, Intent.Long("the test wants it"), units);

    public static Evaluation Evaluation(DateTime time, long position, Stance stance) => new(
        "EURUSD", TimeFrame.M1, time, position, Bar(time), [], new Intent(stance, "the test wants it"));

    public static Bar Bar(DateTime time)
    {
        var prices = new Ohlc(110_000, 110_000, 110_000, 110_000);
        return new Bar(time.AddMinutes(-1), prices, prices.Shift(2), 1);
    }
}
