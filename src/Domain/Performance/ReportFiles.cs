using System.Globalization;
using System.Text;
using System.Text.Json;

namespace HybridTrading.Domain.Performance;

/// <summary>An analysis as JSON and CSV. CSV is RFC 4180 with LF, a header, full precision, times in UTC; what is undefined is empty.</summary>
public static class ReportFiles
{
    public static string Json(RunAnalysis analysis) => JsonSerializer.Serialize(analysis, RunAnalysisJson.Default.RunAnalysis);

    /// <exception cref="JsonException">It is no analysis of this schema.</exception>
    public static RunAnalysis Parse(ReadOnlySpan<byte> json)
    {
        RunAnalysis? analysis = JsonSerializer.Deserialize(json, RunAnalysisJson.Default.RunAnalysis);
        return analysis is not null && analysis.Schema == RunAnalysis.CurrentSchema && analysis.Run is not null && analysis.Returns is not null && !analysis.Daily.IsDefault
            ? analysis
            : throw new JsonException($"it has not the schema '{RunAnalysis.CurrentSchema}'");
    }

    public static string Trades(RunAnalysis analysis) => Table(
        "number,account,strategy,symbol,side,volume,entry,exit,entryPrice,exitPrice,gross,commission,swap,net,spreadCost,slippageCost,mae,mfe,equityAtEntry,bars",
        analysis.TradeList, trade =>
        [
            trade.Number, trade.Account, trade.Strategy, trade.Symbol, trade.Side, trade.Volume, trade.Entry, trade.Exit, trade.EntryPrice,
                trade.ExitPrice,
            trade.Gross, trade.Commission, trade.Swap, trade.Net, trade.SpreadCost, trade.SlippageCost, trade.AdverseExcursion,
                trade.FavourableExcursion,
            trade.EquityAtEntry, trade.Bars,
        ]);

    public static string Equity(RunAnalysis analysis) => Table("time,equity,grossExposure,netExposure", analysis.Marks,
        mark => [mark.Time, mark.Equity, mark.Gross, mark.Net]);

    public static string Daily(RunAnalysis analysis) => Table("date,equity,return,benchmarkReturn,drawdown,rollingSharpe,rollingBeta", analysis.Daily,
        day => [day.Date, day.Equity, day.Return, day.BenchmarkReturn, day.Drawdown, day.RollingSharpe, day.RollingBeta]);

    private static string Table<T>(string header, IEnumerable<T> rows, Func<T, object?[]> cells)
    {
        var text = new StringBuilder(header).Append('\n');
        foreach (T row in rows) text.AppendJoin(',', cells(row).Select(Cell)).Append('\n');
        return text.ToString();
    }

    private static string Cell(object? value) => value switch
    {
        null => "",
        DateTime time => time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + "Z",
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        decimal amount => amount.ToString("0.############################", CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        var text => $"{text}" is var plain && plain.AsSpan().IndexOfAny(",\"\n\r") < 0 ? plain
            : $"\"{plain.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
    };
}
