using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace HybridTrading.Silo.Tests.Deployment;

/// <summary>The files by which the system is deployed, as data.</summary>
internal static class DeploymentFiles
{
    public static string Root => SharedData.RepositoryRoot;

    public static string Infra { get; } = System.IO.Path.Combine(Root, "infra");

    public static string Manifests { get; } = System.IO.Path.Combine(Infra, "k8s");

    public static JsonNode Compose { get; } = Yaml(Path("compose.yaml")).Single();

    public static JsonNode Azure { get; } = Yaml(Path("azure.yaml")).Single();

    /// <summary>Every object that goes to Kubernetes.</summary>
    public static JsonNode[] Objects { get; } = [.. Directory.GetFiles(Manifests).Order(StringComparer.Ordinal).SelectMany(Yaml)];

    public static JsonNode[] Deployments { get; } = [.. OfKind("Deployment")];

    public static string[] Bicep { get; } = Directory.GetFiles(Infra, "*.bicep", SearchOption.AllDirectories);

    public static string Path(string relative) => System.IO.Path.Combine(Root, relative);

    public static string Text(string relative) => File.ReadAllText(Path(relative)).ReplaceLineEndings("\n");

    public static IEnumerable<JsonNode> OfKind(string kind) => Objects.Where(each => (string?)each["kind"] == kind);

    public static string NameOf(JsonNode kubernetes) => (string)kubernetes["metadata"]!["name"]!;

    /// <summary>The documents of a YAML file, with anchors and merge keys resolved. YAML 1.2's core schema: plain words are text, numbers or booleans.</summary>
    public static IEnumerable<JsonNode> Yaml(string file)
    {
        using var reader = new StreamReader(file);
        IDeserializer deserializer = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var parser = new MergingParser(new Parser(reader));
        parser.Consume<YamlDotNet.Core.Events.StreamStart>();
        List<JsonNode> documents = [];
        while (parser.Accept<YamlDotNet.Core.Events.DocumentStart>(out _))
        {
            if (Node(deserializer.Deserialize(parser)) is { } document) documents.Add(document);
        }
        return documents;
    }

    /// <summary>Everything in a document: path and value of each leaf.</summary>
    public static IEnumerable<(string Path, JsonValue Value)> Leaves(JsonNode? node, string path = "") => node switch
    {
        JsonObject map => map.SelectMany(pair => Leaves(pair.Value, $"{path}/{pair.Key}")),
        JsonArray list => list.SelectMany((item, index) => Leaves(item, $"{path}/{index}")),
        JsonValue value => [(path, value)],
        _ => [],
    };

    public static IEnumerable<string> Strings(JsonNode? list) => (list as JsonArray ?? []).Select(each => each!.ToString());

    public static IEnumerable<string> Matches(string text, string pattern) => Regex.Matches(text, pattern).Select(match => match.Groups[1].Value);

    private static JsonNode? Node(object? value) => value switch
    {
        null => null,
        IDictionary<object, object?> map => new JsonObject(map.Select(pair => KeyValuePair.Create((string)Convert.ToString(pair.Key, CultureInfo.InvariantCulture)!, Node(pair.Value)))),
        IList<object?> list => new JsonArray([.. list.Select(Node)]),
        string text => JsonValue.Create(text),
        bool flag => JsonValue.Create(flag),
        _ => JsonValue.Create(Convert.ToDecimal(value, CultureInfo.InvariantCulture)),
    };
}
