using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Strategies;
using HybridTrading.Silo;
using HybridTrading.Tests;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>A grid of 10,000 settings of rule R1 on 57,600 hours.</summary>
internal sealed class GridSearch() : Workload("grid")
{
    public override Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        RunRequest request = new() { Strategies = ["sma-cross"], Set = ["units=10000"], Accounts = ["main"], Cash = 100_000, Execution = new ExecutionModel(CommissionRate: 0.00002m) };
        RunPlan plan = request.Plan([context.Hours], "benchmark");
        var space = new SearchSpace(SmaCross.Definition,
            [SearchDimension.Parse("fast=1..100", SmaCross.Definition), SearchDimension.Parse("slow=101..200", SmaCross.Definition)], [new("units", 10_000)]);
        ImmutableArray<StrategyParameters> trials = space.Grid();
        var runner = new TrialRunner(plan, [context.Hours]);
        System.Runtime.GCLatencyMode before = System.Runtime.GCSettings.LatencyMode;
        System.Runtime.GCSettings.LatencyMode = System.Runtime.GCLatencyMode.Batch;
        // Once: it takes a minute, and is as long as many runs.
        long clock = Stopwatch.GetTimestamp();
        ImmutableArray<TrialStatistics> results = Search.Run(trials, parameters => runner.Run(parameters, cancellation).Statistics, Environment.ProcessorCount, cancellation: cancellation);
        double seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        System.Runtime.GCSettings.LatencyMode = before;
        add(new Row(Name, "grid of 10,000 runs of rule R1 on GBPUSD H1", "s", new Sample(seconds, seconds, seconds), 150, 60,
            Note: FormattableString.Invariant($"{trials.Length:N0} trials, {results.Sum(each => (long)each.Orders):N0} orders, {trials.Length * (double)context.Hours.Count / seconds / 1e6:0.00} M bars/s on {Environment.ProcessorCount} cores; one run")));
        return Task.CompletedTask;
    }
}

/// <summary>The walk-forward verdict over 100 fixed seeds: noise must not pass, a planted edge must.</summary>
internal sealed class Verdicts() : Workload("verdict")
{
    private const int Seeds = 100, Days = 3_900;
    private const double Trend = 0.25;

    public override Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        (int falsely, double noise) = Shown(0, cancellation);
        (int rightly, double sharpe) = Shown(Trend, cancellation);
        add(new Row(Name, "walk-forward verdict: edges shown in 100 markets of noise", "of 100", Of(falsely), 1,
            Note: FormattableString.Invariant($"{Days:N0} days each, 16 trials, 10 rolling windows; mean Sharpe out of sample {noise:0.00}")));
        add(new Row(Name, "walk-forward verdict: share of 100 planted edges shown", "share", Of(rightly / 100.0), 0.9,
            Note: FormattableString.Invariant($"{Days:N0} days each, trends of {NoiseMarket.TrendDays} days worth a Sharpe ratio of {Trend * Math.Sqrt(252):0.0} to who knew them, {sharpe:0.00} to the strategy out of sample")));
        return Task.CompletedTask;
    }

    private static Sample Of(double value) => new(value, value, value);

    private static (int Shown, double Sharpe) Shown(double trend, CancellationToken cancellation)
    {
        int shown = 0;
        double sharpe = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            WalkForwardResult result = NoiseMarket.WalkForward(NoiseMarket.Days(seed, Days, trend), new WalkForwardOptions()).Run(Environment.ProcessorCount, null, cancellation);
            if (result.Verdict.Finding == WalkForwardFinding.EdgeShown) shown++;
            sharpe += (result.OutSharpe ?? 0) / Seeds;
        }
        return (shown, sharpe);
    }
}
