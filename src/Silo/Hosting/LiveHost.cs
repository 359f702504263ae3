using HybridTrading.Api;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Observability;
using HybridTrading.Api.Ports;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;
using HybridTrading.Silo.Commands;
using HybridTrading.Silo.Hosting.Tls;
using HybridTrading.Storage;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Postgres;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Console;

namespace HybridTrading.Silo.Hosting;

/// <summary>What <c>run</c> is told.</summary>
public sealed record LiveOptions(
    string DataFolder, ServicePlan Plan, LiveFeedOptions Feed, MarketLogOptions MarketLog, BacktestingOptions Backtesting, bool Demo, ClusterSettings Cluster,
    GatewaySettings Gateway, LogFormat? LogFormat = null);

/// <summary>The live system in one process: storage, grains, feed, API, each service on its own port.</summary>
public static class LiveHost
{
    private const string FeedName = "live";
    private const int WarmUpBars = 2000;

    private static readonly TimeSpan LongestFirstLook = TimeSpan.FromSeconds(10);

    /// <summary>The service of the feed.</summary>
    private const string FeedService = "data-bridge";

    /// <summary>In a cluster, the silos of these keep views: what to wake after a start of the whole, and who must hear of a price that has stopped.</summary>
    private static readonly ImmutableArray<string> ReadModelServices = ["database-service", "notification-service"];

    public static async Task<int> RunAsync(LiveOptions options, CancellationToken cancellation)
    {
        (ServiceEndpoints plan, EnvironmentReading environment) = options.Plan.Resolve();
        foreach (EnvironmentNote warning in environment.Warnings) Console.Error.WriteLine($"warning: {warning.Variable} {warning.Text}");
        GatewayAccess access = options.Gateway.Resolve(TimeProvider.System, EarlyLog(options).CreateLogger<ServerCertificate>());
        using DataFolder folder = DataFolder.Open(options.DataFolder);
        ClusterProcess member = MemberOf(options, plan, environment);
        PortProbe.EnsureFree(plan, withCluster: OrleansHost.Name == "Cluster" && !member.IsClient);

        await using WebApplication app = Build(options, plan, access, environment, folder, member, out Demonstration demonstration);
        try
        {
            await app.StartAsync(cancellation);
        }
        catch (IOException e) when (e is not StorageException)
        {
            // Somebody took a port between the probe and now: the probe names it.
            PortProbe.EnsureFree(plan);
            throw new UsageException(e.Message);
        }
        // The link comes first, so that whoever waits for the end of the start has it. A gateway alone may have to wait for the user-service.
        if (!member.IsClient && app.Services.GetService<FirstOwnerLink>() is { } link) await link.Told.WaitAsync(LongestFirstLook, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        PrintBanner(plan, access, options, member, demonstration, app.Services.GetRequiredService<DashboardAccess>());
        await app.WaitForShutdownAsync(cancellation);
        return 0;
    }

    private static WebApplication Build(
        LiveOptions options, ServiceEndpoints plan, GatewayAccess access, EnvironmentReading environment, DataFolder folder, ClusterProcess member,
        out Demonstration demonstration)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "HybridTrading" });
        builder.Configuration.AddInMemoryCollection(environment.Settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)));
        demonstration = Demonstration.Plan(folder, options.Demo && options.Feed is SimulatedFeedOptions && member.Database is null && IsDemoConfigured(builder.Configuration));
        builder.Services.AddSingleton(demonstration);
        LogFormat format = options.LogFormat ?? LogFormats.Configured(builder.Configuration);
        AddLog(builder.Logging, format);
        builder.Services.AddSingleton<DashboardAccess>();
        builder.AddServiceEndpoints(plan, access);
        builder.Services.AddSingleton(Limits(builder.Configuration));
        builder.Services.AddObservability(ProcessIdentity.Here(OrleansHost.Name, TimeProvider.System));
        AddStorage(builder.Services, options, folder, member);
        TradingOptions trading = Trading(options.Feed);
        InstrumentUniverse universe = trading.Universe;
        builder.Services.AddSingleton(member.Hosts(FeedService) ? options.Feed : WithoutData(options.Feed));
        builder.Services.AddSingleton(trading);
        builder.Services.AddBacktesting(options.Backtesting).AddStrategyAnalysis().AddUsers();
        AddAlerts(builder, folder);
        OrleansHost.AddMember(builder, member);
        var api = new ApiOptions
        {
            Universe = universe, Host = OrleansHost.Name, Simulated = options.Feed is SimulatedFeedOptions, RecordedFrom = trading.EventStart, DataFrames = trading.DataFrames, DataFolder = folder.Root, FeedName = FeedName,
            Notices =
            [
                .. demonstration.IsThere ? [Demonstration.Notice] : ImmutableArray<string>.Empty,
            ],
        };
        bool hasGateway = plan.Hosts(ServiceEndpoints.Gateway), hasCompliance = plan.Hosted.Any(hosted => hosted.Network == ServiceNetwork.Compliance);
        AddIdentity(builder, folder);
        if (hasGateway)
        {
            builder.Services.AddHybridApi(api);
            builder.Services.AddSingleton<FirstOwnerLink>();
            builder.Services.AddHostedService(provider => provider.GetRequiredService<FirstOwnerLink>());
        }
        else if (member.Database is null || ReadModelServices.Any(member.Hosts)) builder.Services.AddReadModels(api);
        if (!hasGateway && hasCompliance) builder.Services.AddAuthenticatedCallers();
        if (member.Database is null) builder.Services.AddHostedService<TradingStart>();
        else if (!member.IsClient) builder.Services.AddHostedService<ClusterStart>();
        // The last to start is the first to stop: it says good-bye while there are grains to hear it.
        builder.Services.AddHostedService<ProcessReporter>();

        WebApplication app = builder.Build();
        app.MapServiceHealth();
        app.MapMetrics();
        if (hasGateway) app.MapHybridApi();
        if (plan.Hosts(DashboardAccess.Service) && OrleansHost.MapDashboard(app, member, DashboardAccess.Path) is { } dashboard)
        {
            app.Services.GetRequiredService<DashboardAccess>().Guard(dashboard);
        }
        else if (hasGateway && plan.Hosts(DashboardAccess.Service) && OrleansHost.Name == "Local")
        {
            string system = $"http://localhost:{plan.PortsOf(ServiceEndpoints.Gateway).Min()}/#/administration/system";
            app.MapGet(DashboardAccess.Path, () => TypedResults.Redirect(system)).OnService(DashboardAccess.Service).ExcludeFromDescription();
        }
        return app;
    }

    private static void AddIdentity(WebApplicationBuilder builder, DataFolder folder)
    {
        try
        {
            builder.Services.AddSingleton(IdentityOptions.Read(builder.Configuration));
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static void AddAlerts(WebApplicationBuilder builder, DataFolder folder)
    {
        try
        {
            builder.Services.AddSingleton(MailOptions.Read(builder.Configuration, folder.Outbox));
            builder.Services.AddSingleton(AlertOptions.Read(builder.Configuration, Random.Shared.NextDouble));
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
        builder.Services.AddAlerts();
    }

    private static RateLimitOptions Limits(IConfiguration configuration)
    {
        try
        {
            return RateLimitOptions.Read(configuration);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static TradingOptions Trading(LiveFeedOptions feed) => feed is not RecordedFeedOptions recorded
        ? new TradingOptions { Universe = new InstrumentUniverse(SimulatedMarket.Instruments), WarmUpBars = WarmUpBars }
        : new TradingOptions
        {
            Universe = new InstrumentUniverse(recorded.Series.Select(series => series.Instrument)),
            WarmUpBars = WarmUpBars,
            EventStart = recorded.Series.Where(series => series.Count > 0).Select(series => RunSequence.StartOf(series, 0)).DefaultIfEmpty(DateTime.UnixEpoch).Min(),
            DataFrames = recorded.Series.ToImmutableDictionary(series => series.Instrument.Symbol, series => series.TimeFrame),
        };

    /// <summary>Every process knows the instruments; only those that may run the feed keep the data.</summary>
    private static LiveFeedOptions WithoutData(LiveFeedOptions feed) => feed is RecordedFeedOptions recorded ? recorded with { Series = [] } : feed;

    /// <summary>A folder of the process's own, or the cluster's database and a folder for what can be made anew.</summary>
    private static void AddStorage(IServiceCollection services, LiveOptions options, DataFolder folder, ClusterProcess member)
    {
        if (member.Database is { } database)
        {
            services.AddPostgresStorage(database, folder, new PostgresStorageOptions
            {
                MasterKeyFile = options.Cluster.MasterKey ?? Path.Combine(folder.Keys, "master.key"), MarketLogMaxAge = options.MarketLog.MaxAge,
            });
            services.AddSingleton<IMarketLog>(provider => provider.GetRequiredService<PostgresMarketLogs>().Get(FeedName));
        }
        else
        {
            services.AddHybridStorage(folder, new StorageOptions { MarketLog = options.MarketLog });
            services.AddSingleton<IMarketLog>(provider => provider.GetRequiredService<MarketLogs>().Get(FeedName));
        }
    }

    /// <summary>Of what is at work before the configuration has been read.</summary>
    private static ILoggerFactory EarlyLog(LiveOptions options) => LoggerFactory.Create(log => AddLog(log, options.LogFormat ?? LogFormat.Console));

    private static void AddLog(ILoggingBuilder log, LogFormat format)
    {
        log.ClearProviders();
        if (format == LogFormat.Json)
        {
            log.AddConsole(console => console.FormatterName = JsonLogFormatter.FormatterName).AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>();
        }
        else
        {
            log.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.IncludeScopes = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
            });
        }
        log.SetMinimumLevel(LogLevel.Warning).AddFilter("HybridTrading", LogLevel.Information);
    }

    private static ClusterProcess MemberOf(LiveOptions options, ServiceEndpoints plan, EnvironmentReading environment)
    {
        ClusterSettings cluster = options.Cluster;
        string? database = OrleansHost.Name == "Cluster" ? environment.Settings.GetValueOrDefault(EnvironmentConfiguration.DatabaseKey) : null;
        return new ClusterProcess
        {
            // Alone it runs every grain, whatever services of a port map it listens for.
            Services = database is null || options.Plan.Services.IsEmpty ? [] : [.. plan.Hosted.Select(hosted => hosted.Service)],
            SiloPort = plan.SiloPort, GatewayPort = plan.GatewayPort, Listen = cluster.Listen, Advertised = cluster.Advertised,
            Database = database,
            Tls = cluster.Tls is { } files ? new ClusterTls(files, TimeProvider.System, EarlyLog(options).CreateLogger<ClusterTls>()) : null,
            Dashboard = cluster.Dashboard,
        };
    }

    /// <summary>Configuration key <c>Demo</c>: the environment variable of that name, or <c>appsettings.json</c>.</summary>
    private static bool IsDemoConfigured(IConfiguration configuration) => configuration["Demo"] is not { Length: > 0 } text
        || (bool.TryParse(text, out bool demo) ? demo : throw new UsageException($"Demo is '{text}'; expected true or false"));

    private static void PrintBanner(
        ServiceEndpoints plan, GatewayAccess access, LiveOptions options, ClusterProcess member, Demonstration demonstration, DashboardAccess dashboard)
    {
        string data = member.Database is { } database
            ? $"PostgreSQL at {PostgresAddress.Describe(PostgresAddress.Parse(database))}; what can be made anew in {Path.GetFullPath(options.DataFolder)}"
            : Path.GetFullPath(options.DataFolder);
        string scheme = access.Certificate is null ? "http" : "https";
        string where = FirstPort(ServiceEndpoints.Gateway) is { } gateway
            ? $"console    {scheme}://localhost:{gateway}        API page  {scheme}://localhost:{gateway}/swagger"
            : $"services   {string.Join(", ", plan.Hosted.Select(hosted => hosted.Name))}";
        string operate = OrleansHost.Name == "Cluster" && member.Dashboard && FirstPort(DashboardAccess.Service) is { } port
            ? $"  dashboard  http://localhost:{port}{DashboardAccess.Path}, user operator, password {dashboard.Generated ?? "as configured"}{Environment.NewLine}"
            : "";
        Console.Out.WriteLine($"""

            HybridTrading is running ({OrleansHost.Name}).
              {where}
              data       {data}
              market     {Market(options.Feed)}
            {Demo(demonstration)}{operate}  real data  HybridTrading replay FILES ... plays past data through the same grains; backtest FILES ... tests on it (--help)
              access     {Access(access)}
            Ctrl+C stops.
            """);

        int? FirstPort(string service) => plan.PortsOf(service) is { Count: > 0 } ports ? ports.Min() : null;
    }

    private static string Access(GatewayAccess access) => access.PublicHosts.IsEmpty
        ? "loopback only; --listen, --public-host and --cert open the gateway to others"
        : $"https://{string.Join(", https://", access.PublicHosts)} {(access.Proxies.IsEmpty ? $"on {access.Listen}" : $"by the proxy at {string.Join(", ", access.Proxies)}")}";

    private static string Market(LiveFeedOptions feed) => feed switch
    {
        SimulatedFeedOptions simulated => $"""
            SIMULATED, seed {simulated.Seed}: made-up prices of {string.Join(" ", SimulatedMarket.Instruments.Select(instrument => instrument.Symbol))};
                         currencies and gold close at week-ends, bitcoin never does
            """,
        RecordedFeedOptions recorded => $"""
            RECORDED: {recorded.Recording};
                         {(recorded.Running ? "playing" : "it waits for Play on the page, or PUT /api/v1/feed")}, {(recorded.Speed is { } speed ? $"{speed} times real time" : "as fast as it goes")}
            """,
        _ => "",
    };

    private static string Demo(Demonstration demonstration) => !demonstration.IsDue ? "" : $"""
          demo       as the data folder is new: account {Demonstration.Account} with {Demonstration.StrategyNames} on the
                     simulated {Demonstration.Symbol}; stop them on the page, or begin a folder with --no-demo

        """;
}
