namespace HybridTrading.Domain;

/// <summary>Finds what a mistyped name was probably meant to be, for error messages.</summary>
public static class NearestName
{
    /// <summary>The known name with the smallest edit distance to <paramref name="text"/> (the first of equals); null when none is near.</summary>
    public static string? Find(string text, IEnumerable<string> known)
    {
        if (text.Length > 64) return null;
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

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours (Damerau's optimal string alignment).</summary>
    private static int EditDistance(string a, string b)
    {
        int[,] distance = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) distance[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) distance[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int substitute = distance[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                int best = Math.Min(substitute, 1 + Math.Min(distance[i - 1, j], distance[i, j - 1]));
                bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                distance[i, j] = swapped ? Math.Min(best, distance[i - 2, j - 2] + 1) : best;
            }
        }
        return distance[a.Length, b.Length];
    }
}
