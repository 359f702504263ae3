using System.Globalization;
using System.IO.Compression;

namespace HybridTrading.Silo.Tests;

/// <summary>
/// Rule R1 by hand, and by nothing of the program: H1 closes; when the mean of 20 crosses above the mean of 50 at a bar's close, at the next
/// bar's open close any short and buy 10,000; on the opposite cross close and sell 10,000; fee 0.00002 x price x units a fill; start 100,000;
/// equity marked at closes; the last position left open. A cross needs the last difference that was not zero to have the other sign.
/// </summary>
internal sealed record RuleR1(decimal FinalEquity, int ClosedTrades, decimal Fees, decimal MaxDrawdownPercent)
{
    private const int Fast = 20, Slow = 50;
    private const decimal Units = 10_000m, FeeRate = 0.00002m;

    /// <param name="file">A zip of one table with the columns time, open, high, low, close.</param>
    public static RuleR1 Of(string file)
    {
        List<(decimal Open, decimal Close)> bars = Read(file);
        decimal cash = 100_000m, position = 0, fees = 0, peak = 0, drawdown = 0, equity = cash;
        int trades = 0, sign = 0, wanted = 0;
        for (int i = 0; i < bars.Count; i++)
        {
            (decimal open, decimal close) = bars[i];
            if (wanted != 0 && wanted * Units != position)
            {
                decimal traded = (wanted * Units) - position;
                decimal fee = Math.Abs(traded) * open * FeeRate;
                cash -= (traded * open) + fee;
                fees += fee;
                if (position != 0) trades++;
                position += traded;
            }
            equity = cash + (position * close);
            peak = Math.Max(peak, equity);
            drawdown = Math.Max(drawdown, (peak - equity) / peak * 100m);
            if (i < Slow - 1) continue;
            // Sums, so that equal means compare equal.
            decimal difference = (Sum(bars, i, Fast) * Slow) - (Sum(bars, i, Slow) * Fast);
            int now = Math.Sign(difference);
            if (now == 0) continue;
            if (sign != 0 && now != sign) wanted = now;
            sign = now;
        }
        return new RuleR1(equity, trades, fees, drawdown);
    }

    private static decimal Sum(List<(decimal Open, decimal Close)> bars, int last, int count)
    {
        decimal sum = 0;
        for (int i = last - count + 1; i <= last; i++) sum += bars[i].Close;
        return sum;
    }

    private static List<(decimal Open, decimal Close)> Read(string file)
    {
        using ZipArchive zip = ZipFile.OpenRead(file);
        using var reader = new StreamReader(zip.Entries.Single().Open());
        string[] header = reader.ReadLine()!.Split(',');
        int open = Array.IndexOf(header, "open"), close = Array.IndexOf(header, "close");
        List<(decimal, decimal)> bars = [];
        while (reader.ReadLine() is { } line)
        {
            string[] row = line.Split(',');
            bars.Add((decimal.Parse(row[open], CultureInfo.InvariantCulture), decimal.Parse(row[close], CultureInfo.InvariantCulture)));
        }
        return bars;
    }
}
