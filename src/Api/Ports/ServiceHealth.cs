using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HybridTrading.Api.Ports;

/// <summary><c>/health</c> (the process runs) and <c>/health/ready</c> (it can do its work) of every service on its own port.</summary>
public sealed class ServiceHealth
{
    private static readonly FrozenSet<string> OurServices = PortMap.Default.Services.Select(s => s.Name).ToFrozenSet(StringComparer.Ordinal);

    private readonly ServiceEndpoints _plan;
    private readonly HealthCheckService _checks;
    private readonly Dictionary<int, string> _bodies;

    public ServiceHealth(ServiceEndpoints plan, HealthCheckService checks)
    {
        (_plan, _checks) = (plan, checks);
        _bodies = plan.ListenPorts.ToDictionary(port => port, port => Body(plan.OwnerOf(port)!));
    }

    private static string Body(HostedService service) =>
        service.Health ?? JsonSerializer.Serialize(new Alive("healthy", service.Name, service.Port), HealthJson.Default.Alive);

    /// <summary>The body of <c>GET /health</c> on a port: the document's own text, or status, service and port.</summary>
    public string AliveBody(int port) => _bodies[port];

    /// <summary>
    /// The state of the service that owns a port: its own health checks (those tagged with its name, and those tagged with no service at
    /// all, which concern the process) and those of each service that it depends on. A dependency that another process hosts is named
    /// and not judged here. The whole is as bad as its worst part.
    /// </summary>
    public async Task<Readiness> ReadinessAsync(int port, CancellationToken cancellation = default)
    {
        HostedService service = _plan.OwnerOf(port) ?? throw new ArgumentOutOfRangeException(nameof(port), port, "expected a port of this process");
        HashSet<string> concerned = [service.Service, .. DependenciesOf(service).Select(d => d.Service)];
        return Judge(service, await _checks.CheckHealthAsync(c => Concerns(c.Tags, concerned), cancellation));
    }

    /// <summary>The states of all services of the process, in its order; each check runs once.</summary>
    public async Task<ImmutableArray<(HostedService Service, Readiness State)>> ReadinessOfAllAsync(CancellationToken cancellation = default)
    {
        HealthReport report = await _checks.CheckHealthAsync(cancellation);
        return [.. _plan.Hosted.Select(service => (service, Judge(service, report)))];
    }

    /// <summary>Two names of a map can mean one service, which is no dependency of itself.</summary>
    private (string Name, string Service)[] DependenciesOf(HostedService service) =>
    [
        .. from name in service.Dependencies
           let meant = _plan.Map.Services.First(s => s.Name == name).Service
           where meant != service.Service
           select (name, meant),
    ];

    private Readiness Judge(HostedService service, HealthReport report)
    {
        KeyValuePair<string, HealthReportEntry>[] own = [.. report.Entries.Where(e => Concerns(e.Value.Tags, [service.Service]))];
        HealthStatus worst = Worst(own);
        List<DependencyState> states = [];
        foreach ((string name, string meant) in DependenciesOf(service))
        {
            if (!_plan.Hosts(meant))
            {
                states.Add(new DependencyState(name, "elsewhere"));
                continue;
            }
            HealthStatus status = Worst(report.Entries.Where(e => e.Value.Tags.Contains(meant)));
            if (status < worst) worst = status;
            states.Add(new DependencyState(name, Word(status)));
        }
        CheckState[] checks =
        [
            .. own.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => new CheckState(e.Key, Word(e.Value.Status), e.Value.Description)),
        ];
        return new Readiness(Word(worst), service.Name, service.Port, checks, states);
    }

    private static HealthStatus Worst(IEnumerable<KeyValuePair<string, HealthReportEntry>> entries) =>
        entries.Select(e => e.Value.Status).DefaultIfEmpty(HealthStatus.Healthy).Min();

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();

    /// <summary>A check concerns the services that its tags name; one that names none concerns all of the process.</summary>
    private static bool Concerns(IEnumerable<string> tags, HashSet<string> services) =>
        tags.Any(services.Contains) || !tags.Any(OurServices.Contains);
}

/// <param name="Status">healthy, degraded or unhealthy.</param>
/// <param name="Service">The service's name under the map.</param>
public sealed record Readiness(
    string Status, string Service, int Port, IReadOnlyList<CheckState> Checks, IReadOnlyList<DependencyState> Dependencies);

/// <param name="Status">healthy, degraded or unhealthy.</param>
public sealed record CheckState(string Name, string Status, string? Description);

/// <param name="Status">healthy, degraded, unhealthy, or elsewhere (another process hosts it).</param>
public sealed record DependencyState(string Service, string Status);

internal sealed record Alive(string Status, string Service, int Port);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Alive))]
[JsonSerializable(typeof(Readiness))]
internal sealed partial class HealthJson : JsonSerializerContext;

public static class ServiceHealthEndpoints
{
    /// <summary>Maps <c>GET /health</c> and <c>GET /health/ready</c> on every port of the process.</summary>
    public static IEndpointRouteBuilder MapServiceHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", (HttpContext context, ServiceHealth health) =>
            TypedResults.Text(health.AliveBody(context.Connection.LocalPort), "application/json")).OnEveryPort().ExcludeFromDescription();
        routes.MapGet("/health/ready", async (HttpContext context, ServiceHealth health) =>
        {
            Readiness state = await health.ReadinessAsync(context.Connection.LocalPort, context.RequestAborted);
            int status = state.Status == "unhealthy" ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            return TypedResults.Json(state, HealthJson.Default.Readiness, statusCode: status);
        }).OnEveryPort().ExcludeFromDescription();
        return routes;
    }
}
