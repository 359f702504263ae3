using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Silo.Commands;

/// <summary>Risk limits by name or from a JSON file.</summary>
public static class LimitsFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <exception cref="UsageException">No such name or file, or the file is wrong: says field, value and expectation.</exception>
    public static RiskLimits Read(string text)
    {
        if (text == "none") return RiskLimits.None;
        if (text == "default") return RiskLimits.Default;
        if (!File.Exists(text)) throw new UsageException($"--limits is '{text}'; expected none, default, or a JSON file");
        try
        {
            RiskLimits limits = JsonSerializer.Deserialize<RiskLimits>(File.ReadAllText(text), Options) ?? RiskLimits.None;
            return limits.Fault() is { } fault ? throw new UsageException($"{text}: {fault}") : limits;
        }
        catch (JsonException e)
        {
            throw new UsageException($"{text}: {e.Message}");
        }
    }
}
