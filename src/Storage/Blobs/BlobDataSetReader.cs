using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Feeds;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Blobs;

/// <summary>
/// Reads data sets by the reader of feeds, which wants a file: a content is decrypted into a folder of its own while it is read, and the folder is removed.
/// The last ones read are kept in memory, since runs come in rows.
/// </summary>
public sealed class BlobDataSetReader : IDataSetReader
{
    private const long MostKeptItems = 4_000_000;

    private readonly IBlobStore _blobs;
    private readonly string _work;
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Key, MarketSeries Series)> _kept = [];

    /// <param name="work">A folder of its own: what is there was left by a process that is gone, and is removed.</param>
    public BlobDataSetReader(IBlobStore blobs, string work)
    {
        (_blobs, _work) = (blobs, work);
        if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
    }

    /// <summary>A place for one file that is gone when it is disposed of.</summary>
    public WorkFile NewFile(string fileName) => new(_work, fileName);

    public async Task<MarketSeries> ReadAsync(StreamOwner owner, DataSet set, CancellationToken cancellation = default)
    {
        string key = $"{owner.Subject}/{set.Id}";
        if (Find(key) is { } known) return known;
        using WorkFile file = NewFile(set.FileName);
        await using (Stream? content = await _blobs.OpenAsync(owner, set.Id, cancellation).ConfigureAwait(false))
        {
            if (content is null) throw new InvalidDataException($"data set '{set.Name}' ({set.Id}) is not there any more");
            await using var plain = new FileStream(file.Path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            await content.CopyToAsync(plain, cancellation).ConfigureAwait(false);
        }
        MarketSeries series = Read(file, set.Instrument.Symbol, set.TimeFrame, set.TimeZone, set.SpreadPoints, set.Columns);
        if (series.TimeFrame != set.TimeFrame || series.Count != set.Count) throw new InvalidDataException($"data set '{set.Name}' ({set.Id}) is not what was uploaded; upload it again");
        Keep(key, series);
        return series;
    }

    /// <summary>Reads a file as a data set is read.</summary>
    /// <exception cref="InvalidDataException">It is none; the message is the reader's own, in one line, for who uploaded it.</exception>
    public static MarketSeries Read(WorkFile file, string? symbol, TimeFrame? timeFrame, string? timeZone, long? spreadPoints, string? columns)
    {
        try
        {
            return FeedReader.Read(file.Path, new FeedOptions
            {
                Symbol = symbol, TimeFrame = timeFrame, TimeZone = timeZone, SpreadPoints = spreadPoints,
                Columns = columns is null ? null : FeedColumns.Parse(columns),
            });
        }
        catch (Exception wrong) when (wrong is FeedException or FormatException)
        {
            throw new InvalidDataException(wrong.Message.Replace(file.Path, file.Name, StringComparison.Ordinal)
                .Replace("--symbol", "symbol", StringComparison.Ordinal).Replace("--timeframe", "timeFrame", StringComparison.Ordinal), wrong);
        }
    }

    private MarketSeries? Find(string key)
    {
        lock (_gate)
        {
            for (LinkedListNode<(string Key, MarketSeries Series)>? node = _kept.First; node is not null; node = node.Next)
            {
                if (node.Value.Key != key) continue;
                _kept.Remove(node);
                _kept.AddFirst(node);
                return node.Value.Series;
            }
            return null;
        }
    }

    private void Keep(string key, MarketSeries series)
    {
        lock (_gate)
        {
            if (series.Count > MostKeptItems || _kept.Any(each => each.Key == key)) return;
            _kept.AddFirst((key, series));
            while (_kept.Sum(each => (long)each.Series.Count) > MostKeptItems) _kept.RemoveLast();
        }
    }
}

/// <summary>A file that lies open for as long as it is worked on, in a folder of its own so that it can have its own name.</summary>
public sealed class WorkFile : IDisposable
{
    private readonly string _folder;

    internal WorkFile(string work, string fileName)
    {
        Name = fileName;
        _folder = System.IO.Path.Combine(work, Guid.NewGuid().ToString("N"));
        new FileDoor().CreateFolder(_folder);
    }

    public string Name { get; }

    public string Path => System.IO.Path.Combine(_folder, Name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
