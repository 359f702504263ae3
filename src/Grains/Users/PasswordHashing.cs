using System.Threading.Channels;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace HybridTrading.Grains.Users;

/// <summary>Too many passwords wait to be checked.</summary>
public sealed class PasswordQueueFullException() : Exception("too many sign-ins at once: try again in a few seconds");

/// <summary>
/// Hashes passwords (PBKDF2, HMAC-SHA-512, 210,000 iterations, as OWASP advises) on threads of its own, below the priority of everything else, in a queue
/// with a bound: a storm of sign-ins waits for itself and takes nothing from orders. Thread-safe.
/// </summary>
public sealed class PasswordHashing : IDisposable
{
    /// <summary>Attempts that wait; more are refused.</summary>
    public const int MostWaiting = 200;

    private readonly PasswordHasher<string> _hasher;
    private readonly Channel<Action> _queue = Channel.CreateBounded<Action>(MostWaiting);
    private readonly Lazy<string> _nobodys;

    /// <param name="iterations">Of the hash; fewer only where a test needs many.</param>
    /// <param name="threads">Null for half of the machine's processors.</param>
    public PasswordHashing(int iterations = 210_000, int? threads = null)
    {
        _hasher = new PasswordHasher<string>(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
        _nobodys = new Lazy<string>(() => _hasher.HashPassword("", "nobody has this password"));
        for (int i = 0; i < (threads ?? Math.Max(1, Environment.ProcessorCount / 2)); i++)
        {
            new Thread(Work) { IsBackground = true, Priority = ThreadPriority.BelowNormal, Name = "password hashing" }.Start();
        }
    }

    /// <exception cref="PasswordQueueFullException">The queue is full.</exception>
    public Task<string> HashAsync(string password) => RunAsync(() => _hasher.HashPassword("", password));

    /// <param name="hash">Null for a user that there is not: it takes as long, and is never right.</param>
    /// <exception cref="PasswordQueueFullException">The queue is full.</exception>
    public Task<bool> VerifyAsync(string? hash, string password) => RunAsync(() =>
        _hasher.VerifyHashedPassword("", hash ?? _nobodys.Value, password) != PasswordVerificationResult.Failed && hash is not null);

    public void Dispose() => _queue.Writer.TryComplete();

    private Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool queued = _queue.Writer.TryWrite(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return queued ? done.Task : Task.FromException<T>(new PasswordQueueFullException());
    }

    private void Work()
    {
        ChannelReader<Action> queue = _queue.Reader;
        while (queue.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (queue.TryRead(out Action? work)) work();
        }
    }
}
