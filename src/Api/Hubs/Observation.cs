namespace HybridTrading.Api.Hubs;

/// <summary>
/// One observer that this process has in a grain, and what it has heard. The board keeps it alive (the runtime holds observers weakly). Views are
/// handed on one after the other; of those that come meanwhile only the latest is.
/// </summary>
/// <param name="key">Of the grain.</param>
/// <param name="show">Takes the view that was handed on before, null at first, and the one of now.</param>
public abstract class Observation<TView>(string key, Func<TView?, TView, Task> show, TimeProvider clock) where TView : class
{
    /// <summary>A grain that has something to tell and is silent for so long may have died and live elsewhere, where nobody observes it.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    /// <summary>How long the push of something that is known to have happened may take.</summary>
    public static readonly TimeSpan Overdue = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<TView?>? _renewal;
    private TView? _view, _shown;
    private bool _showing, _failed;
    private long _attempted, _heard, _missedSince;
    private long? _missed;

    public string Key => key;

    /// <summary>The latest view; null before the first.</summary>
    public TView? View
    {
        get
        {
            lock (_gate) return _view;
        }
    }

    /// <summary>When somebody last looked, by the clock's timestamp.</summary>
    public long Wanted { get; set; } = clock.GetTimestamp();

    /// <summary>Tells the grain that this process looks no more.</summary>
    public abstract Task LeaveAsync();

    /// <summary>Makes the grain show itself to this observer.</summary>
    /// <returns>How it stands now; null when there is no such thing.</returns>
    protected abstract Task<TView?> ObserveAsync();

    /// <summary>Is it to be shown in place of the known one?</summary>
    protected abstract bool IsNews(TView view, TView known);

    /// <summary>Does it change all the time, so that silence means something?</summary>
    protected abstract bool IsLively(TView view);

    /// <summary>Where a view stands in its grain's own count of events, for <see cref="Expect"/>.</summary>
    protected abstract long VersionOf(TView view);

    /// <summary>Observes, or says that it still does; those who ask at the same time share the answer, which is shown like every other view.</summary>
    public Task<TView?> RenewAsync()
    {
        lock (_gate) return _renewal is { IsCompleted: false } running ? running : _renewal = Task.Run(RenewOnceAsync);
    }

    /// <summary>It is known to have come to this version: if it does not show that soon, it has forgotten this observer.</summary>
    public void Expect(long version)
    {
        lock (_gate)
        {
            if (_view is null || VersionOf(_view) >= version) return;
            if (_missed is null) _missedSince = clock.GetTimestamp();
            _missed = version;
        }
    }

    /// <summary>Is it time to observe anew: by the calendar, or because something was not heard?</summary>
    public bool IsDue()
    {
        lock (_gate)
        {
            if (_renewal is { IsCompleted: false }) return false;
            TimeSpan since = clock.GetElapsedTime(_attempted);
            if (_renewal is null || _failed) return since >= PauseAfterFailure;
            return since >= Grains.Views.Observing.Renewal
                || _missed is not null && since >= Overdue && clock.GetElapsedTime(_missedSince) >= Overdue
                || _view is not null && IsLively(_view) && clock.GetElapsedTime(_heard) >= Silence;
        }
    }

    protected void Hear(TView view)
    {
        lock (_gate)
        {
            _heard = clock.GetTimestamp();
            if (_missed <= VersionOf(view)) _missed = null;
            if (_view is not null && !IsNews(view, _view)) return;
            _view = view;
            if (_showing) return;
            _showing = true;
        }
        _ = ShowAsync();
    }

    private async Task<TView?> RenewOnceAsync()
    {
        lock (_gate) _attempted = clock.GetTimestamp();
        try
        {
            TView? view = await ObserveAsync();
            if (view is not null) Hear(view);
            lock (_gate) (_failed, _missed) = (false, null);
            return view;
        }
        catch
        {
            lock (_gate) _failed = true;
            throw;
        }
    }

    private async Task ShowAsync()
    {
        while (true)
        {
            TView? before;
            TView now;
            lock (_gate)
            {
                if (ReferenceEquals(_shown, _view))
                {
                    _showing = false;
                    return;
                }
                before = _shown;
                now = _shown = _view!;
            }
            await show(before, now);
        }
    }
}
