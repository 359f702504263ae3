using System.Security.Cryptography;

namespace HybridTrading.Storage.Postgres;

public sealed record PostgresJournalOptions
{
    /// <summary>The most events of one transaction; an append that has more is written alone. 1 to 10,000.</summary>
    public int BatchEvents { get; init; } = 2000;

    /// <summary>The most bytes of one transaction; an append that has more is written alone.</summary>
    public int BatchBytes { get; init; } = 4 << 20;

    /// <summary>The most that may wait to be written, in bytes. An append beyond it is refused with NotRecordedException and leaves its stream
    /// as it was.</summary>
    public long PendingBytes { get; init; } = 64 << 20;

    /// <summary>How long an append may wait for its transaction before it is refused with NotRecordedException.</summary>
    public TimeSpan AppendTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the database is asked for what no notice told of.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Source of nonces.</summary>
    public Action<byte[], int, int> FillRandom { get; init; } =
        static (bytes, offset, count) => RandomNumberGenerator.Fill(bytes.AsSpan(offset, count));

    internal void Check()
    {
        if (BatchEvents is < 1 or > 10_000) throw new ArgumentException($"BatchEvents is {BatchEvents}; expected 1 to 10000");
        if (BatchBytes < 4096) throw new ArgumentException($"BatchBytes is {BatchBytes}; expected 4096 or more");
        if (PendingBytes < BatchBytes) throw new ArgumentException($"PendingBytes is {PendingBytes}; expected at least BatchBytes, {BatchBytes}");
        if (AppendTimeout <= TimeSpan.Zero) throw new ArgumentException($"AppendTimeout is {AppendTimeout}; expected more than zero");
        if (PollInterval <= TimeSpan.Zero) throw new ArgumentException($"PollInterval is {PollInterval}; expected more than zero");
    }
}
