using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Risk;

/// <summary>What an account would answer to an order. It binds nobody: the next quote, fill or limit can have it answer otherwise.</summary>
/// <param name="Time">UTC, as of when.</param>
/// <param name="Result">As of the order itself, without an ordinal; of one that was sent before, its answer.</param>
/// <param name="Figures">Null where the order is malformed, or was sent before.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderPreview")]
public sealed record OrderPreview(DateTime Time, OrderResult Result, OrderFigures? Figures = null);

/// <summary>
/// What an order comes to as it was asked, however much of it may go, by the quotes that its account has seen. Prices in price, money in account
/// currency.
/// </summary>
/// <param name="QuoteTime">UTC, of the quote that it is reckoned by.</param>
/// <param name="Price">Where it is expected to fill: its own limit, or the market or its stop level with the mean slippage of the venue.</param>
/// <param name="Notional">At its limit, its stop or the market.</param>
/// <param name="Commission">When all of it fills at once at <paramref name="Price"/>.</param>
/// <param name="MarginNeeded">What it takes beside positions and orders at work.</param>
/// <param name="FreeMargin">What they leave.</param>
/// <param name="Limits">The limits that have a word on it, as they are used without and with it; none where it only reduces.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderFigures")]
public sealed record OrderFigures(
    DateTime QuoteTime, decimal Bid, decimal Ask, decimal Price, decimal Notional, decimal Commission, decimal MarginNeeded, decimal FreeMargin,
    ImmutableArray<LimitStep> Limits)
{
    /// <param name="order">Well formed: its instrument, quote and conversion are known.</param>
    public static OrderFigures Of(AccountState account, OrderRequest order, DateTime now)
    {
        SymbolBook book = account.Book(order.Symbol);
        Instrument instrument = book.Instrument;
        bool adds = PreTradeRisk.AddsToPosition(account, order);
        decimal before = PreTradeRisk.WorstVolume(account, book);
        decimal after = adds ? PreTradeRisk.WorstVolume(account, book, order.Side, order.Volume) : before;
        long entry = PreTradeRisk.EntryPoints(instrument, order.Side, order.LimitPrice, order.StopPrice, book.Mark);
        decimal notional = account.Notional(instrument, order.Volume, entry);
        ExecutionModel venue = account.Settings!.Execution;
        decimal points = ExpectedPoints(venue, instrument, order, book.Mark);
        decimal commission = venue.Commission(account.Notional(instrument, order.Volume, points), order.Volume / instrument.ContractSize);
        return new OrderFigures(
            book.Mark.Time, instrument.ToPrice(book.Mark.Bid), instrument.ToPrice(book.Mark.Ask), points * instrument.PointSize, notional,
            account.Money(commission), PreTradeRisk.MarginOf(account, book, after) - PreTradeRisk.MarginOf(account, book, before),
            PreTradeRisk.FreeMargin(account),
            adds ? StepsOf(account, book, order, notional, before, after, now) : []);
    }

    private static decimal ExpectedPoints(ExecutionModel venue, Instrument instrument, OrderRequest order, in Quote mark)
    {
        int sign = (int)order.Side;
        long market = order.Side == Side.Buy ? mark.Ask : mark.Bid;
        decimal slipped = venue.MeanSlippage * sign;
        switch (order.Type)
        {
            case OrderType.Limit:
                long limit = instrument.ToPoints(order.LimitPrice!.Value);
                // One that the market reaches already takes it, slipping no further than the limit.
                return sign * (market - limit) > 0 ? limit : sign * Math.Min(sign * (market + slipped), sign * limit);
            case OrderType.StopLimit:
                return instrument.ToPoints(order.LimitPrice!.Value);
            case OrderType.Stop:
                return instrument.ToPoints(order.StopPrice!.Value) + slipped;
            case OrderType.TrailingStop:
                // It sells below the bid, it buys above the ask.
                long trail = sign * instrument.ToPoints(order.TrailDistance!.Value);
                return (order.StopPrice is { } first ? instrument.ToPoints(first) : market + trail) + slipped;
            default:
                return market + slipped;
        }
    }

    private static ImmutableArray<LimitStep> StepsOf(
        AccountState account, SymbolBook book, OrderRequest order, decimal notional, decimal before, decimal after, DateTime now)
    {
        RiskLimits limits = account.Limits;
        ImmutableArray<LimitStep>.Builder steps = ImmutableArray.CreateBuilder<LimitStep>();
        Add(nameof(limits.MaxOrderVolume), 0, order.Volume, limits.MaxOrderVolume);
        Add(nameof(limits.MaxOrderNotional), 0, notional, limits.MaxOrderNotional);
        decimal own = PreTradeRisk.ExposureOf(account, book, before), ownAfter = PreTradeRisk.ExposureOf(account, book, after);
        decimal exposure = PreTradeRisk.ExposureOf(account), equity = account.Equity;
        Add(nameof(limits.MaxExposure), exposure, exposure + ownAfter - own, limits.MaxExposure);
        Add(nameof(limits.MaxExposurePercent), exposure, exposure + ownAfter - own, equity * limits.MaxExposurePercent / 100m);
        Add(nameof(limits.MaxInstrumentExposure), own, ownAfter, limits.MaxInstrumentExposure);
        bool hedging = account.Settings!.Mode == PositionMode.Hedging;
        int positions = PreTradeRisk.PositionsOf(account), ownPositions = PreTradeRisk.Positions(book, hedging);
        int opens = hedging || ownPositions == 0 ? 1 : 0;
        Add(nameof(limits.MaxOpenPositions), positions, positions + opens, limits.MaxOpenPositions);
        Add(nameof(limits.MaxInstrumentPositions), ownPositions, ownPositions + opens, limits.MaxInstrumentPositions);
        int working = PreTradeRisk.WorkingOf(account), ownWorking = PreTradeRisk.Working(book);
        Add(nameof(limits.MaxWorkingOrders), working, working + 1, limits.MaxWorkingOrders);
        Add(nameof(limits.MaxInstrumentWorkingOrders), ownWorking, ownWorking + 1, limits.MaxInstrumentWorkingOrders);
        if (limits.SubmitRate is { } rate)
        {
            int submits = account.SubmitsSince(now - rate.Window);
            Add(nameof(limits.SubmitRate), submits, submits + 1, rate.Count);
        }
        foreach (decimal price in new[] { order.LimitPrice, order.StopPrice }.OfType<decimal>())
        {
            Add(nameof(limits.PriceCollarPercent), 0, PreTradeRisk.PercentFromMarket(book, price), limits.PriceCollarPercent);
        }
        return steps.ToImmutable();

        void Add(string limit, decimal without, decimal with, decimal? most)
        {
            if (most is { } bound) steps.Add(new LimitStep(limit, without, with, bound));
        }
    }
}

/// <summary>What an order does to one limit.</summary>
/// <param name="Limit">The name of the limit.</param>
/// <param name="Before">Used without the order, in the limit's own unit: account currency, units, percent or a count.</param>
/// <param name="After">Used with all of it; more than <paramref name="Most"/> breaks the limit.</param>
[GenerateSerializer, Immutable, Alias("ht.LimitStep")]
public sealed record LimitStep(string Limit, decimal Before, decimal After, decimal Most);
