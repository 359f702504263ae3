using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Storage.Erasure;

/// <summary>What is the same for every store: which contents, snapshots, answers and mails are a person's.</summary>
internal static class PersonRemains
{
    /// <summary>Does a stream's key begin with this person? Streams are kind/tenant/user or kind/tenant/user/name.</summary>
    public static bool IsOf(string person, string stream)
    {
        int start = stream.IndexOf('/') + 1;
        return start > 0 && stream.AsSpan(start).StartsWith(person, StringComparison.Ordinal)
            && (stream.Length == start + person.Length || stream[start + person.Length] == '/');
    }

    public static async Task RemoveAsync(
        Remains remains, IPersonalData data, ISnapshotStore snapshots, IBlobStore blobs, IAnswerStore answers, string outbox,
        CancellationToken cancellation)
    {
        foreach (string person in remains.Persons)
        {
            var owner = new StreamOwner(person[..person.IndexOf('/')], person);
            foreach (BlobInfo blob in await blobs.ListAsync(owner, cancellation).ConfigureAwait(false))
            {
                await blobs.DeleteAsync(owner, blob.Id, cancellation).ConfigureAwait(false);
            }
            foreach (string stream in await data.StreamsOfAsync(person, cancellation).ConfigureAwait(false))
            {
                await snapshots.DeleteAsync(stream, cancellation).ConfigureAwait(false);
            }
        }
        await answers.ForgetAsync(remains.Persons, [.. remains.Words.SelectMany(Spellings)], cancellation).ConfigureAwait(false);
        RemoveMails(outbox, [.. remains.Words, .. remains.Names]);
    }

    /// <summary>A text as JSON writes it: as it is, or with what needs no escape escaped.</summary>
    private static IEnumerable<byte[]> Spellings(string text) => new[]
    {
        text, JsonEncodedText.Encode(text).ToString(), JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(),
    }.Distinct(StringComparer.Ordinal).Select(Encoding.UTF8.GetBytes);

    private static void RemoveMails(string outbox, ImmutableArray<string> words)
    {
        if (!Directory.Exists(outbox)) return;
        foreach (string file in Directory.GetFiles(outbox, "*.eml"))
        {
            string mail = MailText.Read(file);
            if (words.Any(word => mail.Contains(word, StringComparison.OrdinalIgnoreCase))) File.Delete(file);
        }
    }
}

/// <summary>All that a mail of one part says, whichever way it is encoded (RFC 2045, RFC 2047).</summary>
internal static class MailText
{
    /// <returns>The mail as it is, and its subject and body in the clear.</returns>
    public static string Read(string file)
    {
        string mail = File.ReadAllText(file, Encoding.Latin1);
        int end = mail.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return mail;
        string head = mail[..end].Replace("\r\n ", "", StringComparison.Ordinal), body = mail[(end + 4)..];
        string plain = Is("base64") ? OfBase64(body)
            : Is("quoted-printable") ? OfQuoted(body.Replace("=\r\n", "", StringComparison.Ordinal))
            : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(body));
        return $"{mail}\n{Words(head)}\n{plain}";

        bool Is(string encoding) => head.Contains($"Content-Transfer-Encoding: {encoding}", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Encoded words: =?utf-8?B?...?= and =?utf-8?Q?...?=, those that follow each other joined.</summary>
    private static string Words(string head)
    {
        var text = new StringBuilder();
        for (int at = 0; (at = head.IndexOf("=?utf-8?", at, StringComparison.OrdinalIgnoreCase)) >= 0;)
        {
            int start = at + "=?utf-8?B?".Length, end = start <= head.Length ? head.IndexOf("?=", start, StringComparison.Ordinal) : -1;
            if (end < 0) break;
            string word = head[start..end];
            text.Append(head[at + "=?utf-8?".Length] is 'B' or 'b' ? OfBase64(word) : OfQuoted(word.Replace('_', ' ')));
            at = end + 2;
        }
        return text.ToString();
    }

    private static string OfBase64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : "";
    }

    private static string OfQuoted(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '=' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, null, out byte one))
            {
                bytes.Add(one);
                i += 2;
            }
            else bytes.Add((byte)text[i]);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
