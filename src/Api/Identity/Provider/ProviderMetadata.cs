using System.Text.Json;

namespace HybridTrading.Api.Identity.Provider;

/// <summary>What a provider says of itself (OpenID Connect Discovery 1.0), as far as it is needed.</summary>
/// <param name="TakesBasic">The client shows its secret by HTTP Basic; else in the form.</param>
/// <param name="NamesIssuer">Its redirects name it (RFC 9207), so one that does not is not its own.</param>
internal sealed record ProviderMetadata(Uri Authorization, Uri Token, Uri Keys, bool TakesBasic, bool NamesIssuer)
{
    /// <exception cref="FormatException">It is none, or another's.</exception>
    public static ProviderMetadata Parse(ReadOnlyMemory<byte> json, string issuer)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw new FormatException("the metadata is no object");
            if (Text(root, "issuer") is var named && named != issuer) throw new FormatException($"the metadata's issuer is '{named}'; expected '{issuer}'");
            bool basic = !root.TryGetProperty("token_endpoint_auth_methods_supported", out JsonElement methods) || methods.ValueKind != JsonValueKind.Array
                || methods.EnumerateArray().Any(method => method.ValueEquals("client_secret_basic"));
            bool names = root.TryGetProperty("authorization_response_iss_parameter_supported", out JsonElement says) && says.ValueKind == JsonValueKind.True;
            return new ProviderMetadata(Address(root, "authorization_endpoint"), Address(root, "token_endpoint"), Address(root, "jwks_uri"), basic, names);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException("the metadata cannot be read", e);
        }
    }

    private static Uri Address(JsonElement root, string name) =>
        Uri.TryCreate(Text(root, name), UriKind.Absolute, out Uri? address) && ProviderOptions.IsSafe(address) && address.Fragment.Length == 0
            ? address
            : throw new FormatException($"the metadata's {name} is '{Text(root, name)}'; expected an address with https");

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
