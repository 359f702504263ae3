using System.CommandLine;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary><c>backtest</c>: a run in Domain alone, no grains.</summary>
public static class BacktestCommand
{
    public static Command Create()
    {
        var options = new RunOptions();
        var reporting = new ReportOptions("--report", "write a report, too: FILE.html, FILE.json, or a folder for all files");
        var command = new Command("backtest", """
            Run strategies over past data, in one thread and without grains.

            Examples:
              backtest gbpusd_h1.zip --symbol GBPUSD --strategy sma-cross --set fast=20 --set slow=50 --set units=10000
              backtest data/forex/oanda/tick/eurusd --timeframe M1 --strategy donchian-breakout --commission-per-lot 3
              backtest gbpusd_h1.zip --symbol GBPUSD --rule trend.rule --set fast=10
              backtest gbpusd_h1.zip --symbol GBPUSD --rule 'enter long when close > sma(50); exit when close < sma(50); stop atr(14) * 2; size risk 1%'
              backtest data/ --symbol EURUSD --symbol XAUUSD --timeframe H1 --account small=0.5x --account big=10% --json
              backtest gbpusd_h1.zip --symbol GBPUSD --report tearsheet.html
              backtest gbpusd_h1.zip --symbol GBPUSD --report reports/monday --risk-free 2.5
            """);
        command.Add(CheckCommands.CreateLookahead());
        command.Add(CheckCommands.CreateWarmUp());
        command.Add(CompareLiveCommand.Create());
        options.AddTo(command);
        reporting.AddTo(command);
        command.Handle(async (parsed, cancellation) =>
        {
            bool json = parsed.GetValue(options.Json);
            ReportTarget? target = reporting.Target(parsed);
            AnalysisOptions analysis = reporting.Read(parsed);
            RunRequest request = options.Read(parsed);
            using SeriesCache? cache = options.OpenCache(parsed);
            ImmutableArray<MarketSeries> data = request.Load(cache);
            RunPlan plan = request.Plan(data, "backtest");
            Dictionary<string, ImmutableArray<AccountEvent>.Builder> events = plan.Accounts.ToDictionary(account => account.Key, _ => ImmutableArray.CreateBuilder<AccountEvent>());
            var backtest = new Backtest(plan, new RunSequence(data, plan))
            {
                // Kept only for a report: a run without one has nobody to tell.
                Recorded = target is null ? null : (account, happened) => events[account].AddRange(happened),
            };
            RunReport report = await RunOutput.WithProgress("backtest", json, progress => Task.Run(() => backtest.Run(progress, cancellation), cancellation));
            if (target is not null)
            {
                var recorded = events.ToDictionary(account => account.Key, account => account.Value.ToImmutable());
                ReportCommand.Tell(target.Write(RunAnalyzer.Analyse(plan, recorded, new RunSequence(data, plan), report, analysis)));
            }
            RunOutput.Print(report, json);
            return 0;
        });
        return command;
    }
}
