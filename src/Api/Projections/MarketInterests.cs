using HybridTrading.Grains;
using HybridTrading.Grains.Alerts;
using HybridTrading.Storage.Projections;

namespace HybridTrading.Api.Projections;

/// <summary>Who is in which market, by the projection of accounts.</summary>
public sealed class MarketInterests(AccountQueries accounts) : IMarketInterests
{
    public ImmutableArray<MarketInterest> Read() =>
        [.. accounts.InstrumentsInTheMarket().Select(one => new MarketInterest(Keys.PersonOf(one.Account), one.Symbol)).Distinct()];
}
