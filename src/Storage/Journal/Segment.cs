namespace HybridTrading.Storage.Journal;

/// <summary>A segment file as the journal knows it in memory. What is durable of it grows under the journal's lock.</summary>
internal sealed class Segment(string path, long firstPosition)
{
    /// <summary>Every how many records a seek point is kept.</summary>
    public const int SeekInterval = 256;

    public string Path => path;
    public long FirstPosition => firstPosition;

    /// <summary>Count of records that count.</summary>
    public long Count { get; set; }

    /// <summary>Length of the file up to the end of the last record that counts.</summary>
    public long Length { get; set; } = SegmentFormat.HeaderSize;

    /// <summary>Offsets of the records 0, 256, 512, ... of this segment.</summary>
    public List<uint> SeekPoints { get; init; } = [];

    public void Add(long offset, int size)
    {
        if (Count % SeekInterval == 0) SeekPoints.Add(checked((uint)offset));
        Count++;
        Length = offset + size;
    }
}

/// <summary>The records of one stream in one full segment; their offsets lie in the segment's index file.</summary>
internal readonly record struct SealedPart(Segment Segment, long FirstVersion, int Count, long ListAt);

/// <summary>Where a stream's records are.</summary>
internal sealed class StreamState(string name)
{
    public string Name => name;

    /// <summary>Version after all appends that were accepted, durable or not.</summary>
    public long Version { get; set; }

    /// <summary>Version after the last durable append.</summary>
    public long DurableVersion { get; set; }

    public List<SealedPart> Sealed { get; } = [];

    /// <summary>Offsets in the segment that is being written.</summary>
    public List<uint> Recent { get; } = [];

    public long RecentFirstVersion => DurableVersion - Recent.Count + 1;

    public void Add(long offset)
    {
        Recent.Add(checked((uint)offset));
        DurableVersion++;
    }

    public void Seal(in SealedPart part)
    {
        Sealed.Add(part);
        Recent.Clear();
        Recent.TrimExcess();
    }
}
