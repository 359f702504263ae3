namespace HybridTrading.Api.Identity.Provider;

/// <summary>
/// A document of another service, fetched when it is needed and kept: for as long as it is fresh without asking, and for as long as the service cannot be
/// asked. Asked is once at a time, and not again before the floor has passed, whatever came of it. Thread-safe.
/// </summary>
/// <param name="fresh">How long nobody asks for another.</param>
/// <param name="floor">The least time between two fetches.</param>
/// <param name="failed">Told of each fetch that failed.</param>
internal sealed class KeptDocument<T>(Func<CancellationToken, Task<T>> fetch, TimeSpan fresh, TimeSpan floor, TimeProvider clock, Action<Exception> failed)
    where T : class
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile Kept? _kept;
    private DateTimeOffset _tried = DateTimeOffset.MinValue;

    private sealed record Kept(T Document, DateTimeOffset Fetched);

    /// <summary>Null where it could not be had so far.</summary>
    public async Task<T?> GetAsync(CancellationToken cancellation)
    {
        if (_kept is not { } kept) return await FetchAsync(cancellation);
        // While one asks for another the old one does for the rest.
        return clock.GetUtcNow() - kept.Fetched < fresh || _gate.CurrentCount == 0 ? kept.Document : await FetchAsync(cancellation);
    }

    /// <summary>A newer one, if the floor has passed; else the one there is.</summary>
    public Task<T?> NewerAsync(CancellationToken cancellation) => FetchAsync(cancellation);

    private async Task<T?> FetchAsync(CancellationToken cancellation)
    {
        Kept? before = _kept;
        await _gate.WaitAsync(cancellation);
        try
        {
            DateTimeOffset now = clock.GetUtcNow();
            bool isTooSoon = _tried <= now && now - _tried < floor;
            // Else somebody has done it meanwhile, or it was tried just now.
            if (ReferenceEquals(_kept, before) && !isTooSoon)
            {
                _tried = now;
                _kept = new Kept(await fetch(cancellation), now);
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            failed(failure);
        }
        finally
        {
            _gate.Release();
        }
        return _kept?.Document;
    }
}
