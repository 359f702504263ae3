using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Benchmarks;

/// <summary>What the workloads share: the data, a folder on the disk that is measured, and how often to run.</summary>
internal sealed class BenchmarkContext : IDisposable
{
    private readonly Lazy<MarketSeries> _hours;
    private readonly Lazy<MarketSeries> _ticks;
    private int _folders;

    public BenchmarkContext(int runs, string? disk, string? data)
    {
        Runs = runs;
        WorkFolder = Path.Combine(Path.GetFullPath(disk ?? AppContext.BaseDirectory), $"benchmark-{Environment.ProcessId}");
        Directory.CreateDirectory(WorkFolder);
        string? folder = data ?? SharedData();
        HourFile = folder is null ? null : Existing(Path.Combine(folder, "mt5-history", "gbpusd_h1.zip"));
        string? tickFolder = folder is null ? null : Existing(Path.Combine(folder, "lean", "forex", "oanda", "tick", "eurusd"));
        _hours = new Lazy<MarketSeries>(() => HourFile is null ? Generated(TimeFrame.H1, "GBPUSD", 57_600) : FeedReader.Read(HourFile, new FeedOptions { Symbol = "GBPUSD" }));
        _ticks = new Lazy<MarketSeries>(() => tickFolder is null ? Generated(TimeFrame.Tick, "EURUSD", 73_520) : FeedReader.Read(tickFolder, new FeedOptions { Symbol = "EURUSD" }));
    }

    public int Runs { get; }

    /// <summary>How busy the machine was before: with more than one runnable program a core the figures are of little worth.</summary>
    public string Load { get; } = File.Exists("/proc/loadavg") ? $", load average before {File.ReadAllText("/proc/loadavg").Split(' ')[0]}" : "";

    public string WorkFolder { get; }

    /// <summary>The file of <see cref="Hours"/>; null when they are generated.</summary>
    public string? HourFile { get; }

    /// <summary>57,600 hours of GBPUSD.</summary>
    public MarketSeries Hours => _hours.Value;

    /// <summary>Two days of EURUSD ticks.</summary>
    public MarketSeries Ticks => _ticks.Value;

    public string DataSource => HourFile is null ? "GENERATED (no market data found)" : "real (GBPUSD H1 of a MetaTrader 5 export, EURUSD ticks of Oanda)";

    /// <summary>A folder that did not exist before.</summary>
    public string NewFolder(string name)
    {
        string path = Path.Combine(WorkFolder, $"{name}-{Interlocked.Increment(ref _folders)}");
        Directory.CreateDirectory(path);
        return path;
    }

    public void Dispose() => Directory.Delete(WorkFolder, recursive: true);

    private static string? SharedData()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "HybridTrading.sln"))) return Existing(Path.Combine(folder.FullName, "..", "shared", "data"));
        }
        return null;
    }

    private static string? Existing(string path) => File.Exists(path) || Directory.Exists(path) ? Path.GetFullPath(path) : null;

    private static MarketSeries Generated(TimeFrame frame, string symbol, int count)
    {
        Instrument instrument = SimulatedMarket.Instruments.Single(each => each.Symbol == symbol);
        // Monday morning; dense enough for ticks, thin enough for years of hours.
        var start = new DateTime(2012, 11, 19, 0, 0, 0, DateTimeKind.Utc);
        var market = new SimulatedMarket(1, start, new SimulationOptions(frame.IsTick ? 1 : 0.01));
        List<Quote> quotes = [];
        List<Bar> bars = [];
        var builder = new BarBuilder(TimeFrame.Tick, frame.IsTick ? TimeFrame.M1 : frame);
        foreach (SimulatedQuote next in market.Next(DateTime.MaxValue))
        {
            if (next.Instrument.Symbol != symbol) continue;
            if (frame.IsTick) quotes.Add(next.Quote);
            else if (builder.TryClose(next.Quote.Time, out Bar closed)) bars.Add(closed);
            builder.Add(next.Quote, out _);
            if (quotes.Count + bars.Count == count) break;
        }
        return frame.IsTick ? MarketSeries.OfQuotes(instrument, quotes.ToArray()) : MarketSeries.OfBars(instrument, frame, bars.ToArray());
    }
}
