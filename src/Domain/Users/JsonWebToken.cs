using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace HybridTrading.Domain.Users;

/// <summary>A signed token in its compact form (RFC 7515), taken apart. Nothing of it is proven yet.</summary>
internal sealed record JsonWebToken(TokenHeader Header, byte[] Payload, byte[] Signed, byte[] Signature)
{
    /// <param name="longest">Characters.</param>
    /// <returns>Null where it is not three parts in their one right spelling, the first a header.</returns>
    public static JsonWebToken? Read(string token, int longest)
    {
        if (token.Length > longest) return null;
        int first = token.IndexOf('.'), last = token.LastIndexOf('.');
        if (first <= 0 || last == first || token.AsSpan(first + 1, last - first - 1).Contains('.')) return null;
        if (Bytes(token.AsSpan(0, first)) is not { } head || Part(head, TokenJson.Default.TokenHeader) is not { } header) return null;
        if (Bytes(token.AsSpan(first + 1, last - first - 1)) is not { } payload) return null;
        // A token of the algorithm none has no signature: its header is refused later, and is worth a name of its own in the log.
        byte[] signature = last == token.Length - 1 ? [] : Bytes(token.AsSpan(last + 1)) ?? [];
        return new JsonWebToken(header, payload, Encoding.ASCII.GetBytes(token[..last]), signature);
    }

    /// <summary>Null where it is not JSON of that form.</summary>
    public static T? Part<T>(byte[] json, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Null where it is not base64url in its one right spelling.</summary>
    private static byte[]? Bytes(ReadOnlySpan<char> text)
    {
        if (text.Length == 0 || !Base64Url.IsValid(text, out int length)) return null;
        var bytes = new byte[length];
        if (!Base64Url.TryDecodeFromChars(text, bytes, out int written) || written != length) return null;
        // Bits that belong to no byte, or padding: another spelling of the same bytes would be another token with the same signature.
        return text.SequenceEqual(Base64Url.EncodeToString(bytes)) ? bytes : null;
    }
}

internal sealed record TokenHeader(
    [property: JsonPropertyName("alg")] string? Algorithm, [property: JsonPropertyName("kid")] string? KeyId, [property: JsonPropertyName("typ")] string? Type,
    [property: JsonPropertyName("crit")] string[]? Critical = null);

[JsonSourceGenerationOptions(UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenHeader))]
[JsonSerializable(typeof(AccessClaims))]
internal sealed partial class TokenJson : JsonSerializerContext;
