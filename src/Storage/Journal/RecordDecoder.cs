using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>Decrypts records. Texts that come again and again (streams, names, tenants) are kept once. For one reader at a time.</summary>
internal sealed class RecordDecoder(IKeyProvider keys)
{
    private readonly string?[] _texts = new string?[512];
    private string _subject = "";
    private int _number;
    private SubjectKey? _key;

    /// <exception cref="RecordFormatException">Not a record, or its authentication tag does not match.</exception>
    public RecordedEvent Decode(long position, ReadOnlySpan<byte> record)
    {
        RecordView view = RecordCodec.Parse(record);
        string subject = Text(view.Subject);
        SubjectKey? key = Key(subject, view.KeyNumber);
        byte[] payload = [];
        if (key is not null)
        {
            payload = GC.AllocateUninitializedArray<byte>(view.Ciphertext.Length);
            try
            {
                key.Decrypt(view.Nonce, view.Ciphertext, view.Tag, payload, view.Header);
            }
            catch (AuthenticationTagMismatchException)
            {
                throw new RecordFormatException("the authentication tag does not match: the record is not what was written");
            }
            catch (ObjectDisposedException)
            {
                key = null;
                payload = [];
            }
        }
        return new RecordedEvent(
            position, Text(view.Stream), view.Version, Text(view.Name), view.Schema, new DateTime(view.Ticks, DateTimeKind.Utc),
            Encoding.UTF8.GetString(view.Causation), Text(view.Tenant), subject, payload, Erased: key is null);
    }

    private SubjectKey? Key(string subject, int number)
    {
        // Neighbours mostly belong to one subject; a key destroyed since shows itself when it is used.
        if (_key is null || number != _number || !ReferenceEquals(subject, _subject))
        {
            _key = keys.Find(subject, number);
            _subject = subject;
            _number = number;
        }
        return _key;
    }

    private string Text(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty) return "";
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref string? slot = ref _texts[(uint)hash.ToHashCode() % (uint)_texts.Length];
        if (slot is not null && Same(slot, utf8)) return slot;
        return slot = Encoding.UTF8.GetString(utf8);
    }

    private static bool Same(string text, ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > 3 * text.Length) return false;
        Span<byte> bytes = stackalloc byte[3 * Math.Min(text.Length, RecordCodec.MaxText)];
        return text.Length <= RecordCodec.MaxText && utf8.SequenceEqual(bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
    }
}
