using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace HybridTrading.Domain.Configuration;

/// <summary>What is wrong with one value.</summary>
/// <param name="Field">Path inside the document: a setting's name, and below it members and indices with dots.</param>
/// <param name="Value">As it may be shown: short, without line breaks, never a secret; or <c>missing</c>.</param>
[GenerateSerializer, Immutable, Alias("ht.ConfigurationFault")]
public sealed record ConfigurationFault(string Field, string Value, string Expectation);

/// <summary>What a JSON value must be. It describes itself as a JSON schema (draft 2020-12) and checks values by the same terms.</summary>
public abstract class Shape
{
    private const int LongestShown = 60;

    /// <summary>In words, as the end of "expected ...".</summary>
    public abstract string Expectation { get; }

    /// <summary>The schema of such values.</summary>
    public abstract JsonObject Schema();

    /// <summary>Adds what is wrong with a value; nothing when it is as it must be.</summary>
    public abstract void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults);

    /// <summary>A value as a fault may show it.</summary>
    public static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"'{Short(value.GetString()!)}'",
        _ => Short(value.GetRawText()),
    };

    protected void Refuse(JsonElement value, string field, ICollection<ConfigurationFault> faults) =>
        faults.Add(new ConfigurationFault(field, Shown(value), Expectation));

    private static string Short(string text) => string.Concat((text.Length > LongestShown ? text[..LongestShown] + "..." : text)
        .Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}

/// <summary>True or false.</summary>
public sealed class FlagShape : Shape
{
    public override string Expectation => "true or false";

    public override JsonObject Schema() => new() { ["type"] = "boolean" };

    public override void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults)
    {
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) Refuse(value, field, faults);
    }
}

/// <summary>One of some words, exactly.</summary>
public sealed class ChoiceShape(params ImmutableArray<string> words) : Shape
{
    public override string Expectation => string.Join(", ", words);

    public static ChoiceShape Of<T>() where T : struct, Enum => new([.. Enum.GetNames<T>()]);

    public override JsonObject Schema() => new() { ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]) };

    public override void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults)
    {
        if (value.ValueKind != JsonValueKind.String || !words.Contains(value.GetString()!)) Refuse(value, field, faults);
    }
}

/// <summary>A number within bounds; a decimal can hold it.</summary>
/// <param name="above">The least is itself too little.</param>
/// <param name="whole">Written without decimals: stricter than JSON schema, which takes 5.0 for whole.</param>
public sealed class NumberShape(decimal least, decimal most, bool above = false, bool whole = false) : Shape
{
    public override string Expectation => string.Create(CultureInfo.InvariantCulture,
        $"{(whole ? "a number without decimals" : "a number")} {(above ? $"of more than {least}, at most {most}" : $"from {least} to {most}")}");

    public override JsonObject Schema() => new()
    {
        ["type"] = whole ? "integer" : "number",
        [above ? "exclusiveMinimum" : "minimum"] = least,
        ["maximum"] = most,
    };

    public override void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults)
    {
        bool fits = value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out decimal number) && number <= most
            && (above ? number > least : number >= least) && (!whole || value.TryGetInt64(out _));
        if (!fits) Refuse(value, field, faults);
    }
}

/// <summary>A text of some form.</summary>
/// <param name="expectation">The form in words.</param>
/// <param name="isValid">The form itself; it sees texts of allowed length only.</param>
/// <param name="format">JSON schema's name of the form, where it has one.</param>
/// <param name="pattern">The form as far as a regular expression of JSON schema can say it.</param>
public sealed class TextShape(
    int shortest, int longest, string expectation, Func<string, bool> isValid, string? format = null, string? pattern = null) : Shape
{
    public override string Expectation => expectation;

    public override JsonObject Schema()
    {
        var schema = new JsonObject { ["type"] = "string", ["minLength"] = shortest, ["maxLength"] = longest };
        if (format is not null) schema["format"] = format;
        if (pattern is not null) schema["pattern"] = pattern;
        return schema;
    }

    public override void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString()! is not { } text
            || text.Length < shortest || text.Length > longest || !isValid(text))
        {
            Refuse(value, field, faults);
        }
    }
}

/// <summary>Null, or something else.</summary>
public sealed class OptionalShape(Shape inner) : Shape
{
    public override string Expectation => $"{inner.Expectation}, or null";

    public override JsonObject Schema() => new() { ["anyOf"] = new JsonArray(inner.Schema(), new JsonObject { ["type"] = "null" }) };

    public override void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults)
    {
        if (value.ValueKind == JsonValueKind.Null) return;
        if (value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
        {
            inner.Check(value, field, faults);
            return;
        }
        var own = new List<ConfigurationFault>();
        inner.Check(value, field, own);
        foreach (ConfigurationFault fault in own) faults.Add(fault with { Expectation = $"{fault.Expectation}, or null" });
    }
}

/// <summary>A list of at most so many.</summary>
/// <param name="distinct">None twice.</param>
public sealed class ListShape(Shape item, int most, bool distinct = false, int least = 0) : Shape
{
    public override string Expectation => $"a list of {(least > 0 ? $"{least} to" : "at most")} {most}{(distinct ? " different" : "")}";

    public override JsonObject Schema()
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = item.Schema(), ["maxItems"] = most };
        if (least > 0) schema["minItems"] = least;
        if (distinct) schema["uniqueItems"] = true;
        return schema;
    }

    public override void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            Refuse(value, field, faults);
            return;
        }
        int count = value.GetArrayLength();
        bool repeats = distinct && value.EnumerateArray().DistinctBy(each => each.GetRawText(), StringComparer.Ordinal).Count() < count;
        if (count < least || count > most || repeats)
        {
            faults.Add(new ConfigurationFault(field, $"a list of {count}", Expectation));
            return;
        }
        int index = 0;
        foreach (JsonElement each in value.EnumerateArray()) item.Check(each, $"{field}.{index++}", faults);
    }
}

/// <summary>A member of an <see cref="ObjectShape"/>.</summary>
public sealed record Member(string Name, Shape Shape, bool Required = true);

/// <summary>An object of known members.</summary>
/// <param name="whole">
/// What is wrong with the members together, once each is as it must be: a sentence that begins with the member and says what is expected; null when
/// nothing is.
/// </param>
public sealed class ObjectShape(ImmutableArray<Member> members, Func<JsonElement, string?>? whole = null) : Shape
{
    public override string Expectation => $"an object of {string.Join(", ", members.Select(member => member.Name))}";

    public override JsonObject Schema()
    {
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject([.. members.Select(member => KeyValuePair.Create(member.Name, (JsonNode?)member.Shape.Schema()))]),
            ["additionalProperties"] = false,
        };
        string[] required = [.. members.Where(member => member.Required).Select(member => member.Name)];
        if (required.Length > 0) schema["required"] = new JsonArray([.. required.Select(name => (JsonNode)name)]);
        return schema;
    }

    public override void Check(JsonElement value, string field, ICollection<ConfigurationFault> faults)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            Refuse(value, field, faults);
            return;
        }
        int before = faults.Count;
        foreach (JsonProperty stranger in value.EnumerateObject().Where(each => members.All(member => member.Name != each.Name)))
        {
            faults.Add(new ConfigurationFault($"{field}.{stranger.Name}", "unknown", Expectation));
        }
        foreach (Member member in members)
        {
            if (value.TryGetProperty(member.Name, out JsonElement inside)) member.Shape.Check(inside, $"{field}.{member.Name}", faults);
            else if (member.Required) faults.Add(new ConfigurationFault($"{field}.{member.Name}", "missing", member.Shape.Expectation));
        }
        if (faults.Count == before && whole?.Invoke(value) is { } fault) faults.Add(new ConfigurationFault(field, "an object", fault));
    }
}
