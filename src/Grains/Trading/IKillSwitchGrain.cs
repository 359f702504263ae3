using HybridTrading.Domain.Risk;

namespace HybridTrading.Grains.Trading;

/// <summary>The answer to a command of the kill switch.</summary>
/// <param name="MinPosition">Journal position that contains it; -1 where nothing had to be recorded.</param>
/// <param name="Halt">As it stands now; null when it stands no more, or never did.</param>
/// <param name="Untold">Accounts and strategies that have not confirmed yet: they are told until they do.</param>
/// <param name="Concerned">Accounts and strategies that it is about: none may mean that the member's name is wrong.</param>
[GenerateSerializer, Immutable, Alias("ht.HaltAnswer")]
public sealed record HaltAnswer(long MinPosition, TenantHalt? Halt, ReleaseRefusal Refusal = ReleaseRefusal.None, int Untold = 0, int Concerned = 0);

/// <summary>How a tenant's kill switch stands.</summary>
/// <param name="Untold">Accounts and strategies that have not confirmed the last change yet.</param>
[GenerateSerializer, Immutable, Alias("ht.KillSwitchView")]
public sealed record KillSwitchView(ImmutableArray<TenantHalt> Halts, int Untold);

/// <summary>
/// The halts of one tenant. Accounts and strategies join it once and are told of every change until they confirm; whoever comes back after being away hears
/// what stands by joining anew. So an account needs no call to know whether it may trade. Key: tenant/kill-switch.
/// </summary>
[Alias("ht.IKillSwitchGrain")]
public interface IKillSwitchGrain : IGrainWithStringKey
{
    /// <summary>From an account or strategy that comes to life: from now on it is told.</summary>
    /// <param name="stream">Name of its stream.</param>
    /// <returns>The halts that stand for its owner.</returns>
    [AlwaysInterleave, Alias("Join")] Task<ImmutableArray<TenantHalt>> Join(string stream);

    /// <summary>Halts the tenant, or one member. Returns when all have been told that could be.</summary>
    /// <param name="by">tenant/user.</param>
    /// <param name="member">tenant/user; null for everybody.</param>
    [Alias("Engage")] Task<HaltAnswer> Engage(string by, string? member, bool flatten, string why);

    [Alias("AskRelease")] Task<HaltAnswer> AskRelease(long number, string by, string why);

    [Alias("ApproveRelease")] Task<HaltAnswer> ApproveRelease(long number, string by);

    [AlwaysInterleave, Alias("GetView")] Task<KillSwitchView> GetView();

    /// <summary>A member is being erased: nobody of theirs is told any more. The switch leaves memory.</summary>
    /// <param name="person">tenant/user.</param>
    [Alias("Leave")] Task Leave(string person);
}
