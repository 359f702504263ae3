using System.Globalization;
using System.IO.Compression;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Performance;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Performance;

public sealed class ReturnMetricsTests
{
    private static readonly ReturnConvention TradingDays = new(252);

    /// <summary>
    /// quantstats (commit fbd10da) over the raw closes of SPY from 1998-01-02, the base, to 2021-03-31: 5,848 daily returns. One figure differs by
    /// convention: quantstats puts the excess kurtosis where Bailey and Lopez de Prado's formula has the whole one, see below.
    /// </summary>
    [Fact]
    public void The_figures_of_the_reference_series_are_equal_to_1e_9()
    {
        double[] returns = SpyReturns();
        Assert.Equal(5848, returns.Length);
        ReturnMetrics metrics = ReturnMetrics.Of(returns, TradingDays);
        Same(3.070768283, metrics.Total);
        Same(0.06236062185, metrics.Cagr);
        Same(0.1953808916, metrics.Volatility);
        Same(0.4075013333, metrics.Sharpe);
        Same(0.5733841342, metrics.Sortino);
        Same(0.3720852851, metrics.SmartSharpe);
        Same(1.079945006, metrics.Omega);
        Same(1.079945006, metrics.ProfitFactor);
        Same(-0.5645140665, metrics.MaxDrawdown);
        Same(0.1104677909, metrics.Calmar);
        Same(0.1895970286, metrics.UlcerIndex);
        Same(-0.01992864975, metrics.ValueAtRisk95);
        Same(-0.03046581966, metrics.ExpectedShortfall95);
        Same(0.9350826722, metrics.TailRatio);
        Same(0.5358308988, metrics.WinRate);
        Same(0.9355136177, metrics.Payoff);
        Same(0.07994500554, metrics.GainToPain);
        Same(0.03966591257, metrics.Kelly);
        Same(-0.1475792255, metrics.Skew);
        Same(8.986622591, metrics.ExcessKurtosis);
        Same(0.1131011609, metrics.Best);
        Same(-0.1094237338, metrics.Worst);
        Same(0.008004830435, metrics.AverageWin);
        Same(-0.008556615622, metrics.AverageLoss);
    }

    [Fact]
    public void The_probabilistic_sharpe_ratio_differs_from_the_reference_by_the_kurtosis_alone()
    {
        ReturnMetrics metrics = ReturnMetrics.Of(SpyReturns(), TradingDays);
        double sharpe = metrics.Sharpe!.Value / Math.Sqrt(252);
        // The same formula; the reference hands it the excess kurtosis as the whole one.
        Same(0.9748789363, SharpeInference.Probabilistic(sharpe, metrics.Count, metrics.Skew!.Value, metrics.ExcessKurtosis!.Value));
        Same(SharpeInference.Probabilistic(sharpe, metrics.Count, metrics.Skew!.Value, metrics.ExcessKurtosis!.Value + 3)!.Value, metrics.ProbabilisticSharpe);
        Assert.NotEqual(0.9748789363, metrics.ProbabilisticSharpe!.Value, 1e-6);
    }

    [Fact]
    public void The_largest_fall_of_the_reference_series_is_that_of_2007_to_2009()
    {
        (string Day, double Close)[] days = SpyCloses();
        Drawdown deepest = ReturnMetrics.Of(SpyReturns(), TradingDays).Deepest!.Value;
        // The return with index i ends on day i + 1.
        Assert.Equal(("20071009", "20090309"), (days[deepest.Peak].Day, days[deepest.Trough + 1].Day));
        Assert.True(days[deepest.Recovery!.Value + 1].Close >= days[deepest.Peak].Close);
        Assert.Equal(deepest.Recovery.Value - deepest.Peak, deepest.Periods);
    }

    [Fact]
    public void Small_series_by_hand()
    {
        ReturnMetrics metrics = ReturnMetrics.Of([0.5, -0.5, 0, 1], new ReturnConvention(4));
        Same(0.5, metrics.Total);
        Same(0.5, metrics.Cagr);
        Same(-0.5, metrics.MaxDrawdown);
        Assert.Equal(new Drawdown(1, 1, 3, -0.5, 2), metrics.Deepest);
        Same(-0.5, metrics.AverageDrawdown);
        Same(0.5, metrics.UnderwaterShare);
        Same(1, metrics.RecoveryFactor);
        Same(2.0 / 3, metrics.WinRate);
        Same(1.5, metrics.Payoff);
        Same(3, metrics.ProfitFactor);
        Same(2, metrics.GainToPain);
        Same(2.0 / 3 - 1.0 / 3 / 1.5, metrics.Kelly);
        // Mean 0.25, squared deviations 0.0625 + 0.5625 + 0.0625 + 0.5625.
        Same(0.25 / Math.Sqrt(1.25 / 3) * 2, metrics.Sharpe);
        Same(0.25 / Math.Sqrt(0.25 / 4) * 2, metrics.Sortino);
        Same(Math.Sqrt((0.25 + 0.25) / 3), metrics.UlcerIndex);
    }

    [Fact]
    public void The_risk_free_rate_compounds_over_the_year()
    {
        double daily = Math.Pow(1.05, 1.0 / 252) - 1;
        ReturnMetrics without = ReturnMetrics.Of([0.01 - daily, -0.02 - daily, 0.03 - daily], TradingDays);
        ReturnMetrics with = ReturnMetrics.Of([0.01, -0.02, 0.03], new ReturnConvention(252, 0.05));
        Same(without.Sharpe!.Value, with.Sharpe);
        Same(without.Sortino!.Value, with.Sortino);
        Same(without.Omega!.Value, with.Omega);
    }

    [Fact]
    public void Against_a_benchmark()
    {
        double[] market = [0.01, -0.02, 0.03, 0.005];
        double[] twice = [.. market.Select(each => 2 * each + 0.001)];
        BenchmarkMetrics metrics = BenchmarkMetrics.Of(twice, market, TradingDays);
        Same(2, metrics.Beta);
        Same(0.252, metrics.Alpha);
        Same(1, metrics.Correlation);
        Same((twice.Average() - market.Average()) * 252 / metrics.TrackingError!.Value, metrics.InformationRatio);
        Same(twice.Average() * 252 / 2, metrics.Treynor);
        BenchmarkMetrics flat = BenchmarkMetrics.Of(market, [0, 0, 0, 0], TradingDays);
        Assert.Equal((null, null, null), (flat.Beta, flat.Alpha, flat.Treynor));
        Assert.Throws<ArgumentException>(() => BenchmarkMetrics.Of(market, twice.AsSpan(1), TradingDays));
    }

    [Fact]
    public void What_a_series_does_not_define_is_null()
    {
        ReturnMetrics none = ReturnMetrics.Of([], TradingDays);
        Assert.Equal(0, none.Count);
        Assert.All(Figures(none), Assert.Null);
        ReturnMetrics one = ReturnMetrics.Of([0.01], TradingDays);
        Same(0.01, one.Total);
        Assert.Equal((null, null, null), (one.Volatility, one.Sharpe, one.Sortino));
        ReturnMetrics constant = ReturnMetrics.Of([0.1, 0.1, 0.1, 0.1, 0.1], TradingDays);
        Assert.Equal((0.0, null, null, null), (constant.Volatility, constant.Sharpe, constant.Skew, constant.ProbabilisticSharpe));
        Assert.Equal((0.0, null, null), (constant.MaxDrawdown, constant.Calmar, constant.Deepest));
        ReturnMetrics ruin = ReturnMetrics.Of([0.1, -1, 0.5], TradingDays);
        Assert.Equal((-1.0, -1.0, -1.0), (ruin.Total, ruin.Cagr, ruin.MaxDrawdown));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1.01)]
    public void What_is_no_return_is_refused(double value) => Assert.Throws<ArgumentException>(() => ReturnMetrics.Of([0.01, value], TradingDays));

    [Fact]
    public void No_figure_is_infinite_or_no_number() => Prop.ForAll(Series(0, 1, -1, 0.5, -0.5, 1e-9), returns =>
    {
        ReturnMetrics metrics = ReturnMetrics.Of(returns, TradingDays);
        Assert.All(Figures(metrics), figure => Assert.True(figure is null || double.IsFinite(figure.Value)));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Ratios_do_not_change_with_leverage() => Prop.ForAll(Series(0.01, -0.01, 0.02, -0.03, 0, 0.004), returns =>
    {
        ReturnMetrics once = ReturnMetrics.Of(returns, TradingDays), twice = ReturnMetrics.Of([.. returns.Select(each => 2 * each)], TradingDays);
        Same(once.Sharpe, twice.Sharpe);
        Same(once.Sortino, twice.Sortino);
        Same(once.SmartSharpe, twice.SmartSharpe);
        Same(once.Omega, twice.Omega);
        Same(once.TailRatio, twice.TailRatio);
        Same(once.Skew, twice.Skew);
        Same(once.ExcessKurtosis, twice.ExcessKurtosis);
        Same(once.ProbabilisticSharpe, twice.ProbabilisticSharpe);
        Same(2 * once.Volatility, twice.Volatility);
        Same(2 * once.ValueAtRisk95, twice.ValueAtRisk95);
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Order_matters_only_to_what_follows_a_path() => Prop.ForAll(Series(0.01, -0.01, 0.02, -0.03, 0, 0.004), returns =>
    {
        ReturnMetrics forth = ReturnMetrics.Of(returns, TradingDays), back = ReturnMetrics.Of([.. returns.Reverse()], TradingDays);
        Same(forth.Total, back.Total);
        Same(forth.Sharpe, back.Sharpe);
        Same(forth.Sortino, back.Sortino);
        Same(forth.Omega, back.Omega);
        Same(forth.ExpectedShortfall95, back.ExpectedShortfall95);
        Same(forth.Kelly, back.Kelly);
        Same(forth.Skew, back.Skew);
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Sharpe_has_the_sign_of_the_mean_and_falls_lie_between_minus_one_and_zero() => Prop.ForAll(Series(0.3, -0.3, 0.02, -0.99, 0, 0.7), returns =>
    {
        ReturnMetrics metrics = ReturnMetrics.Of(returns, TradingDays);
        if (metrics.Sharpe is { } sharpe && Math.Abs(metrics.AnnualMean!.Value) > 1e-9) Assert.Equal(Math.Sign(metrics.AnnualMean.Value), Math.Sign(sharpe));
        if (metrics.MaxDrawdown is { } depth) Assert.InRange(depth, -1, 0);
        if (metrics.ProbabilisticSharpe is { } probability) Assert.InRange(probability, 0, 1);
        Assert.True(metrics.DeflatedSharpe == metrics.ProbabilisticSharpe);
    }).Check(Config.QuickThrowOnFailure);

    private static Arbitrary<double[]> Series(params double[] values) => Gen.Elements(values).ListOf().Select(list => list.ToArray()).ToArbitrary();

    private static IEnumerable<double?> Figures(ReturnMetrics metrics) => typeof(ReturnMetrics).GetProperties()
        .Where(property => property.PropertyType == typeof(double?)).Select(property => (double?)property.GetValue(metrics));

    private static void Same(double? expected, double? actual)
    {
        Assert.Equal(expected is null, actual is null);
        if (expected is not null) Assert.Equal(expected.Value, actual!.Value, 1e-9 * Math.Max(1, Math.Abs(expected.Value)));
    }

    private static double[] SpyReturns()
    {
        (string Day, double Close)[] days = SpyCloses();
        return [.. days.Zip(days.Skip(1), (before, after) => after.Close / before.Close - 1)];
    }

    /// <summary>LEAN's daily file: date, then open, high, low and close in ten-thousandths.</summary>
    private static (string Day, double Close)[] SpyCloses()
    {
        using ZipArchive zip = ZipFile.OpenRead(SharedData.Path("data/lean/equity/usa/daily/spy.zip"));
        using var reader = new StreamReader(zip.Entries.Single().Open());
        List<(string, double)> days = [];
        while (reader.ReadLine() is { } line)
        {
            string[] row = line.Split(',');
            days.Add((row[0][..8], double.Parse(row[4], CultureInfo.InvariantCulture) / 10_000));
        }
        Assert.Equal(("19980102", "20210331"), (days[0].Item1, days[^1].Item1));
        return [.. days];
    }
}
