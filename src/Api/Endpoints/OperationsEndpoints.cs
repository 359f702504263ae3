using HybridTrading.Api.Ports;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Operations;
using HybridTrading.Grains.Telemetry;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>What runs in the installation and how it does, for operators: docs/observability.md has every field.</summary>
internal static class OperationsEndpoints
{
    private const string Absent = "absent";

    /// <summary>Where operators look, besides the gateway.</summary>
    private static readonly string[] Ports = [ServiceEndpoints.Gateway, "performance-analytics", "central-hub"];

    public static void Map(IEndpointRouteBuilder api)
    {
        Add("/services", ServicesAsync, "listServices", "Every service, where it runs and how it is");
        Add("/services/{name}/history", HistoryAsync, "getServiceHistory", "How a service has been", Status404NotFound);
        Add("/system/grains", GrainsAsync, "getGrains", "What the grains of each process do: activations, calls, latencies, slowest calls");
        Add("/system/storage", StorageAsync, "getStorage", "What the storage of each process takes, and how its journal does");
        Add("/system/feeds", FeedsAsync, "getFeeds", "How old each instrument's latest quote is, and what was dropped");

        void Add(string path, Delegate handler, string name, string summary, params int[] refusals) =>
            api.MapGet(path, handler).WithTags("System").WithName(name).WithSummary(summary).OnServices(Ports).Query(Permission.Operate, refusals);
    }

    private static async Task<Ok<ServiceList>> ServicesAsync(IGrainFactory grains, TimeProvider clock)
    {
        ImmutableArray<KnownProcess> processes = await Hub(grains).GetProcesses();
        ILookup<string, (KnownProcess Known, ServiceReport Service)> instances = processes
            .SelectMany(known => known.Report.Services.Select(service => (known, service))).ToLookup(pair => pair.service.Name, StringComparer.Ordinal);
        return TypedResults.Ok(new ServiceList(clock.GetUtcNow().UtcDateTime, [.. PortMap.Default.Services.Select(service => StateOf(service.Name, instances[service.Name]))]));
    }

    private static async Task<Results<Ok<ServiceHistory>, ProblemHttpResult>> HistoryAsync(string name, IGrainFactory grains, int? limit = null)
    {
        if (limit is < 1 or > CentralHub.MostTransitions) throw ApiException.Invalid("limit", $"limit is {limit}; expected 1 to {CentralHub.MostTransitions}");
        if (!PortMap.Default.Services.Any(service => service.Name == name))
        {
            return Problems.NotFound(ApiReason.ServiceUnknown, $"name is {ApiException.Quote(name)}; expected a service of the port map '{PortMap.DefaultName}'");
        }
        ImmutableArray<ServiceTransition> transitions = await Hub(grains).GetHistory(name);
        return TypedResults.Ok(new ServiceHistory(name,
            [.. transitions.Take(limit ?? 100).Select(one => new ServiceChange(one.Time, one.Process, one.From is { } from ? Word(from) : null, Word(one.To), one.Detail))]));
    }

    private static async Task<Ok<GrainActivity>> GrainsAsync(IGrainFactory grains, TimeProvider clock)
    {
        ImmutableArray<KnownProcess> processes = await Hub(grains).GetProcesses();
        return TypedResults.Ok(new GrainActivity(clock.GetUtcNow().UtcDateTime, (int)GrainCallStatistics.Window.TotalSeconds,
        [
            .. from known in processes
               let report = known.Report
               where report.Grains is not null
               select new ProcessGrains(report.Process, report.Address, report.Host, known.LastSeen, [.. report.Grains!.Types.Select(GrainTypeView.Of)],
                   [.. report.Grains.Methods.Select(GrainMethodView.Of)], [.. report.Grains.Slowest.Select(SlowCallView.Of)]),
        ]));
    }

    private static async Task<Ok<StorageActivity>> StorageAsync(IGrainFactory grains, TimeProvider clock)
    {
        ImmutableArray<KnownProcess> processes = await Hub(grains).GetProcesses();
        return TypedResults.Ok(new StorageActivity(clock.GetUtcNow().UtcDateTime,
        [
            .. from known in processes
               let storage = known.Report.Storage
               where storage is not null
               select new ProcessStorage(known.Report.Process, known.Report.Address, known.LastSeen, storage.Kind, storage.Location, JournalActivity.Of(storage.Journal),
                   [.. storage.Parts.Select(part => new StoragePartView(part.Name, part.Bytes, part.Files))], storage.FreeBytes),
        ]));
    }

    private static async Task<Ok<FeedActivity>> FeedsAsync(IGrainFactory grains, ApiOptions options, TimeProvider clock)
    {
        Grains.Market.FeedView feed = await grains.GetGrain<IFeedGrain>(Keys.Feed).GetView();
        DateTime now = clock.GetUtcNow().UtcDateTime;
        FeedSymbolView[] symbols = await Task.WhenAll(options.Universe.Instruments.Select(async instrument =>
        {
            MarketView market = await grains.GetGrain<IMarketReplicaGrain>(instrument.Symbol).GetView();
            DateTime? last = market.Position >= 0 ? market.Quote.Time : null;
            double? age = feed.Playback is null && last is { } time ? Math.Max(0, (now - time).TotalSeconds) : null;
            FeedQuality quality = feed.Quality.GetValueOrDefault(instrument.Symbol);
            return new FeedSymbolView(instrument.Symbol, last, age, quality.Received, quality.Duplicates, quality.Late, quality.Invalid, quality.Gaps);
        }));
        return TypedResults.Ok(new FeedActivity(now, feed.Simulated, feed.Position, feed.Time == default ? null : feed.Time, [.. symbols]));
    }

    private static ICentralHubGrain Hub(IGrainFactory grains) => grains.GetGrain<ICentralHubGrain>(CentralHub.Key);

    private static ServiceState StateOf(string name, IEnumerable<(KnownProcess Known, ServiceReport Service)> instances)
    {
        ImmutableArray<ServiceInstance> all =
        [
            .. from one in instances
               let report = one.Known.Report
               orderby one.Service.Status, report.StartedAt descending
               select new ServiceInstance(report.Process, report.Host, report.Version, report.Address, one.Service.Port, one.Service.WebSocketPort, one.Service.SiloPort,
                   one.Service.GatewayPort, report.StartedAt, one.Known.LastSeen, Word(one.Service.Status), one.Service.Detail),
        ];
        return new ServiceState(name, all.IsEmpty ? Absent : all[0].Status, all);
    }

    private static string Word(ServiceStatus status) => status.ToString().ToLowerInvariant();
}
