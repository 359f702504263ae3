using System.Text.Json;
using HybridTrading.Grains.Market;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;

namespace HybridTrading.Api.Endpoints;

/// <summary>
/// The instruments as the API tells them, written once a second for all callers: only whether a market is open
/// ever changes.
/// </summary>
internal sealed class InstrumentList(ApiOptions options, MarketTime time, IOptions<JsonOptions> json)
{
    private Written? _last;

    /// <summary>UTF-8 JSON as of now, to the second.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> JsonAsync()
    {
        DateTime now = await time.NowAsync();
        long second = now.Ticks / TimeSpan.TicksPerSecond;
        Written? last = Volatile.Read(ref _last);
        if (last is null || last.Second != second)
        {
            last = Write(now, second);
            Volatile.Write(ref _last, last);
        }
        return last.Json;
    }

    private Written Write(DateTime now, long second)
    {
        InstrumentView[] views = [.. options.Universe.Instruments.Select(one => InstrumentView.Of(one, now, options.DataFrameOf(one.Symbol), options.Simulated))];
        return new Written(second, JsonSerializer.SerializeToUtf8Bytes(views, json.Value.SerializerOptions));
    }

    private sealed record Written(long Second, byte[] Json);
}

/// <summary>What time it is in the market: the clock's, or where past data are played theirs.</summary>
internal sealed class MarketTime(ApiOptions options, LatestMarket latest, TimeProvider clock)
{
    public async ValueTask<DateTime> NowAsync() => options.RecordedFrom is { } start
        ? await latest.GetAsync() is { Position: >= 0 } market ? market.Quote.Time : start
        : clock.GetUtcNow().UtcDateTime;
}

/// <summary>The market that had the latest event.</summary>
internal sealed class LatestMarket(ApiOptions options, IGrainFactory grains)
{
    /// <returns>Null where no market answers.</returns>
    public async Task<MarketView?> GetAsync()
    {
        MarketView?[] markets = await Task.WhenAll(options.Universe.Instruments.Select(one => MarketAsync(one.Symbol)));
        return markets.MaxBy(market => market?.Position ?? -1);
    }

    /// <summary>Null for a market that does not answer: the others are enough to go by.</summary>
    private async Task<MarketView?> MarketAsync(string symbol)
    {
        try
        {
            return await grains.GetGrain<IMarketReplicaGrain>(symbol).GetView();
        }
        catch (Exception away) when (away is not OperationCanceledException)
        {
            return null;
        }
    }
}
