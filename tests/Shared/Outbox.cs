using System.Text;

namespace HybridTrading.Tests;

/// <summary>Reads mails that were written to a folder.</summary>
internal static class Outbox
{
    /// <summary>What the newest mail to an address holds in its link to a page.</summary>
    public static string Link(string folder, string email, string page)
    {
        foreach (FileInfo file in new DirectoryInfo(folder).GetFiles("*.eml").OrderByDescending(file => file.LastWriteTimeUtc))
        {
            string text = File.ReadAllText(file.FullName);
            if (!text.Contains(email, StringComparison.OrdinalIgnoreCase)) continue;
            string plain = Decode(text);
            int start = plain.IndexOf($"/#/{page}/", StringComparison.Ordinal);
            if (start < 0) continue;
            start += page.Length + 4;
            int end = plain.AsSpan(start).IndexOfAny(" \r\n");
            return plain[start..(end < 0 ? plain.Length : start + end)];
        }
        throw new InvalidOperationException($"no mail to {email} has a link to {page}");
    }

    /// <summary>What the mails to an address say, the oldest first.</summary>
    public static string[] To(string folder, string email) => !Directory.Exists(folder) ? [] :
        [.. new DirectoryInfo(folder).GetFiles("*.eml").OrderBy(file => file.LastWriteTimeUtc).Select(file => File.ReadAllText(file.FullName))
            .Where(text => text.Contains($"To: {email}", StringComparison.OrdinalIgnoreCase)).Select(Decode)];

    /// <summary>The body of a mail, whichever way it is encoded.</summary>
    private static string Decode(string mail)
    {
        int body = mail.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        if (mail.Contains("base64", StringComparison.OrdinalIgnoreCase))
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(string.Concat(mail[body..].Where(c => !char.IsWhiteSpace(c)))));
        }
        return mail[body..].Replace("=\r\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
    }
}
