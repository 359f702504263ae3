using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Backtesting;

/// <summary>What a run cannot go on without is not there, or not as it should be: the message is for the job's owner.</summary>
public sealed class JobFaultException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The data that runs are made over: sets that users have uploaded, and the bars that the market itself has recorded.</summary>
public sealed class JobData(IDataSetReader sets, IBarStore bars, TradingOptions trading, BacktestingOptions options)
{
    private const string MarketPrefix = "market:";

    /// <summary>Is it the market's own? Then <c>market:EURUSD:H1</c>.</summary>
    public static bool IsMarket(string id) => id.StartsWith(MarketPrefix, StringComparison.Ordinal);

    public static string MarketId(string symbol, TimeFrame frame) => $"{MarketPrefix}{symbol}:{frame}";

    /// <summary>What the market has recorded, as data sets, by symbol and time frame.</summary>
    public async Task<ImmutableArray<DataSet>> MarketSetsAsync(CancellationToken cancellation)
    {
        ImmutableArray<BarStock> stocks = await bars.ListAsync(cancellation);
        return
        [
            .. from stock in stocks
               let instrument = trading.Universe.Find(stock.Symbol)
               where instrument is not null && stock.Count > 0
               orderby stock.Symbol, stock.TimeFrame
               select new DataSet(MarketId(stock.Symbol, stock.TimeFrame), $"{stock.Symbol} {stock.TimeFrame} of this market", "", instrument, stock.TimeFrame,
                   stock.FirstOpen, stock.TimeFrame.End(stock.LastOpen), Math.Min(stock.Count, options.MaxMarketBars), 0,
                   new FeedQuality(stock.Count, 0, 0, 0, 0), stock.TimeFrame.End(stock.LastOpen), ""),
        ];
    }

    /// <exception cref="JobFaultException">It is not there any more, or is not what it was.</exception>
    public async Task<MarketSeries> ReadAsync(StreamOwner owner, string id, ImmutableArray<DataSet> known, CancellationToken cancellation)
    {
        if (IsMarket(id)) return await ReadMarketAsync(id, cancellation);
        DataSet set = known.FirstOrDefault(each => each.Id == id) ?? throw new JobFaultException($"data set {id} is not there any more");
        try
        {
            return await sets.ReadAsync(owner, set, cancellation);
        }
        catch (InvalidDataException wrong)
        {
            throw new JobFaultException(wrong.Message, wrong);
        }
    }

    private async Task<MarketSeries> ReadMarketAsync(string id, CancellationToken cancellation)
    {
        string[] parts = id.Split(':');
        if (parts.Length != 3 || trading.Universe.Find(parts[1]) is not { } instrument || !TimeFrame.TryParse(parts[2], out TimeFrame frame))
        {
            throw new JobFaultException($"data set {id} is not known in this market");
        }
        ImmutableArray<Bar> read = await bars.ReadLastAsync(instrument.Symbol, frame, options.MaxMarketBars, DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc), cancellation);
        return read.IsEmpty ? throw new JobFaultException($"the market has no bars of {instrument.Symbol} {frame} any more") : MarketSeries.OfBars(instrument, frame, read.AsMemory());
    }
}
