using HybridTrading.Domain.Journal;

namespace HybridTrading.Domain.Configuration;

/// <summary>
/// Seals secrets with their owner's key. A secret is a text that must stay unreadable also where the rest of an event may be read: in the
/// owner's own view of the journal, an export, a log. Whoever needs it opens it at the moment of use.
/// </summary>
public interface ISecretBox
{
    /// <param name="purpose">What it is for; it opens for that alone.</param>
    string Seal(StreamOwner owner, string purpose, string secret);

    /// <returns>Null where the owner's key was destroyed.</returns>
    /// <exception cref="InvalidDataException">It was not sealed for this owner and purpose, or has been changed.</exception>
    string? Open(StreamOwner owner, string purpose, string sealedText);
}
