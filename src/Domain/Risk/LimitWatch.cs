namespace HybridTrading.Domain.Risk;

/// <summary>
/// Tells once that the use of a limit has come near it. A limit that is near stays so until its use has fallen a tenth below the share, so that a
/// use that moves about the share is not told again and again.
/// </summary>
public static class LimitWatch
{
    /// <summary>No share from which a use can be near is lower.</summary>
    public const decimal LowestShare = 0.1m;

    /// <summary>Of the share below which a limit is near no more.</summary>
    private const decimal Slack = 0.9m;

    /// <param name="near">Limits that are near already, by name.</param>
    /// <param name="share">From which a use is near, 0.1 to 1.</param>
    /// <returns>The uses that have come near, and the names of those that are near no more.</returns>
    public static (ImmutableArray<LimitUse> Reached, ImmutableArray<string> Left) Look(
        ImmutableArray<LimitUse> uses, ImmutableArray<string> near, decimal share) =>
    (
        [.. uses.Where(use => use.Share >= share && !near.Contains(use.Limit))],
        [.. near.Where(name => uses.FirstOrDefault(use => use.Limit == name) is not { } use || use.Share < share * Slack)]
    );
}
