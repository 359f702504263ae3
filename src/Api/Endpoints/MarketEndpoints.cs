using HybridTrading.Api.Gateway;
using HybridTrading.Api.Limits;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Market;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Instruments, quotes, bars and features: the same for everybody.</summary>
internal static class MarketEndpoints
{
    private const string BarFrames = "S1..S30, M1..M30, H1..H12, D1, W1 or MN1";

    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder market = api.MapGroup("").WithTags("Market");
        market.MapGet("/instruments", InstrumentsAsync).WithName("listInstruments").CacheableByContent().WithSummary("What can be traded")
            .Produces<IEnumerable<InstrumentView>>().Query(Permission.ReadMarket);
        market.MapGet("/quotes", QuotesAsync).WithName("listQuotes").WithSummary("The latest quotes")
            .WithDescription("symbols is a list with commas; without it all. Instruments without a quote yet are left out.").Query(Permission.ReadMarket, Status404NotFound);
        market.MapGet("/bars/{symbol}", BarsAsync).WithName("listBars").Weighs(2).WithSummary("The last bars of bid prices, the oldest first")
            .WithDescription("The first question for a time frame has its bars built from then on.").Query(Permission.ReadMarket, Status404NotFound);
        market.MapGet("/features/{symbol}/{timeFrame}", FeaturesAsync).WithName("getFeatures")
            .WithSummary("The features at the close of the last bar").Query(Permission.ReadMarket, Status404NotFound);
    }

    private static async Task InstrumentsAsync(HttpContext context, InstrumentList instruments)
    {
        ReadOnlyMemory<byte> json = await instruments.JsonAsync();
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = json.Length;
        await context.Response.BodyWriter.WriteAsync(json, context.RequestAborted);
    }

    private static async Task<Results<Ok<IEnumerable<QuoteView>>, ProblemHttpResult>> QuotesAsync(
        IGrainFactory grains, ApiOptions options, string? symbols = null)
    {
        string[] asked = symbols?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            ?? [.. options.Universe.Instruments.Select(one => one.Symbol)];
        if (asked.Length > 1000) throw ApiException.Invalid("symbols", $"symbols has {asked.Length} names; expected at most 1000");
        var instruments = new Instrument[asked.Length];
        for (int i = 0; i < asked.Length; i++)
        {
            if (options.Universe.Find(asked[i]) is not { } instrument) return NoInstrument(asked[i]);
            instruments[i] = instrument;
        }
        MarketView[] views = await Task.WhenAll(instruments.Select(one => grains.GetGrain<IMarketReplicaGrain>(one.Symbol).GetView()));
        return TypedResults.Ok(views.Zip(instruments, (view, one) => QuoteView.Of(view, one, options.Simulated)).OfType<QuoteView>());
    }

    private static async Task<Results<Ok<BarSeries>, ProblemHttpResult>> BarsAsync(
        string symbol, IGrainFactory grains, IBarStore bars, ApiOptions options, CancellationToken cancellation, string timeFrame = "M1",
        int count = 500)
    {
        if (options.Universe.Find(symbol) is not { } instrument) return NoInstrument(symbol);
        TimeFrame frame = Frame(timeFrame);
        if (frame.IsTick) throw ApiException.Invalid("timeFrame", $"timeFrame is tick, which has no bars; expected {BarFrames}");
        Possible(options, symbol, frame);
        if (count is < 1 or > 10_000) throw ApiException.Invalid("count", $"count is {count}; expected 1 to 10000");
        MarketView view = await grains.GetGrain<IMarketReplicaGrain>(symbol).GetView();
        FrameView? forming = view.Frames.FirstOrDefault(one => one.TimeFrame == frame);
        // A tenant cannot tell a market what to build; the features of a time frame, which anybody may look at, have its bars built.
        if (forming is null) await grains.GetGrain<IFeaturesReplicaGrain>(Keys.Features(symbol, frame)).GetView();
        DateTime end = forming?.Forming.OpenTime ?? DateTime.MaxValue;
        int closed = forming is null ? count : count - 1;
        ImmutableArray<Bar> past = closed == 0 ? [] : await bars.ReadLastAsync(symbol, frame, closed, end, cancellation);
        IEnumerable<BarView> series = past.Select(bar => BarView.Of(bar, instrument));
        if (forming is not null) series = series.Append(BarView.Of(forming.Forming, instrument, forming: true));
        return TypedResults.Ok(new BarSeries(symbol, frame.ToString(), options.Simulated, [.. series]));
    }

    private static async Task<Results<Ok<FeaturesView>, ProblemHttpResult>> FeaturesAsync(
        string symbol, string timeFrame, IGrainFactory grains, ApiOptions options)
    {
        if (options.Universe.Find(symbol) is null) return NoInstrument(symbol);
        TimeFrame frame = Frame(timeFrame);
        Possible(options, symbol, frame);
        FeatureUpdate? last = await grains.GetGrain<IFeaturesReplicaGrain>(Keys.Features(symbol, frame)).GetView();
        if (last is null) return TypedResults.Ok(new FeaturesView(null, -1, ImmutableSortedDictionary<string, double?>.Empty));
        return TypedResults.Ok(new FeaturesView(last.Closed.Time, last.Closed.Position, last.Specs
            .Select((spec, index) => KeyValuePair.Create(spec, DecisionView.Number(last.Values[index])))
            .ToImmutableSortedDictionary(StringComparer.Ordinal)));
    }

    private static TimeFrame Frame(string text) => TimeFrame.TryParse(text, out TimeFrame frame)
        ? frame
        : throw ApiException.Invalid("timeFrame", $"timeFrame is {ApiException.Quote(text)}; expected tick, {BarFrames}");

    /// <exception cref="ApiException">The data are longer bars.</exception>
    private static void Possible(ApiOptions options, string symbol, TimeFrame frame)
    {
        TimeFrame data = options.DataFrameOf(symbol);
        if (frame.CompareTo(data) < 0) throw ApiException.Invalid("timeFrame", $"timeFrame is {frame}; the data of {symbol} are bars of {data}, expected that or longer");
    }

    private static ProblemHttpResult NoInstrument(string symbol) =>
        Problems.NotFound(nameof(Domain.Risk.Reason.InstrumentUnknown), $"symbol is {ApiException.Quote(symbol)}; no such instrument here");
}
