namespace HybridTrading.Domain.Alerts;

/// <summary>
/// Which prices are stale, and for whom that is news. A price is as old as the time since it was seen to change while its market was open. Whoever
/// was told hears of the same instrument again only after it has been fresh for a while. Not thread-safe.
/// </summary>
public sealed class StalePrices
{
    /// <summary>How long a price must have been fresh before its going stale is news again.</summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, Price> _prices = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Person, string Symbol), Told> _told = [];

    /// <summary>Takes a look at a market.</summary>
    /// <param name="position">Place in the market log of what it shows.</param>
    /// <param name="now">Of a clock that goes on when the market does not.</param>
    public void Look(string symbol, long position, bool isOpen, DateTime now)
    {
        if (isOpen && _prices.TryGetValue(symbol, out Price? known) && known.Position == position) return;
        _prices[symbol] = new Price(position, now);
    }

    /// <summary>Since when the price has not changed, when that is longer than it may be and the person does not know; else null.</summary>
    /// <param name="longest">That a price may stay the same.</param>
    public (DateTime Since, long Position)? News(string person, string symbol, TimeSpan longest, DateTime now)
    {
        if (!_prices.TryGetValue(symbol, out Price? price)) return null;
        bool isStale = now - price.Since > longest;
        if (_told.TryGetValue((person, symbol), out Told? told))
        {
            if (isStale) told.FreshSince = null;
            else if (now - (told.FreshSince ??= now) >= Recovery) _told.Remove((person, symbol));
            return null;
        }
        return isStale ? (price.Since, price.Position) : null;
    }

    /// <summary>The person has been told.</summary>
    public void Tell(string person, string symbol) => _told[(person, symbol)] = new Told();

    private sealed record Price(long Position, DateTime Since);

    private sealed class Told
    {
        public DateTime? FreshSince { get; set; }
    }
}
