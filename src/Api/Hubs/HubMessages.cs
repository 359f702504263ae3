namespace HybridTrading.Api.Hubs;

/// <summary>What a connection wants to see; it replaces what it wanted before.</summary>
/// <param name="Symbols">Whose quotes and bars; at most 100.</param>
/// <param name="Account">Name of the account whose view, orders and fills; null for the orders and fills of all.</param>
public sealed record Subscription(ImmutableArray<string> Symbols, string? Account);

/// <summary>How things stand at the moment of subscribing.</summary>
public sealed record Snapshot(ImmutableArray<QuoteView> Quotes, AccountView? Account, ImmutableArray<StrategyView> Strategies);

/// <summary>A quote as the hub pushes it.</summary>
public sealed record QuotePush(string Symbol, long Position, DateTime Time, decimal Bid, decimal Ask, bool Simulated)
{
    public static QuotePush Of(QuoteView quote) => new(quote.Symbol, quote.Position, quote.Time, quote.Bid, quote.Ask, quote.Simulated);
}

/// <summary>The connection was too slow and pushes were dropped: the lists have to be read again.</summary>
/// <param name="Position">Journal position of the first event that was not pushed.</param>
public sealed record Gap(long Position);
