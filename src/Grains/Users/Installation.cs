using HybridTrading.Domain.Users;

namespace HybridTrading.Grains.Users;

[GenerateSerializer, Immutable, Alias("ht.InstallationState")]
public sealed record InstallationState
{
    /// <summary>Somebody has made themselves its owner.</summary>
    [Id(0)] public bool IsOwned { get; init; }

    /// <summary>SHA-256 of what the links hold that the processes have printed, the newest last.</summary>
    [Id(1)] public ImmutableArray<string> Links { get; init; } = [];
}

/// <summary>Whether this installation has an owner, and who may become it. Key: <see cref="Keys.Installation"/>.</summary>
[Shared, ForGateway, Alias("ht.IInstallationGrain")]
public interface IInstallationGrain : IGrainWithStringKey
{
    [AlwaysInterleave, Alias("IsOwned")] Task<bool> IsOwned();

    /// <summary>A link for the first owner, for the console of the process that asks.</summary>
    /// <returns>Null when there is an owner.</returns>
    [Alias("MakeLink")] Task<Secret?> MakeLink();

    [AlwaysInterleave, Alias("IsLink")] Task<bool> IsLink(Secret link);

    /// <summary>There is an owner now; every link is used up.</summary>
    [Alias("SetOwned")] Task SetOwned();
}

[HostedBy("user-service")]
public sealed class InstallationGrain(
    [PersistentState("installation")] IPersistentState<InstallationState> state, SecretSource secrets) : Grain, IInstallationGrain
{
    /// <summary>Processes of a cluster that may each have one out.</summary>
    private const int MostLinks = 16;

    public Task<bool> IsOwned() => Task.FromResult(state.State.IsOwned);

    public async Task<Secret?> MakeLink()
    {
        if (state.State.IsOwned) return null;
        string token = secrets.Token();
        state.State = state.State with { Links = [.. state.State.Links.TakeLast(MostLinks - 1), Sessions.HashOf(token)] };
        await state.WriteStateAsync();
        return new Secret(token);
    }

    public Task<bool> IsLink(Secret link) => Task.FromResult(!state.State.IsOwned && state.State.Links.Contains(Sessions.HashOf(link.Value)));

    public async Task SetOwned()
    {
        state.State = new InstallationState { IsOwned = true };
        await state.WriteStateAsync();
    }
}
