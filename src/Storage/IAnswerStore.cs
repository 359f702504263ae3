namespace HybridTrading.Storage;

/// <summary>An answer as it was given, to be given again.</summary>
/// <param name="BodyHash">SHA-256 of the request's body.</param>
public sealed record StoredAnswer(byte[] BodyHash, int Status, ImmutableDictionary<string, string> Headers, byte[] Body);

/// <summary>
/// Answers to mutations by caller, method, path and Idempotency-Key, shared by all processes that answer. What was begun and not stored before a crash
/// is executed again, which does nothing twice: the ids that the trade goes by are made of the key.
/// </summary>
public interface IAnswerStore
{
    /// <exception cref="StorageException">The database is away.</exception>
    Task<StoredAnswer?> FindAsync(string scope, CancellationToken cancellation = default);

    /// <summary>Completes when the answer is durable; until then it must not be given.</summary>
    /// <exception cref="StorageException">The database refused.</exception>
    Task StoreAsync(string scope, StoredAnswer answer, CancellationToken cancellation = default);

    /// <summary>Forgets the answers to these callers, and those to anybody that hold one of these texts.</summary>
    /// <param name="callers">What scopes begin with, up to the first blank.</param>
    /// <param name="texts">UTF-8, as they stand in bodies.</param>
    /// <exception cref="StorageException">The database refused.</exception>
    Task ForgetAsync(ImmutableArray<string> callers, ImmutableArray<byte[]> texts, CancellationToken cancellation = default);
}
