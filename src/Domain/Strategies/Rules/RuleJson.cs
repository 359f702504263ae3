using System.Text.Json;
using System.Text.Json.Serialization;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>A rule as JSON, for programs that make or change rules: the tree of its statements, without places and comments.</summary>
public static class RuleJson
{
    /// <summary>Characters that are read.</summary>
    public const int MaxLength = 1_000_000;

    public static string Write(RuleSyntax rule) => JsonSerializer.Serialize(rule, RuleJsonContext.Default.RuleSyntax);

    /// <summary>The rule that this JSON holds. It is not yet checked: <see cref="RuleLanguage.Check(string)"/> its text.</summary>
    /// <exception cref="FormatException">It is no rule: says where, or what in it no text says.</exception>
    public static RuleSyntax Read(string json)
    {
        if (json.Length > MaxLength) throw new FormatException($"the JSON is {json.Length} characters long; expected at most {MaxLength}");
        RuleSyntax rule;
        try
        {
            rule = JsonSerializer.Deserialize(json, RuleJsonContext.Default.RuleSyntax)
                ?? throw new FormatException("the JSON is null; expected a rule");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new FormatException($"the JSON is no rule: {e.Message}", e);
        }
        // Names may hold anything, numbers may be negative: a rule is what its own text says.
        List<RuleDiagnostic> faults = [];
        string text = RuleWriter.Write(rule);
        RuleSyntax read = RuleParser.Parse(text, faults, []);
        if (faults.Count > 0) throw new FormatException($"the JSON is no rule: {faults[0].Message}");
        return read.Equals(rule) ? read : throw new FormatException("the JSON is no rule: its text reads as another");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    MaxDepth = 256, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(RuleSyntax))]
internal sealed partial class RuleJsonContext : JsonSerializerContext;
