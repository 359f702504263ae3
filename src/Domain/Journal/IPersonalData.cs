namespace HybridTrading.Domain.Journal;

/// <summary>
/// What the storage keeps of persons beside and beyond the events of their streams, and the keys that make those readable: what an erasure works on.
/// Everything can be done again, so an erasure that was cut off begins anew. Thread-safe.
/// </summary>
public interface IPersonalData
{
    /// <summary>How long it takes at most until every process knows that a key was destroyed.</summary>
    TimeSpan Spread { get; }

    /// <summary>Streams of the journal whose key begins with a person (tenant/user), in ordinal order.</summary>
    /// <exception cref="IOException">The store is away.</exception>
    Task<ImmutableArray<string>> StreamsOfAsync(string person, CancellationToken cancellation = default);

    /// <summary>
    /// Destroys the key of a subject, durably and for good: what was encrypted with it is unreadable in every copy, and nothing more is written for it.
    /// </summary>
    /// <exception cref="IOException">The store is away.</exception>
    Task DestroyKeyAsync(string subject, CancellationToken cancellation = default);

    /// <summary>
    /// Removes what is kept of somebody outside of the journal: snapshots, contents, stored answers, mails that were written as files; and sees to it
    /// that no page of a file still holds it.
    /// </summary>
    /// <exception cref="IOException">The store is away.</exception>
    Task RemoveAsync(Remains remains, CancellationToken cancellation = default);
}

/// <summary>By what the remains of a person are found.</summary>
/// <param name="Persons">tenant/user, one for each tenant.</param>
/// <param name="Words">What is theirs wherever it stands: id and addresses. Of others' stored answers and mails those go that hold one.</param>
/// <param name="Names">What they were called: mails go that hold one.</param>
public sealed record Remains(ImmutableArray<string> Persons, ImmutableArray<string> Words, ImmutableArray<string> Names);
