namespace HybridTrading.Domain.Users;

/// <summary>
/// What wrong passwords cost: after five in a row each further one closes the door for twice as long, from half a minute to a quarter of an hour.
/// So guessing is hopeless, and nobody can be kept out of their own for long by a stranger who guesses.
/// </summary>
public static class Lockout
{
    public const int Free = 5;

    public static readonly TimeSpan First = TimeSpan.FromSeconds(30), Longest = TimeSpan.FromMinutes(15);

    /// <summary>Until when nobody gets in after this many failures in a row.</summary>
    public static DateTime? Until(int failures, DateTime lastFailure)
    {
        if (failures < Free) return null;
        double doubled = First.TotalSeconds * Math.Pow(2, Math.Min(failures - Free, 16));
        return lastFailure + TimeSpan.FromSeconds(Math.Min(doubled, Longest.TotalSeconds));
    }
}
