using System.Text.Json.Serialization;
using HybridTrading.Domain.Configuration;

namespace HybridTrading.Api.Hubs;

/// <summary>What a connection wants to see; it replaces what it wanted before.</summary>
/// <param name="Symbols">Whose quotes and bars; at most 100.</param>
/// <param name="Account">Name of the account whose view, orders and fills; null for the orders and fills of all.</param>
/// <param name="After">
/// The journal sequence last seen, here or at another process: what happened since is pushed. Null goes on where this connection was, at first from now.
/// </param>
public sealed record Subscription(ImmutableArray<string> Symbols, string? Account, long? After = null);

/// <summary>How things stand at the moment of subscribing.</summary>
/// <param name="Sequence">The journal sequence from which on everything is pushed: what was asked for with <c>after</c>, or now.</param>
public sealed record Snapshot(long Sequence, ImmutableArray<QuoteView> Quotes, AccountView? Account, ImmutableArray<StrategyView> Strategies);

/// <summary>A quote as the hub pushes it. Its stream is the symbol, its sequence the position; those between two pushes are left out.</summary>
/// <param name="Position">Place in the market log.</param>
public sealed record QuotePush(string Symbol, long Position, DateTime Time, decimal Bid, decimal Ask, bool Simulated)
{
    public static QuotePush Of(QuoteView quote) => new(quote.Symbol, quote.Position, quote.Time, quote.Bid, quote.Ask, quote.Simulated);
}

/// <summary>
/// What the journal tells a connection. Pushes form a chain: each holds all that concerns the connection after the sequence of the one before it. Who
/// finds that <paramref name="After"/> is beyond the last <paramref name="Sequence"/> seen has missed something, and subscribes again with what was seen.
/// </summary>
/// <param name="Stream">Always <c>journal</c>.</param>
/// <param name="After">Journal position, exclusive, at which it begins.</param>
/// <param name="Sequence">Journal position, inclusive, up to which it goes.</param>
/// <param name="Lists">What has to be read again; null when nothing.</param>
/// <param name="Orders">Each as its last event left it.</param>
public sealed record JournalPush(
    string Stream, long After, long Sequence, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ListsChanged? Lists,
    ImmutableArray<DecisionView> Decisions, ImmutableArray<OrderView> Orders, ImmutableArray<FillView> Fills)
{
    public const string StreamName = "journal";
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

/// <summary>The connection was too slow, or away for too long: the lists have to be read again.</summary>
/// <param name="Stream">Always <c>journal</c>.</param>
/// <param name="Position">Journal position of the first event that was not pushed.</param>
/// <param name="Sequence">Journal position of the last one; the chain of pushes goes on after it.</param>
public sealed record Gap(string Stream, long Position, long Sequence);

/// <summary>A document of configuration has another version: what counts has to be read again.</summary>
/// <param name="Layer">The caller's own (User, Strategy) or that of their tenant.</param>
/// <param name="Id">Of the document.</param>
/// <param name="Position">Journal position of the change.</param>
public sealed record ConfigurationPush(ConfigurationLayer Layer, string Id, long Version, long Position);
