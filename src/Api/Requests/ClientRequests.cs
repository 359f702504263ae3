using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Users;

namespace HybridTrading.Api.Requests;

/// <summary>The form of <c>POST /auth/token</c>, for its description; it is read by <see cref="Identity.ClientTokens"/>.</summary>
public sealed record ClientTokenRequest
{
    [Required, JsonPropertyName("grant_type"), Description("client_credentials")]
    public string? GrantType { get; init; }

    [JsonPropertyName("client_id"), Description("Where there is no Authorization: Basic")]
    public string? ClientId { get; init; }

    [JsonPropertyName("client_secret"), Description("Where there is no Authorization: Basic")]
    public string? ClientSecret { get; init; }

    [JsonPropertyName("scope"), Description("Names of permissions, a space between; without it all that the client may do")]
    public string? Scope { get; init; }
}

public sealed record AddClient : IChecked
{
    [Required, Description("1 to 100 characters")]
    public string? Name { get; init; }

    [Required, Description("All that its tokens may do; not more than the caller may. ReadMetrics, Compliance and Operate are given by administrators")]
    public Permission[]? Scopes { get; init; }

    [Required, Description("How long the secret is good: 1 to 366")]
    public int? ExpiresDays { get; init; }

    public void Check(Faults faults)
    {
        faults.Range("expiresDays", ExpiresDays, 1, ServiceClient.LongestDays);
        faults.Text("name", Name, ServiceClient.LongestName);
    }
}

public sealed record RotateClient : IChecked
{
    [Required, Description("How long the new secret is good: 1 to 366")]
    public int? ExpiresDays { get; init; }

    [Description("Hours that the secret before still counts: 0 to 168. With 0 it ends now, and so do all tokens that are out")]
    public int OverlapHours { get; init; } = 24;

    public void Check(Faults faults)
    {
        faults.Range("expiresDays", ExpiresDays, 1, ServiceClient.LongestDays);
        faults.Range("overlapHours", OverlapHours, 0, ServiceClient.LongestOverlap);
    }
}
