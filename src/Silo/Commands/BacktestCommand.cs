using System.CommandLine;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Silo.Commands;

/// <summary><c>backtest</c>: a run in Domain alone, no grains.</summary>
public static class BacktestCommand
{
    public static Command Create()
    {
        var options = new RunOptions();
        var command = new Command("backtest", """
            Run strategies over past data, in one thread and without grains.

            Examples:
              backtest gbpusd_h1.zip --symbol GBPUSD --strategy sma-cross --set fast=20 --set slow=50 --set units=10000
              backtest data/forex/oanda/tick/eurusd --timeframe M1 --strategy donchian-breakout --commission-per-lot 3
              backtest gbpusd_h1.zip --symbol GBPUSD --rule trend.rule --set fast=10
              backtest gbpusd_h1.zip --symbol GBPUSD --rule 'enter long when close > sma(50); exit when close < sma(50); stop atr(14) * 2; size risk 1%'
              backtest data/ --symbol EURUSD --symbol XAUUSD --timeframe H1 --account small=0.5x --account big=10% --json
            """);
        options.AddTo(command);
        command.Handle(async (parsed, cancellation) =>
        {
            bool json = parsed.GetValue(options.Json);
            RunRequest request = options.Read(parsed);
            ImmutableArray<MarketSeries> data = request.Load();
            RunPlan plan = request.Plan(data, "backtest");
            var backtest = new Backtest(plan, new RunSequence(data, plan));
            RunReport report = await RunOutput.WithProgress("backtest", json, progress => Task.Run(() => backtest.Run(progress, cancellation), cancellation));
            RunOutput.Print(report, json);
            return 0;
        });
        return command;
    }
}
