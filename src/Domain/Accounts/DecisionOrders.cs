using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Accounts;

/// <summary>What a strategy's decision comes to in one account: orders to the wanted stance, whatever is held for the strategy now.</summary>
/// <param name="Reason">Why there are no orders, or not the entry; <see cref="Risk.Reason.None"/> when all is ordered.</param>
internal readonly record struct DecisionOrders(ImmutableArray<OrderRequest> Orders, Reason Reason, string Detail)
{
    /// <summary>Looks at the account and changes nothing; <paramref name="book"/> is the decision's instrument.</summary>
    public static DecisionOrders For(AccountState account, SymbolBook book, FollowTerms terms, Decision decision)
    {
        Intent intent = decision.Intent;
        int sign = (int)intent.Stance;
        decimal held = book.VolumeOf(decision.Strategy);
        decimal opposite = Math.Sign(held) == sign ? 0 : Math.Abs(held);
        if (sign == 0) return held == 0 ? new([], Reason.AlreadyThere, "nothing is held for the strategy") : new([Exit(book, decision, held)], Reason.None, "");

        Instrument instrument = book.Instrument;
        (decimal size, Reason reason, string detail) = Size(account, book, terms, decision);
        if (size == 0) return new(opposite > 0 ? [Exit(book, decision, held)] : [], reason, detail);

        decimal missing = size - Math.Max(0, sign * held);
        if (missing <= 0) return new([], Reason.AlreadyThere, $"{held} units are held already");
        // One order turns a net position at the market; an entry that waits for its price must not make the exit wait, nor one be too large.
        bool turns = opposite > 0 && account.Settings!.Mode == PositionMode.Netting && intent is { EntryLimit: null, EntryStop: null }
            && opposite + missing <= instrument.MaxVolume;
        OrderRequest entry = Entry(book, decision, turns ? opposite + missing : missing);
        return new(opposite > 0 && !turns ? [Exit(book, decision, held), entry] : [entry], Reason.None, "");
    }

    private static OrderRequest Exit(SymbolBook book, Decision decision, decimal held) => new(
        $"{decision.Id}:exit", book.Instrument.Symbol, held > 0 ? Side.Sell : Side.Buy, OrderType.Market, Math.Abs(held),
        ReduceOnly: true, Strategy: decision.Strategy, Decision: decision.Id);

    private static OrderRequest Entry(SymbolBook book, Decision decision, decimal volume)
    {
        Intent intent = decision.Intent;
        Instrument instrument = book.Instrument;
        var side = (Side)(int)intent.Stance;
        (OrderType type, decimal? limit, decimal? stop) = intent switch
        {
            { EntryLimit: { } at } => (OrderType.Limit, (decimal?)at, (decimal?)null),
            { EntryStop: { } at } => (OrderType.Stop, null, (decimal?)at),
            _ => (OrderType.Market, null, null),
        };
        decimal step = instrument.TickSize * book.PointSize;
        decimal OnTick(decimal price) => Math.Max(step, Math.Round(price / step, MidpointRounding.AwayFromZero) * step);
        decimal entry = limit ?? stop ?? instrument.ToPrice(side == Side.Buy ? book.Mark.Ask : book.Mark.Bid);
        return new OrderRequest($"{decision.Id}:entry", instrument.Symbol, side, type, volume,
            LimitPrice: limit is null ? null : OnTick(limit.Value),
            StopPrice: stop is null ? null : OnTick(stop.Value),
            StopLoss: intent.StopDistance is { } loss ? OnTick(entry - (int)side * loss) : null,
            TakeProfit: intent.TakeDistance is { } gain ? OnTick(entry + (int)side * gain) : null,
            TrailingStopLoss: intent.TrailDistance is { } trail ? OnTick(trail) : null,
            Strategy: decision.Strategy, Decision: decision.Id);
    }

    private static (decimal Size, Reason Reason, string Detail) Size(AccountState account, SymbolBook book, FollowTerms terms, Decision decision)
    {
        if (terms.Paused) return (0, Reason.StrategyPaused, "the account has paused this strategy: exits only");
        Instrument instrument = book.Instrument;
        if (TooFar(decision.Intent, instrument) is { } tooFar) return (0, Reason.PricePrecision, tooFar);
        if (decision.Intent.Size is null && decision.Units <= 0) return (0, Reason.VolumeNotPositive, $"units is {decision.Units}; expected more than 0");
        if (decision.Units > StrategyDefinition.Units.Maximum)
        {
            return (0, Reason.VolumeAboveMaximum, $"units is {decision.Units}; at most {StrategyDefinition.Units.Maximum}");
        }
        if (decision.Intent.Size is { } own && new FollowTerms(own).Fault() is { } fault) return (0, Reason.VolumeNotPositive, fault);
        decimal price = instrument.ToPrice(book.Mark.Ask);
        decimal rate = account.Rate(instrument.QuoteCurrency) ?? 0;
        decimal distance = decision.Intent.StopDistance ?? decision.Intent.TrailDistance ?? 0;
        decimal Units(Sizing sizing) => sizing.Kind switch
        {
            // The strategy's own size, of whatever kind, times the value.
            SizingKind.StrategyUnits => (decision.Intent.Size is { Kind: not SizingKind.StrategyUnits } own ? Units(own) : decision.Units) * sizing.Value,
            SizingKind.FixedUnits => sizing.Value,
            SizingKind.PercentOfEquity => Share(account, sizing, price * rate, instrument.MaxVolume),
            SizingKind.PercentRisk => Share(account, sizing, distance * rate, instrument.MaxVolume),
            SizingKind.Notional => Affordable(sizing.Value, price * rate, instrument.MaxVolume),
            _ => throw new InvalidOperationException($"unknown sizing {sizing.Kind}"),
        };
        decimal units = Units(terms.Sizing);
        if (terms.MaxUnits is { } most) units = Math.Min(units, most);
        units = Math.Floor(Math.Min(units, instrument.MaxVolume) / instrument.VolumeStep) * instrument.VolumeStep;
        return units < instrument.MinVolume
            ? (0, Reason.SizeBelowMinimum, $"the size comes to less than {instrument.MinVolume} units")
            : (units, Reason.None, "");
    }

    /// <summary>Units of which the sizing's share of the equity pays for <paramref name="each"/>, at most so many; none where that is not known.</summary>
    private static decimal Share(AccountState account, Sizing sizing, decimal each, decimal most) =>
        Affordable(Math.Max(0, account.Equity) * sizing.Value / 100m, each, most);

    // Compared before it is divided: what each costs may be next to nothing.
    private static decimal Affordable(decimal amount, decimal each, decimal most) =>
        each <= 0 || amount == 0 ? 0 : amount >= most * each ? most : amount / each;

    /// <summary>What in an intent lies beyond any price of the instrument; null when nothing does.</summary>
    private static string? TooFar(Intent intent, Instrument instrument)
    {
        string? Check(string field, decimal? value) =>
            Math.Abs(value ?? 0) > instrument.MaxPrice ? $"{field} is {value}; at most {instrument.MaxPrice}" : null;
        return Check("entryLimit", intent.EntryLimit) ?? Check("entryStop", intent.EntryStop) ?? Check("stopDistance", intent.StopDistance)
            ?? Check("takeDistance", intent.TakeDistance) ?? Check("trailDistance", intent.TrailDistance);
    }
}
