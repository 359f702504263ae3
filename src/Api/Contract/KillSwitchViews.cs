using HybridTrading.Domain.Risk;

namespace HybridTrading.Api;

/// <summary>A halt of the tenant that stands.</summary>
/// <param name="Member">Who is halted; null for everybody of the tenant.</param>
/// <param name="By">Who halted.</param>
/// <param name="Release">Its release was asked for and can still be approved; null where it cannot.</param>
public sealed record TenantHaltView(long Number, string? Member, bool Flatten, string By, DateTime At, string Why, ReleaseView? Release)
{
    public static TenantHaltView Of(TenantHalt halt, DateTime now) => new(halt.Number, UserOf(halt.Member), halt.Flatten, UserOf(halt.By)!, halt.At, halt.Why,
        halt.Release is { } release && now < release.Until ? new ReleaseView(UserOf(release.By)!, release.At, release.Why, release.Until) : null);

    /// <summary>The user of tenant/user.</summary>
    private static string? UserOf(string? person) => person?[(person.IndexOf('/') + 1)..];
}

/// <param name="By">Who asked; somebody else, who did not halt either, has to approve.</param>
/// <param name="Until">When the request ends.</param>
public sealed record ReleaseView(string By, DateTime At, string Why, DateTime Until);

/// <summary>An account under the kill switch.</summary>
/// <param name="TenantHalted">A halt of the tenant stands for it.</param>
public sealed record HaltedAccount(string Name, TradingState State, bool TenantHalted);

/// <summary>How the kill switch stands for the caller.</summary>
/// <param name="Accounts">The caller's own.</param>
/// <param name="RunningStrategies">The caller's own.</param>
/// <param name="TenantHalts">Those that stand for the caller; all of the tenant's for who may see its other members.</param>
/// <param name="Untold">Accounts and strategies of the tenant that have not confirmed the last change yet.</param>
public sealed record KillSwitchState(
    ImmutableArray<HaltedAccount> Accounts, ImmutableArray<string> RunningStrategies, ImmutableArray<TenantHaltView> TenantHalts, int Untold);

/// <summary>What the kill switch did.</summary>
/// <param name="Accounts">Halted.</param>
/// <param name="Strategies">Stopped.</param>
public sealed record KillSwitchEngaged(long MinPosition, ImmutableArray<string> Accounts, ImmutableArray<string> Strategies);

/// <param name="Halt">As it stands now; null when it was released.</param>
/// <param name="Concerned">Accounts and strategies that it is about: none may mean that the member's name is wrong.</param>
/// <param name="Untold">Those that have not confirmed yet: they are told until they do.</param>
public sealed record TenantHaltChanged(long MinPosition, TenantHaltView? Halt, int Concerned, int Untold);
