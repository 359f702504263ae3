namespace HybridTrading.Domain;

/// <summary>Finds what a misspelt name may have meant.</summary>
public static class Nearest
{
    /// <summary>The known name with the smallest edit distance, when it is near enough to be meant; else null.</summary>
    public static string? Find(string name, IEnumerable<string> known)
    {
        string? best = null;
        int least = Math.Max(2, name.Length / 2) + 1;
        foreach (string candidate in known)
        {
            int distance = Distance(name, candidate);
            if (distance < least) (best, least) = (candidate, distance);
        }
        return best;
    }

    /// <summary>"; did you mean 'x'?" or "; known are a, b": the end of an error line.</summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        string[] names = [.. known];
        return Find(name, names) is { } near ? $"; did you mean '{near}'?" : $"; known are {string.Join(", ", names)}";
    }

    // Levenshtein 1966, two rows, ignoring case.
    private static int Distance(string a, string b)
    {
        int[] previous = [.. Enumerable.Range(0, b.Length + 1)];
        int[] current = new int[b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitution = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + substitution);
            }
            (previous, current) = (current, previous);
        }
        return previous[b.Length];
    }
}
