using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Tests.Features;

/// <summary>
/// Every feature once more, straight from its definition over the whole history of bars, in decimal or plain double and without any running
/// state: what the streaming ones are compared with.
/// </summary>
internal sealed class NaiveFeatures(Instrument instrument, Bar[] bars)
{
    private readonly double[] _open = Prices(instrument, bars, bar => bar.Bid.Open);
    private readonly double[] _high = Prices(instrument, bars, bar => bar.Bid.High);
    private readonly double[] _low = Prices(instrument, bars, bar => bar.Bid.Low);
    private readonly double[] _close = Prices(instrument, bars, bar => bar.Bid.Close);
    private readonly DateTime[] _dayTurns = [.. bars.Select(bar => instrument.Calendar.NextDayTurn(bar.OpenTime))];

    private double[] Typical { get; } =
        [.. bars.Select(bar => (double)(instrument.ToPrice(bar.Bid.High + bar.Bid.Low + bar.Bid.Close) / 3))];

    public double[] Of(string feature) => feature switch
    {
        "open" => _open,
        "high" => _high,
        "low" => _low,
        "close" => _close,
        "median" => Each(i => (_high[i] + _low[i]) / 2),
        "typical" => Typical,
        "volume" => Each(i => bars[i].Volume),
        "spread" => Each(i => (double)instrument.ToPrice(bars[i].Ask.Close - bars[i].Bid.Close)),
        "sma(20)" => Sma(_close, 20),
        "sma(5,typical)" => Sma(Typical, 5),
        "ema(20)" => Ema(_close, 20, 2.0 / 21),
        "ema(7,high)" => Ema(_high, 7, 2.0 / 8),
        "wma(9)" => Window(_close, 9, window => window.Select((x, i) => x * (i + 1)).Sum() / 45),
        "rsi(14)" => Rsi(_close, 14),
        "macd.line(12,26,9)" => Macd().Line,
        "macd.signal(12,26,9)" => Macd().Signal,
        "macd.histogram(12,26,9)" => [.. Macd().Line.Zip(Macd().Signal, (line, signal) => line - signal)],
        "atr(14)" => Ema(TrueRanges(), 14, 1.0 / 14),
        "adx(14)" => Adx(14).Adx,
        "adx.plus_di(14)" => Adx(14).Plus,
        "adx.minus_di(14)" => Adx(14).Minus,
        "bollinger.middle(20,2)" => Sma(_close, 20),
        "bollinger.upper(20,2)" => Bands((mean, deviation, _) => mean + (2 * deviation)),
        "bollinger.lower(20,2)" => Bands((mean, deviation, _) => mean - (2 * deviation)),
        "bollinger.width(20,2)" => Bands((mean, deviation, _) => 4 * deviation / mean),
        "bollinger.percent_b(20,2)" => Bands((mean, deviation, close) =>
            deviation == 0 ? 0.5 : (close - (mean - (2 * deviation))) / (4 * deviation)),
        "stdev(10)" => Deviations(_close, 10),
        "zscore(10)" => Window(_close, 10, ZScore),
        "stoch.k(14,3,3)" => Sma(RawK(14), 3),
        "stoch.d(14,3,3)" => Sma(Sma(RawK(14), 3), 3),
        "cci(20)" => Each(i => i < 19 ? double.NaN : Cci(bars[(i - 19)..(i + 1)])),
        "roc(10)" => Each(i => i < 10 ? double.NaN : 100 * (_close[i] - _close[i - 10]) / _close[i - 10]),
        "momentum(10)" => Each(i => i < 10 ? double.NaN : _close[i] - _close[i - 10]),
        "rv(20,252)" => Each(i => i < 20
            ? double.NaN
            : Math.Sqrt(252.0 / 20 * Enumerable.Range(i - 19, 20).Sum(j => Math.Pow(Math.Log(_close[j] / _close[j - 1]), 2)))),
        "donchian.upper(20)" => Window(_high, 20, window => window.Max()),
        "donchian.lower(20)" => Window(_low, 20, window => window.Min()),
        "donchian.middle(20)" => Each(i => i < 19 ? double.NaN : (_high[(i - 19)..(i + 1)].Max() + _low[(i - 19)..(i + 1)].Min()) / 2),
        "obv" => Each(i => Enumerable.Range(1, i).Sum(j => Math.Sign(_close[j] - _close[j - 1]) * bars[j].Volume)),
        "vwap" => Each(SessionVwap),
        "rolling_vwap(20)" => Each(i => i < 19 ? double.NaN : Vwap(i - 19, i)),
        _ => throw new ArgumentException(feature),
    };

    /// <summary>The text of every feature that <see cref="Of"/> knows: each output of the catalogue, and a few other sources.</summary>
    public static readonly string[] Names =
    [
        "open", "high", "low", "close", "median", "typical", "volume", "spread", "sma(20)", "sma(5,typical)", "ema(20)", "ema(7,high)", "wma(9)", "rsi(14)",
        "macd.line(12,26,9)", "macd.signal(12,26,9)", "macd.histogram(12,26,9)", "atr(14)", "adx(14)", "adx.plus_di(14)", "adx.minus_di(14)",
        "bollinger.middle(20,2)", "bollinger.upper(20,2)", "bollinger.lower(20,2)", "bollinger.width(20,2)", "bollinger.percent_b(20,2)",
        "stdev(10)", "zscore(10)", "stoch.k(14,3,3)", "stoch.d(14,3,3)", "cci(20)", "roc(10)", "momentum(10)", "rv(20,252)",
        "donchian.upper(20)", "donchian.lower(20)", "donchian.middle(20)", "obv", "vwap", "rolling_vwap(20)",
    ];

    private static double[] Prices(Instrument instrument, Bar[] bars, Func<Bar, long> select) =>
        [.. bars.Select(bar => (double)instrument.ToPrice(select(bar)))];

    private double[] Each(Func<int, double> value) => [.. Enumerable.Range(0, bars.Length).Select(value)];

    private static double[] Window(double[] values, int n, Func<double[], double> value) =>
        [.. values.Select((_, i) => i < n - 1 || double.IsNaN(values[i - n + 1]) ? double.NaN : value(values[(i - n + 1)..(i + 1)]))];

    private static double[] Sma(double[] values, int n) => Window(values, n, window => window.Average());

    // The squares are taken in decimal: in double a flat window of rounded prices would show a deviation.
    private static double[] Deviations(double[] values, int n) => Window(values, n, window =>
    {
        decimal[] exact = [.. window.Select(x => (decimal)x)];
        decimal mean = exact.Average();
        return exact.Distinct().Count() == 1 ? 0 : Math.Sqrt((double)exact.Average(x => (x - mean) * (x - mean)));
    });

    private double[] Bands(Func<double, double, double, double> band)
    {
        double[] means = Sma(_close, 20);
        double[] deviations = Deviations(_close, 20);
        return Each(i => band(means[i], deviations[i], _close[i]));
    }

    private static double ZScore(double[] window)
    {
        decimal[] exact = [.. window.Select(x => (decimal)x)];
        decimal mean = exact.Average();
        return exact.Distinct().Count() == 1 ? 0 : (double)(exact[^1] - mean) / Math.Sqrt((double)exact.Average(x => (x - mean) * (x - mean)));
    }

    private static double[] Ema(double[] values, int n, double smoothing)
    {
        double[] result = [.. values.Select(_ => double.NaN)];
        int first = Array.FindIndex(values, x => !double.IsNaN(x));
        if (first < 0 || first + n > values.Length) return result;
        result[first + n - 1] = values[first..(first + n)].Average();
        for (int i = first + n; i < values.Length; i++) result[i] = result[i - 1] + (smoothing * (values[i] - result[i - 1]));
        return result;
    }

    private static double[] Changes(double[] values) => [double.NaN, .. values.Skip(1).Select((x, i) => x - values[i])];

    private static double[] Rsi(double[] values, int n)
    {
        double[] gains = Ema([.. Changes(values).Select(x => double.IsNaN(x) ? x : Math.Max(x, 0))], n, 1.0 / n);
        double[] losses = Ema([.. Changes(values).Select(x => double.IsNaN(x) ? x : Math.Max(-x, 0))], n, 1.0 / n);
        return [.. gains.Select((gain, i) => double.IsNaN(gain) ? gain : gain + losses[i] == 0 ? 50 : 100 - (100 / (1 + (gain / losses[i]))))];
    }

    private (double[] Line, double[] Signal) Macd()
    {
        double[] fast = Ema(_close, 12, 2.0 / 13);
        double[] slow = Ema(_close, 26, 2.0 / 27);
        double[] line = Each(i => fast[i] - slow[i]);
        return (line, Ema(line, 9, 0.2));
    }

    private double[] TrueRanges() => Each(i => i == 0
        ? _high[0] - _low[0]
        : new[] { _high[i] - _low[i], Math.Abs(_high[i] - _close[i - 1]), Math.Abs(_low[i] - _close[i - 1]) }.Max());

    private (double[] Adx, double[] Plus, double[] Minus) Adx(int n)
    {
        double[] ranges = [double.NaN, .. TrueRanges().Skip(1)];
        decimal Up(int i) => instrument.ToPrice(bars[i].Bid.High - bars[i - 1].Bid.High);
        decimal Down(int i) => instrument.ToPrice(bars[i - 1].Bid.Low - bars[i].Bid.Low);
        double[] range = Ema(ranges, n, 1.0 / n);
        double[] plus = Ema(Each(i => i == 0 ? double.NaN : Up(i) > Down(i) && Up(i) > 0 ? (double)Up(i) : 0), n, 1.0 / n);
        double[] minus = Ema(Each(i => i == 0 ? double.NaN : Down(i) > Up(i) && Down(i) > 0 ? (double)Down(i) : 0), n, 1.0 / n);
        double[] plusDi = Each(i => double.IsNaN(range[i]) ? double.NaN : range[i] == 0 ? 0 : 100 * plus[i] / range[i]);
        double[] minusDi = Each(i => double.IsNaN(range[i]) ? double.NaN : range[i] == 0 ? 0 : 100 * minus[i] / range[i]);
        double[] dx = Each(i => double.IsNaN(plusDi[i]) ? double.NaN
            : plusDi[i] + minusDi[i] == 0 ? 0 : 100 * Math.Abs(plusDi[i] - minusDi[i]) / (plusDi[i] + minusDi[i]));
        return (Ema(dx, n, 1.0 / n), plusDi, minusDi);
    }

    private double[] RawK(int n) => Each(i =>
    {
        if (i < n - 1) return double.NaN;
        double high = _high[(i - n + 1)..(i + 1)].Max();
        double low = _low[(i - n + 1)..(i + 1)].Min();
        return high == low ? 50 : 100 * (_close[i] - low) / (high - low);
    });

    // Of three times the typical price, in decimal: a factor does not change the index, a rounded third would.
    private double Cci(Bar[] window)
    {
        decimal[] exact = [.. window.Select(bar => instrument.ToPrice(bar.Bid.High + bar.Bid.Low + bar.Bid.Close))];
        decimal mean = exact.Average();
        decimal deviation = exact.Average(x => Math.Abs(x - mean));
        return exact.Distinct().Count() == 1 ? 0 : (double)((exact[^1] - mean) / (0.015m * deviation));
    }

    private double SessionVwap(int last)
    {
        int first = last;
        while (first > 0 && _dayTurns[first - 1] == _dayTurns[last]) first--;
        return Vwap(first, last);
    }

    private double Vwap(int first, int last)
    {
        double volume = bars[first..(last + 1)].Sum(bar => bar.Volume);
        return volume == 0 ? double.NaN : Enumerable.Range(first, last - first + 1).Sum(i => Typical[i] * bars[i].Volume) / volume;
    }
}
