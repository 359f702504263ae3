using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Api.Identity.Provider;

/// <summary>
/// One sign-in that is under way in one browser. All that goes to the provider is made of a secret that only the browser's cookie holds, so any process can
/// go on with it, and an answer that another browser has asked for fits nothing here.
/// </summary>
/// <param name="secret">256 random bits as text.</param>
/// <param name="purpose">What it is for: an answer to one is none to another.</param>
public sealed class ProviderFlow(string secret, string purpose)
{
    /// <summary>How long a person may take at the provider.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    public string State => Derived("state");

    public string Nonce => Derived("nonce");

    /// <summary>Of PKCE (RFC 7636): 43 characters.</summary>
    public string Verifier => Derived("verifier");

    public string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    public bool IsState(string state) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(State), Encoding.UTF8.GetBytes(state));

    private string Derived(string use) => Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{purpose}\n{use}")));
}
