using HybridTrading.Grains;
using HybridTrading.Grains.Alerts;
using HybridTrading.Storage.Projections;

namespace HybridTrading.Api.Projections;

/// <summary>Who is in which market, by the projections of accounts and strategies.</summary>
public sealed class MarketInterests(AccountQueries accounts, StrategyQueries strategies) : IMarketInterests
{
    public ImmutableArray<MarketInterest> Read() =>
    [
        .. accounts.InstrumentsInTheMarket().Select(one => Of(one.Account, one.Symbol))
            .Union(strategies.InstrumentsOfRunning().Select(one => Of(one.Strategy, one.Symbol))),
    ];

    /// <param name="key">Of an account or a strategy.</param>
    private static MarketInterest Of(string key, string symbol) => new(Keys.PersonOf(key), symbol);
}
