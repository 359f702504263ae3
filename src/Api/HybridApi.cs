using System.Reflection;
using HybridTrading.Api.Endpoints;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Hubs;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Observability;
using HybridTrading.Api.OpenApi;
using HybridTrading.Api.Ports;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Reports;
using HybridTrading.Api.Requests;
using HybridTrading.Api.WebConsole;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Users;
using HybridTrading.Storage;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HybridTrading.Api;

/// <summary>The thin API: REST, the hub, OpenAPI and the console. It holds no state; grains and projections do.</summary>
public static class HybridApi
{
    /// <summary>Where browsers and programs connect for what happens as it happens.</summary>
    public const string HubPath = "/hubs/trading";

    public static string Version { get; } =
        typeof(HybridApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>
    /// Adds the API. It needs what <see cref="HybridStorage.AddHybridStorage"/>, <see cref="Grains.Backtesting.BacktestingHosting.AddBacktesting"/> and Orleans add, and a logger.
    /// </summary>
    public static IServiceCollection AddHybridApi(this IServiceCollection services, ApiOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<StartTime>();
        services.AddIdentity();
        services.AddGateway();
        services.AddSingleton<IdempotencyGates>();
        services.AddSingleton<LatestMarket>();
        services.AddSingleton<MarketTime>();
        services.AddSingleton<InstrumentList>();
        services.AddSingleton<UploadGate>();
        services.AddScoped<JobDesk>();
        services.AddSingleton<AccountPerformance>();
        services.AddReadModels(options);

        services.ConfigureHttpJsonOptions(http => ApiJson.Configure(http.SerializerOptions));
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.AddSignalR().AddJsonProtocol(protocol => ApiJson.Configure(protocol.PayloadSerializerOptions));
        services.AddSingleton<HubConnections>();
        services.AddSingleton<ApiMetrics>();
        services.AddSingleton<MarketBoard>();
        services.AddHostedService(provider => provider.GetRequiredService<MarketBoard>());
        services.AddSingleton<AccountBoard>();
        services.AddHostedService(provider => provider.GetRequiredService<AccountBoard>());
        services.AddSingleton<JobBoard>();
        services.AddHostedService(provider => provider.GetRequiredService<JobBoard>());
        services.AddSingleton<JournalBoard>();
        services.AddHostedService(provider => provider.GetRequiredService<JournalBoard>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, RoutingProblems>());
        services.AddApiDocument();
        services.AddSingleton(new ConsoleFiles(typeof(HybridApi).Assembly));
        return services;
    }

    /// <summary>Maps everything on the gateway's ports; the hub answers on every WebSocket port of the map, too.</summary>
    public static IEndpointRouteBuilder MapHybridApi(this IEndpointRouteBuilder endpoints)
    {
        _ = endpoints.ServiceProvider.GetRequiredService<ApiMetrics>();
        // Before anybody is known; its calls are the gateway's.
        RouteGroupBuilder door = endpoints.MapGroup(RoutingProblems.ApiPath).OnService(ServiceEndpoints.Gateway);
        AuthEndpoints.Map(door);
        ProviderEndpoints.MapDoor(door);
        ClientEndpoints.MapDoor(door);
        door.WithProblems();
        AuthEndpoints.MapKeys(endpoints);

        RouteGroupBuilder api = endpoints.MapGroup(RoutingProblems.ApiPath).OnService(ServiceEndpoints.Gateway);
        api.AddEndpointFilter(static async (context, next) =>
        {
            ICaller caller = context.HttpContext.RequestServices.GetRequiredService<ICaller>();
            using Principal.Scope scope = Principal.Of(caller.Tenant);
            GrainTracing.Join();
            if (context.HttpContext.Response.StatusCode == StatusCodes.Status400BadRequest) throw UnboundParameter.Of(context.HttpContext);
            if (caller is RequestCaller { Another: { } another }) await RefuseErasedAsync(context.HttpContext, another);
            return await next(context);
        });
        SystemEndpoints.Map(api);
        ProfileEndpoints.Map(api);
        ProviderEndpoints.Map(api);
        MemberEndpoints.Map(api);
        ClientEndpoints.Map(api);
        UserEndpoints.Map(api);
        MarketEndpoints.Map(api);
        FeedEndpoints.Map(api);
        KillSwitchEndpoints.Map(api);
        AccountEndpoints.Map(api);
        OrderEndpoints.Map(api);
        StrategyEndpoints.Map(api);
        ReviewEndpoints.Map(api);
        RuleEndpoints.Map(api);
        DecisionEndpoints.Map(api);
        DataSetEndpoints.Map(api);
        JobEndpoints.Map(api);
        PerformanceEndpoints.Map(api);
        ConfigurationEndpoints.Map(api);
        AlertEndpoints.Map(api);
        JournalEndpoints.Map(api);
        OperationsEndpoints.Map(api);
        LaterEndpoints.Map(api);
        api.WithProblems();
        // A connection that begins as a WebSocket stays where it is, so no proxy has to bring a client back to the process it began with.
        endpoints.MapHub<TradingHub>(HubPath, hub => (hub.Transports, hub.CloseOnAuthenticationExpiration) = (HttpTransportType.WebSockets, true))
            .OnHubPorts().ForSignedIn().RateLimited(5);
        endpoints.MapApiDocument();
        endpoints.MapConsole();
        return endpoints;
    }

    /// <summary>
    /// Grains of somebody who is being erased hold their things until the keys are gone; nobody is shown them any more. The journal shows of the erased that something
    /// was, and not what: for as long as there is a journal.
    /// </summary>
    /// <exception cref="ApiException">404.</exception>
    private static async Task RefuseErasedAsync(HttpContext context, string user)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>()?.Permission == Permission.ReadJournal) return;
        ErasureStage stage;
        using (Principal.OfGateway()) stage = await context.RequestServices.GetRequiredService<IGrainFactory>().GetGrain<IErasureGrain>(user).GetStage();
        if (stage is ErasureStage.None or ErasureStage.Planned) return;
        throw new ApiException(StatusCodes.Status404NotFound, ApiReason.MemberUnknown, $"user is {ApiException.Quote(user)}; no such member here");
    }

    /// <summary>The projections of the journal and what reads them: also of a process without the API that must know what runs.</summary>
    public static IServiceCollection AddReadModels(this IServiceCollection services, ApiOptions options)
    {
        services.AddSingleton<IProjection>(new AccountProjection(options.Universe));
        services.AddSingleton<IProjection, StrategyProjection>();
        services.AddSingleton<IProjection, JobProjection>();
        services.AddSingleton<IProjection, UserProjection>();
        services.AddSingleton<IProjection, AlertProjection>();
        services.AddSingleton<IProjection, JournalIndexProjection>();
        services.AddSingleton(provider => new AccountQueries(Views(provider)));
        services.AddSingleton(provider => new StrategyQueries(Views(provider)));
        services.AddSingleton(provider => new JobQueries(Views(provider)));
        services.AddSingleton(provider => new UserQueries(Views(provider)));
        services.AddSingleton(provider => new AlertQueries(Views(provider)));
        services.AddSingleton<IMarketInterests, MarketInterests>();
        services.AddSingleton(provider => new JournalQueries(Views(provider), provider.GetRequiredService<IJournal>()));
        services.AddSingleton<ReadSide>();
        services.AddSingleton<IStartupQueries, StartupQueries>();
        services.AddSingleton<ViewsCheck>();
        services.AddHealthChecks().AddCheck<ViewsCheck>("views");
        return services;

        static SqliteDatabase Views(IServiceProvider provider) => provider.GetRequiredKeyedService<SqliteDatabase>(HybridStorage.ViewDatabase);
    }
}
