namespace HybridTrading.Grains.Journal;

/// <summary>Runs the state writes of a grain whose methods interleave one after the other; a failed one fails its own caller only.</summary>
public sealed class SerialWriter
{
    private Task _last = Task.CompletedTask;

    public Task RunAsync(Func<Task> write)
    {
        return _last = After(_last);

        async Task After(Task before)
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            await write();
        }
    }
}
