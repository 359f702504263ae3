using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HybridTrading.Api.Ports;

namespace HybridTrading.Silo.Tests.Deployment;

/// <summary>Ports are written once, in the port map: what is deployed is made from it or agrees with it.</summary>
public sealed class DeploymentPortTests
{
    /// <summary>Name resolution, which is Kubernetes' own.</summary>
    private const int Dns = 53;

    private static readonly FrozenSet<int> OfTheMap = PortMap.Default.Services.SelectMany(s => new[] { s.Port, s.SiloPort, s.GatewayPort })
        .Concat(PortMap.Default.Infrastructure.SelectMany(program => program.Ports).Select(port => port.Port)).ToFrozenSet();

    [Theory]
    [InlineData("infra/k8s/ports.yaml", "kubernetes")]
    [InlineData("infra/ports.json", "infrastructure")]
    public void Committed_files_are_what_the_map_exports(string file, string format)
    {
        string expected = PortMapExport.Write(PortMap.Default, format);
        Assert.True(expected == DeploymentFiles.Text(file), $"{file} is not what the port map says; make it anew: ports export --format {format} > {file}");
    }

    [Fact]
    public void The_workloads_of_the_map_host_every_service_once()
    {
        string[] hosted = [.. PortMapDeployment.Workloads(PortMap.Default).SelectMany(workload => workload.Services)];
        Assert.Equal(PortMap.Default.Services.Select(s => s.Name).Order(), hosted.Order());
        NetworkWorkload compliance = Assert.Single(PortMapDeployment.Workloads(PortMap.Default), workload => workload.Network == ServiceNetwork.Compliance);
        Assert.Equal(("172.20.0.0/16", 18017, 28017), (compliance.Subnet, compliance.SiloPort, compliance.GatewayPort));
    }

    [Fact]
    public void Kubernetes_names_ports_of_the_map_only()
    {
        (string Path, int Port)[] named = [.. DeploymentFiles.Objects.SelectMany(each => PortsOf(each).Select(found => ($"{DeploymentFiles.NameOf(each)}{found.Path}", found.Port)))];
        Assert.Contains(named, found => found.Port == 18001);
        // Web hooks and mail leave for ports of others: https and submission.
        Assert.Equal([443, 587], named.Where(found => found.Path.StartsWith("to-receivers/", StringComparison.Ordinal)).Select(found => found.Port));
        Assert.All(named.Where(found => !found.Path.StartsWith("to-receivers/", StringComparison.Ordinal)), found => Assert.True(found.Port == Dns || OfTheMap.Contains(found.Port), $"{found.Path} is {found.Port}, which is no port of the map"));
    }

    [Fact]
    public void A_port_in_a_manifest_of_another_kind_would_be_found()
    {
        JsonNode container = JsonNode.Parse("""{"ports":[{"containerPort":7999}],"probe":{"httpGet":{"port":"7998"}},"name":"a","replicas":7997}""")!;
        Assert.Equal([7999, 7998], PortsOf(container).Select(found => found.Port));
    }

    [Fact]
    public void Compose_names_ports_of_the_map_only()
    {
        int gateway = PortMap.Default.Services.Single(s => s.Name == ServiceEndpoints.Gateway).Port;
        JsonNode compose = DeploymentFiles.Compose;
        string[] published = [.. compose["services"]!.AsObject().SelectMany(service => DeploymentFiles.Strings(service.Value!["ports"]))];
        Assert.Equal([$"127.0.0.1:{gateway}:{gateway + PortMap.SiloOffset}"], published);
        string proxy = (string)compose["configs"]!["loopback"]!["content"]!;
        Assert.Equal([$"{gateway + PortMap.SiloOffset}", $"{gateway}"], DeploymentFiles.Matches(proxy, @":(\d+)"));
        Assert.DoesNotContain(compose["services"]!.AsObject(), service => service.Value!["expose"] is not null);
    }

    /// <summary>Where ports could be computed, none is written.</summary>
    [Fact]
    public void Nothing_else_names_a_port()
    {
        string[] files = [.. DeploymentFiles.Bicep, DeploymentFiles.Path("azure.yaml"), DeploymentFiles.Path("Dockerfile"), .. Directory.GetFiles(Path.Combine(DeploymentFiles.Infra, "hooks"))];
        foreach (string file in files)
        {
            string[] lines = [.. File.ReadAllLines(file).Select(line => Regex.Replace(line, @"(^|\s)(#|//).*", ""))];
            foreach (string line in lines)
            {
                Assert.All(DeploymentFiles.Matches(line, @"(?<![\w.-])(\d{4,5})(?![\w.-])"), number =>
                    Assert.False(OfTheMap.Contains(int.Parse(number, CultureInfo.InvariantCulture)), $"{file}: {line.Trim()}"));
                Assert.DoesNotMatch(@"(?i)PortRanges?:\s*'\d|EXPOSE\s", line);
            }
        }
    }

    private static IEnumerable<(string Path, int Port)> PortsOf(JsonNode node) =>
        from leaf in DeploymentFiles.Leaves(node)
        where Regex.IsMatch(leaf.Path, "(?i)/[a-z]*port$")
        where int.TryParse(leaf.Value.ToString(), CultureInfo.InvariantCulture, out _)
        select (leaf.Path, int.Parse(leaf.Value.ToString(), CultureInfo.InvariantCulture));
}
