using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace HybridTrading.Api.Ports;

/// <summary>Reads a port map strictly, so that a slip in the data is an error with a place and not a default value.</summary>
internal static partial class PortMapReader
{
    public static PortMap Read(string json, string file)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new PortMapException($"{file}: not a JSON document: {e.Message}", e);
        }
        using (document)
        {
            Fields map = new(file, "the map", document.RootElement);
            PortMap read = new()
            {
                Name = map.Text("name", NamePattern(), NameForm),
                Title = map.Text("title"),
                Sources = map.Texts("sources", required: true),
                Ranges = map.Objects("ranges", "range", r => new PortRange(
                    r.Text("range", NamePattern(), NameForm), r.Choice<PortKind>("kind"), r.Port("from"), r.Port("to"), r.Text("purpose"))),
                Networks = map.Objects("networks", "network", n => new NetworkRange(
                    n.Choice<ServiceNetwork>("network"), n.Port("from"), n.Port("to"), n.Text("purpose"), n.OptionalText("subnet"))),
                Services = map.Objects("services", "service", Service),
                Reserved = map.Objects("reserved", "port", r => new ReservedPort(r.Port("port"), r.Text("purpose"))),
                Clients = map.Objects("clients", "service", Service),
                Infrastructure = map.Objects("infrastructure", "name", i => new InfrastructureService(
                    i.Text("name", NamePattern(), NameForm),
                    i.Text("purpose"),
                    i.Objects("ports", "id", p => new InfrastructurePort(
                        p.Text("id", NamePattern(), NameForm), p.Port("port"), p.Text("protocol"))),
                    i.OptionalText("status"),
                    i.OptionalText("note"))),
                AllowedCycles = map.TextLists("allowedCycles"),
                Targets = map.Objects("targets", "name", t => new SystemTarget(
                    t.Text("name"), t.OptionalPositive("latencyTargetMs") ?? throw t.Missing("latencyTargetMs", "a number above 0"))),
                Notes = map.Texts("notes", required: true),
            };
            map.RefuseOthers();
            return read;
        }
    }

    private static ServicePort Service(Fields s) => new()
    {
        Name = s.Text("service", NamePattern(), NameForm),
        Port = s.Port("port"),
        GrpcPort = s.OptionalPort("grpcPort"),
        WebSocketPort = s.OptionalPort("webSocketPort"),
        MetricsPort = s.OptionalPort("metricsPort"),
        MapsTo = s.OptionalText("mapsTo"),
        Category = s.Text("category"),
        Range = s.Text("range"),
        Network = s.Choice<ServiceNetwork>("network"),
        Phase = s.OptionalText("phase"),
        Status = s.OptionalText("status"),
        Technology = s.OptionalText("technology"),
        Purpose = s.Text("purpose"),
        LatencyTargetMs = s.OptionalPositive("latencyTargetMs"),
        LatencyMaxMs = s.OptionalPositive("latencyMaxMs"),
        ThroughputTargetRps = s.OptionalPositive("throughputTargetRps"),
        ThroughputMaxRps = s.OptionalPositive("throughputMaxRps"),
        MemoryMb = s.OptionalPositive("memoryMb"),
        CpuCores = s.OptionalPositive("cpuCores"),
        StorageGb = s.OptionalPositive("storageGb"),
        Health = s.OptionalText("health"),
        Dependencies = s.Texts("dependencies"),
        Infrastructure = s.Texts("infrastructure"),
        Environment = s.Texts("environment"),
        Note = s.OptionalText("note"),
    };

    private const string NameForm = "lower-case words joined by '-' or '_'";

    [GeneratedRegex("^[a-z0-9]+([-_][a-z0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    /// <summary>The fields of one object, each read at most once; what nobody read is refused at the end.</summary>
    private sealed class Fields
    {
        private readonly string _file;
        private readonly string _owner;
        private readonly Dictionary<string, JsonElement> _unread;

        public Fields(string file, string owner, JsonElement element)
        {
            (_file, _owner) = (file, owner);
            if (element.ValueKind != JsonValueKind.Object) throw new PortMapException($"{file}: {owner} is {Shown(element)}, expected an object");
            _unread = element.EnumerateObject().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        }

        public string Text(string field, Regex? pattern = null, string form = "a text that is not empty")
        {
            JsonElement value = Take(field) ?? throw Missing(field, form);
            return value.ValueKind == JsonValueKind.String && value.GetString() is { } text && !string.IsNullOrWhiteSpace(text)
                && (pattern is null || pattern.IsMatch(text)) ? text : throw Wrong(field, value, form);
        }

        public string? OptionalText(string field) => _unread.ContainsKey(field) ? Text(field) : null;

        public int Port(string field) => OptionalPort(field) ?? throw Missing(field, PortForm);

        public int? OptionalPort(string field) => Take(field) is not { } value ? null
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int port) ? port
            : throw Wrong(field, value, PortForm);

        public double? OptionalPositive(string field) => Take(field) is not { } value ? null
            : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number > 0 && double.IsFinite(number) ? number
            : throw Wrong(field, value, "a number above 0");

        public T Choice<T>(string field) where T : struct, Enum
        {
            string[] names = [.. Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName)];
            string form = $"one of {string.Join(", ", names)}";
            JsonElement value = Take(field) ?? throw Missing(field, form);
            int index = value.ValueKind == JsonValueKind.String ? Array.IndexOf(names, value.GetString()) : -1;
            return index >= 0 ? Enum.GetValues<T>()[index] : throw Wrong(field, value, form);
        }

        public ImmutableArray<string> Texts(string field, bool required = false)
        {
            if (Take(field) is not { } value) return required ? throw Missing(field, "a list of texts") : [];
            return List(field, value);
        }

        public ImmutableArray<ImmutableArray<string>> TextLists(string field) =>
            [.. Items(field, Take(field) ?? throw Missing(field, "a list of lists of texts")).Select(inner => List(field, inner))];

        /// <param name="key">The field of each element by which errors call it.</param>
        public ImmutableArray<T> Objects<T>(string field, string key, Func<Fields, T> read)
        {
            JsonElement list = Take(field) ?? throw Missing(field, "a list of objects");
            ImmutableArray<T>.Builder items = ImmutableArray.CreateBuilder<T>();
            foreach (JsonElement item in Items(field, list))
            {
                string name = item.ValueKind == JsonValueKind.Object && item.TryGetProperty(key, out JsonElement named)
                    ? $"{key} {Shown(named)}"
                    : $"{field}[{items.Count.ToString(CultureInfo.InvariantCulture)}]";
                Fields fields = new(_file, name, item);
                items.Add(read(fields));
                fields.RefuseOthers();
            }
            return items.ToImmutable();
        }

        public void RefuseOthers()
        {
            if (_unread.Count > 0) throw Error($"field '{_unread.Keys.Order(StringComparer.Ordinal).First()}' is not known, expected no such field");
        }

        public PortMapException Missing(string field, string form) => Error($"{field} is missing, expected {form}");

        private const string PortForm = "a whole number from 1 to 65535";

        private JsonElement? Take(string field) => _unread.Remove(field, out JsonElement value) ? value : null;

        private IEnumerable<JsonElement> Items(string field, JsonElement value) =>
            value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Wrong(field, value, "a list");

        private ImmutableArray<string> List(string field, JsonElement value) =>
            [.. Items(field, value).Select(item => item.ValueKind == JsonValueKind.String && !string.IsNullOrWhiteSpace(item.GetString())
                ? item.GetString()!
                : throw Wrong(field, item, "a text that is not empty"))];

        private PortMapException Wrong(string field, JsonElement value, string form) => Error($"{field} is {Shown(value)}, expected {form}");

        private PortMapException Error(string text) => new($"{_file}: {_owner}: {text}");

        private static string Shown(JsonElement value)
        {
            string text = value.ValueKind == JsonValueKind.String ? $"'{value.GetString()}'" : value.GetRawText();
            return text.Length <= 60 ? text : text[..57] + "...";
        }
    }
}
