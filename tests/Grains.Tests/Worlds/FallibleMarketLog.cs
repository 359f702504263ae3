using HybridTrading.Domain.Markets;

namespace HybridTrading.Grains.Tests.Worlds;

/// <summary>How an append ends while the log is in trouble.</summary>
public enum MarketLogTrouble { None, NothingWritten, AnswerLost }

/// <summary>A market log that can be made to fail, before or after it has written.</summary>
public sealed class FallibleMarketLog(IMarketLog log) : IMarketLog
{
    public MarketLogTrouble Trouble { get; set; }

    /// <summary>Appends that ended in a failure.</summary>
    public int Failures { get; private set; }

    public long FirstPosition => log.FirstPosition;

    public long NextPosition => log.NextPosition;

    public async ValueTask<long> AppendAsync(ReadOnlyMemory<MarketEvent> events, CancellationToken cancellation = default)
    {
        MarketLogTrouble trouble = Trouble;
        if (trouble == MarketLogTrouble.NothingWritten)
        {
            Failures++;
            throw new IOException("the disk refuses");
        }
        long first = await log.AppendAsync(events, cancellation);
        if (trouble != MarketLogTrouble.AnswerLost) return first;
        // It was this one that got through; after it nothing does.
        Trouble = MarketLogTrouble.NothingWritten;
        Failures++;
        throw new IOException("the answer was lost");
    }

    public IAsyncEnumerable<MarketEvent> ReadAsync(long fromPosition = 0, CancellationToken cancellation = default) =>
        Trouble == MarketLogTrouble.NothingWritten ? throw new IOException("the disk refuses") : log.ReadAsync(fromPosition, cancellation);
}
