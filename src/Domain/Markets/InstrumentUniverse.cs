namespace HybridTrading.Domain.Markets;

/// <summary>One conversion through an instrument's price: times it, or divided by it.</summary>
public readonly record struct CurrencyStep(string Symbol, bool Inverse);

/// <summary>How one currency becomes another.</summary>
public sealed record CurrencyPath(ImmutableArray<CurrencyStep> Steps);

/// <summary>The instruments that exist in one world (a live market, a run), and how their currencies convert.</summary>
public sealed class InstrumentUniverse(IEnumerable<Instrument> instruments)
{
    private readonly ImmutableSortedDictionary<string, Instrument> _bySymbol =
        instruments.ToImmutableSortedDictionary(instrument => instrument.Symbol, instrument => instrument, StringComparer.Ordinal);

    public IEnumerable<Instrument> Instruments => _bySymbol.Values;

    public Instrument? Find(string symbol) => _bySymbol.GetValueOrDefault(symbol);

    /// <summary>The shortest way (at most two instruments, first in ordinal order) from one currency to another; null when there is none.</summary>
    public CurrencyPath? FindPath(string from, string to)
    {
        foreach (CurrencyStep step in StepsFrom(from))
        {
            if (Other(step, from) == to) return new CurrencyPath([step]);
        }
        foreach (CurrencyStep first in StepsFrom(from))
        {
            string middle = Other(first, from);
            foreach (CurrencyStep second in StepsFrom(middle))
            {
                if (second.Symbol != first.Symbol && Other(second, middle) == to) return new CurrencyPath([first, second]);
            }
        }
        return null;
    }

    private IEnumerable<CurrencyStep> StepsFrom(string currency)
    {
        foreach (Instrument instrument in _bySymbol.Values)
        {
            if (instrument.BaseCurrency == currency) yield return new CurrencyStep(instrument.Symbol, false);
            else if (instrument.QuoteCurrency == currency) yield return new CurrencyStep(instrument.Symbol, true);
        }
    }

    private string Other(CurrencyStep step, string currency)
    {
        Instrument instrument = _bySymbol[step.Symbol];
        return instrument.BaseCurrency == currency ? instrument.QuoteCurrency : instrument.BaseCurrency;
    }
}
