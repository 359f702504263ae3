using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Messages;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Silo.Hosting.Tls;
using HybridTrading.Storage.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Dashboard;
using Orleans.Hosting;
using Orleans.Metadata;
using Orleans.Providers;
using Orleans.Reminders;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Storage;

namespace HybridTrading.Silo.Hosting;

/// <summary>
/// All that is particular to <c>OrleansHost=Cluster</c>: genuine Orleans. With a database the process is one of a cluster, as a silo of the services that
/// it hosts or, with the gateway alone, as a client; without one it is a single silo on loopback over the storage that Local uses. Its twin is
/// LocalHost.cs.
/// </summary>
public static class OrleansHost
{
    public const string Name = "Cluster";

    private const string ClusterName = "hybridtrading";

    /// <summary>A little longer than the journal may take to say that it recorded or did not (3 s).</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(4);

    /// <summary>A hand-out that takes longer (accounts wait for the journal) is begun again, which does nothing twice. Orleans' default: 30 s.</summary>
    private static readonly TimeSpan SiloAnswerTime = TimeSpan.FromSeconds(10);

    /// <summary>Orleans' own calls between silos; its default is 30 s.</summary>
    private static readonly TimeSpan SystemAnswerTime = TimeSpan.FromSeconds(3);

    private const string Invariant = "Npgsql";

    /// <summary>A silo on its own that nobody connects to: its port is any free one, and it has no gateway.</summary>
    /// <param name="durable">Grain state and reminders are kept by the storage that is registered; else in memory (a run rebuilds them).</param>
    public static void AddSilo(IHostApplicationBuilder builder, bool durable) => builder.UseOrleans(silo =>
    {
        silo.UseLocalhostClustering(FreePort(), 0);
        AddGrains(silo);
        // The clock of the host is that of grains, their timers and reminders, and can be moved; what a silo does by itself goes by the machine's.
        silo.Services.AddKeyedSingleton(KeyedService.AnyKey, static (_, _) => TimeProvider.System);
        foreach (string area in (string[])[TimeProviderNames.Grains, ReminderTimeProviderNames.Reminders])
        {
            silo.Services.AddKeyedSingleton(area, static (services, _) => services.GetRequiredService<TimeProvider>());
        }
        if (durable)
        {
            AddRegisteredGrainStorage(silo);
            silo.AddReminders();
        }
        else
        {
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
        }
    });

    /// <summary>A silo or client of the live system.</summary>
    /// <exception cref="Commands.UsageException">What the process is told of its cluster does not go together.</exception>
    public static void AddMember(IHostApplicationBuilder builder, ClusterProcess member)
    {
        member.Check();
        if (member.IsClient) builder.UseOrleansClient(client => AddClient(client, member));
        else builder.UseOrleans(silo => AddSilo(silo, member));
    }

    /// <summary>Orleans' own dashboard.</summary>
    /// <returns>Its endpoints, for whoever guards them; null when the process collects nothing.</returns>
    public static IEndpointConventionBuilder? MapDashboard(IEndpointRouteBuilder endpoints, ClusterProcess member, string path) =>
        member.Dashboard ? endpoints.MapOrleansDashboard(path) : null;

    /// <summary>
    /// Every exception reaches a caller in another process with its type, message and cause. By itself genuine Orleans lets those of System and Microsoft
    /// through and answers others with a fault of its own, and an answer with a cause that may not travel (a database's, a circuit breaker's) is not sent
    /// at all: its caller waits until the time-out. Silos and clients need it.
    /// </summary>
    public static void LetExceptionsTravel(IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(options => options.SupportedExceptionTypeFilter = static _ => true);

    private static void AddSilo(ISiloBuilder silo, ClusterProcess member)
    {
        if (member.Database is { } database)
        {
            silo.Configure<ClusterOptions>(NameCluster);
            silo.Configure<EndpointOptions>(endpoint =>
            {
                endpoint.AdvertisedIPAddress = member.Advertised;
                endpoint.SiloPort = member.SiloPort;
                endpoint.GatewayPort = member.GatewayPort;
                endpoint.SiloListeningEndpoint = new IPEndPoint(member.Listen, member.SiloPort);
                endpoint.GatewayListeningEndpoint = new IPEndPoint(member.Listen, member.GatewayPort);
            });
            silo.UseAdoNetClustering(clustering => (clustering.Invariant, clustering.ConnectionString) = (Invariant, Pooled(database)));
            silo.UseAdoNetReminderService(reminders => (reminders.Invariant, reminders.ConnectionString) = (Invariant, Pooled(database)));
            AddRegisteredGrainStorage(silo);
            silo.Configure<ClusterMembershipOptions>(FailOver);
            silo.Configure<SiloMessagingOptions>(messaging =>
            {
                // An answer that a dead silo owes is waited for no longer than this, also where the grain directory mends itself after it.
                messaging.ResponseTimeout = SiloAnswerTime;
                messaging.SystemResponseTimeout = SystemAnswerTime;
            });
        }
        else
        {
            silo.UseLocalhostClustering(member.SiloPort, member.GatewayPort);
            AddRegisteredGrainStorage(silo);
            silo.AddReminders();
        }
        AddGrains(silo);
        silo.Configure<GrainTypeOptions>(grains => grains.Classes.RemoveWhere(grain =>
            grain.GetCustomAttribute<HostedByAttribute>() is { } host && !member.Hosts(host.Service)));
        silo.AddOutgoingGrainCallFilter<UnhostedServices>();
        if (member.Tls is { } tls)
        {
            silo.Configure<SiloConnectionOptions>(connections =>
            {
                connections.ConfigureSiloInboundConnection(connection => connection.UseServerTls(Towards(PeerRole.Client, tls)));
                connections.ConfigureGatewayInboundConnection(connection => connection.UseServerTls(Towards(PeerRole.Client, tls)));
                connections.ConfigureSiloOutboundConnection(connection => connection.UseClientTls(Towards(PeerRole.Server, tls)));
            });
        }
        if (member.Dashboard) silo.AddDashboard();
    }

    private static void AddClient(IClientBuilder client, ClusterProcess member)
    {
        LetExceptionsTravel(client.Services);
        client.Configure<ClusterOptions>(NameCluster);
        client.UseAdoNetClustering(clustering => (clustering.Invariant, clustering.ConnectionString) = (Invariant, Pooled(member.Database!)));
        // An answer from a silo that died never comes: the caller is told early that it may ask again, which does nothing twice.
        client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = AnswerTime);
        client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(5));
        // A service that joins later is known after as long; by default a gateway would call it missing for up to a minute.
        client.Configure<TypeManagementOptions>(types => types.TypeMapRefreshInterval = TimeSpan.FromSeconds(1));
        // A cluster that is starting, or is without a gateway for a moment, is waited for.
        client.UseConnectionRetryFilter(async (_, cancellation) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            return true;
        });
        client.AddOutgoingGrainCallFilter<UnhostedServices>();
        if (member.Tls is { } tls)
        {
            client.Configure<ClientConnectionOptions>(connections => connections.ConfigureConnection(connection => connection.UseClientTls(Towards(PeerRole.Server, tls))));
        }
        if (member.Dashboard) client.AddDashboard();
    }

    private static void AddGrains(ISiloBuilder silo)
    {
        MessageCheck.Run(typeof(MarketGrain).Assembly);
        LetExceptionsTravel(silo.Services);
        silo.Services.AddSingleton<IGrainCensus, OrleansCensus>();
        silo.AddTelemetry().AddTenancy();
    }

    /// <summary>Orleans looks for the default provider without its name.</summary>
    private static void AddRegisteredGrainStorage(ISiloBuilder silo) =>
        silo.Services.TryAddSingleton(services => services.GetRequiredKeyedService<IGrainStorage>(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME));

    /// <summary>Orleans' providers have a pool of their own beside the storage's, and need little of it.</summary>
    private static string Pooled(string database)
    {
        NpgsqlConnectionStringBuilder connection = PostgresAddress.Parse(database);
        connection.MaxPoolSize = 10;
        connection.ApplicationName = "HybridTrading Orleans";
        return connection.ConnectionString;
    }

    private static void NameCluster(ClusterOptions cluster) => (cluster.ClusterId, cluster.ServiceId) = (ClusterName, ClusterName);

    /// <summary>
    /// A dead silo is voted out about 3 s after its last answer (Orleans' defaults: 15 s), so accounts trade again soon. The price is a probe a second
    /// to each watched neighbour, and that a pause of 3 s (a stalled disk, a suspended machine) costs a silo its place.
    /// </summary>
    private static void FailOver(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = TimeSpan.FromSeconds(1);
        membership.MinProbeTimeout = TimeSpan.FromSeconds(1);
        membership.MaxProbeTimeout = TimeSpan.FromSeconds(1);
        membership.NumMissedProbesLimit = 3;
        membership.UseLivenessGossip = true;
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);
        membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        // A cluster of three that loses one must be able to say so with the two that are left.
        membership.NumVotesForDeathDeclaration = 2;
        membership.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(10);
        membership.DefunctSiloExpiration = TimeSpan.FromHours(1);
    }

    private static TlsOptions Towards(PeerRole peers, ClusterTls tls) => new()
    {
        RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
        ClientCertificateMode = RemoteCertificateMode.RequireCertificate,
        RemoteCertificateValidation = (peer, _, _) => tls.Admits(peer, peers),
        // Asked for at every handshake, so that a replaced certificate is used; the fixed one only satisfies the check at start.
        LocalCertificate = tls.Certificate,
        LocalServerCertificateSelector = (_, _) => tls.Certificate,
        LocalClientCertificateSelector = (_, _, _, _, _) => tls.Certificate,
        OnAuthenticateAsClient = (_, handshake) => handshake.TargetHost = tls.ClusterName,
    };

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Activations by class, by what Orleans' own meter adds and takes away. It listens from the silo's start on, when there are none.</summary>
    private sealed class OrleansCensus : IGrainCensus, IDisposable
    {
        private const string MeterName = "Microsoft.Orleans", Instrument = "orleans-grains";

        private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);
        private readonly MeterListener _listener = new();

        public OrleansCensus()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == MeterName && instrument.Name == Instrument) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<int>((_, change, tags, _) =>
            {
                // Its one tag is the class.
                if (tags.Length == 1 && tags[0].Value is string type) _counts.AddOrUpdate(NameOf(type), change, (_, count) => count + change);
            });
            _listener.Start();
        }

        public ImmutableArray<GrainActivations> Count() => [.. _counts.Select(pair => new GrainActivations(pair.Key, pair.Value))];

        public void Dispose() => _listener.Dispose();

        /// <summary>The class without namespace, assembly and type arguments.</summary>
        private static string NameOf(string type)
        {
            string name = type.Split(',', '`', '[')[0];
            return name[(name.LastIndexOf('.') + 1)..];
        }
    }

    /// <summary>Says which service is missing when no process of the cluster hosts a grain, in place of Orleans' word about grain types.</summary>
    private sealed class UnhostedServices(IClusterManifestProvider cluster) : IOutgoingGrainCallFilter
    {
        private static readonly FrozenDictionary<string, string> Services = typeof(MarketGrain).Assembly.GetTypes()
            .Where(type => type is { IsClass: true, IsAbstract: false } && type.IsDefined(typeof(HostedByAttribute)))
            .SelectMany(type => type.GetInterfaces().Where(each => typeof(IAddressable).IsAssignableFrom(each) && each.Assembly == type.Assembly)
                .Select(each => (Interface: each.FullName!, type.GetCustomAttribute<HostedByAttribute>()!.Service)))
            .ToFrozenDictionary(pair => pair.Interface, pair => pair.Service, StringComparer.Ordinal);

        public async Task Invoke(IOutgoingGrainCallContext context)
        {
            try
            {
                await context.Invoke();
            }
            catch (Exception e) when (e.GetType() == typeof(OrleansException) || e is ArgumentException)
            {
                if (!Services.TryGetValue(context.InterfaceMethod.DeclaringType!.FullName!, out string? service) || IsHosted(context.TargetId.Type)) throw;
                throw new ServiceNotHostedException(service, e);
            }
        }

        private bool IsHosted(GrainType grain) => cluster.Current.AllGrainManifests.Any(manifest => manifest.Grains.ContainsKey(grain));
    }
}
