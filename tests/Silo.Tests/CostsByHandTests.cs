using System.Globalization;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>Whole back-tests of a few bars whose figures are reckoned by hand in the comments.</summary>
public sealed class CostsByHandTests
{
    private const string Long = "enter long when close > 1.1; exit when close < 1.1";

    /// <summary>2024-01-10 was a Wednesday; the day turns at 17:00 in New York, 22:00 UTC.</summary>
    private static readonly string[] TwoNights =
    [
        "2024-01-10T19:00,1.0990,1.0990,1.0990,1.0990,1",
        "2024-01-10T20:00,1.0990,1.1010,1.0990,1.1010,1",
        "2024-01-10T21:00,1.1020,1.1030,1.1020,1.1030,1",
        "2024-01-10T22:00,1.1030,1.1030,1.1030,1.1030,1",
        "2024-01-11T21:00,1.1030,1.1030,1.1010,1.1010,1",
        "2024-01-11T22:00,1.1010,1.1010,1.0985,1.0985,1",
        "2024-01-11T23:00,1.0980,1.0980,1.0980,1.0980,1",
    ];

    /// <remarks>
    /// Bought at the open of 21:00: ask 1.10202 and 3 points; sold at the open of 23:00 a day later: bid 1.0980 less 3 points.
    /// 10,000 x (1.09797 - 1.10205) = -40.80. Two fills at 0.1 lot x 3.50 = 0.35, at least 1: -2. Swap 10,000 x 7.5 points = 0.75 a night: three on Wednesday, one on Thursday: -3.
    /// </remarks>
    [Theory]
    [InlineData("1.1030", "--swap-long=-7.5", "--swap-short=99")]
    [InlineData("1.1030", "--swap-long", "-7.5")]
    [InlineData("1.1030", "--swap-long", "EURUSD=-7.5", "--swap-long", "4")]
    [InlineData("1.1030", "--swap-long", "eurusd=-7.5")]
    [InlineData("1.1030001", "--swap-long", "-7.5")]
    public async Task Swap_with_its_triple_day_least_commission_slippage_and_spread(string high, params string[] swap)
    {
        using var folder = new TempFolder();
        // A price of seven decimals makes all prices count in such: spread, slippage and swap stay points of five.
        string file = Hours(folder, [.. TwoNights.Select(row => row.Replace(",1.1030,1.1020,", $",{high},1.1020,", StringComparison.Ordinal))]);
        bool finer = high.Length > 6;
        JsonObject report = await RunCall.AssertAlikeAsync([file, "--rule", Long, "--spread", "2", "--slippage", finer ? "300" : "3",
            "--commission-per-lot", "3.5", "--commission-minimum", "1", "--limits", "none", .. swap]);
        Assert.Equal((2m, -3m, 99_954.20m), ((decimal)report["fees"]!, (decimal)report["swap"]!, (decimal)report["finalEquity"]!));
        Assert.Equal((2, 2, 1), ((int)report["orders"]!, (int)report["fills"]!, (int)report["closedTrades"]!));
    }

    /// <remarks>
    /// In euros at the mid of the moment: swap of Wednesday 2.25 / 1.10301 = 2.0399, of Thursday 0.75 / 1.10101 = 0.6812, result -40.80 / 1.09801 = -37.1581;
    /// booked to cents: -2.04, -0.68, -37.16. Commission is in account currency: -2.
    /// </remarks>
    [Fact]
    public async Task An_account_in_the_base_currency_books_at_the_mid_of_the_moment()
    {
        using var folder = new TempFolder();
        JsonObject report = await RunCall.AssertAlikeAsync(Hours(folder, TwoNights), "--rule", Long, "--spread", "2", "--slippage", "3", "--swap-long", "-7.5",
            "--commission-per-lot", "3.5", "--commission-minimum", "1", "--limits", "none", "--account-currency", "EUR", "--money-digits", "2");
        Assert.Equal((2m, -2.72m, 99_958.12m), ((decimal)report["fees"]!, (decimal)report["swap"]!, (decimal)report["finalEquity"]!));
    }

    /// <remarks>A short of 10,000 held over Wednesday and Thursday earns 10,000 x 2 points x 4 = 0.80; sold at 1.1020, bought at 1.0980: +40.</remarks>
    [Fact]
    public async Task A_short_has_its_own_swap()
    {
        using var folder = new TempFolder();
        JsonObject report = await RunCall.BacktestAsync(Hours(folder, TwoNights), "--rule", "enter short when close > 1.1; exit when close < 1.1",
            "--swap-long", "-7.5", "--swap-short", "2", "--limits", "none");
        Assert.Equal((0.8m, 100_040.8m), ((decimal)report["swap"]!, (decimal)report["finalEquity"]!));
    }

    /// <remarks>
    /// 20,000 bought at 1.1000 with 1,000 of equity. At 1.0680 the equity is 360, the margin 20,000 x 1.0680 / 30 = 712: 50.56 %, it stands. At 1.0670 they are
    /// 340 and 711.33: 47.8 %, and the position is closed at the next open, 1.0665: 1,000 - 670 = 330. The strategy stays long, so nothing follows.
    /// </remarks>
    [Fact]
    public async Task A_stop_out_closes_at_the_next_open_below_half_the_margin_and_not_before()
    {
        using var folder = new TempFolder();
        string[] rows =
        [
            "2024-01-10T08:00,1.1000,1.1000,1.1000,1.1000,1", "2024-01-10T09:00,1.1000,1.1000,1.1000,1.1000,1", "2024-01-10T10:00,1.0900,1.0900,1.0680,1.0680,1",
            "2024-01-10T11:00,1.0670,1.0670,1.0670,1.0670,1", "2024-01-10T12:00,1.0665,1.0665,1.0600,1.0600,1", "2024-01-10T13:00,1.0600,1.0600,1.0600,1.0600,1",
        ];
        string[] options = ["--rule", "enter long when close > 1.09; exit when close < 0.5", "--set", "units=20000", "--cash", "1000", "--limits", "none"];
        JsonObject report = await RunCall.AssertAlikeAsync([Hours(folder, rows), .. options]);
        Assert.Equal((330m, 2, 1), ((decimal)report["finalEquity"]!, (int)report["fills"]!, (int)report["closedTrades"]!));
        JsonObject held = await RunCall.BacktestAsync([Hours(folder, rows), .. options, "--stop-out", "none"]);
        Assert.Equal((200m, 1), ((decimal)held["finalEquity"]!, (int)held["fills"]!));
    }

    /// <remarks>
    /// One rule buys at 1.1020, the other sells at 1.1065, both leave at 1.0980: -40 and +85. Between 1.1065 and 1.0980 the account is flat and the two are not.
    /// </remarks>
    [Theory]
    [InlineData("netting")]
    [InlineData("hedging")]
    public async Task Two_strategies_on_one_account_each_have_their_own_position(string mode)
    {
        using var folder = new TempFolder();
        string[] rows =
        [
            "2024-01-10T08:00,1.0990,1.1010,1.0990,1.1010,1", "2024-01-10T09:00,1.1020,1.1060,1.1020,1.1060,1", "2024-01-10T10:00,1.1065,1.1065,1.1040,1.1040,1",
            "2024-01-10T11:00,1.1040,1.1040,1.0985,1.0985,1", "2024-01-10T12:00,1.0980,1.0980,1.0980,1.0980,1",
        ];
        JsonObject report = await RunCall.AssertAlikeAsync(Hours(folder, rows), "--rule", folder.Write("up.rule", Long),
            "--rule", folder.Write("down.rule", "enter short when close > 1.105; exit when close < 1.1"), "--mode", mode, "--limits", "none");
        Assert.Equal((100_045m, 4, 2), ((decimal)report["finalEquity"]!, (int)report["fills"]!, (int)report["closedTrades"]!));
    }

    [Theory]
    [InlineData("--swap-long", "much", "--swap-long is 'much'")]
    [InlineData("--swap-long", "=3", "--swap-long is '=3'")]
    [InlineData("--swap-short", "EURUSD=", "--swap-short is 'EURUSD='")]
    [InlineData("--swap-short", "GBPUSD=3", "--swap-short GBPUSD: not in the data")]
    [InlineData("--swap-short", "9999999", "expected points from -1000000 to 1000000")]
    [InlineData("--commission-minimum", "-1", "--commission-minimum is -1; expected 0 to 1000000")]
    public async Task Costs_that_mean_nothing_are_refused(string option, string value, string said)
    {
        using var folder = new TempFolder();
        ProgramResult result = await HybridProgram.RunAsync("backtest", Hours(folder, TwoNights), $"{option}={value}");
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains(said, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        ProgramResult twice = await HybridProgram.RunAsync("backtest", Hours(folder, TwoNights), "--swap-long=1", "--swap-long=2");
        Assert.Contains("--swap-long: every instrument is given 2 times", Assert.Single(twice.ErrorLines), StringComparison.Ordinal);
    }

    private static string Hours(TempFolder folder, string[] rows) =>
        folder.Write("eurusd_h1.csv", string.Create(CultureInfo.InvariantCulture, $"time,open,high,low,close,tick_volume\n{string.Join('\n', rows)}\n"));
}
