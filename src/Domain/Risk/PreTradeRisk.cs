using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Risk;

/// <summary>What risk says of an order: how much of it may go, and why not all. A denial with a volume left is a cut.</summary>
/// <param name="ReduceOnly">The part that goes takes off its strategy's own holding and must never do more.</param>
/// <param name="IsMalformed">The order itself is at fault; no rule of risk was asked.</param>
public readonly record struct RiskVerdict(decimal Volume, Denial? Denial, bool ReduceOnly = false, bool IsMalformed = false);

/// <summary>
/// The checks before an order leaves. Malformed orders are refused; risk rules speak only of the part that adds: what, together with the plain
/// orders already at work, only reduces the position (or the holding of the strategy that sends it) always passes, and an order that does both is
/// cut to its reducing part. Orders at work count from the moment they are accepted.
/// </summary>
public static class PreTradeRisk
{
    private const string IdForm = "1 to 200 of A-Z a-z 0-9 . _ : / # -";

    private static readonly System.Buffers.SearchValues<char> IdCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/#-");

    /// <summary>What is wrong with a client order id; null when nothing is.</summary>
    public static Denial? MalformedId(string clientOrderId) =>
        IsId(clientOrderId) ? null : new Denial(Reason.ClientOrderIdInvalid, $"clientOrderId is '{clientOrderId}'; expected {IdForm}");

    private static bool IsId(string text) => text.Length is >= 1 and <= 200 && text.AsSpan().IndexOfAnyExcept(IdCharacters) < 0;

    /// <summary>How much of a new order may go: its form first, then the rules. Where nothing goes there is a denial.</summary>
    public static RiskVerdict Judge(AccountState account, OrderRequest order, DateTime now)
    {
        if ((MalformedId(order.ClientOrderId) ?? Malformed(account, order, now)) is { } fault) return new RiskVerdict(0, fault, IsMalformed: true);
        RiskVerdict verdict = Assess(account, order, now);
        if (verdict.Volume > 0 || verdict.Denial is not null) return verdict;
        return verdict with { Denial = new Denial(Reason.NothingToReduce, "nothing is left to reduce") };
    }

    /// <summary>The first thing wrong with the order itself; null when it is well formed.</summary>
    private static Denial? Malformed(AccountState account, OrderRequest order, DateTime now)
    {
        if (order.OcoGroup is { } group && !IsId(group)) return new Denial(Reason.ClientOrderIdInvalid, $"ocoGroup is '{group}'; expected {IdForm}");
        if (account.FindInstrument(order.Symbol) is not { } instrument)
        {
            return new Denial(Reason.InstrumentUnknown, $"symbol is '{order.Symbol}'; no such instrument here");
        }
        if (Volume(instrument, order.Volume) is { } volumeFault) return volumeFault;
        if (order.Volume < instrument.MinVolume && !Closes(account, order))
        {
            return new Denial(Reason.VolumeBelowMinimum, $"volume is {order.Volume}; at least {instrument.MinVolume}");
        }
        bool limit = order.Type is OrderType.Limit or OrderType.StopLimit;
        bool stop = order.Type is OrderType.Stop or OrderType.StopLimit;
        if (limit && order.LimitPrice is null) return new Denial(Reason.PriceMissing, $"limitPrice is missing; a {order.Type} order needs one");
        if (!limit && order.LimitPrice is not null) return new Denial(Reason.PriceUnexpected, $"limitPrice is {order.LimitPrice}; a {order.Type} order has none");
        if (stop && order.StopPrice is null) return new Denial(Reason.TriggerPriceMissing, $"stopPrice is missing; a {order.Type} order needs one");
        if (!stop && order.Type != OrderType.TrailingStop && order.StopPrice is not null)
        {
            return new Denial(Reason.PriceUnexpected, $"stopPrice is {order.StopPrice}; a {order.Type} order has none");
        }
        if (order.Type == OrderType.TrailingStop != order.TrailDistance is not null)
        {
            return new Denial(Reason.TrailDistanceInvalid, $"trailDistance is {order.TrailDistance?.ToString() ?? "missing"}; a trailing stop, and nothing else, has one");
        }
        if ((Price(instrument, "limitPrice", order.LimitPrice, Reason.PricePrecision)
            ?? Price(instrument, "stopPrice", order.StopPrice, Reason.TriggerPricePrecision)
            ?? Price(instrument, "trailDistance", order.TrailDistance, Reason.TrailDistanceInvalid)
            ?? Price(instrument, "stopLoss", order.StopLoss, Reason.TriggerPricePrecision)
            ?? Price(instrument, "takeProfit", order.TakeProfit, Reason.PricePrecision)
            ?? Price(instrument, "trailingStopLoss", order.TrailingStopLoss, Reason.TrailDistanceInvalid)) is { } fault)
        {
            return fault;
        }
        if (order.TimeInForce == TimeInForce.Gtd && order.GoodTill is null) return new Denial(Reason.GoodTillMissing, "goodTill is missing; a GTD order needs one");
        if (order.GoodTill <= now) return new Denial(Reason.GoodTillExpired, $"goodTill is {order.GoodTill:O}; it is already {now:O}");

        SymbolBook? book = account.FindBook(order.Symbol);
        if (book is null || book.Mark.Bid == 0) return new Denial(Reason.NoMarketData, $"no quote of {order.Symbol} has been seen yet");
        if (account.Rate(instrument.QuoteCurrency) is null)
        {
            return new Denial(Reason.NoConversionRate, $"no rate from {instrument.QuoteCurrency} to {account.Settings!.Currency}");
        }
        long entry = EntryPoints(instrument, order.Side, order.LimitPrice, order.StopPrice, book.Mark);
        if (order.StopLoss is { } stopLoss && (int)order.Side * (entry - instrument.ToPoints(stopLoss)) <= 0)
        {
            return new Denial(Reason.StopLossWrongSide, $"stopLoss is {stopLoss}; expected {(order.Side == Side.Buy ? "below" : "above")} {instrument.ToPrice(entry)}");
        }
        if (order.TakeProfit is { } takeProfit && (int)order.Side * (instrument.ToPoints(takeProfit) - entry) <= 0)
        {
            return new Denial(Reason.TakeProfitWrongSide, $"takeProfit is {takeProfit}; expected {(order.Side == Side.Buy ? "above" : "below")} {instrument.ToPrice(entry)}");
        }
        if (order.PositionId is { } id)
        {
            if (account.Settings!.Mode != PositionMode.Hedging) return new Denial(Reason.PositionIdUnexpected, "positionId is for hedging accounts");
            if (book.Find(id) is null) return new Denial(Reason.PositionUnknown, $"positionId is '{id}'; no such position");
        }
        if ((order.ReduceOnly || order.PositionId is not null) && book.Reducible(order.Side, order.Strategy, order.PositionId) == 0)
        {
            return new Denial(Reason.NothingToReduce, $"nothing on the other side of {order.Side} in {order.Symbol}");
        }
        return null;
    }

    /// <summary>How much of a well-formed order may go. The order's conversion and quotes are known.</summary>
    private static RiskVerdict Assess(AccountState account, OrderRequest order, DateTime now)
    {
        SymbolBook book = account.Book(order.Symbol);
        if (OnlyReduces(order))
        {
            return new RiskVerdict(Math.Min(order.Volume, book.Reducible(order.Side, order.Strategy, order.PositionId)), null);
        }
        decimal reducing = Math.Min(order.Volume, FreeToReduce(book, order.Side, order.Strategy));
        if (reducing == order.Volume) return new RiskVerdict(order.Volume, null);
        var addition = new Addition(order.Side, order.Volume, order.Volume, order.LimitPrice, order.StopPrice, IsNew: true);
        if (Adds(account, book, addition, now) is not { } denial) return new RiskVerdict(order.Volume, null);
        bool ofItsOwn = order.Strategy.Length > 0 && reducing <= book.Reducible(order.Side, order.Strategy, null);
        return new RiskVerdict(reducing, denial, ofItsOwn);
    }

    /// <summary>May a change of a working order go? What does not add passes always.</summary>
    public static Denial? AssessChange(AccountState account, Order order, OrderChange change, DateTime now)
    {
        decimal volume = change.Volume ?? order.Volume;
        bool onlyShrinks = volume <= order.Volume && change is { LimitPrice: null, StopPrice: null, TrailDistance: null };
        SymbolBook book = account.Book(order.Symbol);
        bool reduces = order.ReduceOnly || volume - order.Filled <= FreeToReduce(book, order.Side, order.Owner, except: order);
        if (onlyShrinks || reduces) return null;
        if (account.Limits.ModifyRate is { } rate && account.ModifiesSince(now - rate.Window) >= rate.Count)
        {
            return new Denial(Reason.ModifyRate, $"{rate.Count} changes in {rate.Window} are used up");
        }
        if (volume <= order.Volume) return Collar(account, book, change.LimitPrice) ?? Collar(account, book, change.StopPrice);
        decimal? Price(long? points) => points is { } value ? book.Instrument.ToPrice(value) : null;
        var addition = new Addition(order.Side, volume, volume - order.Volume, change.LimitPrice ?? Price(order.Limit), change.StopPrice ?? Price(order.Stop), IsNew: false);
        return Adds(account, book, addition, now);
    }

    /// <summary>What adds to a position.</summary>
    /// <param name="Whole">Units of the order as it will stand.</param>
    /// <param name="More">Units that it has more than what is at work already.</param>
    /// <param name="IsNew">A new order, not a change of one.</param>
    private readonly record struct Addition(Side Side, decimal Whole, decimal More, decimal? Limit, decimal? Stop, bool IsNew);

    private static bool OnlyReduces(OrderRequest order) => order.ReduceOnly || order.PositionId is not null;

    /// <summary>Would the rules have a word on a well-formed order, because some of it adds?</summary>
    internal static bool AddsToPosition(AccountState account, OrderRequest order) =>
        !OnlyReduces(order) && order.Volume > FreeToReduce(account.Book(order.Symbol), order.Side, order.Strategy);

    /// <summary>Units that can still be taken off on this side, beside what the plain orders at work may take off already.</summary>
    private static decimal FreeToReduce(SymbolBook book, Side side, string owner, Order? except = null)
    {
        decimal free = book.Reducing(side, owner);
        foreach (Order working in book.Orders)
        {
            // Reduce-only orders are cut when they fill, so they cannot turn the position.
            if (working.Side == side && !working.ReduceOnly && working.Ordinal != except?.Ordinal) free -= working.Remaining;
        }
        return Math.Max(0, free);
    }

    private static Denial? Adds(AccountState account, SymbolBook book, in Addition order, DateTime now)
    {
        RiskLimits limits = account.Limits;
        Instrument instrument = book.Instrument;
        if (!account.TenantHalts.IsEmpty) return new Denial(Reason.TenantHalted, "the tenant's kill switch stands for this account; only what reduces passes");
        if (account.TradingState == TradingState.Halted) return new Denial(Reason.Halted, $"the account is halted ({account.StateReason}); only what reduces passes");
        if (account.TradingState == TradingState.Reducing) return new Denial(Reason.Reducing, $"the account only reduces ({account.StateReason})");
        if (!limits.AllowedInstruments.IsDefaultOrEmpty && !limits.AllowedInstruments.Contains(instrument.Symbol))
        {
            return new Denial(Reason.InstrumentNotAllowed, $"symbol is {instrument.Symbol}; allowed: {string.Join(", ", limits.AllowedInstruments)}");
        }
        if (order.IsNew && limits.SubmitRate is { } rate && account.SubmitsSince(now - rate.Window) >= rate.Count)
        {
            return new Denial(Reason.SubmitRate, $"{rate.Count} orders in {rate.Window} are used up");
        }
        if (limits.MaxOrderVolume is { } maxVolume && order.Whole > maxVolume)
        {
            return new Denial(Reason.OrderVolumeAboveLimit, $"volume is {order.Whole}; the account's limit is {maxVolume}");
        }
        if ((Collar(account, book, order.Limit) ?? Collar(account, book, order.Stop)) is { } collar) return collar;

        decimal whole = account.Notional(instrument, order.Whole, EntryPoints(instrument, order.Side, order.Limit, order.Stop, book.Mark));
        if (limits.MinOrderNotional is { } minNotional && whole < minNotional)
        {
            return new Denial(Reason.NotionalBelowMinimum, $"notional is {whole:0.##}; at least {minNotional}");
        }
        if (limits.MaxOrderNotional is { } maxNotional && whole > maxNotional)
        {
            return new Denial(Reason.NotionalAboveMaximum, $"notional is {whole:0.##}; at most {maxNotional}");
        }
        if (order.IsNew && Counts(account, book) is { } counts) return counts;

        decimal before = WorstVolume(account, book), after = WorstVolume(account, book, order.Side, order.More);
        // An order on the lighter side of those at work takes nothing more.
        if (after == before) return null;
        return Exposure(account, book, before, after) ?? Margin(account, book, before, after);
    }

    private static Denial? Exposure(AccountState account, SymbolBook book, decimal before, decimal after)
    {
        RiskLimits limits = account.Limits;
        if (limits is { MaxExposure: null, MaxExposurePercent: null, MaxInstrumentExposure: null }) return null;
        decimal own = ExposureOf(account, book, after);
        decimal total = own - ExposureOf(account, book, before) + ExposureOf(account);
        if (limits.MaxExposure is { } maxExposure && total > maxExposure)
        {
            return new Denial(Reason.MaxExposure, $"exposure would be {total:0.##}; at most {maxExposure}");
        }
        if (limits.MaxExposurePercent is { } percent && account.Equity is var equity && total > equity * percent / 100m)
        {
            return new Denial(Reason.MaxExposure, $"exposure would be {total:0.##}; at most {percent} % of the equity {equity:0.##}");
        }
        if (limits.MaxInstrumentExposure is { } maxInstrument && own > maxInstrument)
        {
            return new Denial(Reason.MaxInstrumentExposure, $"exposure in {book.Instrument.Symbol} would be {own:0.##}; at most {maxInstrument}");
        }
        return null;
    }

    private static Denial? Margin(AccountState account, SymbolBook book, decimal before, decimal after)
    {
        decimal needed = MarginOf(account, book, after) - MarginOf(account, book, before), free = FreeMargin(account);
        return needed > free
            ? new Denial(Reason.InsufficientMargin,
                $"margin needed is {needed:0.##}; free is {free:0.##} (equity {account.Equity:0.##} less positions and orders at work)")
            : null;
    }

    /// <summary>Margin in account currency of <paramref name="volume"/> units in an instrument.</summary>
    internal static decimal MarginOf(AccountState account, SymbolBook book, decimal volume) => account.Margin(book.Instrument, volume, book.Mark.Ask);

    /// <summary>Equity less the margin of all positions as large as the orders at work can make them, in account currency.</summary>
    internal static decimal FreeMargin(AccountState account)
    {
        decimal free = account.Equity;
        foreach (SymbolBook book in account.Books) free -= MarginOf(account, book, WorstVolume(account, book));
        return free;
    }

    /// <summary>
    /// Units of the position at its largest, once the plain orders at work (and <paramref name="more"/> on a side) have filled: on the heavier side for a
    /// netting account, all together for a hedging one.
    /// </summary>
    internal static decimal WorstVolume(AccountState account, SymbolBook book, Side side = Side.Buy, decimal more = 0)
    {
        decimal buys = side == Side.Buy ? more : 0, sells = side == Side.Sell ? more : 0;
        foreach (Order order in book.Orders)
        {
            if (order.ReduceOnly) continue;
            if (order.Side == Side.Buy) buys += order.Remaining;
            else sells += order.Remaining;
        }
        return account.Settings!.Mode == PositionMode.Hedging
            ? book.MarginVolume + buys + sells
            : Math.Max(Math.Abs(book.NetVolume), Math.Max(book.NetVolume + buys, sells - book.NetVolume));
    }

    private static Denial? Counts(AccountState account, SymbolBook book)
    {
        RiskLimits limits = account.Limits;
        int ownOrders = Working(book);
        if (limits.MaxInstrumentWorkingOrders is { } maxOwnOrders && ownOrders >= maxOwnOrders)
        {
            return new Denial(Reason.MaxInstrumentWorkingOrders, $"{ownOrders} orders at work in {book.Instrument.Symbol}; at most {maxOwnOrders}");
        }
        if (limits.MaxWorkingOrders is { } maxOrders)
        {
            int orders = WorkingOf(account);
            if (orders >= maxOrders) return new Denial(Reason.MaxWorkingOrders, $"{orders} orders at work; at most {maxOrders}");
        }
        bool hedging = account.Settings!.Mode == PositionMode.Hedging;
        // Another order in an instrument opens another position only where each entry is one.
        int own = Positions(book, hedging);
        if (!hedging && own > 0) return null;
        if (limits.MaxInstrumentPositions is { } maxOwn && own >= maxOwn)
        {
            return new Denial(Reason.MaxInstrumentPositions, $"{own} positions in {book.Instrument.Symbol} are open or ordered; at most {maxOwn}");
        }
        if (limits.MaxOpenPositions is { } max)
        {
            int open = PositionsOf(account);
            if (open >= max) return new Denial(Reason.MaxOpenPositions, $"{open} positions are open or ordered; at most {max}");
        }
        return null;
    }

    /// <summary>Orders of persons and strategies that are at work.</summary>
    internal static int WorkingOf(AccountState account) => account.Books.Sum(Working);

    /// <summary>Positions that are open or ordered.</summary>
    internal static int PositionsOf(AccountState account)
    {
        bool hedging = account.Settings!.Mode == PositionMode.Hedging;
        return account.Books.Sum(book => Positions(book, hedging));
    }

    /// <summary>Notional of all positions as large as the orders at work can make them, in account currency.</summary>
    internal static decimal ExposureOf(AccountState account) =>
        account.Books.Sum(book => ExposureOf(account, book, WorstVolume(account, book)));

    /// <summary>Notional of <paramref name="volume"/> units in an instrument, in account currency.</summary>
    internal static decimal ExposureOf(AccountState account, SymbolBook book, decimal volume) =>
        account.Notional(book.Instrument, volume, book.Mark.Ask);

    internal static int Working(SymbolBook book) => book.Orders.Count(order => order.Purpose == OrderPurpose.Trade);

    /// <summary>Positions that are open, or will be when the plain orders at work have filled.</summary>
    internal static int Positions(SymbolBook book, bool hedging)
    {
        int entries = book.Orders.Count(order => !order.ReduceOnly && order.Filled == 0);
        return hedging ? book.Holdings.Count + entries : book.NetVolume != 0 || entries > 0 ? 1 : 0;
    }

    private static Denial? Collar(AccountState account, SymbolBook book, decimal? asked)
    {
        if (asked is not { } price || account.Limits.PriceCollarPercent is not { } collar) return null;
        decimal away = PercentFromMarket(book, price);
        return away > collar
            ? new Denial(Reason.PriceOutOfCollar,
                $"price is {price}, {away:0.##} % from the market {book.Instrument.ToPrice(book.Mark.Bid)}; at most {collar} %")
            : null;
    }

    internal static decimal PercentFromMarket(SymbolBook book, decimal price)
    {
        decimal market = book.Instrument.ToPrice(book.Mark.Bid);
        return Math.Abs(price - market) / market * 100m;
    }

    /// <summary>What is wrong with a volume: sign, size or step, in this order, so that what is too large for the arithmetic never reaches it.</summary>
    public static Denial? Volume(Instrument instrument, decimal volume)
    {
        if (volume <= 0) return new Denial(Reason.VolumeNotPositive, $"volume is {volume}; expected more than 0");
        if (volume > instrument.MaxVolume) return new Denial(Reason.VolumeAboveMaximum, $"volume is {volume}; at most {instrument.MaxVolume}");
        return volume % instrument.VolumeStep != 0
            ? new Denial(Reason.VolumePrecision, $"volume is {volume}; expected a multiple of {instrument.VolumeStep}")
            : null;
    }

    /// <summary>What is wrong with a price or distance, checked in the order of <see cref="Volume"/>; null when nothing is, or when there is none.</summary>
    /// <param name="precision">The reason for one that is off the grid of ticks or beyond <see cref="Instrument.MaxPrice"/>.</param>
    public static Denial? Price(Instrument instrument, string field, decimal? price, Reason precision)
    {
        if (price is not { } value) return null;
        if (value <= 0) return new Denial(Reason.PriceNotPositive, $"{field} is {value}; expected more than 0");
        if (value > instrument.MaxPrice) return new Denial(precision, $"{field} is {value}; at most {instrument.MaxPrice}");
        decimal tick = instrument.TickSize * instrument.PointSize;
        return value % tick != 0 ? new Denial(precision, $"{field} is {value}; expected a multiple of {tick}") : null;
    }

    /// <summary>Where an order would get in, in points: its limit, its stop, or the market.</summary>
    internal static long EntryPoints(Instrument instrument, Side side, decimal? limit, decimal? stop, in Quote mark) =>
        limit is { } atLimit ? instrument.ToPoints(atLimit)
        : stop is { } atStop ? instrument.ToPoints(atStop)
        : side == Side.Buy ? mark.Ask : mark.Bid;

    private static bool Closes(AccountState account, OrderRequest order) =>
        account.FindBook(order.Symbol) is { } book && book.Reducible(order.Side, order.Strategy, order.PositionId) == order.Volume;
}
