using System.Collections.Immutable;
using System.Text.RegularExpressions;
using HybridTrading.Api.Ports;

namespace HybridTrading.Tests.Ports;

public sealed partial class PortMapTests
{
    public static TheoryData<string> Maps => [.. PortMap.Names];

    [Theory]
    [MemberData(nameof(Maps))]
    public void EveryMapObeysItsRules(string name) =>
        Assert.Empty(PortMapValidator.Validate(PortMap.Load(name), PortMap.Default).Select(f => f.Text));

    [Fact]
    public void TheDefaultMapIsTheDesignsTable() => Assert.Equal(
        """
        8000 api-gateway, 8001 data-bridge, 8002 performance-analytics, 8003 ai-orchestration, 8004 ai-provider, 8006 ninja-bridge,
        8007 trading-engine, 8008 database-service, 8009 user-service, 8011 feature-engineering, 8012 ml-supervised, 8013 ml-deep-learning,
        8014 pattern-validator, 8015 telegram-service, 8016 backtesting-engine, 8017 compliance-monitor, 8018 audit-trail,
        8019 regulatory-reporting, 8020 revenue-analytics, 8021 usage-monitoring, 8022 configuration-service, 8023 notification-service,
        8024 subscription-service, 8025 payment-service, 8026 central-hub, 8027 ml-automl, 8028 ml-ensemble, 8029 ml-training,
        8030 multi-agent-coordinator, 8031 decision-engine, 8032 agent-learning-orchestrator, 8033 portfolio, 8034 crypto, 8035 futures,
        8036 stocks, 8037 data-ingestion, 8038 strategy-analysis, 8039 execution, 8081 token-engine, 8082 obligation-engine,
        8083 liquidity-router, 8084 risk-engine, 8085 clearing-engine, 8087 settlement-engine, 8088 reporting-engine
        """.ReplaceLineEndings(" "),
        Listed(PortMap.Default));

    [Fact]
    public void TheBackendMapIsItsDocumentsRegistry() => Assert.Equal(
        """
        8000 api-gateway, 8001 data-bridge, 8002 trading-engine, 8003 ai-orchestration, 8004 ai-provider, 8005 user-service,
        8006 database-service, 8007 notification-service, 8008 payment-service, 8009 subscription-service, 8010 central-hub,
        8011 feature-engineering-service, 8012 configuration-service, 8013 audit-service, 8014 analytics-service,
        8015 pattern-validator-service, 8016 ml-processing-service, 8017 ml-automl, 8018 ml-ensemble, 8019 telegram-service,
        8020 revenue-analytics, 8021 usage-monitoring, 8022 compliance-monitor, 8023 regulatory-reporting, 8030 multi-agent-coordinator,
        8031 decision-engine, 8032 agent-learning-orchestrator
        """.ReplaceLineEndings(" "),
        Listed(PortMap.Load("backend")));

    [Fact]
    public void TheFksMapIsItsDocumentsTable() => Assert.Equal(
        """
        8000 web, 8001 api, 8002 app, 8003 data, 8004 execution, 8005 meta, 8006 ninja, 8007 ai, 8008 analyze, 8009 auth, 8010 main,
        8011 training, 8012 portfolio, 8013 monitor, 8014 crypto, 8015 futures, 8016 stocks, 8020 data_ingestion, 8021 feature_engineering
        """.ReplaceLineEndings(" "),
        Listed(PortMap.Load("fks")));

    /// <summary>The document's diagram swaps the settlement and the reporting engine; its tables are what counts.</summary>
    [Fact]
    public void TheDelTranMapIsItsDocumentsTableAndNotItsDiagram()
    {
        PortMap map = PortMap.Load("deltran");
        Assert.Equal(
            """
            8080 gateway, 8081 token-engine, 8082 obligation-engine, 8083 liquidity-router, 8084 risk-engine, 8085 clearing-engine,
            8086 compliance-engine, 8087 settlement-engine, 8088 reporting-engine, 8089 notification-engine
            """.ReplaceLineEndings(" "),
            Listed(map));
        Assert.Equal(["token-engine 50051", "obligation-engine 50052", "settlement-engine 50056"],
            map.Services.Where(s => s.GrpcPort is not null).Select(s => $"{s.Name} {s.GrpcPort}"));
        Assert.Equal(("notification-engine", 8090, 9095),
            map.Services.Where(s => s.WebSocketPort is not null).Select(s => (s.Name, s.WebSocketPort!.Value, s.MetricsPort!.Value)).Single());
        Assert.Equal(["token-engine", "reporting-engine", "notification-engine"],
            map.Services.Where(s => s.Health == """{"status": "healthy"}""").Select(s => s.Name));
        Assert.All(map.Services.Where(s => s.Health != """{"status": "healthy"}"""), s => Assert.Equal("""{"status": "ok"}""", s.Health));
        Assert.Contains("8088", map.Services.Single(s => s.Name == "settlement-engine").Note, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePortReferencesFiguresAreKept()
    {
        Assert.Equal(["8005 Future expansion", "8010 Future AI expansion"], PortMap.Default.Reserved.Select(r => $"{r.Port} {r.Purpose}"));
        Assert.Equal(["metatrader-connector 9001", "data-collector 9002", "market-monitor 9003", "config-manager 9004"],
            PortMap.Default.Clients.Select(c => $"{c.Name} {c.Port}"));
        Assert.Equal([9092, 2181, 9200, 9300, 16686, 14268, 8080, 5432, 4222, 8222, 6379, 9090],
            PortMap.Default.Infrastructure.SelectMany(i => i.Ports).Select(p => p.Port));
        Assert.Equal((10, 50, 1000, 5000), Figures("api-gateway"));
        Assert.Equal((50, 200, null, null), Figures("trading-engine"));
        Assert.Equal((50, 100, 200, 1000), Figures("feature-engineering"));
        Assert.Equal((100, 200, null, null), Figures("ml-supervised"));
        Assert.Equal((null, null, 100, 500), Figures("data-bridge"));
        Assert.Equal((500, 1000, 100, null), Figures("compliance-monitor"));
        Assert.Equal((200, 500, 500, null), Figures("audit-trail"));
        Assert.Equal((2000, 5000, 10, null), Figures("regulatory-reporting"));
        Assert.Equal((8, null, null, null), Figures("pattern-validator"));
        Assert.Equal((15, null, null, null), Figures("decision-engine"));
        Assert.Equal((100, null, null, null), Figures("multi-agent-coordinator"));
        Assert.Equal(["public 8000-8000", "internal 8001-8099", "compliance 8017-8019", "client 9001-9004"],
            PortMap.Default.Networks.Select(n => $"{n.Network.ToString().ToLowerInvariant()} {n.From}-{n.To}"));

        static (double?, double?, double?, double?) Figures(string name)
        {
            ServicePort s = PortMap.Default.Services.Single(s => s.Name == name);
            return (s.LatencyTargetMs, s.LatencyMaxMs, s.ThroughputTargetRps, s.ThroughputMaxRps);
        }
    }

    /// <summary>Where compliance services live does not depend on the map: only they, and they always, are on that network.</summary>
    [Theory]
    [MemberData(nameof(Maps))]
    public void ComplianceIsApartUnderEveryMap(string name) => Assert.All(
        PortMap.Load(name).Services,
        s => Assert.Equal(
            s.Service is "compliance-monitor" or "audit-trail" or "regulatory-reporting",
            s.Network == ServiceNetwork.Compliance));

    [Fact]
    public void OnlyTheDocumentedCycleIsAllowed()
    {
        Assert.Equal([["decision-engine", "multi-agent-coordinator"]], PortMap.Default.AllowedCycles.Select(c => c.ToArray()));
        Assert.Equal([["decision-engine", "multi-agent-coordinator"]], PortMap.Load("backend").AllowedCycles.Select(c => c.ToArray()));
        Assert.Empty(PortMap.Load("deltran").AllowedCycles);
        Assert.Empty(PortMap.Load("fks").AllowedCycles);
    }

    /// <summary>Reads the tables out of the documents themselves, row by row.</summary>
    [Theory]
    [InlineData("port-allocation-reference.md", "hybrid", @"^\| (?<name>[a-z][a-z-]+) \| (?<port>[89]\d{3}) \| Active", 20)]
    [InlineData("backend-service-architecture.md", "backend", @"^\| (?<port>8\d{3}) \| (?<name>[a-z-]+) \|", 24)]
    [InlineData("backend-service-architecture.md", "backend", @"^\d+\. (?:\*\*)?(?<name>[a-z-]+) \((?<port>8\d{3})\)", 25)]
    [InlineData("fks-port-layout.md", "fks", @"^\| (?<port>8\d{3}) \| (?<name>[a-z_]+) \|", 19)]
    [InlineData("deltran-port-allocation.md", "deltran", @"^\| \*\*(?<name>[A-Za-z ]+)\*\* \| (?<port>8\d{3}) \|", 10)]
    [InlineData("deltran-port-allocation.md", "deltran", @"^\| \*{0,2}(?<name>[A-Z][a-zA-Z ]+?)\*{0,2} \| `\S+:(?<port>8\d{3})/health`", 10)]
    public void EveryRowOfADocumentIsInItsMap(string document, string name, string row, int atLeast)
    {
        PortMap map = PortMap.Load(name);
        HashSet<string> known = [.. map.Services.Concat(map.Clients).Select(s => $"{s.Name} {s.Port}"), .. Infrastructure(map)];
        string text = File.ReadAllText(SharedData.Path($"seeds/{document}"));
        string[] rows = [.. Regex.Matches(text, row, RegexOptions.Multiline)
            .Select(m => $"{m.Groups["name"].Value.ToLowerInvariant().Replace(' ', '-')} {m.Groups["port"].Value}")];
        Assert.True(rows.Length >= atLeast, $"{rows.Length} rows found");
        Assert.Empty(rows.Except(known));

        static IEnumerable<string> Infrastructure(PortMap map) => map.Infrastructure.SelectMany(i => i.Ports.Select(p => $"{i.Name} {p.Port}"));
    }

    /// <summary>No port that a document mentions anywhere is missing, in whatever role.</summary>
    [Theory]
    [InlineData("backend-service-architecture.md", "backend")]
    [InlineData("fks-port-layout.md", "fks")]
    [InlineData("deltran-port-allocation.md", "deltran")]
    [InlineData("port-allocation-reference.md", "hybrid")]
    public void EveryPortNumberOfADocumentHasARole(string document, string name)
    {
        PortMap map = PortMap.Load(name);
        HashSet<int> roles =
        [
            .. map.Services.Concat(map.Clients).SelectMany(s => new[] { s.Port, s.GrpcPort ?? 0, s.WebSocketPort ?? 0, s.MetricsPort ?? 0 }),
            .. map.Infrastructure.SelectMany(i => i.Ports).Select(p => p.Port),
            .. map.Reserved.Select(r => r.Port),
            .. map.Ranges.SelectMany(r => new[] { r.From, r.To }),
        ];
        IEnumerable<int> mentioned = PortNumber().Matches(File.ReadAllText(SharedData.Path($"seeds/{document}")))
            .Select(m => int.Parse(m.Value, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Empty(mentioned.Distinct().Except(roles));
    }

    [GeneratedRegex(@"\b(8[0-2]\d\d|90\d\d|500\d\d)\b")]
    private static partial Regex PortNumber();

    [Theory]
    [MemberData(nameof(Maps))]
    public void WhatIsExportedAsJsonIsReadBackTheSame(string name)
    {
        PortMap map = PortMap.Load(name);
        string json = PortMapExport.ToJson(map);
        PortMap read = PortMap.Parse(json, "export");
        Assert.Equal(json, PortMapExport.ToJson(read));
        Assert.Equal(Listed(map), Listed(read));
        Assert.Empty(PortMapValidator.Validate(read, PortMap.Default));
        Assert.Empty(PortMapValidator.Validate(PortMap.Parse(PortMapExport.ToJson(map, 100), "export"), PortMap.Default));
    }

    [Theory]
    [InlineData("{", "broken.json: not a JSON document")]
    [InlineData("[]", "broken.json: the map is [], expected an object")]
    [InlineData("""{"name":"a","name":"b"}""", "broken.json: not a JSON document")]
    [InlineData("{}", "broken.json: the map: name is missing, expected lower-case words joined by '-' or '_'")]
    public void TextThatIsNoMapIsRefused(string json, string message) =>
        Assert.StartsWith(message, Assert.Throws<PortMapException>(() => PortMap.Parse(json, "broken.json")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\"port\": 8007", "\"port\": 70000000000", "service 'trading-engine': port is 70000000000, expected a whole number from 1 to 65535")]
    [InlineData("\"port\": 8007", "\"port\": \"8007\"", "service 'trading-engine': port is '8007', expected a whole number from 1 to 65535")]
    [InlineData("\"port\": 8007", "\"port\": 8007.5", "service 'trading-engine': port is 8007.5, expected a whole number from 1 to 65535")]
    [InlineData("\"port\": 8007,", "", "service 'trading-engine': port is missing, expected a whole number from 1 to 65535")]
    [InlineData("\"port\": 8007", "\"port\": 8007, \"colour\": 1", "service 'trading-engine': field 'colour' is not known, expected no such field")]
    [InlineData("\"service\": \"trading-engine\"", "\"service\": \"Trading Engine\"",
        "service 'Trading Engine': service is 'Trading Engine', expected lower-case words joined by '-' or '_'")]
    [InlineData("\"latencyMaxMs\": 200", "\"latencyMaxMs\": -1", "service 'trading-engine': latencyMaxMs is -1, expected a number above 0")]
    [InlineData("\"network\": \"public\"", "\"network\": \"Public\"",
        "service 'api-gateway': network is 'Public', expected one of public, internal, compliance, client")]
    [InlineData("\"allowedCycles\"", "\"allowedCircles\"", "the map: allowedCycles is missing, expected a list of lists of texts")]
    public void AFieldThatIsWrongIsNamedWithItsServiceValueAndForm(string field, string broken, string message)
    {
        string json = PortMapExport.ToJson(PortMap.Default);
        int at = json.IndexOf(field, json.IndexOf("\"services\"", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True(at > 0);
        string changed = json[..at] + broken + json[(at + field.Length)..];
        Assert.Equal($"broken.json: {message}", Assert.Throws<PortMapException>(() => PortMap.Parse(changed, "broken.json")).Message);
    }

    [Fact]
    public void AMapThatIsNotThereIsRefused()
    {
        Assert.Equal("port map is 'alpaca', expected one of hybrid, backend, deltran, fks or a .json file",
            Assert.Throws<PortMapException>(() => PortMap.Load("alpaca")).Message);
        Assert.StartsWith("port map nowhere/map.json cannot be read: ",
            Assert.Throws<PortMapException>(() => PortMap.Load("nowhere/map.json")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Maps))]
    public void TheTableHasEveryPort(string name)
    {
        PortMap map = PortMap.Load(name);
        PortTable table = PortMapPrinter.Table(map, offset: 0, wide: true);
        Assert.All(table.Rows, row => Assert.Equal(table.Columns.Length, row.Length));
        Assert.Equal(
            map.Services.Length + map.Reserved.Length + map.Clients.Length + map.Infrastructure.Sum(i => i.Ports.Length),
            table.Rows.Length);
        Assert.All(map.Services, s =>
            Assert.Contains(table.Rows, row => row[0] == $"{s.Port}" && row[1] == s.Name && row[10] == $"{s.Port + 10_000}"));
        Assert.All(map.Services, s => Assert.Contains(PortMapPrinter.Table(map, 100).Rows, row => row[0] == $"{s.Port + 100}" && row[1] == s.Name));
    }

    /// <summary>The document for people shows the data as they are.</summary>
    [Theory]
    [MemberData(nameof(Maps))]
    public void TheDocumentationShowsEveryMap(string name) => Assert.Contains(
        PortMapPrinter.Table(PortMap.Load(name)).ToMarkdown(),
        File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "docs", "ports.md")).ReplaceLineEndings("\n"),
        StringComparison.Ordinal);

    private static string Listed(PortMap map) => string.Join(", ", map.Services.OrderBy(s => s.Port).Select(s => $"{s.Port} {s.Name}"));
}
