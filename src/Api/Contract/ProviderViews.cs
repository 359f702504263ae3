using System.ComponentModel;
using HybridTrading.Domain.Users;

namespace HybridTrading.Api.Contract;

public sealed record ProviderStart([property: Description("Of the provider")] string Address);

/// <summary>One of the two is there.</summary>
public sealed record ProviderSignedIn(
    Tokens? Tokens, [property: Description("The second factor is missing: send it with its code within five minutes")] string? Ticket);

public sealed record ProviderLinkShown(
    string Id, string Issuer, [property: Description("As the provider told it; empty where it told none")] string Email,
    [property: Description("For which the provider's access tokens speak")] string Tenant, DateTime Since)
{
    public static ProviderLinkShown Of(ProviderLink link) => new(link.Id, link.Identity.Issuer, link.Identity.Email, link.Tenant, link.Since);
}

public sealed record ProviderLinks(
    [property: Description("What the external provider is called; null where there is none")] string? Provider,
    [property: Description("One has a password here, which linking asks for")] bool HasPassword,
    ImmutableArray<ProviderLinkShown> Links);
