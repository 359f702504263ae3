using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>Data as they come: what is wrong ends with one line and leaves nothing behind, what is only unusual runs.</summary>
public sealed class BadDataTests
{
    private const string Header = "time,open,high,low,close,volume\n", Name = "eurusd_h1.csv";

    public static TheoryData<string, string, string> Wrong { get; } = new()
    {
        { "a column is missing", "time,open,high,low,volume\n" + Row(1, "1.1"), "expected time, open, high, low, close" },
        { "columns that are none", "a;b;c\n1;2;3\n", "expected time, open, high, low, close" },
        { "a row is short", Header + Row(1, "1.1") + "2024-01-10T02:00,1.1,1.1\n", "line 3: 3 columns, expected at least 5" },
        { "a negative price", Header + Row(1, "1.1") + Row(2, "-1.1"), "line 3, column open: '-1.1', expected a price above zero" },
        { "a price of zero", Header + Row(1, "0"), "line 2, column open: '0', expected a price above zero" },
        { "words for numbers", Header + Row(1, "NaN"), "column open: 'NaN', expected a price" },
        { "a negative volume", Header + "2024-01-10T01:00,1.1,1.1,1.1,1.1,-4\n", "column volume: '-4', expected a volume" },
        { "a high below the low", Header + "2024-01-10T01:00,1.1,1.0,1.2,1.1,1\n", "expected low <= open, close <= high" },
        { "a day that does not exist", Header + "2024-02-30T01:00,1.1,1.1,1.1,1.1,1\n", "column time: '2024-02-30T01:00'" },
        { "time goes back", Header + Row(9, "1.1") + Row(8, "1.1") + Row(7, "1.1") + Row(6, "1.1"), "3 of 4 rows go back in time, expected the oldest first" },
        { "only a header", Header, "no rows" },
        { "nothing", "", "empty, expected rows of market data" },
        { "no text at all", "\0\u0001\u0002\u0003\u0004", "expected time, open, high, low, close" },
        { "a line without end", Header + new string('1', 3 << 20), "longer than 1,048,576 bytes" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_table_ends_with_its_line_and_leaves_nothing(string what, string content, string said)
    {
        Assert.NotEmpty(what);
        using var folder = new TempFolder();
        await AssertRefusedAsync(folder, folder.Write(Name, content), said);
    }

    [Theory]
    [InlineData("cut off")]
    [InlineData("a byte flipped in its data")]
    [InlineData("another checksum")]
    [InlineData("no zip at all")]
    [InlineData("two tables")]
    [InlineData("no table")]
    public async Task A_corrupt_zip_ends_with_a_line_and_leaves_nothing(string what)
    {
        using var folder = new TempFolder();
        string path = folder["eurusd_h1.zip"];
        using (ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            using (var writer = new StreamWriter(zip.CreateEntry(what == "no table" ? "eurusd.doc" : Name, CompressionLevel.NoCompression).Open()))
            {
                writer.Write(Header + string.Concat(Enumerable.Range(0, 400).Select(hour => Row(hour, "1.1"))));
            }
            if (what == "two tables") zip.CreateEntry("another.csv");
        }
        byte[] bytes = await File.ReadAllBytesAsync(path);
        int price = bytes.AsSpan().LastIndexOf(",1.1,"u8) + 3;
        if (what == "cut off") bytes = bytes[..(bytes.Length / 2)];
        // Another digit of a price: the text is as good as before, and only the checksum knows.
        if (what == "a byte flipped in its data") bytes[price] = (byte)'2';
        if (what == "another checksum") bytes[bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8) + 16] ^= 1;
        if (what == "no zip at all") bytes = Encoding.ASCII.GetBytes(new string('x', 5000));
        await File.WriteAllBytesAsync(path, bytes);
        await AssertRefusedAsync(folder, path, "eurusd_h1.zip: ");
    }

    [Theory]
    [InlineData("--from 2030-01-01", "no rows from 2030-01-01")]
    [InlineData("--to 1999-01-01", "no rows from")]
    [InlineData("--from 2024-02-01 --to 2024-01-01", "the period from 2024-02-01")]
    [InlineData("--from 2024-01-10T03:10 --to 2024-01-10T03:50", "no rows from 2024-01-10 03:10")]
    public async Task An_empty_period_ends_with_a_line_and_leaves_nothing(string period, string said)
    {
        using var folder = new TempFolder();
        string file = folder.Write(Name, Header + string.Concat(Enumerable.Range(0, 30).Select(hour => Row(hour, "1.1"))));
        await AssertRefusedAsync(folder, file, said, period.Split(' '));
    }

    [Theory]
    [InlineData("enter long when close > ; exit when close < 1", "line 1, column 25")]
    [InlineData("enter long when colse > 1; exit when close < 1", "colse")]
    [InlineData("enter long when sma(0) > 1; exit when close < 1", "period is 0")]
    public async Task A_rule_with_an_error_ends_with_its_place_and_leaves_nothing(string rule, string said)
    {
        using var folder = new TempFolder();
        string file = folder.Write(Name, Header + string.Concat(Enumerable.Range(0, 30).Select(hour => Row(hour, "1.1"))));
        foreach (string command in (string[])["backtest", "replay"])
        {
            ProgramResult result = await RunAsync(folder, command, file, "--rule", rule);
            Assert.True(result.ExitCode == 2, result.ToString());
            Assert.Contains(said, result.ErrorLines[0], StringComparison.Ordinal);
            AssertNothingLeft(folder, result);
        }
    }

    [Fact]
    public async Task Gaps_zero_volume_repeated_and_late_rows_run_and_count()
    {
        using var folder = new TempFolder();
        int[] hours = [0, 1, 2, 30, 31, 31, 29, 32, 33, 34, 35, 200, 201];
        string rows = string.Concat(hours.Select(hour => Row(hour, hour % 2 == 0 ? "1.1" : "1.2", "0")));
        string clean = string.Concat(hours.Where(hour => hour != 29).Distinct().Select(hour => Row(hour, hour % 2 == 0 ? "1.1" : "1.2", "0")));
        string[] options = ["--rule", "enter long when close > 1.15; exit when close < 1.15", "--limits", "none"];
        JsonObject report = await RunCall.AssertAlikeAsync([folder.Write(Name, Header + rows), .. options]);
        Assert.Equal(11, (int)report["dataPoints"]!);
        Assert.InRange((int)report["fills"]!, 4, 11);
        JsonObject other = await RunCall.BacktestAsync([folder.Write(Name, Header + clean), .. options]);
        Assert.Equal((string)other["orderListHash"]!, (string)report["orderListHash"]!);
    }

    [Fact]
    public async Task Two_symbols_with_different_sessions_run_together()
    {
        using var folder = new TempFolder();
        // A share trades from 14:30 to 21:00 UTC, bitcoin always; 2024-01-13 is a Saturday.
        DateTime begin = new(2024, 1, 11, 0, 0, 0, DateTimeKind.Utc);
        string Bars(Func<DateTime, bool> open) => Header + string.Concat(Enumerable.Range(0, 24 * 5).Select(hour => begin.AddHours(hour)).Where(open)
            .Select(time => FormattableString.Invariant($"{time:yyyy-MM-ddTHH:mm},{100 + time.Hour % 4},{104},{99},{100 + (time.Hour + 1) % 4},1\n")));
        folder.Write("spy_h1.csv", Bars(time => time.Hour is >= 15 and < 21 && time.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)));
        folder.Write("btcusd_h1.csv", Bars(_ => true));
        JsonObject report = await RunCall.AssertAlikeAsync(folder.Path, "--rule", "enter long when close > 102; exit when close < 101; size units 1", "--limits", "none");
        Assert.Equal(120 + 18, (int)report["dataPoints"]!);
        Assert.InRange((int)report["fills"]!, 20, 200);
    }

    /// <summary>By every command that reads data.</summary>
    private static async Task AssertRefusedAsync(TempFolder folder, string file, string said, params string[] further)
    {
        foreach (string command in (string[])["backtest", "replay", "backtest check-lookahead", "optimise", "walkforward"])
        {
            string[] vary = command is "optimise" or "walkforward" ? ["--vary", "fast=2..4", "--trials", folder["trials.jsonl"]] : [];
            ProgramResult result = await RunAsync(folder, command, [file, .. further, .. vary]);
            Assert.True(result.ExitCode is 1 or 2, result.ToString());
            Assert.Empty(result.Output);
            string line = Assert.Single(result.ErrorLines);
            Assert.StartsWith("error: ", line, StringComparison.Ordinal);
            Assert.Contains(said, line, StringComparison.Ordinal);
            AssertNothingLeft(folder, result);
        }
    }

    private static Task<ProgramResult> RunAsync(TempFolder folder, string command, params string[] further)
    {
        string[] written = command switch
        {
            "backtest" => ["--report", folder["report"]],
            "replay" => ["--report", folder["report"], "--data", folder["data"]],
            _ => [],
        };
        return HybridProgram.RunAsync([.. command.Split(' '), .. further, "--cache", folder["cache"], .. written]);
    }

    private static void AssertNothingLeft(TempFolder folder, ProgramResult result)
    {
        Assert.False(Directory.Exists(folder["data"]), result.ToString());
        Assert.False(File.Exists(folder["trials.jsonl"]), result.ToString());
        Assert.True(!Directory.Exists(folder["report"]) || Directory.GetFiles(folder["report"]).Length == 0, result.ToString());
        Assert.True(!Directory.Exists(folder["cache"]) || Directory.GetFiles(folder["cache"]).All(file => file.EndsWith(".series", StringComparison.Ordinal)), result.ToString());
    }

    private static string Row(int hour, string price, string volume = "1") =>
        FormattableString.Invariant($"{new DateTime(2024, 1, 10).AddHours(hour):yyyy-MM-ddTHH:mm},{price},{price},{price},{price},{volume}\n");
}
