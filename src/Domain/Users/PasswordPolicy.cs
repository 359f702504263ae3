namespace HybridTrading.Domain.Users;

/// <summary>
/// What may be a password, as NIST SP 800-63B has it: long, not the obvious, and otherwise whatever the user likes. No rules of character classes, no expiry.
/// </summary>
public static class PasswordPolicy
{
    /// <summary>Characters.</summary>
    public const int Shortest = 12, Longest = 128;

    private const int FewestDifferent = 5;

    // The beginnings of what people choose when they are made to choose something long.
    private static readonly string[] Obvious =
        ["password", "passwort", "123456", "qwerty", "qwertz", "letmein", "iloveyou", "welcome", "trading", "hybridtrading", "metatrader", "admin"];

    /// <summary>What is wrong; null when nothing is. Never holds the password.</summary>
    /// <param name="email">Of whose password it is to be.</param>
    public static string? Fault(string? password, string email, string name)
    {
        if (password is null) return $"password is missing; expected {Shortest} to {Longest} characters";
        if (password.Length is < Shortest or > Longest) return $"password has {password.Length} characters; expected {Shortest} to {Longest}";
        if (password.Distinct().Count() < FewestDifferent) return $"password has fewer than {FewestDifferent} different characters; expected one that is hard to guess";
        string bare = Bare(password);
        string[] known = [.. Obvious, Bare(email), Bare(email[..Math.Max(0, email.LastIndexOf('@'))]), Bare(name)];
        // What is left after the known word must still be long enough to be a secret.
        string? contained = known.Where(word => word.Length >= 4 && bare.Contains(word, StringComparison.Ordinal))
            .FirstOrDefault(word => bare.Length - word.Length < Shortest - 4);
        return contained is null && !IsRun(bare) ? null : "password is a well-known one, or one's own name or address; expected one that is hard to guess";
    }

    private static string Bare(string text) => string.Concat(text.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    /// <summary>abcdefghijkl, 210987654321: each character follows from the one before.</summary>
    private static bool IsRun(string text) =>
        text.Length > 1 && (Enumerable.Range(1, text.Length - 1).All(i => text[i] - text[i - 1] == 1) || Enumerable.Range(1, text.Length - 1).All(i => text[i - 1] - text[i] == 1));
}
