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

/// <summary>A list was changed by somebody: another page, another program. It has to be read again.</summary>
/// <param name="MinPosition">Journal position that contains the change.</param>
/// <param name="Accounts">An account was opened, or follows other strategies or on other terms.</param>
/// <param name="Strategies">A strategy was made, started, stopped, or changed in its parameters or followers.</param>
public sealed record ListsChanged(long MinPosition, bool Accounts, bool Strategies)
{
    /// <summary>Two changes as one.</summary>
    public ListsChanged With(ListsChanged? other) => other is null ? this
        : new ListsChanged(Math.Max(MinPosition, other.MinPosition), Accounts | other.Accounts, Strategies | other.Strategies);
}

/// <summary>The connection was too slow and pushes were dropped: the lists have to be read again.</summary>
/// <param name="Position">Journal position of the first event that was not pushed.</param>
public sealed record Gap(long Position);
