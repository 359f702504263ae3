using System.CommandLine;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Silo.Commands;

/// <summary>The options of a report, the same wherever one is made.</summary>
public sealed class ReportOptions(string name, string description)
{
    private readonly Option<string?> _target = new(name) { Description = description };
    private readonly Option<string?> _title = new("--title") { Description = "the report's heading; default: strategies and symbols" };
    private readonly Option<double> _riskFree = new("--risk-free") { Description = "risk-free rate a year in percent, for Sharpe, Sortino, omega, alpha" };
    private readonly Option<int> _trials = new("--trials") { Description = "variants tried before this one was chosen, itself included, for the deflated Sharpe ratio", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _trialVariance = new("--trial-variance") { Description = "variance of their annualised Sharpe ratios" };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_target, _title, _riskFree, _trials, _trialVariance]) command.Add(option);
    }

    /// <summary>Where a report is wanted; null for nowhere. What cannot be written to is refused before the run.</summary>
    public ReportTarget? Target(ParseResult parsed) => parsed.GetValue(_target) is { } path ? ReportTarget.Of(name, path) : null;

    public AnalysisOptions Read(ParseResult parsed)
    {
        double riskFree = parsed.GetValue(_riskFree), variance = parsed.GetValue(_trialVariance);
        int trials = parsed.GetValue(_trials);
        if (riskFree is not (> -100 and <= 1000)) throw new UsageException($"--risk-free is {riskFree}; expected a percentage above -100");
        if (trials is < 1 or > 1_000_000_000) throw new UsageException($"--trials is {trials}; expected 1 to 1000000000");
        if (variance is not (>= 0 and <= 1e6)) throw new UsageException($"--trial-variance is {variance}; expected 0 to 1000000");
        if (trials > 1 && variance == 0) throw new UsageException($"--trials is {trials}; expected --trial-variance with it");
        return new AnalysisOptions(parsed.GetValue(_title), riskFree / 100, trials, variance);
    }
}
