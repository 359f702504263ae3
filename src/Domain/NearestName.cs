namespace HybridTrading.Domain;

/// <summary>Finds what a mistyped name was probably meant to be, for error messages.</summary>
public static class NearestName
{
    /// <summary>The known name with the smallest edit distance to <paramref name="text"/> (the first of equals); null when none is near.</summary>
    public static string? Find(string text, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = Math.Max(2, text.Length / 2) + 1;
        foreach (string name in known)
        {
            int distance = EditDistance(text.ToUpperInvariant(), name.ToUpperInvariant());
            if (distance < bestDistance) (best, bestDistance) = (name, distance);
        }
        return best;
    }

    /// <summary><c>; did you mean 'x'?</c>, or nothing when no known name is near.</summary>
    public static string Suggestion(string text, IEnumerable<string> known) =>
        Find(text, known) is { } name ? $"; did you mean '{name}'?" : "";

    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[b.Length];
    }
}
