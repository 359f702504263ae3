using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Storage.Feeds;

/// <summary>A CSV on disk, plain or the only one in a zip.</summary>
internal sealed class FeedFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly ZipArchive? _archive;
    private readonly ZipArchiveEntry? _entry;

    private FeedFile(string path, FileStream stream, ZipArchive? archive, ZipArchiveEntry? entry)
    {
        Path = path;
        _stream = stream;
        _archive = archive;
        _entry = entry;
    }

    public string Path { get; }

    /// <summary>Name of the CSV itself.</summary>
    public string EntryName => _entry?.Name ?? System.IO.Path.GetFileName(Path);

    /// <summary>As messages name it.</summary>
    public string DisplayName => _entry is null || _entry.Name == System.IO.Path.ChangeExtension(System.IO.Path.GetFileName(Path), ".csv")
        ? Path
        : $"{Path}!{_entry.FullName}";

    /// <exception cref="FeedException">Missing, unreadable, a damaged zip, or not exactly one CSV in it.</exception>
    public static FeedFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FeedException($"{path}: cannot be opened: {exception.Message}", exception);
        }
        try
        {
            if (!IsZip(stream)) return new FeedFile(path, stream, null, null);
            var archive = new ZipArchive(stream, ZipArchiveMode.Read);
            ZipArchiveEntry[] tables = [.. archive.Entries.Where(entry => HasTableName(entry.Name))];
            return tables.Length == 1
                ? new FeedFile(path, stream, archive, tables[0])
                : throw new FeedException($"{path}: the zip holds {tables.Length} csv files, expected exactly one");
        }
        catch (InvalidDataException exception)
        {
            stream.Dispose();
            throw new FeedException($"{path}: not a readable zip: {exception.Message}", exception);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public static bool HasTableName(string name) =>
        name.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase);

    /// <summary>The first line that is not empty.</summary>
    /// <exception cref="FeedException">There is none, or the zip is damaged.</exception>
    public string FirstLine()
    {
        byte[] head = new byte[4096];
        try
        {
            using Stream content = OpenContent();
            int read = content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            string text = Encoding.UTF8.GetString(head, 0, read).TrimStart('\uFEFF');
            return text.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0)
                ?? throw new FeedException($"{DisplayName}: empty, expected rows of market data");
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(exception);
        }
    }

    /// <summary>SHA-256 of the file as it lies on disk, in lower-case hex.</summary>
    public string Sha256()
    {
        try
        {
            _stream.Position = 0;
            return Convert.ToHexStringLower(SHA256.HashData(_stream));
        }
        catch (IOException exception)
        {
            throw Unreadable(exception);
        }
    }

    /// <summary>Reads the whole CSV in pieces.</summary>
    /// <param name="parser">Makes what takes the pieces, given the first of them.</param>
    /// <returns>SHA-256 of the file as it lies on disk, in lower-case hex: of the very bytes that were read.</returns>
    /// <exception cref="FeedException">It cannot be read, is a damaged zip, or the parser refuses it.</exception>
    public string Read(Func<LineChunks, IRowParser> parser)
    {
        try
        {
            using IncrementalHash? hash = _entry is null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
            using Stream content = _entry is null ? OpenContent() : new CheckedEntry(_entry.Open(), _entry.Length, _entry.Crc32);
            using var chunks = new LineChunks(content, DisplayName, hash);
            IRowParser? rows = null;
            while (chunks.Next())
            {
                rows ??= parser(chunks);
                rows.Read(chunks.Current, chunks.FirstLine);
            }
            // A file of nothing has no columns either.
            if (rows is null) parser(chunks);
            return hash is null ? Sha256() : Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(exception);
        }
        catch (IOException exception)
        {
            throw Unreadable(exception);
        }
    }

    public void Dispose()
    {
        _archive?.Dispose();
        _stream.Dispose();
    }

    private Stream OpenContent()
    {
        if (_entry is not null) return _entry.Open();
        return new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read);
    }

    private FeedException Damaged(InvalidDataException exception) => new($"{DisplayName}: not a readable zip: {exception.Message}", exception);

    private FeedException Unreadable(IOException exception) => new($"{DisplayName}: cannot be read: {exception.Message}", exception);

    private static bool IsZip(FileStream stream)
    {
        Span<byte> magic = stackalloc byte[4];
        int read = stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false);
        stream.Position = 0;
        return read == 4 && magic.SequenceEqual("PK\u0003\u0004"u8)
            || stream.Name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);
    }
}
