using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Risk;

/// <summary>What risk says of an order: how much of it may go, and why not all. A denial with a volume left is a cut.</summary>
public readonly record struct RiskVerdict(decimal Volume, Denial? Denial);

/// <summary>
/// The checks before an order leaves. Malformed orders are refused; risk rules speak only of the part that adds: what, together with the plain
/// orders already at work, only reduces the position always passes, and an order that does both is cut to its reducing part.
/// </summary>
public static class PreTradeRisk
{
    /// <summary>The first thing wrong with the order itself; null when it is well formed.</summary>
    public static Denial? Malformed(AccountState account, OrderRequest order, DateTime now)
    {
        if (account.FindInstrument(order.Symbol) is not { } instrument)
        {
            return new Denial(Reason.InstrumentUnknown, $"symbol is '{order.Symbol}'; no such instrument here");
        }
        if (order.Volume <= 0) return new Denial(Reason.VolumeNotPositive, $"volume is {order.Volume}; expected more than 0");
        if (order.Volume % instrument.VolumeStep != 0)
        {
            return new Denial(Reason.VolumePrecision, $"volume is {order.Volume}; expected a multiple of {instrument.VolumeStep}");
        }
        if (order.Volume > instrument.MaxVolume) return new Denial(Reason.VolumeAboveMaximum, $"volume is {order.Volume}; at most {instrument.MaxVolume}");
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
        long entry = EntryPoints(instrument, order, book.Mark);
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
    public static RiskVerdict Assess(AccountState account, OrderRequest order, DateTime now)
    {
        SymbolBook book = account.Book(order.Symbol);
        decimal reducing = ReducingPart(account, book, order);
        if (order.ReduceOnly || order.PositionId is not null)
        {
            return new RiskVerdict(Math.Min(order.Volume, book.Reducible(order.Side, order.Strategy, order.PositionId)), null);
        }
        decimal adding = order.Volume - reducing;
        if (adding == 0) return new RiskVerdict(order.Volume, null);
        return Adds(account, book, order, adding, now) is { } denial
            ? new RiskVerdict(reducing, denial)
            : new RiskVerdict(order.Volume, null);
    }

    /// <summary>May a change of a working order go? What does not add passes always.</summary>
    public static Denial? AssessChange(AccountState account, Order order, OrderChange change, DateTime now)
    {
        RateLimit? rate = account.Limits.ModifyRate;
        decimal volume = change.Volume ?? order.Volume;
        if (order.ReduceOnly || (volume < order.Volume && change is { LimitPrice: null, StopPrice: null, TrailDistance: null })) return null;
        if (rate is not null && account.ModifiesSince(now - rate.Window) >= rate.Count)
        {
            return new Denial(Reason.ModifyRate, $"{rate.Count} changes in {rate.Window} are used up");
        }
        SymbolBook book = account.Book(order.Symbol);
        if ((change.LimitPrice ?? change.StopPrice) is { } price && Collar(account, book, price) is { } collar) return collar;
        decimal adding = volume - order.Volume;
        if (adding <= 0) return null;
        var addition = new OrderRequest(order.ClientOrderId, order.Symbol, order.Side, OrderType.Market, adding, Strategy: order.Strategy);
        RiskVerdict verdict = Assess(account, addition, now);
        return verdict.Denial;
    }

    /// <summary>The part of an order that, with the plain orders at work on the same side, only takes off the position.</summary>
    private static decimal ReducingPart(AccountState account, SymbolBook book, OrderRequest order)
    {
        if (account.Settings!.Mode == PositionMode.Hedging) return order.ReduceOnly || order.PositionId is not null ? order.Volume : 0;
        decimal opposite = Math.Max(0, -(int)order.Side * book.NetVolume);
        foreach (Order working in book.Orders)
        {
            // Reduce-only orders are cut when they fill, so they cannot turn the position.
            if (working.Side == order.Side && !working.ReduceOnly) opposite -= working.Remaining;
        }
        return Math.Min(order.Volume, Math.Max(0, opposite));
    }

    private static Denial? Adds(AccountState account, SymbolBook book, OrderRequest order, decimal adding, DateTime now)
    {
        RiskLimits limits = account.Limits;
        Instrument instrument = book.Instrument;
        if (account.TradingState == TradingState.Halted) return new Denial(Reason.Halted, $"the account is halted ({account.StateReason}); only what reduces passes");
        if (account.TradingState == TradingState.Reducing) return new Denial(Reason.Reducing, $"the account only reduces ({account.StateReason})");
        if (!limits.AllowedInstruments.IsDefaultOrEmpty && !limits.AllowedInstruments.Contains(order.Symbol))
        {
            return new Denial(Reason.InstrumentNotAllowed, $"symbol is {order.Symbol}; allowed: {string.Join(", ", limits.AllowedInstruments)}");
        }
        if (limits.SubmitRate is { } rate && account.SubmitsSince(now - rate.Window) >= rate.Count)
        {
            return new Denial(Reason.SubmitRate, $"{rate.Count} orders in {rate.Window} are used up");
        }
        if (limits.MaxOrderVolume is { } maxVolume && order.Volume > maxVolume)
        {
            return new Denial(Reason.OrderVolumeAboveLimit, $"volume is {order.Volume}; the account's limit is {maxVolume}");
        }
        if (order.LimitPrice is { } limitPrice && Collar(account, book, limitPrice) is { } limitCollar) return limitCollar;
        if (order.StopPrice is { } stopPrice && Collar(account, book, stopPrice) is { } stopCollar) return stopCollar;

        long entry = EntryPoints(instrument, order, book.Mark);
        decimal whole = account.Notional(instrument, order.Volume, entry);
        if (limits.MinOrderNotional is { } minNotional && whole < minNotional)
        {
            return new Denial(Reason.NotionalBelowMinimum, $"notional is {whole:0.##}; at least {minNotional}");
        }
        if (limits.MaxOrderNotional is { } maxNotional && whole > maxNotional)
        {
            return new Denial(Reason.NotionalAboveMaximum, $"notional is {whole:0.##}; at most {maxNotional}");
        }
        if (Counts(account, book) is { } counts) return counts;

        decimal notional = account.Notional(instrument, adding, entry);
        decimal equity = account.Equity;
        if (limits.MaxExposure is not null || limits.MaxExposurePercent is not null || limits.MaxInstrumentExposure is not null)
        {
            decimal total = notional, own = notional;
            foreach (SymbolBook each in account.Books)
            {
                decimal exposure = Exposure(account, each);
                total += exposure;
                if (each == book) own += exposure;
            }
            if (limits.MaxExposure is { } maxExposure && total > maxExposure)
            {
                return new Denial(Reason.MaxExposure, $"exposure would be {total:0.##}; at most {maxExposure}");
            }
            if (limits.MaxExposurePercent is { } percent && total > equity * percent / 100m)
            {
                return new Denial(Reason.MaxExposure, $"exposure would be {total:0.##}; at most {percent} % of the equity {equity:0.##}");
            }
            if (limits.MaxInstrumentExposure is { } maxInstrument && own > maxInstrument)
            {
                return new Denial(Reason.MaxInstrumentExposure, $"exposure in {order.Symbol} would be {own:0.##}; at most {maxInstrument}");
            }
        }

        decimal margin = account.Margin(instrument, adding, entry);
        decimal free = equity - account.UsedMargin - WorkingMargin(account);
        if (margin > free)
        {
            return new Denial(Reason.InsufficientMargin, $"margin needed is {margin:0.##}; free is {free:0.##} (equity {equity:0.##} less positions and orders at work)");
        }
        return null;
    }

    private static Denial? Counts(AccountState account, SymbolBook book)
    {
        RiskLimits limits = account.Limits;
        int ownOrders = CountTrades(book);
        if (limits.MaxInstrumentWorkingOrders is { } maxOwnOrders && ownOrders >= maxOwnOrders)
        {
            return new Denial(Reason.MaxInstrumentWorkingOrders, $"{ownOrders} orders at work in {book.Instrument.Symbol}; at most {maxOwnOrders}");
        }
        if (limits.MaxWorkingOrders is { } maxOrders)
        {
            int orders = account.Books.Sum(CountTrades);
            if (orders >= maxOrders) return new Denial(Reason.MaxWorkingOrders, $"{orders} orders at work; at most {maxOrders}");
        }
        if (limits.MaxInstrumentPositions is { } maxOwn && book.Holdings.Count >= maxOwn && account.Settings!.Mode == PositionMode.Hedging)
        {
            return new Denial(Reason.MaxInstrumentPositions, $"{book.Holdings.Count} positions in {book.Instrument.Symbol}; at most {maxOwn}");
        }
        if (limits.MaxOpenPositions is { } max && (book.NetVolume == 0 || account.Settings!.Mode == PositionMode.Hedging))
        {
            int open = account.Settings!.Mode == PositionMode.Hedging
                ? account.Books.Sum(each => each.Holdings.Count)
                : account.Books.Count(each => each.NetVolume != 0);
            if (open >= max) return new Denial(Reason.MaxOpenPositions, $"{open} positions are open; at most {max}");
        }
        return null;
    }

    private static int CountTrades(SymbolBook book) => book.Orders.Count(order => order.Purpose == OrderPurpose.Trade);

    /// <summary>Notional of the position and of the working orders that could make it larger, on the larger side.</summary>
    private static decimal Exposure(AccountState account, SymbolBook book)
    {
        if (book.IsIdle) return 0;
        decimal held = account.Settings!.Mode == PositionMode.Netting ? book.NetVolume : 0;
        decimal buys = Math.Max(0, held), sells = Math.Max(0, -held);
        foreach (Order order in book.Orders)
        {
            if (order.ReduceOnly) continue;
            if (order.Side == Side.Buy) buys += order.Remaining;
            else sells += order.Remaining;
        }
        decimal gross = account.Settings.Mode == PositionMode.Hedging ? book.MarginVolume : 0;
        return account.Notional(book.Instrument, Math.Max(buys, sells) + gross, book.Mark.Ask);
    }

    /// <summary>Margin that the orders at work will ask for where they add.</summary>
    private static decimal WorkingMargin(AccountState account)
    {
        decimal margin = 0;
        foreach (SymbolBook book in account.Books)
        {
            decimal buys = 0, sells = 0;
            foreach (Order order in book.Orders)
            {
                if (order.ReduceOnly) continue;
                if (order.Side == Side.Buy) buys += order.Remaining;
                else sells += order.Remaining;
            }
            if (account.Settings!.Mode == PositionMode.Netting)
            {
                buys = Math.Max(0, buys - 2 * Math.Max(0, -book.NetVolume));
                sells = Math.Max(0, sells - 2 * Math.Max(0, book.NetVolume));
            }
            decimal adds = Math.Max(buys, sells);
            if (adds > 0) margin += account.Margin(book.Instrument, adds, book.Mark.Ask);
        }
        return margin;
    }

    private static Denial? Collar(AccountState account, SymbolBook book, decimal price)
    {
        if (account.Limits.PriceCollarPercent is not { } collar) return null;
        decimal market = book.Instrument.ToPrice(book.Mark.Bid);
        decimal away = Math.Abs(price - market) / market * 100m;
        return away > collar ? new Denial(Reason.PriceOutOfCollar, $"price is {price}, {away:0.##} % from the market {market}; at most {collar} %") : null;
    }

    private static Denial? Price(Instrument instrument, string field, decimal? price, Reason precision)
    {
        if (price is not { } value) return null;
        if (value <= 0) return new Denial(Reason.PriceNotPositive, $"{field} is {value}; expected more than 0");
        decimal points = value / instrument.PointSize;
        if (points > 1_000_000_000_000_000m) return new Denial(precision, $"{field} is {value}; too large for {instrument.Symbol}");
        return points != decimal.Truncate(points) || (long)points % instrument.TickSize != 0
            ? new Denial(precision, $"{field} is {value}; expected a multiple of {instrument.TickSize * instrument.PointSize}")
            : null;
    }

    /// <summary>Where an order would get in, in points: its limit, its stop, or the market.</summary>
    public static long EntryPoints(Instrument instrument, OrderRequest order, Quote mark) =>
        order.LimitPrice is { } limit ? instrument.ToPoints(limit)
        : order.StopPrice is { } stop ? instrument.ToPoints(stop)
        : order.Side == Side.Buy ? mark.Ask : mark.Bid;

    private static bool Closes(AccountState account, OrderRequest order) =>
        account.FindBook(order.Symbol) is { } book && book.Reducible(order.Side, order.Strategy, order.PositionId) == order.Volume;
}
