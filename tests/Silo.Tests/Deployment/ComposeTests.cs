using System.CommandLine;
using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using HybridTrading.Api.Ports;
using HybridTrading.Grains;
using HybridTrading.Grains.Market;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo.Tests.Deployment;

/// <summary>The cluster on one machine.</summary>
public sealed class ComposeTests
{
    private static readonly JsonObject Services = DeploymentFiles.Compose["services"]!.AsObject();

    private static readonly KeyValuePair<string, JsonNode?>[] Silos = [.. Services.Where(service => service.Key.StartsWith("silo-", StringComparison.Ordinal))];

    [Fact]
    public void Everything_that_is_named_is_there()
    {
        string[] volumes = [.. DeploymentFiles.Compose["volumes"]!.AsObject().Select(each => each.Key)], networks = [.. DeploymentFiles.Compose["networks"]!.AsObject().Select(each => each.Key)];
        foreach ((string name, JsonNode? service) in Services)
        {
            Assert.All(service!["depends_on"]?.AsObject() ?? [], needed => Assert.True(Services.ContainsKey(needed.Key), $"{name} depends on {needed.Key}"));
            Assert.All(DeploymentFiles.Strings(service["volumes"]), mount => Assert.Contains(mount.Split(':')[0], volumes));
            IEnumerable<string> on = service["networks"] is JsonObject map ? map.Select(each => each.Key) : DeploymentFiles.Strings(service["networks"]);
            Assert.All(on, network => Assert.Contains(network, networks));
            Assert.True(service["image"] is not null, name);
        }
        JsonNode build = Assert.Single(Services, service => service.Value!["build"] is not null).Value!;
        Assert.Equal((".", "hybridtrading:local"), ((string?)build["build"], (string?)build["image"]));
    }

    [Fact]
    public void Three_silos_at_addresses_of_their_own()
    {
        Assert.Equal(3, Silos.Length);
        var subnet = IPNetwork.Parse((string)DeploymentFiles.Compose["networks"]!["cluster"]!["ipam"]!["config"]![0]!["subnet"]!);
        string[] addresses = [.. Silos.Select(silo => (string)silo.Value!["networks"]!["cluster"]!["ipv4_address"]!)];
        Assert.Equal(addresses, Silos.Select(silo => (string?)silo.Value!["environment"]!["HYBRID_CLUSTER_LISTEN"]));
        Assert.Equal(3, addresses.Distinct().Count());
        Assert.All(addresses, address => Assert.True(subnet.Contains(IPAddress.Parse(address)), address));
    }

    /// <summary>Losing one silo must leave each service with a home.</summary>
    [Fact]
    public void Every_service_that_has_grains_is_on_two_silos()
    {
        string[] hosted = [.. Silos.SelectMany(silo => ((string)silo.Value!["environment"]!["HYBRID_SERVICES"]!).Split(','))];
        string[] needed = [.. typeof(MarketGrain).Assembly.GetTypes().Select(type => type.GetCustomAttribute<HostedByAttribute>()?.Service).OfType<string>().Distinct()];
        Assert.NotEmpty(needed);
        Assert.All(needed, service => Assert.True(hosted.Count(each => each == service) >= 2, service));
    }

    [Fact]
    public void Only_loopback_is_published_and_the_database_is_not()
    {
        Assert.All(Services.SelectMany(service => DeploymentFiles.Strings(service.Value!["ports"])), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
        Assert.True((bool)DeploymentFiles.Compose["networks"]!["cluster"]!["internal"]!);
        Assert.Equal(["cluster"], DeploymentFiles.Strings(Services["postgres"]!["networks"]));
        Assert.Null(Services["postgres"]!["ports"]);
    }

    /// <summary>Compose refuses a variable in the form <c>${NAME:?word}</c> that is not set, with that word.</summary>
    [Fact]
    public void There_is_no_password_but_the_users()
    {
        string text = DeploymentFiles.Text("compose.yaml");
        string[] uses = [.. DeploymentFiles.Matches(text, @"\$\{(POSTGRES_PASSWORD[^}]*)\}")];
        Assert.Equal(2, uses.Length);
        Assert.All(uses, use => Assert.StartsWith("POSTGRES_PASSWORD:?set it in .env", use, StringComparison.Ordinal));
        Assert.All(DeploymentFiles.Leaves(DeploymentFiles.Compose).Where(leaf => leaf.Value.ToString().Contains("assword", StringComparison.Ordinal) || leaf.Path.EndsWith("PASSWORD", StringComparison.Ordinal)),
            leaf => Assert.Contains("${POSTGRES_PASSWORD:?", leaf.Value.ToString(), StringComparison.Ordinal));
        Assert.Contains(".env", DeploymentFiles.Text(".gitignore").Split('\n'));
    }

    [Fact]
    public void The_program_understands_its_commands_and_variables()
    {
        var program = new RootCommand { KeysCommand.Create(), CertificatesCommand.Create(), DbCommand.Create() };
        HashSet<string> known = [.. RunCommand.Create().Options.Select(EnvironmentOptions.VariableOf), EnvironmentConfiguration.DatabaseVariable, EnvironmentOptions.VariableOf(ConnectionOption.Create())];
        foreach ((string name, JsonNode? service) in Services.Where(service => (string?)service.Value!["image"] == "hybridtrading:local"))
        {
            if (service!["command"] is { } command) Assert.True(program.Parse([.. DeploymentFiles.Strings(command)]).Errors.Count == 0, name);
            Assert.All(service["environment"]?.AsObject() ?? [], variable => Assert.Contains(variable.Key, known));
            Assert.True((bool)service["read_only"]!, name);
            Assert.Equal(["ALL"], DeploymentFiles.Strings(service["cap_drop"]));
        }
    }
}
