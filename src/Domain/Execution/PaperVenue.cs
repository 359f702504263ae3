using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Execution;

/// <summary>
/// Executes an account's orders against the market: quote or bar in, fills out. One object for back-test, replay and live paper trading.
/// Takers pay the spread and the slippage; resting limits fill at their own price; sizes bound fills where the quote has them. Of a bar the
/// path is unknown, so the worse is assumed: stops before limits, and a position entered inside a bar can lose in it but not win. What arrives inside
/// a bar gets no price from before its arrival: of that bar it sees the close, and as a stop the bad side.
/// </summary>
public sealed class PaperVenue(AccountState state, Action<AccountEvent> raise)
{
    private readonly List<long> _round = [], _resting = [];
    private decimal _takenAtBid, _takenAtAsk;
    // Of the bar at work: what arrived after this time, and was not born in the bar, came inside it.
    private DateTime _barBegins;
    private long _firstBorn;
    // What follows from a fill at the bar's open has an ordinal from the one above up to this.
    private long _bornAtOpen;

    private ExecutionModel Model => state.Settings!.Execution;

    /// <summary>Fills, triggers and trails what a quote reaches. The book's mark is already this quote.</summary>
    public void OnQuote(SymbolBook book, in Quote quote)
    {
        _takenAtBid = _takenAtAsk = 0;
        Begin(book, 0);
        foreach (long ordinal in _round)
        {
            if (Active(book, ordinal) is not { } order) continue;
            order = TouchStop(book, order, quote.Bid, quote.Ask);
            if (order.Type == OrderType.TrailingStop && !order.Triggered) Trail(order, quote.Bid, quote.Ask);
            TakeOrRest(book, order, quote, quote.Time);
            EndImmediate(book, ordinal);
            Rest(book, ordinal);
        }
    }

    /// <summary>Goes through a bar as open, stops, limits, stops of what the limits opened, close.</summary>
    /// <param name="begins">What arrives later than this has no part in the bar's open.</param>
    public void OnBar(SymbolBook book, in Bar bar, DateTime begins, DateTime closeTime)
    {
        _takenAtBid = _takenAtAsk = 0;
        _barBegins = begins;
        _firstBorn = state.NextOrdinal;
        var open = new Quote(bar.OpenTime, bar.Bid.Open, bar.Ask.Open);
        var close = new Quote(closeTime, bar.Bid.Close, bar.Ask.Close);
        bool marketAtOpen = Model.BarFill == BarFill.NextOpen;

        Begin(book, 0);
        foreach (long ordinal in _round)
        {
            if (Active(book, ordinal) is not { } order || CameInside(order)) continue;
            order = TouchStop(book, order, open.Bid, open.Ask);
            if (!marketAtOpen && order.Type == OrderType.Market) continue;
            TakeOrRest(book, order, open, Later(bar.OpenTime, order.ActiveFrom));
            EndImmediate(book, ordinal);
        }
        // What is at work now, protective orders of what filled at the open among it, lives through the whole bar; what comes below only through its bad side.
        _bornAtOpen = state.NextOrdinal;
        _resting.Clear();
        foreach (Order order in book.Orders)
        {
            if (order is { Arrived: true, RestsAsLimit: true } && !CameInside(order)) _resting.Add(order.Ordinal);
        }
        Stops(book, bar, closeTime);
        foreach (long ordinal in _resting)
        {
            if (Active(book, ordinal) is not { } order) continue;
            bool reached = order.Side == Side.Buy ? bar.Ask.Low <= order.Limit : bar.Bid.High >= order.Limit;
            if (reached) Fill(book, order, order.Limit!.Value, order.Remaining, 0, true, closeTime);
        }
        Stops(book, bar, closeTime);
        Begin(book, 0);
        foreach (long ordinal in _round)
        {
            if (Active(book, ordinal) is not { } order) continue;
            bool cameInside = CameInside(order);
            if (order.Type == OrderType.TrailingStop && !order.Triggered && ordinal < _bornAtOpen && !cameInside)
            {
                order = Trail(order, bar.Bid.High, bar.Ask.Low);
                order = TouchStop(book, order, close.Bid, close.Ask);
                if (order.Triggered) Take(book, order, order.Stop!.Value, order.Remaining, closeTime);
            }
            else if (cameInside || (!marketAtOpen && order.Type == OrderType.Market))
            {
                TakeOrRest(book, order, close, closeTime);
            }
            EndImmediate(book, ordinal);
            Rest(book, ordinal);
        }
    }

    /// <summary>Stops that the bar's bad side reaches, those born in this bar included, until none is left to trigger.</summary>
    private void Stops(SymbolBook book, in Bar bar, DateTime closeTime)
    {
        for (long from = 0; ;)
        {
            long next = state.NextOrdinal;
            Begin(book, from);
            foreach (long ordinal in _round)
            {
                if (Active(book, ordinal) is not { WaitsForStop: true } order) continue;
                bool reached = order.Side == Side.Buy ? bar.Ask.High >= order.Stop : bar.Bid.Low <= order.Stop;
                if (!reached) continue;
                long level = order.Stop!.Value;
                // The market may have been beyond the level on arrival; how far is not known, but for the close.
                if (CameInside(order)) level = order.Side == Side.Buy ? Math.Max(level, bar.Ask.Close) : Math.Min(level, bar.Bid.Close);
                // Entered behind a gap, a position may lie beyond its stop from the first: it gets out where it got in, and not better.
                else if (order.Ordinal >= _firstBorn && order.Ordinal < _bornAtOpen)
                {
                    level = order.Side == Side.Buy ? Math.Max(level, bar.Ask.Open) : Math.Min(level, bar.Bid.Open);
                }
                bool rests = order.Type == OrderType.StopLimit && (order.Side == Side.Buy ? level > order.Limit : level < order.Limit);
                raise(new OrderTriggered(state.Now, book.Position, ordinal, level, rests));
                // Whether the bar came back to the limit after that is not known.
                if (rests) continue;
                Take(book, book.FindOrder(ordinal)!, level, order.Remaining, closeTime);
            }
            if (state.NextOrdinal == next) return;
            from = next;
        }
    }

    /// <summary>It arrived, or was changed, after the bar at work had opened.</summary>
    private bool CameInside(Order order) => order.Ordinal < _firstBorn && order.ActiveFrom > _barBegins;

    private void Begin(SymbolBook book, long from)
    {
        _round.Clear();
        foreach (Order order in book.Orders)
        {
            if (order.Ordinal >= from) _round.Add(order.Ordinal);
        }
    }

    private static Order? Active(SymbolBook book, long ordinal) =>
        book.FindOrder(ordinal) is { Arrived: true } order ? order : null;

    private Order TouchStop(SymbolBook book, Order order, long bid, long ask)
    {
        if (!order.WaitsForStop) return order;
        bool reached = order.Side == Side.Buy ? ask >= order.Stop : bid <= order.Stop;
        if (!reached) return order;
        long market = order.Side == Side.Buy ? ask : bid;
        bool rests = order.Type == OrderType.StopLimit && (order.Side == Side.Buy ? ask > order.Limit : bid < order.Limit);
        raise(new OrderTriggered(state.Now, book.Position, order.Ordinal, market, rests));
        return book.FindOrder(order.Ordinal)!;
    }

    private Order Trail(Order order, long bid, long ask)
    {
        long level = order.Side == Side.Sell ? bid - order.Trail!.Value : ask + order.Trail!.Value;
        bool better = order.Side == Side.Sell ? level > order.Stop : level < order.Stop;
        if (!better) return order;
        SymbolBook book = state.Book(order.Symbol);
        raise(new StopTrailed(state.Now, book.Position, order.Ordinal, level));
        return book.FindOrder(order.Ordinal)!;
    }

    private void TakeOrRest(SymbolBook book, Order order, in Quote quote, DateTime fillTime)
    {
        bool buys = order.Side == Side.Buy;
        long market = buys ? quote.Ask : quote.Bid;
        bool reached = order.TakesMarket || (order.RestsAsLimit && (buys ? market <= order.Limit : market >= order.Limit));
        if (!reached) return;
        if (order.Rested && order.RestsAsLimit) Fill(book, order, order.Limit!.Value, Available(book, order, quote), 0, true, fillTime);
        else Take(book, order, market, Available(book, order, quote), fillTime);
    }

    /// <summary>Takes the market, slipping no further than a limit allows.</summary>
    private void Take(SymbolBook book, Order order, long market, decimal volume, DateTime fillTime)
    {
        int sign = (int)order.Side;
        long points = market + sign * Model.Slippage(order.Ordinal, order.Fills + 1);
        if (order.RestsAsLimit) points = sign * Math.Min(sign * points, sign * order.Limit!.Value);
        Fill(book, order, points, volume, sign * (points - market), false, fillTime);
    }

    private decimal Available(SymbolBook book, Order order, in Quote quote)
    {
        long size = order.Side == Side.Buy ? quote.AskSize : quote.BidSize;
        if (size == 0) return order.Remaining;
        decimal left = size * book.Instrument.VolumeStep - (order.Side == Side.Buy ? _takenAtAsk : _takenAtBid);
        return Math.Min(order.Remaining, Math.Max(0, left));
    }

    /// <summary>Books one fill and what follows from it: linked orders are cut, protective orders made.</summary>
    private void Fill(SymbolBook book, Order order, long points, decimal volume, long slippage, bool maker, DateTime fillTime)
    {
        if (order.ReduceOnly || state.TradingState != TradingState.Active)
        {
            // An account that may only reduce adds nothing, not even by orders that were at work before.
            decimal most = order.ReduceOnly ? book.Reducible(order.Side, order.Owner, order.PositionId) : book.Reducing(order.Side, order.Owner);
            if (most == 0)
            {
                Reason reason = order.ReduceOnly ? Reason.ReduceOnlyExhausted : state.TradingState == TradingState.Halted ? Reason.Halted : Reason.Reducing;
                End(book, order.Ordinal, OrderStatus.Cancelled, reason);
                return;
            }
            volume = Math.Min(volume, most);
        }
        if (order.TimeInForce == TimeInForce.Fok && volume < order.Remaining) return;
        if (volume <= 0) return;
        points = Math.Max(points, 1);

        // Risk saw a rate before the order was accepted; the position itself keeps the symbol's conversion in view.
        decimal rate = state.Rate(book.Instrument.QuoteCurrency) ?? throw new InvalidOperationException($"no rate for {book.Instrument.QuoteCurrency}");
        IReadOnlyList<FillPart> parts = book.Allocate(order, volume, points, fillTime);
        decimal realised = 0, opened = 0;
        foreach (FillPart part in parts)
        {
            realised += state.Money(part.RealisedPoints * book.PointSize * rate);
            if (part.Before is null || Math.Sign(part.Before.Volume) == Math.Sign(part.Volume)) opened += Math.Abs(part.Volume);
        }
        decimal notional = volume * points * book.PointSize * rate;
        decimal commission = state.Money(Model.Commission(notional, volume / book.Instrument.ContractSize));
        raise(new OrderFilled(state.Now, book.Position, order.Ordinal, order.Fills + 1, points, volume, slippage, rate, commission, realised, maker, fillTime));
        if (order.Side == Side.Buy) _takenAtAsk += volume;
        else _takenAtBid += volume;

        CutOco(book, order, volume);
        CancelExhausted(book);
        if (opened > 0) Protect(book, order, opened, points);
    }

    private void CutOco(SymbolBook book, Order order, decimal filled)
    {
        if (order.OcoGroup is null) return;
        bool complete = book.FindOrder(order.Ordinal) is null;
        foreach (SymbolBook other in state.Books)
        {
            foreach (Order linked in other.Orders.Where(each => each.OcoGroup == order.OcoGroup && each.Ordinal != order.Ordinal).ToArray())
            {
                if (complete || linked.Remaining <= filled) End(other, linked.Ordinal, OrderStatus.Cancelled, Reason.OcoFilled);
                else Resize(other, linked, linked.Volume - filled);
            }
        }
    }

    /// <summary>The system's own change of an order's size; what a person has under way stays pending.</summary>
    public void Resize(SymbolBook book, Order order, decimal volume) =>
        raise(new OrderChanged(state.Now, book.Position, order.Ordinal, volume, order.Limit, order.Stop, order.Trail, order.Rested));

    /// <summary>Reduce-only orders with nothing left to reduce go.</summary>
    private void CancelExhausted(SymbolBook book)
    {
        for (int i = book.Orders.Count - 1; i >= 0; i--)
        {
            Order order = book.Orders[i];
            if (order.ReduceOnly && book.Reducible(order.Side, order.Owner, order.PositionId) == 0)
            {
                End(book, order.Ordinal, OrderStatus.Cancelled, Reason.ReduceOnlyExhausted);
                i = Math.Min(i, book.Orders.Count);
            }
        }
    }

    private void Protect(SymbolBook book, Order parent, decimal opened, long entry)
    {
        if (parent.StopLoss is null && parent.TakeProfit is null && parent.TrailingStopLoss is null) return;
        ProtectBy(book, parent, OrderPurpose.StopLoss, OrderType.Stop, opened, null, parent.StopLoss, null);
        long? trail = parent.TrailingStopLoss;
        ProtectBy(book, parent, OrderPurpose.TrailingStopLoss, OrderType.TrailingStop, opened, null, entry - (int)parent.Side * trail, trail);
        ProtectBy(book, parent, OrderPurpose.TakeProfit, OrderType.Limit, opened, parent.TakeProfit, null, null);
    }

    private void ProtectBy(SymbolBook book, Order parent, OrderPurpose purpose, OrderType type, decimal opened, long? limit, long? stop, long? trail)
    {
        if (limit is null && stop is null) return;
        Order? child = book.Orders.FirstOrDefault(order => order.Parent == parent.Ordinal && order.Purpose == purpose);
        if (child is not null)
        {
            Resize(book, child, child.Volume + opened);
            return;
        }
        long ordinal = state.NextOrdinal;
        raise(new OrderAccepted(state.Now, book.Position, new Order(
            ordinal, SystemId(purpose, ordinal), parent.Symbol, (Side)(-(int)parent.Side), type, opened,
            limit, stop, trail, TimeInForce.Gtc, null, true, null, null, null, SystemId(OrderPurpose.Trade, parent.Ordinal),
            state.Settings!.Mode == PositionMode.Hedging ? $"P{parent.Ordinal}" : null, parent.Strategy, parent.Decision,
            purpose, parent.Ordinal, state.Now, state.Now, true, null, OrderStatus.Working, 0, 0, false, true, null, state.Now, Reason.None, 0)));
    }

    /// <summary>Names an order or an OCO group that the system makes; no client order id has a tilde.</summary>
    public static string SystemId(OrderPurpose purpose, long ordinal) => $"~{purpose}.{ordinal}";

    /// <summary>What came marketable and was not filled at once, for want of size or because the market had gone, is in the book from now on.</summary>
    private void Rest(SymbolBook book, long ordinal)
    {
        if (book.FindOrder(ordinal) is { Arrived: true, RestsAsLimit: true, Rested: false }) raise(new OrderRested(state.Now, book.Position, ordinal));
    }

    private void EndImmediate(SymbolBook book, long ordinal)
    {
        if (book.FindOrder(ordinal) is not { WaitsForStop: false } order) return;
        if (order.TimeInForce == TimeInForce.Ioc) End(book, ordinal, OrderStatus.Cancelled, Reason.ImmediateOrCancel);
        else if (order.TimeInForce == TimeInForce.Fok) End(book, ordinal, OrderStatus.Cancelled, Reason.FillOrKill);
    }

    private void End(SymbolBook book, long ordinal, OrderStatus status, Reason reason) =>
        raise(new OrderEnded(state.Now, book.Position, ordinal, status, reason));

    private static DateTime Later(DateTime a, DateTime b) => a > b ? a : b;
}
