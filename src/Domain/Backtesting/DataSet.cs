using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Backtesting;

/// <summary>Past data of one instrument that a person keeps for runs: what the file was when it was taken in, and how it is read again.</summary>
/// <param name="Id">Also the id of its content.</param>
/// <param name="Name">As its owner calls it.</param>
/// <param name="FileName">The file's own name, which says something of its layout.</param>
/// <param name="From">Begin of its first item, UTC.</param>
/// <param name="To">Time of its last event, UTC.</param>
/// <param name="Count">Quotes or bars.</param>
/// <param name="Bytes">Of the file.</param>
/// <param name="Quality">What the reader dropped.</param>
/// <param name="Sha256">Of the file, in lower-case hex; empty for the market's own.</param>
/// <param name="TimeZone">IANA zone of times without one; null as the reader takes them.</param>
/// <param name="SpreadPoints">Points of the instrument as the catalogue has it; null as the file says.</param>
/// <param name="Columns">A table's columns; null where its header says them.</param>
[GenerateSerializer, Immutable, Alias("ht.DataSet")]
public sealed record DataSet(
    string Id, string Name, string FileName, Instrument Instrument, TimeFrame TimeFrame, DateTime From, DateTime To, long Count, long Bytes,
    FeedQuality Quality, DateTime AddedAt, string Sha256, string? TimeZone = null, long? SpreadPoints = null, string? Columns = null);

/// <summary>Reads the data sets that persons have uploaded. Thread-safe.</summary>
public interface IDataSetReader
{
    /// <exception cref="InvalidDataException">Its content is gone, or is not what it was; the message is for its owner.</exception>
    /// <exception cref="IOException">The store refused.</exception>
    Task<MarketSeries> ReadAsync(StreamOwner owner, DataSet set, CancellationToken cancellation = default);
}
