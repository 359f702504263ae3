using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Users;

namespace HybridTrading.Grains.Users;

[GenerateSerializer, Immutable, Alias("ht.EmailState")]
public sealed record EmailState
{
    [Id(0)] public string? User { get; init; }

    /// <summary>The user has another address by now and may take this one back until then: nobody else gets it. Null: it is theirs.</summary>
    [Id(1)] public DateTime? HeldUntil { get; init; }
}

/// <summary>Whose address it is: each has one user at most, since one grain decides. Key: <see cref="EmailDirectory.KeyOf"/>.</summary>
[Shared, ForGateway, Alias("ht.IEmailGrain")]
public interface IEmailGrain : IGrainWithStringKey
{
    /// <summary>Who signs in with it; null for nobody.</summary>
    [Alias("Find")] Task<string?> Find();

    /// <summary>Gives the address to a user, if nobody has it.</summary>
    /// <returns>Who has it now.</returns>
    [Alias("Claim")] Task<string> Claim(string user);

    /// <summary>It is no longer the user's, and nobody else's before that time.</summary>
    [Alias("Hold")] Task Hold(string user, DateTime until);

    /// <summary>Takes it back from that user.</summary>
    [Alias("Release")] Task Release(string user);
}

[HostedBy("user-service")]
public sealed class EmailGrain([PersistentState("email")] IPersistentState<EmailState> state, TimeProvider clock) : Grain, IEmailGrain
{
    public Task<string?> Find() => Task.FromResult(state.State.HeldUntil is null ? state.State.User : null);

    public async Task<string> Claim(string user)
    {
        if (state.State.User is { } owner && owner != user && !(state.State.HeldUntil <= clock.GetUtcNow().UtcDateTime)) return owner;
        if (state.State.User == user && state.State.HeldUntil is null) return user;
        state.State = new EmailState { User = user };
        await state.WriteStateAsync();
        return user;
    }

    public async Task Hold(string user, DateTime until)
    {
        if (state.State.User != user) return;
        state.State = state.State with { HeldUntil = until };
        await state.WriteStateAsync();
    }

    public async Task Release(string user)
    {
        if (state.State.User == user) await state.ClearStateAsync();
    }
}

[GenerateSerializer, Immutable, Alias("ht.ProviderUserState")]
public sealed record ProviderUserState
{
    [Id(0)] public string? User { get; init; }
}

/// <summary>Which user somebody is whom an external provider knows: one at most, since one grain decides. Key: <see cref="ProviderIdentity.Key"/>.</summary>
[Shared, ForGateway, Alias("ht.IProviderUserGrain")]
public interface IProviderUserGrain : IGrainWithStringKey
{
    [AlwaysInterleave, Alias("Find")] Task<string?> Find();

    /// <summary>Gives the identity to a user, if nobody has it.</summary>
    /// <returns>Who has it now.</returns>
    [Alias("Claim")] Task<string> Claim(string user);

    /// <summary>Takes it back from that user.</summary>
    [Alias("Release")] Task Release(string user);
}

[HostedBy("user-service")]
public sealed class ProviderUserGrain([PersistentState("provider-user")] IPersistentState<ProviderUserState> state) : Grain, IProviderUserGrain
{
    public Task<string?> Find() => Task.FromResult(state.State.User);

    public async Task<string> Claim(string user)
    {
        if (state.State.User is { } owner) return owner;
        state.State = new ProviderUserState { User = user };
        await state.WriteStateAsync();
        return user;
    }

    public async Task Release(string user)
    {
        if (state.State.User == user) await state.ClearStateAsync();
    }
}

public static class EmailDirectory
{
    /// <summary>An address is personal data, and a key is stored in the clear: it holds a hash.</summary>
    public static string KeyOf(string email) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(EmailAddress.Normalise(email))));

    public static IEmailGrain Email(this IGrainFactory grains, string email) => grains.GetGrain<IEmailGrain>(KeyOf(email));
}
