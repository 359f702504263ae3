using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HybridTrading.Silo.Tests.Deployment;

/// <summary>azd's file, Bicep and the image. Bicep's own compiler is not asked: what can be wrong between files is found here.</summary>
public sealed class AzureTests
{
    public static TheoryData<string> Files { get; } = [.. DeploymentFiles.Bicep.Select(file => Path.GetRelativePath(DeploymentFiles.Root, file)).Order()];

    [Theory]
    [MemberData(nameof(Files))]
    public void Bicep_is_whole(string name)
    {
        BicepFile file = BicepFile.Read(DeploymentFiles.Path(name));
        Assert.Null(file.Unbalanced());
        Assert.Equal(file.Symbols.Except(file.Outputs).Distinct().Count(), file.Symbols.Except(file.Outputs).Count());
        Assert.All(file.Params, param => Assert.True(file.Uses(param.Name) > 1, $"param {param.Name} is not used"));
        foreach (BicepModule module in file.Modules)
        {
            BicepFile target = BicepFile.Read(Path.Combine(Path.GetDirectoryName(file.Path)!, module.Path));
            Assert.All(module.Arguments, argument => Assert.Contains(argument, target.Params.Select(param => param.Name)));
            Assert.All(target.Params.Where(param => !param.HasDefault), param => Assert.Contains(param.Name, module.Arguments));
            Assert.All(DeploymentFiles.Matches(file.Text, $@"\b{module.Name}\.outputs\.(\w+)"), output => Assert.Contains(output, target.Outputs));
        }
        Assert.All(DeploymentFiles.Matches(file.Text, @"loadJsonContent\('([^']+)'\)"), json =>
            JsonNode.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(file.Path)!, json))));
        Assert.All(DeploymentFiles.Matches(file.Text, @"(?m)^resource \w+ '([^']+)'"), type => Assert.Matches(@"^Microsoft\.\w+(/\w+)+@20\d\d-\d\d-\d\d(-preview)?$", type));
    }

    /// <summary>What the checks above rest on.</summary>
    [Fact]
    public void What_is_wrong_with_Bicep_is_found()
    {
        Assert.Equal("line 2: ]", BicepFile.Parse("var a = {\n]\n").Unbalanced());
        Assert.Equal("line 1: {", BicepFile.Parse("var a = {\n").Unbalanced());
        BicepFile file = BicepFile.Parse("param one string\nparam two string = '}' // }\nparam three string\nvar name = 'three ${two}-${toLower('${two}')}'\noutput name string = name\n");
        Assert.Null(file.Unbalanced());
        Assert.Equal((1, 3, 1), (file.Uses("one"), file.Uses("two"), file.Uses("three")));
        Assert.Equal([false, true, false], file.Params.Select(param => param.HasDefault));
        BicepModule module = Assert.Single(BicepFile.Parse("module a 'b.bicep' = {\n  scope: c\n  params: { one: d, two: { e: f } }\n}\n").Modules);
        Assert.Equal(("a", "b.bicep"), (module.Name, module.Path));
        Assert.Equal(["one", "two"], module.Arguments);
    }

    [Fact]
    public void Azd_gives_what_the_main_file_asks_for()
    {
        BicepFile main = BicepFile.Read(DeploymentFiles.Path("infra/main.bicep"));
        JsonObject given = JsonNode.Parse(DeploymentFiles.Text("infra/main.parameters.json"))!["parameters"]!.AsObject();
        Assert.Equal(main.Params.Where(param => !param.HasDefault).Select(param => param.Name).Order(), given.Select(pair => pair.Key).Order());
        // No value is a secret: azd puts each in.
        Assert.All(given, pair => Assert.Matches(@"^\$(\{\w+\}|\(.*\))$", (string)pair.Value!["value"]!));
        Assert.Contains("@secure()\nparam postgresPassword string", main.Text, StringComparison.Ordinal);
        // What azd's host aks needs.
        Assert.Superset(new HashSet<string> { "AZURE_AKS_CLUSTER_NAME", "AZURE_CONTAINER_REGISTRY_ENDPOINT", "AZURE_RESOURCE_GROUP" }, main.Outputs.ToHashSet());
    }

    [Fact]
    public void Azd_finds_what_its_file_names()
    {
        JsonNode azure = DeploymentFiles.Azure;
        Assert.Matches("^[a-z0-9][a-z0-9-]+[a-z0-9]$", (string)azure["name"]!);
        Assert.Equal(["hooks", "infra", "name", "services"], azure.AsObject().Select(pair => pair.Key).Order());
        Assert.True(File.Exists(DeploymentFiles.Path($"{azure["infra"]!["path"]}/{azure["infra"]!["module"]}.bicep")));
        string hook = DeploymentFiles.Path((string)azure["hooks"]!["postprovision"]!["run"]!);
        Assert.True(File.Exists(hook));
        if (!OperatingSystem.IsWindows()) Assert.True(File.GetUnixFileMode(hook).HasFlag(UnixFileMode.UserExecute));
        (string name, JsonNode? service) = Assert.Single(azure["services"]!.AsObject());
        // Templates name the image by the service.
        Assert.Equal("hybrid", name);
        Assert.Equal("aks", (string?)service!["host"]);
        Assert.True(File.Exists(DeploymentFiles.Path((string)service["docker"]!["path"]!)));
        Assert.Equal(DeploymentFiles.Manifests, DeploymentFiles.Path((string)service["k8s"]!["deploymentPath"]!));
        Assert.Contains((string)service["k8s"]!["deployment"]!["name"]!, DeploymentFiles.Deployments.Select(DeploymentFiles.NameOf));
        Assert.Contains((string)service["k8s"]!["namespace"]!, DeploymentFiles.OfKind("Namespace").Select(DeploymentFiles.NameOf));
        Assert.Contains($"'{service["k8s"]!["namespace"]}:{DeploymentFiles.NameOf(DeploymentFiles.OfKind("ServiceAccount").Single())}'", DeploymentFiles.Text("infra/modules/cluster.bicep"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_runs_as_nobody_and_can_say_how_it_is()
    {
        string[] lines = DeploymentFiles.Text("Dockerfile").Split('\n');
        string[] stages = [.. lines.SelectMany(line => DeploymentFiles.Matches(line, @"^FROM \S+ AS (\w+)$"))];
        Assert.All(lines.SelectMany(line => DeploymentFiles.Matches(line, @"COPY --from=(\w+)")), stage => Assert.Contains(stage, stages));
        Assert.EndsWith("-chiselled", lines.Last(line => line.StartsWith("FROM ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Matches("^USER [1-9][0-9]*:[1-9][0-9]*$", lines.Last(line => line.StartsWith("USER ", StringComparison.Ordinal)));
        string health = Assert.Single(lines, line => line.StartsWith("HEALTHCHECK ", StringComparison.Ordinal));
        Assert.EndsWith("""CMD ["/app/HybridTrading", "health"]""", health, StringComparison.Ordinal);
        Assert.Contains("""ENTRYPOINT ["/app/HybridTrading"]""", lines);
        Assert.Contains(lines, line => Regex.IsMatch(line, @"ARG ORLEANS_HOST=Cluster"));
    }
}
