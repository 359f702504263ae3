using System.CommandLine;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HybridTrading.Api.Ports;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo.Tests.Deployment;

/// <summary>The manifests, by what an operator relies on.</summary>
public sealed class KubernetesTests
{
    public static TheoryData<string> Names { get; } = [.. DeploymentFiles.Deployments.Select(DeploymentFiles.NameOf)];

    [Fact]
    public void There_is_a_deployment_for_each_network_of_the_map()
    {
        string[] networks = [.. PortMapDeployment.Workloads(PortMap.Default).Select(workload => workload.Network.ToString().ToLowerInvariant())];
        Assert.Equal(networks.Order(), DeploymentFiles.Deployments.Select(each => (string)PodOf(each)["metadata"]!["labels"]!["network"]!).Order());
        foreach (JsonNode deployment in DeploymentFiles.Deployments)
        {
            string network = (string)PodOf(deployment)["metadata"]!["labels"]!["network"]!;
            JsonNode pod = PodOf(deployment)["spec"]!;
            Assert.Equal(network, (string?)pod["nodeSelector"]!["network"]);
            Assert.Contains(pod["tolerations"]!.AsArray(), each => (string?)each!["key"] == "network" && (string?)each["value"] == network);
            Assert.Contains($"name: '{network}'", DeploymentFiles.Text("infra/modules/cluster.bicep"), StringComparison.Ordinal);
            Assert.All(Containers(pod), container => Assert.Equal([$"cluster", $"services-{network}"], container["envFrom"]!.AsArray().Select(each => (string?)each!["configMapRef"]!["name"])));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void One_pod_at_a_time_goes_and_the_cluster_can_lose_one(string name)
    {
        JsonNode deployment = Deployment(name);
        JsonNode spec = deployment["spec"]!;
        Assert.Equal((1, 0), ((int)(decimal)spec["strategy"]!["rollingUpdate"]!["maxSurge"]!, (int)(decimal)spec["strategy"]!["rollingUpdate"]!["maxUnavailable"]!));
        Assert.Null(spec["replicas"]);
        string selector = spec["selector"]!["matchLabels"]!["app.kubernetes.io/component"]!.ToString();
        Assert.Equal(selector, PodOf(deployment)["metadata"]!["labels"]!["app.kubernetes.io/component"]!.ToString());
        JsonNode budget = Assert.Single(DeploymentFiles.OfKind("PodDisruptionBudget"), each => DeploymentFiles.NameOf(each) == name);
        Assert.Equal(selector, budget["spec"]!["selector"]!["matchLabels"]!["app.kubernetes.io/component"]!.ToString());
        JsonNode scaler = Assert.Single(DeploymentFiles.OfKind("HorizontalPodAutoscaler"), each => DeploymentFiles.NameOf(each) == name);
        Assert.Equal(name, (string?)scaler["spec"]!["scaleTargetRef"]!["name"]);
        // Two votes declare a silo dead, so three must be there.
        Assert.True((decimal)scaler["spec"]!["minReplicas"]! >= (name == "silo" ? 3 : 2));
        Assert.True((decimal)PodOf(deployment)["spec"]!["terminationGracePeriodSeconds"]! > 30, "the host drains for up to 30 s");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Pods_may_do_nothing_that_they_need_not(string name)
    {
        JsonNode pod = PodOf(Deployment(name))["spec"]!;
        JsonNode security = pod["securityContext"]!;
        Assert.True((bool)security["runAsNonRoot"]!);
        Assert.Equal("RuntimeDefault", (string?)security["seccompProfile"]!["type"]);
        Assert.False((bool)pod["enableServiceLinks"]!);
        Assert.Equal($"{security["runAsUser"]}:{security["runAsGroup"]}", Assert.Single(DeploymentFiles.Matches(DeploymentFiles.Text("Dockerfile"), @"(?m)^USER (\S+)$")));
        foreach (JsonNode container in Containers(pod))
        {
            Assert.True((bool)container["securityContext"]!["readOnlyRootFilesystem"]!);
            Assert.False((bool)container["securityContext"]!["allowPrivilegeEscalation"]!);
            Assert.Equal(["ALL"], DeploymentFiles.Strings(container["securityContext"]!["capabilities"]!["drop"]));
            Assert.NotNull(container["resources"]!["requests"]!["cpu"]);
            Assert.Equal(container["resources"]!["requests"]!["memory"]!.ToString(), container["resources"]!["limits"]!["memory"]!.ToString());
            string[] volumes = [.. pod["volumes"]!.AsArray().Select(each => (string)each!["name"]!)];
            Assert.All(container["volumeMounts"]!.AsArray(), mount => Assert.Contains((string)mount!["name"]!, volumes));
        }
        Assert.Single(DeploymentFiles.OfKind("NetworkPolicy"), policy => policy["spec"]!["podSelector"]!.AsObject().Count == 0 && policy["spec"]!["policyTypes"]!.AsArray().Count == 2);
        Assert.Contains(DeploymentFiles.OfKind("Namespace"), space => (string?)space["metadata"]!["labels"]!["pod-security.kubernetes.io/enforce"] == "restricted");
    }

    /// <summary>A word that the program does not know would show at the first start only.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_program_understands_its_commands_probes_and_variables(string name)
    {
        JsonNode pod = PodOf(Deployment(name))["spec"]!;
        var program = new RootCommand { RunCommand.Create(), HealthCommand.Create(), DbCommand.Create() };
        foreach (JsonNode container in Containers(pod))
        {
            Assert.Empty(program.Parse([.. DeploymentFiles.Strings(container["args"])]).Errors);
            Assert.Equal("{{ .Env.SERVICE_HYBRID_IMAGE_NAME }}", (string?)container["image"]);
        }
        JsonNode main = pod["containers"]!.AsArray().Single()!;
        foreach (string probe in new[] { "startupProbe", "livenessProbe", "readinessProbe" })
        {
            string[] command = [.. DeploymentFiles.Strings(main[probe]!["exec"]!["command"])];
            Assert.Equal(["HybridTrading", "health"], command[..2]);
            Assert.Empty(program.Parse(command[1..]).Errors);
        }
        HashSet<string> known = [.. RunCommand.Create().Options.Select(EnvironmentOptions.VariableOf), EnvironmentConfiguration.DatabaseVariable, EnvironmentOptions.VariableOf(ConnectionOption.Create())];
        IEnumerable<string> given = DeploymentFiles.OfKind("ConfigMap").SelectMany(map => map["data"]!.AsObject().Select(pair => pair.Key))
            .Concat(main["env"]!.AsArray().Select(each => (string)each!["name"]!));
        Assert.All(given, variable => Assert.Contains(variable, known));
    }

    [Fact]
    public void Templates_use_what_the_infrastructure_puts_out()
    {
        string[] given = [.. DeploymentFiles.Matches(DeploymentFiles.Text("infra/main.bicep"), @"(?m)^output (\w+) "), "SERVICE_HYBRID_IMAGE_NAME"];
        foreach (string file in Directory.GetFiles(DeploymentFiles.Manifests))
        {
            string text = File.ReadAllText(file);
            Assert.Equal(text.Contains("{{", StringComparison.Ordinal), file.EndsWith(".tmpl.yaml", StringComparison.Ordinal));
            Assert.All(DeploymentFiles.Matches(text, @"\{\{ \.Env\.(\w+) \}\}"), name => Assert.Contains(name, given));
            Assert.Equal(Regex.Count(text, @"\{\{"), Regex.Count(text, @"\{\{ \.Env\.\w+ \}\}"));
        }
    }

    /// <summary>Files that the configuration names are files that the vault's objects become.</summary>
    [Fact]
    public void Every_secret_that_is_read_is_mounted()
    {
        JsonNode provider = Assert.Single(DeploymentFiles.OfKind("SecretProviderClass"));
        string objects = (string)provider["spec"]!["parameters"]!["objects"]!;
        HashSet<string> mounted = [.. DeploymentFiles.Matches(objects, @"objectAlias: (\S+)")];
        string[] read = [.. DeploymentFiles.OfKind("ConfigMap").SelectMany(map => map["data"]!.AsObject()).SelectMany(pair => DeploymentFiles.Matches(pair.Value!.ToString(), @"/secrets/([\w.-]+)")).Distinct()];
        Assert.Equal(mounted.Order(), read.Order());
        string made = DeploymentFiles.Text("infra/hooks/secrets.sh") + DeploymentFiles.Text("infra/modules/postgres.bicep");
        Assert.All(DeploymentFiles.Matches(objects, @"objectName: (\S+)"), name => Assert.Matches($@"[ '""]{name}[ '""\n]", made));
        Assert.DoesNotContain(DeploymentFiles.Objects, each => (string?)each["kind"] == "Secret");
    }

    private static JsonNode Deployment(string name) => DeploymentFiles.Deployments.Single(each => DeploymentFiles.NameOf(each) == name);

    private static JsonNode PodOf(JsonNode deployment) => deployment["spec"]!["template"]!;

    private static IEnumerable<JsonNode> Containers(JsonNode pod) => pod["initContainers"]!.AsArray().Concat(pod["containers"]!.AsArray()).Select(each => each!);
}
