using HybridTrading.Domain.Configuration;

namespace HybridTrading.Grains.Configuration;

/// <summary>
/// What counts for a grain's owner, read from the replicas of its silo. For use inside one grain. Configuration never holds up trading: where
/// it cannot be had in time, what was known last counts.
/// </summary>
/// <param name="layerOf">What is set in the configuration of a key.</param>
/// <param name="person">tenant/user.</param>
/// <param name="strategy">Name of the strategy whose layer lies on top; null for none.</param>
public sealed class SettingsReader(Func<string, Task<LayerDocuments>> layerOf, TimeProvider clock, string person, string? strategy)
{
    /// <summary>How old what is known may be before <see cref="Refresh"/> reads again.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    private LayerDocuments? _tenant, _user;
    private Task? _reading;
    private long? _read;

    /// <summary>Reads from the replicas.</summary>
    public static SettingsReader Of(IGrainFactory grains, TimeProvider clock, string person, string? strategy = null) =>
        new(key => grains.GetGrain<IConfigurationReplicaGrain>(key).GetLayer(), clock, person, strategy);

    /// <summary>As it was read last; null before.</summary>
    public EffectiveSettings? Known { get; private set; }

    /// <summary>Has it read again, behind the caller's back, unless it was just now.</summary>
    public void Refresh()
    {
        if (_read is { } read && clock.GetElapsedTime(read) < Pace) return;
        _read = clock.GetTimestamp();
        _ = Reading();
    }

    /// <summary>What counts now; what was known last where that cannot be had in time, and null where nothing ever was.</summary>
    public async Task<EffectiveSettings?> ReadAsync(TimeSpan patience)
    {
        await Reading().WaitAsync(patience, clock)
            .ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        return Known;
    }

    private Task Reading() => _reading is { IsCompleted: false } reading ? reading : _reading = ReadLayersAsync();

    private async Task ReadLayersAsync()
    {
        Task<LayerDocuments> ofTenant = layerOf(Keys.TenantConfiguration(Keys.TenantOf(person))), ofUser = layerOf(person);
        LayerDocuments tenant = await ofTenant, user = await ofUser;
        if (Known is not null && ReferenceEquals(tenant, _tenant) && ReferenceEquals(user, _user)) return;
        Known = EffectiveSettings.Of(tenant, user, strategy);
        (_tenant, _user) = (tenant, user);
    }
}
