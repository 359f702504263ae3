namespace HybridTrading.Storage.Keys;

/// <summary>
/// Keeps the data keys of persons and tenants. Destroying a subject's keys makes all that was encrypted with them unreadable for good,
/// in every copy and backup of the journal, while hashes and proofs stay valid. Thread-safe; a provider caches what it hands out,
/// since every append asks.
/// </summary>
public interface IKeyProvider
{
    /// <summary>The key that encrypts what is written now. A subject without one gets one, durable before this returns.</summary>
    /// <exception cref="SubjectErasedException">The subject's key was destroyed: nothing more is written for it.</exception>
    /// <exception cref="StorageException">The key cannot be read or made.</exception>
    SubjectKey GetOrCreate(string subject);

    /// <returns>Null when the key was destroyed.</returns>
    /// <exception cref="StorageException">The key is missing without having been destroyed, or cannot be read.</exception>
    SubjectKey? Find(string subject, int number);

    /// <summary>How many keys have been destroyed so far; never falls.</summary>
    int DestroyedKeys();

    /// <summary>Destroys every key of a subject, durably and for good: it never gets another, also where it had none yet.</summary>
    void Destroy(string subject);
}

/// <summary>The subject was erased: its keys are destroyed, and it never gets another.</summary>
public sealed class SubjectErasedException(string subject)
    : StorageException($"{subject} was erased: its keys are destroyed, and nothing more is written for it");
