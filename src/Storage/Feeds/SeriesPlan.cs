using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>One series to be read: its files in order of time, all of one symbol, time frame and kind.</summary>
internal sealed class SeriesPlan
{
    private readonly ImmutableArray<(string Path, FeedFormat Format)> _all;

    public SeriesPlan(ImmutableArray<(string Path, FeedFormat Format)> files, FeedOptions options)
    {
        _all = files;
        Options = options;
        Files = files.RemoveAll(file => IsOutside(file.Format));
        FeedFormat first = files[0].Format;
        Origin = options.Instrument ?? InstrumentCatalog.GetOrDefault(first.Symbol, assetClass: first.AssetClass);
    }

    /// <summary>Without those that hold nothing of the period asked for.</summary>
    public ImmutableArray<(string Path, FeedFormat Format)> Files { get; }

    public FeedOptions Options { get; }

    /// <summary>The instrument as it is known; prices may need more digits.</summary>
    public Instrument Origin { get; }

    /// <summary>Parses the files.</summary>
    /// <param name="store">Makes a place for the rows; called again where the reading starts again with more digits.</param>
    /// <exception cref="FeedException">One line naming file, line, column, value and expectation.</exception>
    public (TStore Rows, ParsedSeries Parsed) Read<TStore>(Func<TStore> store) where TStore : IRowStore
    {
        Instrument instrument = Origin;
        while (true)
        {
            try
            {
                TStore rows = store();
                return (rows, Read(rows, instrument));
            }
            catch (FinerPricesException finer)
            {
                instrument = Origin.WithDigits(finer.Decimals);
            }
        }
    }

    private ParsedSeries Read(IRowStore store, Instrument instrument)
    {
        // A spread is given in points of the instrument as it is known; prices may need finer ones.
        long pointFactor = (long)(instrument.PointsPerUnit / Origin.PointsPerUnit);
        FeedOptions scaled = Options with { SpreadPoints = Options.SpreadPoints * pointFactor };
        SeriesBuilder? builder = null;
        var sources = ImmutableArray.CreateBuilder<SourceFile>();
        foreach ((string path, FeedFormat format) in Files)
        {
            using FeedFile file = FeedFile.Open(path);
            FeedQuality before = builder?.Quality ?? default;
            string sha256 = file.Read(chunks =>
            {
                if (format.Kind == FeedKind.Lean)
                {
                    builder ??= new SeriesBuilder(instrument, TimeFrameOf(format, path), scaled, store);
                    return new LeanFeed(file.DisplayName, format, builder);
                }
                var table = new TableFeed(file.DisplayName, chunks.Current, format.Kind, Options.Columns);
                builder ??= new SeriesBuilder(instrument, TimeFrameOf(table, chunks.Current, format, path), scaled, store);
                return table.Into(builder, pointFactor);
            });
            sources.Add(new SourceFile(path, sha256));
            CheckOrder(file, before, builder!.Quality);
        }
        if (builder is null || builder.Quality.Accepted == 0)
        {
            string period = Options.From is null && Options.To is null ? "" : $" from {Options.From:u} to {Options.To:u}";
            throw new FeedException($"{_all[0].Path}: no rows{period}");
        }
        if (builder.Quality.Accepted > int.MaxValue)
        {
            throw new FeedException($"{_all[0].Path}: {builder.Quality.Accepted:N0} rows, expected at most {int.MaxValue:N0}; take a shorter period");
        }
        builder.Flush();
        return new ParsedSeries(instrument, builder.TimeFrame, builder.Quality, sources.ToImmutable());
    }

    private static void CheckOrder(FeedFile file, FeedQuality before, FeedQuality after)
    {
        long received = after.Received - before.Received;
        long late = after.Late - before.Late;
        if (late * 2 > received && late > 1)
        {
            throw new FeedException($"{file.DisplayName}: {late} of {received} rows go back in time, expected the oldest first");
        }
    }

    private static TimeFrame TimeFrameOf(TableFeed table, ReadOnlySpan<byte> lines, FeedFormat format, string path)
    {
        if (!table.HasBars) return TimeFrame.Tick;
        return format.TimeFrame is { IsTick: false } named ? named : table.InferTimeFrame(lines) ?? TimeFrameOf(null, path);
    }

    private static TimeFrame TimeFrameOf(FeedFormat? format, string path) => format?.TimeFrame
        ?? throw new FeedException($"{path}: neither name nor content says the time frame; give it with --timeframe");

    private bool IsOutside(FeedFormat format)
    {
        // A day of margin on either side covers any time zone.
        if (format.Date is not { } date) return false;
        var day = date.ToDateTime(default, DateTimeKind.Utc);
        return (Options.From is { } from && day.AddDays(2) <= from) || (Options.To is { } to && day.AddDays(-1) >= to);
    }
}
