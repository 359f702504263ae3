namespace HybridTrading.Domain.Users;

/// <summary>An e-mail address as a sign-in name: what a mail server would take, compared without regard to case.</summary>
public static class EmailAddress
{
    /// <summary>Characters; RFC 5321 allows no more in a path.</summary>
    public const int Longest = 254;

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public static string? Fault(string? address)
    {
        const string expected = "expected an address as name@example.org, of at most 254 characters";
        if (address is null) return $"email is missing; {expected}";
        int at = address.LastIndexOf('@');
        bool sound = address.Length <= Longest && at is > 0 and <= 64 && at < address.Length - 1
            && !address.AsSpan().ContainsAny(" <>()[],;:\\\"") && !address.AsSpan(0, at).Contains('@')
            && !address.Any(char.IsControl) && !address.Any(char.IsWhiteSpace) && IsDomain(address.AsSpan(at + 1));
        return sound ? null : $"email is '{(address.Length > 60 ? address[..60] + "..." : address)}'; {expected}";
    }

    /// <summary>The same for all spellings of one address.</summary>
    public static string Normalise(string address) => address.Trim().Normalize().ToLowerInvariant();

    private static bool IsDomain(ReadOnlySpan<char> domain)
    {
        foreach (Range part in domain.Split('.'))
        {
            ReadOnlySpan<char> label = domain[part];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-') return false;
            foreach (char c in label)
            {
                if (!char.IsLetterOrDigit(c) && c != '-') return false;
            }
        }
        return true;
    }
}
