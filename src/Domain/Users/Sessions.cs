using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Domain.Users;

/// <summary>One sign-in that goes on: a browser, a program. Its refresh token is known by hash only.</summary>
/// <param name="Hash">SHA-256 of the token that renews it next, hexadecimal.</param>
/// <param name="Before">That of the token before it: who shows it after <see cref="Sessions.Grace"/> has a stolen one, or was stolen from.</param>
/// <param name="Tenant">In which the session is at work; empty for none.</param>
[GenerateSerializer, Immutable, Alias("ht.Session")]
public sealed record Session(
    string Id, string Tenant, string Hash, string Before, DateTime Created, DateTime Renewed, string Agent, string Address);

/// <summary>What became of a refresh token that was shown.</summary>
public enum Renewal : byte
{
    Renewed,

    /// <summary>There is no such session, it has run out, or the token was never its.</summary>
    Unknown,

    /// <summary>The token was renewed before: the session ends, since one of two who hold it is a thief.</summary>
    Reused,
}

/// <summary>The rules of a user's sessions. RFC 9700, section 4.14: rotation of refresh tokens and detection of their reuse.</summary>
public static class Sessions
{
    public const int Most = 50;

    /// <summary>A session that is not renewed for this long ends.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromDays(14);

    /// <summary>And every one ends after this.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(90);

    /// <summary>How long the token before is taken, too: an answer can be lost on its way, and two tabs can ask at once.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    public static bool IsAlive(Session session, DateTime now) => now - session.Renewed < Idle && now - session.Created < Life;

    /// <summary>Those that go on with one more; the longest unused leaves where there are too many.</summary>
    public static ImmutableArray<Session> Add(ImmutableArray<Session> sessions, Session added, DateTime now)
    {
        ImmutableArray<Session> alive = [.. sessions.Where(one => IsAlive(one, now)).OrderByDescending(one => one.Renewed).Take(Most - 1)];
        return alive.Add(added);
    }

    /// <param name="secret">As the client showed it.</param>
    /// <param name="nextHash">Of the token that takes its place.</param>
    /// <returns>The session as it goes on; null where it does not.</returns>
    public static (Renewal Outcome, Session? Next) Renew(Session? session, string secret, string nextHash, DateTime now)
    {
        if (session is null || !IsAlive(session, now)) return (Renewal.Unknown, null);
        string hash = HashOf(secret);
        if (Equal(hash, session.Hash)) return (Renewal.Renewed, session with { Hash = nextHash, Before = session.Hash, Renewed = now });
        if (!Equal(hash, session.Before)) return (Renewal.Unknown, null);
        return now - session.Renewed <= Grace ? (Renewal.Renewed, session with { Hash = nextHash, Before = session.Hash }) : (Renewal.Reused, null);
    }

    internal static bool Equal(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one), Encoding.ASCII.GetBytes(other));
}
