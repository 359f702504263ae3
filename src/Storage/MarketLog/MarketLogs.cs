using System.Collections.Concurrent;
using HybridTrading.Storage.Backup;

namespace HybridTrading.Storage.MarketLog;

/// <summary>The market logs of a data folder, one a feed, opened when first asked for and closed together.</summary>
public sealed class MarketLogs(DataFolder folder, MarketLogOptions options, TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<SegmentMarketLog>> _logs = new(StringComparer.Ordinal);

    /// <param name="feed">1 to 64 of a-z, A-Z, 0-9, '.', '_', '-'.</param>
    /// <exception cref="ArgumentException">Not a name of a feed.</exception>
    /// <exception cref="StorageException">The log cannot be opened; asking again tries again.</exception>
    public SegmentMarketLog Get(string feed)
    {
        string path = folder.Feed(feed);
        Lazy<SegmentMarketLog> log = _logs.GetOrAdd(feed, _ => new Lazy<SegmentMarketLog>(() => SegmentMarketLog.Open(path, options, time)));
        try
        {
            return log.Value;
        }
        catch (StorageException)
        {
            _logs.TryRemove(new KeyValuePair<string, Lazy<SegmentMarketLog>>(feed, log));
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Lazy<SegmentMarketLog> log in _logs.Values)
        {
            if (log.IsValueCreated) await log.Value.DisposeAsync().ConfigureAwait(false);
        }
    }
}
