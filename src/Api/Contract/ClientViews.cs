using System.ComponentModel;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Users;

namespace HybridTrading.Api.Contract;

public sealed record ClientSecretShown(string Id, DateTime Created, DateTime Expires);

/// <summary>A service that signs in for the tenant.</summary>
public sealed record ClientShown(
    [property: Description("client_id")] string Id, string Name, ImmutableArray<Permission> Scopes, DateTime Created,
    [property: Description("Id of the member who made it")] string By, ImmutableArray<ClientSecretShown> Secrets,
    [property: Description("When it last got a token; null for never")] DateTime? LastUsed)
{
    public static ClientShown Of(ClientView client) => new(
        client.Id, client.Name, client.Scopes, client.Created, client.By,
        [.. client.Secrets.Select(secret => new ClientSecretShown(secret.Id, secret.Created, secret.Expires))], client.LastUsed);
}

public sealed record ClientWithSecret(ClientShown Client, [property: Description("client_secret: 43 characters, told this once")] string Secret);

/// <summary>RFC 6749, section 5.1.</summary>
public sealed record ClientToken(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in"), Description("Seconds")] int ExpiresIn,
    [property: JsonPropertyName("scope"), Description("Names of permissions, a space between")] string Scope);

/// <summary>RFC 6749, section 5.2.</summary>
public sealed record ClientTokenFault(
    [property: JsonPropertyName("error"), Description("invalid_request, invalid_client, invalid_scope, unsupported_grant_type")] string Error,
    [property: JsonPropertyName("error_description")] string Description);
