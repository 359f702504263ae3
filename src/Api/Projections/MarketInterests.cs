using HybridTrading.Grains;
using HybridTrading.Grains.Alerts;
using HybridTrading.Storage.Projections;

namespace HybridTrading.Api.Projections;

/// <summary>Who is in which market, by the projections of accounts and strategies.</summary>
public sealed class MarketInterests(AccountQueries accounts, StrategyQueries strategies) : IMarketInterests
{
    public ImmutableArray<MarketInterest> Read() =>
    [
        .. accounts.InstrumentsInTheMarket().Concat(strategies.InstrumentsOfRunning())
            .Select(one => new MarketInterest(Keys.PersonOf(one.Item1), one.Item2)).Distinct(),
    ];
}
