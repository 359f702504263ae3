using System.Text.Json;
using HybridTrading.Api.Hubs;
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
    public ReadOnlyMemory<byte> Json
    {
        get
        {
            DateTime now = time.Now;
            long second = now.Ticks / TimeSpan.TicksPerSecond;
            Written? last = Volatile.Read(ref _last);
            if (last is null || last.Second != second)
            {
                last = Write(now, second);
                Volatile.Write(ref _last, last);
            }
            return last.Json;
        }
    }

    private Written Write(DateTime now, long second)
    {
        InstrumentView[] views = [.. options.Universe.Instruments.Select(one => InstrumentView.Of(one, now, options.DataFrameOf(one.Symbol), options.Simulated))];
        return new Written(second, JsonSerializer.SerializeToUtf8Bytes(views, json.Value.SerializerOptions));
    }

    private sealed record Written(long Second, byte[] Json);
}

/// <summary>What time it is in the market: the clock's, or where past data are played theirs.</summary>
internal sealed class MarketTime(ApiOptions options, MarketBoard board, TimeProvider clock)
{
    public DateTime Now => options.RecordedFrom is { } start ? board.Latest.Time ?? start : clock.GetUtcNow().UtcDateTime;
}
