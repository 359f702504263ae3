using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Domain.Users;

/// <summary>Somebody as a provider knows them: by issuer and subject, and by nothing else. An address can change hands.</summary>
/// <param name="Email">As the provider told it, for a person to recognise; nothing is decided by it. Empty where it told none.</param>
[GenerateSerializer, Immutable, Alias("ht.ProviderIdentity")]
public sealed record ProviderIdentity(string Issuer, string Subject, string Email)
{
    /// <summary>The same for all tokens of that person: a hash, since a key is stored in the clear.</summary>
    public string Key => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Issuer}\n{Subject}")));
}

/// <summary>A provider's user who is one of ours.</summary>
/// <param name="Id">Within the user.</param>
/// <param name="Tenant">In which the link was made: what the provider's access tokens speak for. Empty where it was made in none.</param>
[GenerateSerializer, Immutable, Alias("ht.ProviderLink")]
public sealed record ProviderLink(string Id, ProviderIdentity Identity, string Tenant, DateTime Since)
{
    public const int Most = 5;
}
