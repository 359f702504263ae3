using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>From an idea to a strategy that trades, in a real browser on a running system: a rule is written, found faulty, mended, back-tested over
/// uploaded data, its tear sheet read, and started on paper exactly as it was tested. Screenshots lie beside the test's binaries.</summary>
public sealed class BacktestPageTests(ITestOutputHelper output)
{
    private const int Narrow = 360;

    private const string Faulty = "param fast = 5 from 2 to 20;\nenter long when crosses_above(smaa(fast), sma(30));";
    private const string Ending = "\nexit when crosses_below(sma(fast), sma(30));";

    [Fact]
    public async Task A_rule_is_written_tested_and_started_on_paper()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, further: ["--ticks-per-second", "10"]);
        IPage page = await browser.NewPageAsync();
        await TestBrowser.SignInAsync(page, system);
        ConcurrentQueue<string> faults = TestBrowser.Faults(page, meant: "EURUSD_H1_broken");

        await page.GotoAsync(system.Client.BaseAddress!.ToString());
        await WriteRuleAsync(page);
        await BacktestAsync(page);
        await ReadTearSheetAsync(page);
        await RunAgainAsync(page);
        await StartOnPaperAsync(page);

        Assert.Empty(faults);
        await page.CloseAsync();
        (await system.Program.StopAsync()).Succeeded();
    }

    /// <summary>A wrong word is marked where it stands, and the word that was meant is one key away.</summary>
    private async Task WriteRuleAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Strategies" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Write a rule" }).ClickAsync();
        ILocator text = page.GetByRole(AriaRole.Textbox, new PageGetByRoleOptions { Name = "Rule", Exact = true });
        ILocator state = page.Locator(".check-state");
        await Assertions.Expect(state).ToContainTextAsync("Valid");
        await text.FillAsync(Faulty);
        await Assertions.Expect(state).ToHaveTextAsync("One fault.");
        await Assertions.Expect(page.Locator(".faults li")).ToContainTextAsync("Line 2, column 31");
        await Assertions.Expect(page.Locator(".code .wrong")).ToHaveTextAsync("smaa");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Back-test it" })).ToBeDisabledAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Use sma" }).ClickAsync();
        await Assertions.Expect(state).ToContainTextAsync("Valid");
        await Assertions.Expect(page.Locator(".code .wrong")).ToHaveCountAsync(0);

        // The words come as they are written.
        await text.PressAsync("Control+End");
        await text.PressSequentiallyAsync("\nexit when cro");
        ILocator offered = page.GetByRole(AriaRole.Option, new PageGetByRoleOptions { Name = "crosses_above" });
        await Assertions.Expect(offered).ToHaveAttributeAsync("aria-selected", "true");
        await text.PressAsync("ArrowDown");
        await text.PressAsync("Tab");
        await text.PressSequentiallyAsync("sma(fast), sma(30)");
        await text.PressAsync("Escape");
        await text.PressAsync("End");
        await text.PressSequentiallyAsync(";");
        await Assertions.Expect(text).ToHaveValueAsync(Faulty.Replace("smaa", "sma") + Ending);
        await Assertions.Expect(state).ToContainTextAsync("Valid");
        await page.Locator("#rule-parameters").GetByLabel("fast").FillAsync("7");
        await TestBrowser.ShootAsync(page, "journey-rule", output);

        // What was written is there after a reload.
        await page.ReloadAsync();
        await Assertions.Expect(text).ToHaveValueAsync(Faulty.Replace("smaa", "sma") + Ending);
        await Assertions.Expect(page.Locator("#rule-parameters").GetByLabel("fast")).ToHaveValueAsync("7");
    }

    /// <summary>Data are uploaded beside the form, which runs as it stands.</summary>
    private async Task BacktestAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Back-test it" }).ClickAsync();
        await Assertions.Expect(page.Locator(".rule-text")).ToContainTextAsync("crosses_above(sma(fast), sma(30))");
        await Assertions.Expect(page.Locator("#what").GetByLabel("fast")).ToHaveValueAsync("7");

        // A broken file is refused in the reader's words, beside it, and the file that is whole goes on.
        await page.GetByLabel("Choose files of data").SetInputFilesAsync(
        [
            new FilePayload
            {
                Name = "EURUSD_H1_broken.csv", MimeType = "text/csv", Buffer = "time,open,high,low,close\n2024-01-01 00:00:00,1,x,1,1\n"u8.ToArray(),
            },
            new FilePayload { Name = "EURUSD_H1.csv", MimeType = "text/csv", Buffer = Bars() },
        ]);
        ILocator uploads = page.Locator(".uploads > li");
        await Assertions.Expect(uploads).ToHaveCountAsync(1);
        await Assertions.Expect(uploads.Locator(".fault[role=alert]")).ToContainTextAsync("line 2");
        await uploads.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Leave it" }).ClickAsync();
        ILocator chosen = page.Locator(".checks label", new PageLocatorOptions { HasText = "EURUSD_H1.csv" }).GetByRole(AriaRole.Checkbox);
        await Assertions.Expect(chosen).ToBeCheckedAsync();
        await TestBrowser.ShootAsync(page, "journey-start", output);
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Run the back-test" }).ClickAsync();
        await Assertions.Expect(page.Locator(".job-status")).ToContainTextAsync("finished");
    }

    private async Task ReadTearSheetAsync(IPage page)
    {
        ILocator trades = page.Locator("#result .figures > div", new PageLocatorOptions { HasText = "Closed trades" }).Locator("dd");
        int closed = int.Parse(await trades.InnerTextAsync(), NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        Assert.True(closed > 5, $"{closed} trades of a wave of prices");
        // The tear sheet tells the same number, from its own page.
        IFrameLocator sheet = page.FrameLocator("iframe.sheet");
        ILocator told = sheet.Locator("[data-path='trades.count']").First;
        await Assertions.Expect(told).ToHaveTextAsync(closed.ToString("N0", CultureInfo.InvariantCulture));
        await TestBrowser.ShootAsync(page, "journey-backtest", output);
        await NarrowAsync(page, "backtest-narrow");
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await TestBrowser.ShootAsync(page, "journey-backtest-dark", output);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
    }

    /// <summary>The same run with another value, found by its own address, is in the reports as well.</summary>
    private async Task RunAgainAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Run again with changes" }).ClickAsync();
        ILocator fast = page.Locator("#what").GetByLabel("fast");
        await Assertions.Expect(fast).ToHaveValueAsync("7");
        await fast.FillAsync("9");
        await page.Locator("#what").GetByLabel("Name").FillAsync("nine");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Run the back-test" }).ClickAsync();
        await Assertions.Expect(page.Locator("#job-title")).ToHaveTextAsync("nine");
        await Assertions.Expect(page.Locator(".job-status")).ToContainTextAsync("finished");
        await Assertions.Expect(page.Locator("#job .terms")).ToContainTextAsync("fast 9");
        string address = page.Url;

        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Reports" }).ClickAsync();
        await Assertions.Expect(page.Locator("#finished tbody tr")).ToHaveCountAsync(2);
        await TestBrowser.ShootAsync(page, "journey-reports", output);
        await page.GotoAsync(address);
        await Assertions.Expect(page.Locator("#job-title")).ToHaveTextAsync("nine");
    }

    private async Task StartOnPaperAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Start on paper" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(dialog.GetByLabel("Symbol")).ToHaveValueAsync("EURUSD");
        await Assertions.Expect(dialog.GetByLabel("Time frame")).ToHaveValueAsync("H1");
        await Assertions.Expect(dialog).ToContainTextAsync("fast 9");
        await dialog.GetByLabel("Name of the account").FillAsync("trial");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Start" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
        ILocator strategy = page.Locator("#strategies li", new PageLocatorOptions { HasText = "nine" });
        await Assertions.Expect(strategy).ToContainTextAsync("running");
        await Assertions.Expect(strategy).ToContainTextAsync("EURUSD H1");
        await Assertions.Expect(strategy).ToContainTextAsync("fast 9");
        await Assertions.Expect(strategy).ToContainTextAsync("for trial");
        await Assertions.Expect(page.Locator("#account-title")).ToContainTextAsync("trial");
    }

    /// <summary>Half a year of hours in long waves, so that averages cross.</summary>
    private static byte[] Bars()
    {
        var text = new StringBuilder("time,open,high,low,close,volume\n");
        DateTime start = new(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        for (int i = 0; i < 3000; i++)
        {
            (double open, double close) = (Price(i), Price(i + 1));
            (double high, double low) = (Math.Max(open, close) + 0.0004, Math.Min(open, close) - 0.0004);
            text.Append(CultureInfo.InvariantCulture, $"{start.AddHours(i):yyyy-MM-dd HH:mm:ss},{open:F5},{high:F5},{low:F5},{close:F5},100\n");
        }
        return Encoding.ASCII.GetBytes(text.ToString());

        static double Price(int hour) => 1.1 + 0.02 * Math.Sin(hour / 40.0) + 0.01 * Math.Sin(hour / 300.0);
    }

    private async Task NarrowAsync(IPage page, string name)
    {
        await page.SetViewportSizeAsync(Narrow, 780);
        await page.WaitForFunctionAsync($"document.documentElement.clientWidth === {Narrow}");
        int width = await page.EvaluateAsync<int>("document.documentElement.scrollWidth");
        Assert.True(width <= Narrow, $"the page is {width} px wide on a screen of {Narrow} px");
        await TestBrowser.ShootAsync(page, $"journey-{name}", output);
        await page.SetViewportSizeAsync(1440, 1000);
    }
}
