using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net.Mime;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using HybridTrading.Api.Idempotency;
using HybridTrading.Domain;
using HybridTrading.Domain.Markets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace HybridTrading.Api.Requests;

/// <summary>Checks of a request that its types alone do not make.</summary>
public interface IChecked
{
    void Check(Faults faults);
}

/// <summary>What is wrong with a request, by field; each fault names field, value and expectation.</summary>
public sealed class Faults
{
    private readonly SortedDictionary<string, List<string>> _byField = new(StringComparer.Ordinal);
    private string? _first;

    public bool Any => _first is not null;

    public void Add(string field, string? value, string expected) => Say(field, $"{field} is {value ?? "missing"}; expected {expected}");

    /// <summary>Adds a fault in words of its own.</summary>
    public void Say(string field, string fault)
    {
        _first ??= field;
        if (!_byField.TryGetValue(field, out List<string>? faults)) _byField[field] = faults = [];
        faults.Add(fault);
    }

    /// <summary>Adds a fault unless a value is null or within bounds.</summary>
    public void Range(string field, decimal? value, decimal least, decimal most)
    {
        if (value < least || value > most)
        {
            Add(field, value.Value.ToString(CultureInfo.InvariantCulture), string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"));
        }
    }

    public void Text(string field, string? value, int longest)
    {
        if (value?.Length > longest || value?.Any(char.IsControl) == true)
        {
            Add(field, ApiException.Quote(value), $"at most {longest} characters of text");
        }
    }

    /// <exception cref="ApiException">400, when there is any.</exception>
    public void ThrowIfAny()
    {
        if (_first is not null) throw Problem();
    }

    /// <summary>400 with all that was added, which is something.</summary>
    public ApiException Problem() => new(StatusCodes.Status400BadRequest, ApiReason.InvalidInput, _byField[_first!][0],
        _byField.OrderBy(pair => pair.Key != _first).ToDictionary(pair => pair.Key, pair => pair.Value.ToArray()));
}

/// <summary>
/// A request's JSON body, read strictly: no unknown or repeated members, no numbers in strings, nothing after the value, numbers of at most
/// 10^15 in size and 10 decimals. What is marked <see cref="RequiredAttribute"/> must be there; then the type's own checks run.
/// </summary>
public sealed class Body<T>(T value) : IEndpointParameterMetadataProvider where T : class
{
    private const int LongestNumber = 40;
    private const decimal LargestNumber = 1_000_000_000_000_000m;
    private const int MostDecimals = 10;

    private static readonly ConcurrentDictionary<Type, JsonTypeInfo> Types = new();
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    public T Value => value;

    /// <summary>Tells OpenAPI what the body is.</summary>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata([MediaTypeNames.Application.Json], typeof(T)));

    /// <exception cref="ApiException">400 or 415.</exception>
    public static async ValueTask<Body<T>> BindAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            throw new ApiException(StatusCodes.Status415UnsupportedMediaType, ApiReason.MediaTypeUnsupported,
                $"Content-Type is {ApiException.Quote(context.Request.ContentType)}; expected application/json");
        }
        if (context.Request.ContentLength > IdempotentEndpoints.LargestBody)
        {
            throw new ApiException(StatusCodes.Status413PayloadTooLarge, ApiReason.BodyTooLarge, $"the body is too large; expected at most {IdempotentEndpoints.LargestBody} bytes");
        }
        // One that does not say how long it is ends here at the latest.
        if (context.Request.ContentLength is null && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
        {
            bound.MaxRequestBodySize = IdempotentEndpoints.LargestBody;
        }
        using JsonDocument document = await ParseAsync(context);
        CheckValues(document.RootElement);
        T value = Read(document.RootElement);
        var faults = new Faults();
        foreach (JsonPropertyInfo property in TypeOf(typeof(T)).Properties)
        {
            bool required = property.AttributeProvider?.IsDefined(typeof(RequiredAttribute), true) == true;
            if (required && property.Get!(value) is null) faults.Add(property.Name, null, Expectation(property.PropertyType));
        }
        faults.ThrowIfAny();
        (value as IChecked)?.Check(faults);
        faults.ThrowIfAny();
        return new Body<T>(value);
    }

    private static async Task<JsonDocument> ParseAsync(HttpContext context)
    {
        try
        {
            return await JsonDocument.ParseAsync(context.Request.Body, Strict, context.RequestAborted);
        }
        catch (JsonException e)
        {
            if (context.Request.Body.CanSeek)
            {
                context.Request.Body.Position = 0;
                using var text = new MemoryStream();
                await context.Request.Body.CopyToAsync(text, context.RequestAborted);
                if (JsonFaults.Find(text.GetBuffer().AsSpan(0, (int)text.Length), Strict.MaxDepth) is { } fault) throw fault;
            }
            string where = e.LineNumber is { } line ? $" (line {line + 1}, byte {e.BytePositionInLine + 1})" : "";
            throw ApiException.Invalid("body", $"body is not valid JSON{where}; expected one object without repeated members");
        }
        catch (InvalidOperationException)
        {
            throw HalfAPair();
        }
    }

    private static T Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw ApiException.Invalid("body", $"body is {Shown(root)}; expected an object");
        try
        {
            return (T)root.Deserialize(TypeOf(typeof(T)))!;
        }
        catch (JsonException e)
        {
            throw Explain(root, e.Path ?? "$");
        }
    }

    /// <summary>Says in the caller's words what is wrong at a path.</summary>
    private static ApiException Explain(JsonElement root, string path)
    {
        JsonElement at = root;
        Type type = typeof(T);
        var field = new List<string>();
        foreach (string step in Steps(path))
        {
            string name = step;
            JsonTypeInfo info = TypeOf(type);
            if (info.Kind == JsonTypeInfoKind.Object)
            {
                JsonPropertyInfo? property = info.Properties.FirstOrDefault(property => property.Name == name);
                if (property is null)
                {
                    field.Add(name);
                    return ApiException.Invalid(string.Join('.', field),
                        $"{string.Join('.', field)} is unknown; expected {string.Join(", ", info.Properties.Select(known => known.Name))}{Near(name, info)}");
                }
                type = property.PropertyType;
            }
            else
            {
                type = info.ElementType ?? typeof(object);
            }
            field.Add(name);
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(name, out JsonElement inside)) at = inside;
            else if (at.ValueKind == JsonValueKind.Array && int.TryParse(name, out int index) && index < at.GetArrayLength()) at = at[index];
            else break;
        }
        string full = field.Count == 0 ? "body" : string.Join('.', field);
        // An object whose own members are at fault, one of them unknown or missing.
        if (at.ValueKind == JsonValueKind.Object && TypeOf(type) is { Kind: JsonTypeInfoKind.Object } whole)
        {
            string members = string.Join(", ", whole.Properties.Select(known => known.Name));
            string? stranger = at.EnumerateObject()
                .Select(member => member.Name).FirstOrDefault(name => whole.Properties.All(known => known.Name != name));
            return stranger is null
                ? ApiException.Invalid(full, $"{full} is incomplete; expected {members}")
                : ApiException.Invalid(stranger, $"{ApiException.Quote(stranger)} of {full} is unknown; expected {members}{Near(stranger, whole)}");
        }
        return ApiException.Invalid(full, $"{full} is {Shown(at)}; expected {Expectation(type)}");
    }

    private static string Near(string name, JsonTypeInfo info) => NearestName.Suggestion(name, info.Properties.Select(known => known.Name));

    private static IEnumerable<string> Steps(string path) => path.TrimStart('$')
        .Replace("['", ".", StringComparison.Ordinal).Replace("']", "", StringComparison.Ordinal)
        .Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal)
        .Split('.', StringSplitOptions.RemoveEmptyEntries);

    private static void CheckValues(JsonElement root)
    {
        try
        {
            CheckValues(root, "");
        }
        catch (InvalidOperationException)
        {
            throw HalfAPair();
        }
    }

    /// <summary>JSON can escape what is no text; the reader says so by this exception, in names when it looks for repeated ones.</summary>
    private static ApiException HalfAPair() => ApiException.Invalid("body", "body has half a surrogate pair in a text; expected Unicode");

    private static void CheckValues(JsonElement element, string field)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty member in element.EnumerateObject())
                {
                    CheckValues(member.Value, field.Length == 0 ? member.Name : $"{field}.{member.Name}");
                }
                break;
            case JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in element.EnumerateArray()) CheckValues(item, $"{field}.{index++}");
                break;
            case JsonValueKind.String:
                // Reading it is the check.
                _ = element.GetString();
                break;
            case JsonValueKind.Number:
                string raw = element.GetRawText();
                bool fits = raw.Length <= LongestNumber && element.TryGetDecimal(out decimal number) && Math.Abs(number) <= LargestNumber
                    && (number * 10_000_000_000m == decimal.Truncate(number * 10_000_000_000m));
                if (!fits)
                {
                    string shown = ApiException.Quote(raw).Trim('\'');
                    throw ApiException.Invalid(field, $"{field} is {shown}; expected a number of at most 10^15 with at most {MostDecimals} decimals");
                }
                break;
        }
    }

    private static string Shown(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.Null => "null",
        JsonValueKind.String => ApiException.Quote(element.GetString()),
        _ => element.GetRawText(),
    };

    private static string Expectation(Type type)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsEnum) return string.Join(", ", Enum.GetNames(plain));
        if (plain == typeof(string)) return "text";
        if (plain == typeof(bool)) return "true or false";
        if (plain == typeof(int) || plain == typeof(long) || plain == typeof(ulong)) return "a whole number";
        if (plain == typeof(decimal) || plain == typeof(double)) return "a number";
        if (plain == typeof(DateTime)) return "a time such as 2026-01-31T12:00:00Z";
        if (plain == typeof(TimeSpan)) return "a span such as 00:01:00";
        if (plain == typeof(TimeFrame)) return "a time frame such as M1 or H4";
        return TypeOf(plain).Kind switch
        {
            JsonTypeInfoKind.Enumerable => "a list",
            JsonTypeInfoKind.Dictionary => "an object of names and numbers",
            _ => "an object",
        };
    }

    private static JsonTypeInfo TypeOf(Type type) => Types.GetOrAdd(type, static type => ApiJson.Options.GetTypeInfo(type));
}
