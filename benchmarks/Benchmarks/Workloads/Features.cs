using System.Globalization;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>Streaming indicators, each alone, over the hours.</summary>
internal sealed class Indicators() : Workload("indicators")
{
    private const int Passes = 100;

    /// <param name="Skender">ns a bar, and the must of DESIGN section 8: a quarter of it.</param>
    /// <param name="Tulip">ns a bar, and its aim: twice it.</param>
    private sealed record Peer(string Name, Func<Instrument, Indicator> Make, double Skender, double Tulip, double Lean);

    private static readonly ImmutableArray<Peer> Peers =
    [
        new("SMA 20", instrument => new Sma(instrument, 20), 64, 1.8, 481),
        new("EMA 20", instrument => new Ema(instrument, 20), 25, 2.9, 222),
        new("RSI 14", _ => new Rsi(14), 61, 6.6, 973),
        new("MACD 12 26 9", instrument => new Macd(instrument, 12, 26, 9), 56, 4.5, 1074),
        new("ATR 14", instrument => new Atr(instrument, 14), 50, 3.8, 559),
        new("Bollinger 20", instrument => new Bollinger(instrument, 20), 167, 2.5, 4316),
        new("ADX 14", _ => new Adx(14), 93, 8.9, 2412),
        new("stochastic 14 3 3", _ => new Stochastic(14, 3, 3), 208, 14.3, 1920),
    ];

    public override Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        Bar[] bars = context.Hours.Bars.ToArray();
        foreach (Peer peer in Peers)
        {
            double value = 0;
            Sample time = Sample.Measure(context.Runs, () =>
            {
                long ticks = 0;
                for (int pass = 0; pass < Passes; pass++)
                {
                    Indicator indicator = peer.Make(context.Hours.Instrument);
                    ticks += Pass(indicator, bars);
                    value = indicator.Value;
                }
                return ticks * 1e9 / Stopwatch.Frequency / Passes / bars.Length;
            });
            add(new Row(Name, $"streaming {peer.Name}", "ns/bar", time, peer.Skender / 4, peer.Tulip * 2,
                string.Create(CultureInfo.InvariantCulture, $"Tulip C {peer.Tulip}, Skender {peer.Skender}, LEAN {peer.Lean}"),
                string.Create(CultureInfo.InvariantCulture, $"last value {value:G12}")));
        }
        return Task.CompletedTask;
    }

    // A method of its own: called often, it is compiled for the indicator at hand; a loop inside a long run would stay as it began.
    private static long Pass(Indicator indicator, Bar[] bars)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (ref readonly Bar bar in bars.AsSpan()) indicator.Update(bar);
        return Stopwatch.GetTimestamp() - start;
    }
}

/// <summary>Every feature of the catalogue with its default numbers, updated together.</summary>
internal sealed class FeatureVector() : Workload("feature-vector")
{
    public override Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        ImmutableArray<FeatureSpec> specs =
        [
            .. FeatureCatalog.All.Where(definition => definition.Operands == 0)
                .SelectMany(definition => definition.Outputs.Select((_, output) => FeatureSpec.Parse(definition.Usage(output)))),
        ];
        Bar[] bars = context.Hours.Bars.ToArray();
        Sample time = Sample.Measure(context.Runs, () =>
        {
            var set = new FeatureSet(context.Hours.Instrument, context.Hours.TimeFrame, specs);
            long start = Stopwatch.GetTimestamp();
            foreach (ref readonly Bar bar in bars.AsSpan()) set.Update(bar);
            return Stopwatch.GetElapsedTime(start).TotalMicroseconds / bars.Length;
        });
        add(new Row(Name, $"all {specs.Length} values of the feature catalogue, one bar", "us", time,
            Note: "the 112 of DESIGN section 8 (10 us must, 3 us aim) come with a later issue"));
        return Task.CompletedTask;
    }
}
