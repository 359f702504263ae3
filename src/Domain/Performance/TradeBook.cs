using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Performance;

/// <summary>
/// Follows each holding of a run from its first unit to its last, with what it cost and how far it went against and for the account.
/// </summary>
/// <remarks>
/// Excursions come from the quotes, or from low and high of the bars (bid for a long, ask for a short). Of the bar in which a trade is entered the whole
/// range counts when it is entered at the open, else only the close; of the bar in which it is left only the prices of its fills, since what came after
/// is not the trade's and the order inside a bar is not known.
/// </remarks>
internal sealed class TradeBook(InstrumentUniverse universe)
{
    private readonly Dictionary<(string Account, string Holding), OpenTrade> _open = [];
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);
    private readonly List<RunTrade> _closed = [];

    public ImmutableArray<RunTrade> Closed => [.. _closed];
    public int OpenCount => _open.Count;
    public decimal Commission { get; private set; }
    public decimal Swap { get; private set; }
    public decimal SpreadCost { get; private set; }
    public decimal SlippageCost { get; private set; }

    /// <summary>Of all fills, account currency.</summary>
    public decimal TradedNotional { get; private set; }

    /// <summary>The market event in which the fills that follow happened.</summary>
    public void See(MarketSeries series, in RunEvent happened)
    {
        if (series.IsTicks)
        {
            long spread = series.Quotes.Span[happened.Index].Spread;
            _seen[series.Instrument.Symbol] = new Seen(happened.Time, spread, spread);
            return;
        }
        ref readonly Bar bar = ref series.Bars.Span[happened.Index];
        _seen[series.Instrument.Symbol] = new Seen(happened.Time, bar.Ask.Open - bar.Bid.Open, bar.Ask.Close - bar.Bid.Close);
    }

    /// <summary>Takes an event that the account has not yet taken.</summary>
    /// <param name="equity">Of the whole run, as last marked.</param>
    public void Take(AccountPlayback account, AccountEvent happened, decimal equity)
    {
        switch (happened)
        {
            case OrderFilled fill:
                Fill(account, fill, equity);
                break;
            case SwapCharged charged:
                Swap += charged.Amount;
                if (_open.TryGetValue((account.Key, charged.Holding), out OpenTrade? trade)) trade.Swap += charged.Amount;
                break;
        }
    }

    /// <summary>Marks the open trades of an instrument at a market event.</summary>
    public void Mark(MarketSeries series, in RunEvent happened, AccountPlayback[] accounts)
    {
        foreach (((string key, _), OpenTrade trade) in _open)
        {
            if (!ReferenceEquals(trade.Instrument, series.Instrument) && trade.Instrument.Symbol != series.Instrument.Symbol) continue;
            trade.Bars++;
            (long low, long high) = Range(series, happened, trade);
            AccountPlayback account = Array.Find(accounts, each => each.Key == key)!;
            trade.Reach(low, high, account.State.Rate(trade.Instrument.QuoteCurrency) ?? 0);
        }
    }

    private static (long Low, long High) Range(MarketSeries series, in RunEvent happened, OpenTrade trade)
    {
        bool isLong = trade.Volume > 0;
        if (series.IsTicks)
        {
            Quote quote = series.Quotes.Span[happened.Index];
            long price = isLong ? quote.Bid : quote.Ask;
            return (price, price);
        }
        ref readonly Bar bar = ref series.Bars.Span[happened.Index];
        Ohlc side = isLong ? bar.Bid : bar.Ask;
        return trade.Filled < happened.Time ? (side.Low, side.High) : (side.Close, side.Close);
    }

    private void Fill(AccountPlayback account, OrderFilled fill, decimal equity)
    {
        AccountState state = account.State;
        Order order = state.FindOrder(fill.Ordinal)!;
        Instrument instrument = universe.Find(order.Symbol)!;
        decimal pointMoney = instrument.PointSize * fill.Rate;
        TradedNotional += fill.Volume * fill.Points * pointMoney;
        Commission += fill.Commission;
        decimal slippage = fill.Slippage * fill.Volume * pointMoney;
        Seen seen = _seen.GetValueOrDefault(order.Symbol);
        decimal spread = fill.Maker ? 0 : (fill.FillTime < seen.Time ? seen.AtOpen : seen.AtClose) / 2m * fill.Volume * pointMoney;
        SlippageCost += slippage;
        SpreadCost += spread;

        IReadOnlyList<FillPart> parts = state.Book(order.Symbol).Allocate(order, fill.Volume, fill.Points, fill.FillTime);
        decimal total = 0, commissionLeft = fill.Commission;
        foreach (FillPart part in parts) total += Math.Abs(part.Volume);
        for (int i = 0; i < parts.Count; i++)
        {
            FillPart part = parts[i];
            decimal share = Math.Abs(part.Volume) / total;
            decimal commission = i == parts.Count - 1 ? commissionLeft : fill.Commission * Math.Abs(part.Volume) / total;
            commissionLeft -= commission;
            string id = (part.Before ?? part.After)!.Id;
            if (part.Before is null) _open.Add((account.Key, id), new OpenTrade(instrument, part.After!, fill.FillTime, equity));
            OpenTrade trade = _open[(account.Key, id)];
            trade.Take(part, fill, state.Money(part.RealisedPoints * instrument.PointSize * fill.Rate), commission, spread * share, slippage * share);
            if (part.After is not null) continue;
            _open.Remove((account.Key, id));
            _closed.Add(trade.Close(_closed.Count + 1, account.Key, fill.FillTime));
        }
    }

    /// <summary>Spreads of the market event at work, in points.</summary>
    /// <param name="Time">Its end.</param>
    private readonly record struct Seen(DateTime Time, long AtOpen, long AtClose);

    private sealed class OpenTrade(Instrument instrument, Holding first, DateTime entry, decimal equity)
    {
        private decimal _entryVolume, _entryPoints, _exitVolume, _exitPoints, _cost, _most, _gross, _commission, _spread, _slippage, _adverse, _favourable;

        public Instrument Instrument { get; } = instrument;
        public decimal Volume { get; private set; }
        public decimal Swap { get; set; }
        public int Bars { get; set; }

        /// <summary>Time of the latest fill.</summary>
        public DateTime Filled { get; private set; }

        public void Take(in FillPart part, OrderFilled fill, decimal realised, decimal commission, decimal spread, decimal slippage)
        {
            Filled = fill.FillTime;
            _commission += commission;
            _spread += spread;
            _slippage += slippage;
            decimal units = Math.Abs(part.Volume);
            bool adds = part.Before is null || Math.Sign(part.Before.Volume) == Math.Sign(part.Volume);
            if (adds)
            {
                _entryVolume += units;
                _entryPoints += units * fill.Points;
            }
            else
            {
                // The price of the fill is one that the trade has seen.
                Reach(fill.Points, fill.Points, fill.Rate);
                _gross += realised;
                _exitVolume += units;
                _exitPoints += units * fill.Points;
            }
            Volume = part.After?.Volume ?? 0;
            _cost = part.After?.Cost ?? 0;
            _most = Math.Max(_most, Math.Abs(Volume));
        }

        /// <summary>Takes in a range of the price at which the trade would be closed, in points.</summary>
        public void Reach(long low, long high, decimal rate)
        {
            decimal money = Instrument.PointSize * rate;
            decimal atLow = _gross + (Volume * low - _cost) * money, atHigh = _gross + (Volume * high - _cost) * money;
            _adverse = Math.Min(_adverse, Math.Min(atLow, atHigh));
            _favourable = Math.Max(_favourable, Math.Max(atLow, atHigh));
        }

        public RunTrade Close(int number, string account, DateTime exit) => new(
            number, Name(account), Name(first.Owner), first.Symbol, first.Volume > 0 ? Side.Buy : Side.Sell, _most, entry, exit,
            _entryPoints / _entryVolume * Instrument.PointSize, _exitPoints / _exitVolume * Instrument.PointSize,
            _gross, _commission, Swap, _gross - _commission + Swap, _spread, _slippage, _adverse, _favourable, equity, Bars);

        private static string Name(string key) => key[(key.LastIndexOf('/') + 1)..];
    }
}
