using System.Collections.Immutable;
using System.Globalization;
using HybridTrading.Api.Ports;

namespace HybridTrading.Tests.Ports;

public sealed class PortMapExportTests
{
    public static TheoryData<string> Maps => PortMapTests.Maps;

    [Fact]
    public void TheEnvironmentFileHasTheDocumentsForm()
    {
        string[] lines = PortMapExport.ToEnvironment(PortMap.Default).Split('\n');
        Assert.Equal("# Hybrid AI Trading System: the default map", lines[0]);
        Assert.Contains("# Core Infrastructure", lines);
        string[] expected =
        [
            "API_GATEWAY_PORT=8000", "API_GATEWAY_URL=http://localhost:8000", "TRADING_ENGINE_PORT=8007", "AUDIT_TRAIL_PORT=8018",
            "MULTI_AGENT_COORDINATOR_URL=http://localhost:8030", "# 8005: Future expansion", "METATRADER_CONNECTOR_PORT=9001", "KAFKA_PORT=9092",
            "ELASTICSEARCH_PORT=9200", "ELASTICSEARCH_TRANSPORT_PORT=9300", "JAEGER_PORT=16686", "JAEGER_COLLECTOR_PORT=14268",
        ];
        Assert.All(expected, line => Assert.Contains(line, lines));
    }

    [Fact]
    public void DelTransOtherPortsAreExportedToo()
    {
        string[] lines = PortMapExport.ToEnvironment(PortMap.Load("deltran"), 100).Split('\n');
        string[] expected =
        [
            "GATEWAY_PORT=8180", "TOKEN_ENGINE_GRPC_PORT=50151", "NOTIFICATION_ENGINE_WS_PORT=8190", "NOTIFICATION_ENGINE_METRICS_PORT=9195",
            "SETTLEMENT_ENGINE_URL=http://localhost:8187", "POSTGRES_PORT=5432",
        ];
        Assert.All(expected, line => Assert.Contains(line, lines));
        Assert.DoesNotContain(lines, line => line.StartsWith("TOKEN_ENGINE_METRICS_PORT", StringComparison.Ordinal));
    }

    /// <summary>A shell can read the file, no variable is there twice, and it says what the map says.</summary>
    [Theory]
    [MemberData(nameof(Maps))]
    public void EveryLineIsAVariableOrAComment(string name)
    {
        PortMap map = PortMap.Load(name);
        string[] lines = [.. PortMapExport.ToEnvironment(map).Split('\n').Where(line => line.Length > 0 && line[0] != '#')];
        Assert.All(lines, line => Assert.Matches("^[A-Z][A-Z0-9_]*=[A-Za-z0-9:/.]+$", line));
        Dictionary<string, string> variables = lines.Select(line => line.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.All(map.Services, s =>
            Assert.Equal(s.Port.ToString(CultureInfo.InvariantCulture), variables[s.Name.ToUpperInvariant().Replace('-', '_') + "_PORT"]));
    }

    /// <summary>What one installation exports, another understands: nothing changes, nothing is in error.</summary>
    [Theory]
    [MemberData(nameof(Maps))]
    public void TheExportIsReadBackAsItself(string name)
    {
        PortMap map = PortMap.Load(name);
        Dictionary<string, string> variables = PortMapExport.ToEnvironment(map).Split('\n').Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        EnvironmentReading reading = EnvironmentConfiguration.Read(variables, map, [.. map.Services.Select(s => s.Name)]);
        Assert.Empty(reading.Errors);
        // Both web and api are the gateway under FKS: one address is enough.
        Assert.Equal(name == "fks" ? ["API_URL is ignored: WEB_URL already gives Services:api-gateway:Url"] : [],
            reading.Warnings.Select(w => $"{w.Variable} {w.Text}"));
        PortMap changed = map.WithPorts(reading.HttpPorts, reading.WebSocketPorts);
        Assert.Equal(PortMapExport.ToJson(map), PortMapExport.ToJson(changed));
        string[] understood =
        [
            .. reading.HttpPorts.Keys.Select(s => s.ToUpperInvariant().Replace('-', '_') + "_PORT"),
            .. reading.WebSocketPorts.Keys.Select(s => s.ToUpperInvariant().Replace('-', '_') + "_WS_PORT"),
            .. map.Services.Select(s => s.Name.ToUpperInvariant().Replace('-', '_') + "_URL"),
            .. reading.Ignored.Select(n => n.Variable),
        ];
        Assert.Empty(variables.Keys.Except(understood));
    }

    [Fact]
    public void AnotherFormatIsRefused() => Assert.Equal(
        "format is 'yaml', expected one of env, json, kubernetes, infrastructure",
        Assert.Throws<PortMapException>(() => PortMapExport.Write(PortMap.Default, "yaml")).Message);
}
