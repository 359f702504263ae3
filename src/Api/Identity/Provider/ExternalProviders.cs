namespace HybridTrading.Api.Identity.Provider;

/// <summary>The provider of this installation, if it has one.</summary>
public sealed class ExternalProviders(IdentityOptions options, TimeProvider clock, ILogger<ExternalProvider> log) : IDisposable
{
    public ExternalProvider? Current { get; } = options.Provider is { } provider ? new ExternalProvider(provider, clock, log) : null;

    public void Dispose() => Current?.Dispose();
}
