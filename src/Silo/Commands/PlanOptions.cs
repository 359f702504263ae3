using System.Collections;
using System.CommandLine;
using HybridTrading.Api.Ports;

namespace HybridTrading.Silo.Commands;

/// <summary>Which services a process hosts and on which ports: what <c>run</c> and <c>health</c> are both told.</summary>
public sealed class PlanOptions
{
    private readonly Option<string> _map = new("--port-map") { Description = $"port table: {string.Join(", ", PortMap.Names)}, or a JSON file", DefaultValueFactory = _ => PortMap.DefaultName };
    private readonly Option<int> _offset = new("--port-offset") { Description = "added to every port, for several systems on one machine" };
    private readonly Option<string> _services = new("--services") { Description = "all, or names separated by commas: which grains a process of a cluster runs; without a database only which ports it listens on", DefaultValueFactory = _ => "all" };

    public IEnumerable<Option> All => [_map, _offset, _services];

    public ServicePlan Read(ParseResult parsed)
    {
        string services = parsed.GetValue(_services)!;
        return new ServicePlan(parsed.GetValue(_map)!, parsed.GetValue(_offset),
            services == "all" ? [] : [.. services.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]);
    }
}

/// <summary>The services of a process under a port map.</summary>
/// <param name="Services">Names of the map or of our services; empty for all.</param>
public sealed record ServicePlan(string PortMap, int PortOffset, ImmutableArray<string> Services)
{
    /// <summary>The ports, and what the environment says besides; its variables may move ports of their own.</summary>
    /// <exception cref="UsageException">A map, service, offset or variable that cannot be used.</exception>
    public (ServiceEndpoints Ports, EnvironmentReading Environment) Resolve()
    {
        try
        {
            PortMap map = Api.Ports.PortMap.Load(PortMap);
            Dictionary<string, string> variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .ToDictionary(pair => (string)pair.Key, pair => pair.Value as string ?? "");
            EnvironmentReading reading = EnvironmentConfiguration.Read(variables, map, Services);
            if (!reading.Errors.IsEmpty) throw new UsageException(string.Join("; ", reading.Errors.Select(error => $"{error.Variable} {error.Text}")));
            return (ServiceEndpoints.Plan(map.WithPorts(reading.HttpPorts, reading.WebSocketPorts), Services, PortOffset), reading);
        }
        catch (PortMapException e)
        {
            throw new UsageException(e.Message);
        }
    }
}
