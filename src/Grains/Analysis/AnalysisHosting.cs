using HybridTrading.Grains.Backtesting;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Grains.Analysis;

public static class AnalysisHosting
{
    /// <summary>What the grains of strategy analysis need beside <see cref="BacktestingHosting.AddBacktesting"/>: reviews share the threads of back-tests.</summary>
    public static IServiceCollection AddStrategyAnalysis(this IServiceCollection services) => services.AddSingleton<LiveStrategyReader>();
}
