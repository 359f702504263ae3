using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Accounts;

/// <summary>All that an account has in one instrument: its holdings, its orders at work, and the last quote seen.</summary>
/// <param name="quotesNeeded">The symbols whose quotes its positions and orders need: its own, then those of the currency conversion.</param>
public sealed class SymbolBook(Instrument instrument, PositionMode mode, ImmutableArray<string> quotesNeeded)
{
    // Units times points: whole shares of a cost keep so many decimals, so that taking it apart and adding it up again is exact.
    private const int CostDigits = 8;

    private readonly List<Holding> _holdings = [];
    private readonly List<Order> _orders = [];
    private readonly List<FillPart> _parts = [];
    private readonly List<Holding> _closed = [];
    private (Order Order, decimal Volume, long Points, DateTime Time)? _allocated;

    public Instrument Instrument { get; } = instrument;

    /// <summary><see cref="Instrument.PointSize"/> without the division: every mark needs it.</summary>
    public decimal PointSize { get; } = instrument.PointSize;

    public ImmutableArray<string> QuotesNeeded { get; } = quotesNeeded;

    /// <summary>Holding it overnight costs or earns something.</summary>
    public bool BearsSwap { get; } = instrument.SwapLongPoints != 0 || instrument.SwapShortPoints != 0;

    /// <summary>Not from the journal: the market's last word to this account.</summary>
    public Quote Mark { get; private set; }

    /// <summary>Place in the market log of <see cref="Mark"/>; -1 before the first.</summary>
    public long MarkPosition { get; private set; } = -1;

    /// <summary>Place in the market log of the last event of this instrument that the account acted on; -1 before the first.</summary>
    public long Position { get; set; } = -1;

    /// <summary>Sets the mark, unless a later one is known.</summary>
    public void SetMark(in Quote mark, long position)
    {
        if (position < MarkPosition) return;
        Mark = mark;
        MarkPosition = position;
    }

    /// <summary>When the next night of swap is due; only kept where the instrument bears swap.</summary>
    public DateTime NextSwap { get; set; } = DateTime.MaxValue;

    /// <summary>Net units, signed.</summary>
    public decimal NetVolume { get; private set; }

    /// <summary>Units that the bid values: the net of a netting account where it is long, all longs of a hedging one.</summary>
    public decimal LongVolume { get; private set; }

    /// <summary>Units that the ask values, not above zero: the net of a netting account where it is short, all shorts of a hedging one.</summary>
    public decimal ShortVolume { get; private set; }

    /// <summary>Net cost in units times points.</summary>
    public decimal NetCost { get; private set; }

    public IReadOnlyList<Holding> Holdings => _holdings;

    /// <summary>Orders not yet ended, by ordinal.</summary>
    public IReadOnlyList<Order> Orders => _orders;

    public bool IsIdle => _holdings.Count == 0 && _orders.Count == 0;

    /// <summary>What closing everything now would realise, in units times points: longs at the bid, shorts at the ask.</summary>
    public decimal OpenPoints => (LongVolume == 0 ? 0 : LongVolume * Mark.Bid) + (ShortVolume == 0 ? 0 : ShortVolume * Mark.Ask) - NetCost;

    /// <summary>Units that margin is asked for: the net of a netting account, all sides of a hedging one.</summary>
    public decimal MarginVolume => LongVolume - ShortVolume;

    /// <summary>Signed units held for an owner.</summary>
    public decimal VolumeOf(string owner)
    {
        decimal volume = 0;
        foreach (Holding holding in _holdings)
        {
            if (holding.Owner == owner) volume += holding.Volume;
        }
        return volume;
    }

    public Holding? Find(string id) => _holdings.Find(holding => holding.Id == id);

    /// <summary>Units (not signed) that an order on this side may take off: of its position, of its owner, or for a person of the net position.</summary>
    public decimal Reducible(Side side, string owner, string? positionId)
    {
        decimal held = positionId is not null ? Find(positionId)?.Volume ?? 0
            : owner.Length > 0 || mode == PositionMode.Hedging ? OppositeOf(side, owner)
            : NetVolume;
        return Math.Max(0, -(int)side * held);
    }

    /// <summary>
    /// Units that a plain order on this side only takes off: of the net position, or (whichever is more) of its strategy's own holding.
    /// In a hedging account a plain order always opens.
    /// </summary>
    public decimal Reducing(Side side, string owner)
    {
        if (mode == PositionMode.Hedging) return 0;
        decimal net = -(int)side * NetVolume;
        return Math.Max(0, owner.Length == 0 ? net : Math.Max(net, -(int)side * VolumeOf(owner)));
    }

    private decimal OppositeOf(Side side, string owner)
    {
        if (mode == PositionMode.Netting) return VolumeOf(owner);
        decimal volume = 0;
        foreach (Holding holding in _holdings)
        {
            if ((owner.Length == 0 || holding.Owner == owner) && Math.Sign(holding.Volume) == -(int)side) volume += holding.Volume;
        }
        return volume;
    }

    /// <summary>
    /// Shares a fill out over the holdings. Netting: first the owner's own; what a person trades against a strategy's holding comes off that
    /// (in order of owners) before it opens one of the person's. Hedging: closing fills take the named or the oldest opposite holdings.
    /// </summary>
    /// <returns>The parts, valid until the next call: the venue asks before it raises a fill, and the fold of that fill asks again for the same.</returns>
    public IReadOnlyList<FillPart> Allocate(Order order, decimal volume, long points, DateTime time)
    {
        (Order, decimal, long, DateTime) asked = (order, volume, points, time);
        if (_allocated is { } last && ReferenceEquals(last.Order, order) && last == asked) return _parts;
        _parts.Clear();
        _allocated = null;
        Allocate(order, volume, points, time, _parts);
        _allocated = asked;
        return _parts;
    }

    private void Allocate(Order order, decimal volume, long points, DateTime time, List<FillPart> parts)
    {
        decimal left = (int)order.Side * volume;
        bool closes = order.PositionId is not null || order.ReduceOnly;

        bool Takes(Holding holding) => Math.Sign(holding.Volume) == -Math.Sign(left) && (mode == PositionMode.Netting
            ? holding.Owner == order.Owner || order.Owner.Length == 0
            : order.PositionId is not null ? holding.Id == order.PositionId : order.ReduceOnly && (order.Owner.Length == 0 || holding.Owner == order.Owner));

        IEnumerable<Holding> candidates = mode == PositionMode.Netting && _holdings.Count > 1
            ? _holdings.OrderBy(holding => holding.Owner, StringComparer.Ordinal)
            : _holdings;
        foreach (Holding holding in candidates)
        {
            if (left == 0) break;
            if (!Takes(holding)) continue;
            decimal part = Math.Abs(left) >= Math.Abs(holding.Volume) ? -holding.Volume : left;
            // The last unit takes the whole remaining cost, so that no rounding is left behind.
            decimal cost = part == -holding.Volume ? holding.Cost : Math.Round(holding.Cost * -part / holding.Volume, CostDigits);
            decimal realised = -part * points - cost;
            decimal volumeAfter = holding.Volume + part;
            parts.Add(new FillPart(holding, volumeAfter == 0 ? null : holding with { Volume = volumeAfter, Cost = holding.Cost - cost }, part, realised));
            left -= part;
        }
        if (left == 0) return;
        if (closes && mode == PositionMode.Hedging) throw new InvalidOperationException($"order {order.Ordinal} would open by reducing");

        string id = mode == PositionMode.Hedging ? $"P{order.Ordinal}" : order.Owner.Length == 0 ? order.Symbol : $"{order.Symbol}:{order.Owner}";
        Holding? own = Find(id);
        // A person's opposite fill has closed the holding above; it may be opened anew on the other side.
        if (own is not null && parts.Exists(part => part.Before == own)) own = null;
        Holding after = own is null
            ? new Holding(id, order.Symbol, order.Owner, left, left * points, time, order.Ordinal, 0)
            : own with { Volume = own.Volume + left, Cost = own.Cost + left * points };
        parts.Add(new FillPart(own, after, left, 0));
    }

    /// <summary>Puts the parts of a fill into effect; the commission (account currency) falls on the parts by volume.</summary>
    /// <returns>The holdings that the fill closed, with their final result; valid until the next call.</returns>
    public IReadOnlyList<Holding> Apply(IReadOnlyList<FillPart> parts, decimal commission, Func<decimal, decimal> toMoney)
    {
        _closed.Clear();
        decimal total = 0;
        foreach (FillPart part in parts) total += Math.Abs(part.Volume);
        decimal commissionLeft = commission;
        for (int i = 0; i < parts.Count; i++)
        {
            FillPart part = parts[i];
            decimal commissionPart = i == parts.Count - 1 ? commissionLeft : commission * Math.Abs(part.Volume) / total;
            commissionLeft -= commissionPart;
            decimal result = toMoney(part.RealisedPoints) - commissionPart;
            if (part.Before is not null) _holdings.Remove(part.Before);
            if (part.After is not null)
            {
                Holding after = part.After with { Result = part.After.Result + result };
                _holdings.Add(after);
            }
            else
            {
                _closed.Add(part.Before! with { Result = part.Before.Result + result });
            }
        }
        // Hedging closes the oldest first.
        _holdings.Sort((a, b) => a.Order.CompareTo(b.Order));
        Recount();
        return _closed;
    }

    public void Put(Holding holding)
    {
        int index = _holdings.FindIndex(known => known.Id == holding.Id);
        if (index < 0) _holdings.Add(holding);
        else _holdings[index] = holding;
        Recount();
    }

    public Order? FindOrder(long ordinal) => IndexOf(ordinal) is >= 0 and int index ? _orders[index] : null;

    public void Put(Order order)
    {
        int index = IndexOf(order.Ordinal);
        if (index < 0)
        {
            if (order.IsOpen) _orders.Insert(~index, order);
        }
        else if (order.IsOpen)
        {
            _orders[index] = order;
        }
        else
        {
            _orders.RemoveAt(index);
        }
    }

    private int IndexOf(long ordinal)
    {
        int low = 0, high = _orders.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            int order = _orders[middle].Ordinal.CompareTo(ordinal);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return ~low;
    }

    private void Recount()
    {
        _allocated = null;
        NetVolume = LongVolume = ShortVolume = NetCost = 0;
        foreach (Holding holding in _holdings)
        {
            NetVolume += holding.Volume;
            NetCost += holding.Cost;
            if (holding.Volume > 0) LongVolume += holding.Volume;
            else ShortVolume += holding.Volume;
        }
        if (mode == PositionMode.Netting) (LongVolume, ShortVolume) = (Math.Max(NetVolume, 0), Math.Min(NetVolume, 0));
    }
}
