namespace HybridTrading.Grains.Views;

/// <summary>
/// What a grain shows of itself, in numbered versions, and those who wait for the next one: the source's side of a long poll. For use inside one grain,
/// by a method that interleaves.
/// </summary>
/// <param name="view">Makes the view of now.</param>
/// <param name="stopping">The host is on its way out: nobody waits any longer.</param>
public sealed class ViewSource<TView>(Func<TView> view, TimeProvider clock, CancellationToken stopping)
{
    /// <summary>The longest wait. A grain leaves only when every request has ended, so those who wait hold it up by this at most.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly Guid _activation = Guid.NewGuid();
    private TaskCompletionSource? _next;
    private long _number;
    private bool _ended;

    public ViewVersion Version => new(_activation, _number);

    public Versioned<TView> Current => new(Version, view());

    /// <summary>The view is another one: who waits is answered after this turn.</summary>
    public void Change()
    {
        _number++;
        TaskCompletionSource? waiting = _next;
        _next = null;
        waiting?.SetResult();
    }

    /// <summary>The grain leaves: who waits is answered with what there is, and nobody waits again.</summary>
    public void End()
    {
        _ended = true;
        _next?.TrySetResult();
    }

    /// <summary>The view, as soon as it is another than the known one; after <see cref="LongestWait"/> as it is.</summary>
    public async Task<Versioned<TView>> AfterAsync(ViewVersion known, CancellationToken cancellation)
    {
        if (known == Version && !_ended)
        {
            _next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stopping);
            await _next.Task.WaitAsync(LongestWait, clock, either.Token)
                .ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        }
        return Current;
    }
}
