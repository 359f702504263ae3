using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace HybridTrading.Domain.Journal;

/// <summary>The events of one kind of stream: stable name, schema version and JSON shape of each type.</summary>
public sealed class EventCatalog<TEvent> where TEvent : class
{
    private readonly Dictionary<Type, (string Name, int Schema, JsonTypeInfo Json)> _byType = [];
    private readonly Dictionary<string, (int Schema, JsonTypeInfo Json)> _byName = [];

    public EventCatalog<TEvent> Add<T>(string name, int schema, JsonTypeInfo<T> json) where T : TEvent
    {
        _byType.Add(typeof(T), (name, schema, json));
        _byName.Add(name, (schema, json));
        return this;
    }

    /// <summary>The names that this catalog knows.</summary>
    public IReadOnlyCollection<string> Names => _byName.Keys;

    public NewEvent Encode(TEvent happened, DateTime time, string causation)
    {
        (string name, int schema, JsonTypeInfo json) = _byType[happened.GetType()];
        return new NewEvent(name, schema, time, causation, JsonSerializer.SerializeToUtf8Bytes(happened, json));
    }

    /// <exception cref="InvalidDataException">The name is unknown or the schema is newer than this program.</exception>
    public TEvent Decode(RecordedEvent recorded)
    {
        if (!_byName.TryGetValue(recorded.Name, out (int Schema, JsonTypeInfo Json) known))
        {
            throw new InvalidDataException($"stream {recorded.Stream} version {recorded.Version}: unknown event '{recorded.Name}'");
        }
        if (recorded.Schema > known.Schema)
        {
            throw new InvalidDataException(
                $"stream {recorded.Stream} version {recorded.Version}: '{recorded.Name}' has schema {recorded.Schema}, this program knows {known.Schema}");
        }
        return (TEvent)JsonSerializer.Deserialize(recorded.Payload.Span, known.Json)!;
    }
}
