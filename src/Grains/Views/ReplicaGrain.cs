using HybridTrading.Grains.Telemetry;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Views;

/// <summary>
/// A copy of another grain's view on every silo that reads it, so that the readers of one hot key do not queue at one grain. It follows its source by long
/// poll. What it answers is at most <see cref="MaxAge"/> behind; when its source has been silent for longer it asks before it answers, and fails as its
/// source does. Classes are marked <c>[StatelessWorker(1, removeIdleWorkers: false)]</c>.
/// </summary>
public abstract partial class ReplicaGrain<TView>(TimeProvider clock, ILogger log) : Grain
{
    /// <summary>More than the longest poll, so that a source that answers is never asked twice.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(3);

    /// <summary>Between two polls: a source that changes a thousand times a second is copied a hundred times.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _gone = new();
    private Versioned<TView>? _latest;
    private Task<TView>? _asking;
    private long _heard;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _ = FollowAsync();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // Ends the poll at the source, too.
        _gone.Cancel();
        return Task.CompletedTask;
    }

    /// <summary>Asks the source for its view: at once when it is another than the known one, else when it changes or after a bounded wait.</summary>
    protected abstract Task<Versioned<TView>> AskAsync(ViewVersion known, CancellationToken cancellation);

    protected Task<TView> ReadAsync()
    {
        if (_latest is { } latest && clock.GetElapsedTime(_heard) <= MaxAge) return Task.FromResult(latest.View);
        // All who read meanwhile wait for the one answer.
        return _asking is { IsCompleted: false } asking ? asking : _asking = AskNowAsync();
    }

    private async Task<TView> AskNowAsync()
    {
        Take(await AskAsync(default, _gone.Token));
        return _latest!.View;
    }

    private async Task FollowAsync()
    {
        // It outlives the call that woke the grain, and is no part of that call's trace.
        GrainTracing.Leave();
        while (!_gone.IsCancellationRequested)
        {
            try
            {
                Take(await AskAsync(_latest?.Version ?? default, _gone.Token));
                await Task.Delay(Pace, clock, _gone.Token);
            }
            catch (OperationCanceledException) when (_gone.IsCancellationRequested)
            {
            }
            catch (Exception failed)
            {
                // Readers ask the source themselves by then, and get its own word.
                LogBehind(failed, this.GetPrimaryKeyString());
                await Task.Delay(PauseAfterFailure, clock, _gone.Token).ConfigureAwait(
                    ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Take(Versioned<TView> answer)
    {
        _heard = clock.GetTimestamp();
        // Two questions may be under way at once.
        if (_latest?.Version.IsAfter(answer.Version) != true) _latest = answer;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "the replica of {Key} could not follow its source")]
    private partial void LogBehind(Exception exception, string key);
}
