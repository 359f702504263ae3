using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using Spectre.Console;

namespace HybridTrading.Silo.Commands;

/// <summary>What a run shows: progress while it goes (a bar on a terminal, plain lines in a pipe, on standard error), then the report.</summary>
public static class RunOutput
{
    private static readonly IAnsiConsole Progress = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public static async Task<T> WithProgress<T>(string what, bool quiet, Func<Action<double>, Task<T>> work)
    {
        if (quiet) return await work(_ => { });
        if (Console.IsErrorRedirected)
        {
            int shown = -1;
            long begun = Stopwatch.GetTimestamp();
            return await work(share =>
            {
                int tenth = (int)(share * 10);
                if (tenth <= shown) return;
                shown = tenth;
                double left = share > 0 ? Stopwatch.GetElapsedTime(begun).TotalSeconds * (1 - share) / share : 0;
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {tenth * 10} %{(left >= 1 ? $", {left:N0} s left" : "")}"));
            });
        }
        return await Progress.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask(what, maxValue: 1);
                return work(share => task.Value = share);
            });
    }

    public static void Print(RunReport report, bool json)
    {
        double wall = (DateTime.UtcNow - Process.GetCurrentProcess().StartTime.ToUniversalTime()).TotalSeconds;
        report = report with { WallSeconds = wall };
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(report, RunReportJson.Default.RunReport));
            return;
        }
        var table = new Table().Border(TableBorder.Rounded).AddColumn(report.Mode).AddColumn(new TableColumn("").RightAligned());
        string currency = report.Accounts.Length > 0 ? report.Accounts[0].Currency : "";
        void Row(string name, FormattableString value) => table.AddRow(name, Markup.Escape(value.ToString(CultureInfo.InvariantCulture)));
        if (report.RunId is { } id) Row("run", $"{id}");
        Row("period", $"{report.From:yyyy-MM-dd HH:mm} to {report.To:yyyy-MM-dd HH:mm}");
        if (report.FinalEquity is not null)
        {
            Row("final equity", $"{report.FinalEquity:N2} {currency}");
            Row("net profit", $"{report.NetProfit:N2} {currency}");
            Row("maximum drawdown", $"{report.MaxDrawdownPercent:N2} %");
            Row("fees", $"{report.Fees:N2} {currency}");
            Row("swap", $"{report.Swap:N2} {currency}");
        }
        Row("closed trades", $"{report.ClosedTrades:N0}");
        Row("orders, fills", $"{report.Orders:N0}, {report.Fills:N0}");
        if (!report.Denied.IsEmpty) Row("denied", $"{Reasons(report.Denied)}");
        Row("data points", $"{report.DataPoints:N0} in {report.Seconds:N3} s ({report.DataPoints / Math.Max(report.Seconds, 1e-9):N0} a second); {wall:N2} s wall");
        Row("order list", $"{report.OrderListHash}");
        Tables.Print(table);
        if (report.Accounts.Length <= 1) return;
        var accounts = new Table().Border(TableBorder.Rounded).AddColumns("account", "final equity", "trades", "won", "max drawdown", "orders", "denied");
        foreach (AccountReport account in report.Accounts)
        {
            string Text(FormattableString value) => Markup.Escape(value.ToString(CultureInfo.InvariantCulture));
            accounts.AddRow(Text($"{account.Account}"), Text($"{account.FinalEquity:N2} {account.Currency}"), Text($"{account.ClosedTrades}"), Text($"{account.WonTrades}"),
                Text($"{account.MaxDrawdownPercent:N2} %"), Text($"{account.Orders}"), Text($"{Reasons(account.Denied)}"));
        }
        Tables.Print(accounts);
    }

    /// <summary>The most frequent first.</summary>
    private static string Reasons(ImmutableSortedDictionary<Reason, int> denied) => denied.IsEmpty ? "0"
        : string.Join(", ", denied.OrderByDescending(reason => reason.Value)
            .Select(reason => string.Create(CultureInfo.InvariantCulture, $"{reason.Value:N0} {reason.Key}")));
}
