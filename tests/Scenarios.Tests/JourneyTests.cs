using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>
/// Whole journeys in real browsers, at a desk by day and on a phone at night: from an installation that nobody owns to a halt that two people
/// release, and through a restart of the service. What axe finds wrong on any page that is passed fails the test. Screenshots lie beside the test's
/// binaries.
/// </summary>
public sealed partial class JourneyTests(ITestOutputHelper output)
{
    private const string Password = "correct horse battery";

    /// <summary>Decides within seconds, on bars of one second.</summary>
    private const string Rule = "enter long when close > sma(2);\nexit when close < sma(2);\nsize units 0.1;";

    private static readonly Lazy<(string Axe, string Check)> Accessibility = new(() => (
        File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "src", "Web", "node_modules", "axe-core", "axe.min.js")),
        File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "src", "Web", "tests", "accessibility.js"))));

    [Fact]
    public async Task Two_people_own_trade_test_halt_and_release()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, further: ["--ticks-per-second", "10"]);
        Uri server = system.Client.BaseAddress!;
        await using IBrowserContext desk = await ContextAsync(browser, 1280, 900, ColorScheme.Light);
        await using IBrowserContext phone = await ContextAsync(browser, 360, 780, ColorScheme.Dark);
        IPage olive = await desk.NewPageAsync(), tom = await phone.NewPageAsync();
        ConcurrentQueue<string> faults = TestBrowser.Faults(olive), others = TestBrowser.Faults(tom);

        await OwnAsync(olive, server, system.Program.Output);
        await InviteAsync(olive, server);
        await AcceptAsync(tom, server, Outbox.Link(Path.Combine(data.Path, "outbox"), "tom@example.org", "invitation"));
        await TradeByRuleAsync(olive, server, "olives");
        await TradeByRuleAsync(tom, server, "toms");
        await DecisionsAsync(olive, server, "olives", notOf: "toms");
        await DecisionsAsync(tom, server, "toms", notOf: "olives");
        await FillsAsync(olive, server, "olives", "desk");
        await FillsAsync(tom, server, "toms", "phone");
        await StopAsync(tom, server, "toms");
        await BacktestAsync(olive, server, "olives");

        await HaltTenantAsync(olive, server);
        await AskAndApproveAsync(olive, tom, server);
        Assert.Empty(faults);
        Assert.Empty(others);
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task A_page_outlives_a_restart_of_the_service()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, further: ["--ticks-per-second", "10"]);
        Uri server = system.Client.BaseAddress!;
        await using IBrowserContext desk = await ContextAsync(browser, 1280, 900, ColorScheme.Light);
        await using IBrowserContext phone = await ContextAsync(browser, 360, 780, ColorScheme.Dark);
        IPage page = await desk.NewPageAsync(), small = await phone.NewPageAsync();
        ConcurrentQueue<string> faults = TestBrowser.Faults(page), others = TestBrowser.Faults(small);
        await TestBrowser.SignInAsync(page, system);
        await TestBrowser.SignInAsync(small, system);
        await TradeByRuleAsync(page, server, "main");
        await FillsAsync(page, server, "main", "restart");
        await small.GotoAsync(new Uri(server, "/#/overview").ToString());
        await Assertions.Expect(small.Locator("#running li")).ToHaveCountAsync(1);
        Assert.Empty(faults);
        Assert.Empty(others);
        long[] before = await FillPositionsAsync(system);

        (await system.Program.StopAsync()).Succeeded();
        foreach ((IPage each, string where) in new[] { (page, "desk"), (small, "phone") })
        {
            await Assertions.Expect(each.Locator("p.lost")).ToContainTextAsync("The connection is lost: what is shown is as of");
            await Assertions.Expect(each.Locator(".connection")).Not.ToContainTextAsync("Connected");
            Assert.Equal("no", await each.EvaluateAsync<string>("document.body.dataset.live"));
            await TestBrowser.ShootAsync(each, $"people-lost-{where}", output);
        }
        await system.StartAgainAsync();

        // By themselves, and still signed in.
        foreach (IPage each in (IPage[])[page, small])
        {
            await Assertions.Expect(each.Locator(".connection")).ToContainTextAsync("Connected");
            await Assertions.Expect(each.Locator("p.lost")).ToBeHiddenAsync();
        }
        faults.Clear();
        others.Clear();
        // The strategy goes on, and its page with it.
        await page.WaitForFunctionAsync("known => document.querySelectorAll('#fills tbody tr').length > Math.min(known, 40)", before.Length);
        await Assertions.Expect(small.Locator("#running li")).ToHaveCountAsync(1);

        await StopAsync(page, server, "main");
        await page.GotoAsync(new Uri(server, "/#/trade").ToString());
        long[] after = await FillPositionsAsync(system);
        Assert.Equal(before, after[..before.Length]);
        Assert.Equal(after.Distinct(), after);
        // Each once, on the page that was open all along as in one that is opened now.
        await using IBrowserContext fresh = await ContextAsync(browser, 1280, 900, ColorScheme.Light);
        IPage second = await fresh.NewPageAsync();
        await TestBrowser.SignInAsync(second, system);
        await second.GotoAsync(new Uri(server, "/#/trade").ToString());
        await Assertions.Expect(second.Locator("#fills tbody tr")).ToHaveCountAsync(Math.Min(after.Length, 50));
        Assert.Equal(await RowsAsync(second, "#fills"), await RowsAsync(page, "#fills"));
        Assert.Equal(await RowsAsync(second, "#positions"), await RowsAsync(page, "#positions"));
        Assert.Equal(
            await second.Locator("#decisions ol > li").CountAsync(), await page.Locator("#decisions ol > li").CountAsync());
        Assert.Empty(faults);
        Assert.Empty(others);
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task Every_page_is_sound_on_a_phone_and_on_a_wall()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, further: ["--ticks-per-second", "10"]);
        Uri server = system.Client.BaseAddress!;
        await using IBrowserContext first = await ContextAsync(browser, 1280, 900, ColorScheme.Light);
        IPage page = await first.NewPageAsync();
        await TestBrowser.SignInAsync(page, system);
        await TradeByRuleAsync(page, server, "main");
        await FillsAsync(page, server, "main", "looks");
        // The other journeys look at what they pass on a desk's 1280.
        foreach ((int width, ColorScheme scheme) in new[] { (360, ColorScheme.Dark), (2560, ColorScheme.Light) })
        {
            await using IBrowserContext context = await ContextAsync(browser, width, width < 500 ? 780 : 1000, scheme);
            IPage looked = await context.NewPageAsync();
            ConcurrentQueue<string> faults = TestBrowser.Faults(looked);
            await TestBrowser.SignInAsync(looked, system);
            await LookAroundAsync(looked, server, width, scheme);
            Assert.Empty(faults);
        }
        (await system.Program.StopAsync()).Succeeded();
    }

    private static async Task<IBrowserContext> ContextAsync(TestBrowser browser, int width, int height, ColorScheme scheme)
    {
        IBrowserContext context = await browser.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme = scheme,
        });
        context.SetDefaultTimeout(TestBrowser.Patience);
        Assertions.SetDefaultExpectTimeout(TestBrowser.Patience);
        return context;
    }

    private async Task OwnAsync(IPage page, Uri server, string printed)
    {
        await page.GotoAsync(new Uri(server, $"/#/welcome/{WelcomeLink().Match(printed).Groups[1].Value}").ToString());
        await page.GetByLabel("Name").FillAsync("Olive Owner");
        await page.GetByLabel("E-mail address").FillAsync("olive@example.org");
        await page.GetByLabel("Password").FillAsync(Password);
        await TestBrowser.ShootAsync(page, "people-welcome", output);
        await SoundAsync(page);
        await ButtonAsync(page, "Own this installation");
        await Assertions.Expect(page.Locator(".connection")).ToContainTextAsync("Connected");
    }

    private static async Task InviteAsync(IPage page, Uri server)
    {
        await page.GotoAsync(new Uri(server, "/#/administration/members").ToString());
        await ButtonAsync(page, "Invite");
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("E-mail address").FillAsync("tom@example.org");
        await dialog.GetByRole(AriaRole.Checkbox, new LocatorGetByRoleOptions { NameRegex = ComplianceOfficer() }).CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Send the invitation" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
    }

    private async Task AcceptAsync(IPage page, Uri server, string link)
    {
        await page.GotoAsync(new Uri(server, $"/#/invitation/{link}").ToString());
        await page.GetByLabel("Name").FillAsync("Tom Trader");
        await page.GetByLabel("Password").FillAsync(Password);
        await TestBrowser.ShootAsync(page, "people-invitation", output);
        await SoundAsync(page);
        await ButtonAsync(page, "Accept");
        await Assertions.Expect(page.Locator(".connection")).ToContainTextAsync("Connected");
    }

    /// <summary>Writes a rule and starts it on an account of its own.</summary>
    private static async Task TradeByRuleAsync(IPage page, Uri server, string account)
    {
        await page.GotoAsync(new Uri(server, "/#/strategies/new").ToString());
        await page.GetByRole(AriaRole.Textbox, new PageGetByRoleOptions { Name = "Rule", Exact = true }).FillAsync(Rule);
        await Assertions.Expect(page.Locator(".check-state")).ToContainTextAsync("Valid");
        await ButtonAsync(page, "Start on a paper account");
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name", new LocatorGetByLabelOptions { Exact = true }).FillAsync($"{account}-rule");
        await dialog.GetByLabel("Symbol").SelectOptionAsync("BTCUSD");
        await dialog.GetByLabel("Time frame").SelectOptionAsync("S1");
        await dialog.GetByLabel("Name of the account").FillAsync(account);
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Start" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator("#strategies li", new PageLocatorOptions { HasText = $"{account}-rule" })).ToContainTextAsync("running");
    }

    /// <summary>They come by themselves, each says why, and none of the other's is among them.</summary>
    private async Task DecisionsAsync(IPage page, Uri server, string account, string notOf)
    {
        await page.GotoAsync(new Uri(server, "/#/decisions").ToString());
        ILocator decisions = page.Locator("ol > li", new PageLocatorOptions { HasText = $"{account}-rule" });
        await Assertions.Expect(decisions.Nth(2)).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("ol > li", new PageLocatorOptions { HasText = $"{notOf}-rule" })).ToHaveCountAsync(0);
        await TestBrowser.ShootAsync(page, $"people-decisions-{account}", output);
        await SoundAsync(page);
    }

    /// <summary>What the rule decided is filled, and seen as it happens.</summary>
    private async Task FillsAsync(IPage page, Uri server, string account, string where)
    {
        await page.GotoAsync(new Uri(server, "/#/trade").ToString());
        await Assertions.Expect(page.Locator("#account-title")).ToContainTextAsync(account);
        ILocator fills = page.Locator("#fills tbody tr");
        await Assertions.Expect(fills.Nth(1)).ToContainTextAsync("BTCUSD");
        int count = await fills.CountAsync();
        await page.WaitForFunctionAsync("count => document.querySelectorAll('#fills tbody tr').length > Math.min(count, 40)", count);
        await TestBrowser.ShootAsync(page, $"people-trade-{where}", output);
        await SoundAsync(page);
    }

    private static async Task StopAsync(IPage page, Uri server, string account)
    {
        await page.GotoAsync(new Uri(server, "/#/strategies").ToString());
        await ButtonAsync(page, $"Stop {account}-rule");
        ILocator strategy = page.Locator("#strategies li", new PageLocatorOptions { HasText = $"{account}-rule" });
        await Assertions.Expect(strategy.Locator(".status")).ToHaveTextAsync("stopped");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = $"Start {account}-rule" })).ToBeVisibleAsync();
    }

    /// <summary>The strategy that runs, over a file of past prices; its tear sheet tells what the result does.</summary>
    private async Task BacktestAsync(IPage page, Uri server, string account)
    {
        await page.GotoAsync(new Uri(server, "/#/strategies").ToString());
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = $"Back-test {account}-rule" }).ClickAsync();
        await Assertions.Expect(page.Locator(".rule-text")).ToContainTextAsync("close > sma(2)");
        var file = new FilePayload { Name = "BTCUSD_M1.csv", MimeType = "text/csv", Buffer = PastMinutes() };
        await page.GetByLabel("Choose files of data").SetInputFilesAsync(file);
        ILocator chosen = page.Locator(".checks label", new PageLocatorOptions { HasText = file.Name }).GetByRole(AriaRole.Checkbox);
        await Assertions.Expect(chosen).ToBeCheckedAsync();
        await page.Locator("#over").GetByLabel("Time frame").SelectOptionAsync("M1");
        await ButtonAsync(page, "Run the back-test");
        await Assertions.Expect(page.Locator(".job-status")).ToContainTextAsync("finished");
        ILocator told = page.Locator("#result .figures > div", new PageLocatorOptions { HasText = "Closed trades" }).Locator("dd");
        string trades = await told.InnerTextAsync();
        Assert.NotEqual("0", trades);
        await Assertions.Expect(page.FrameLocator("iframe.sheet").Locator("[data-path='trades.count']").First).ToHaveTextAsync(trades);
        await TestBrowser.ShootAsync(page, "people-backtest", output);
        await SoundAsync(page);
    }

    /// <summary>Half a day of minutes that go up and down.</summary>
    private static byte[] PastMinutes()
    {
        var text = new StringBuilder("time,open,high,low,close,volume\n");
        for (int i = 0; i < 720; i++)
        {
            DateTime time = new DateTime(2024, 1, 2).AddMinutes(i);
            decimal open = Price(i), close = Price(i + 1), high = Math.Max(open, close) + 5, low = Math.Min(open, close) - 5;
            text.Append(CultureInfo.InvariantCulture, $"{time:yyyy-MM-dd HH:mm:ss},{open},{high},{low},{close},100\n");
        }
        return Encoding.ASCII.GetBytes(text.ToString());

        static decimal Price(int minute) => 60_000 + 20 * Math.Abs(minute % 20 - 10);
    }

    /// <summary>All fills of the account main, the oldest first.</summary>
    private static async Task<long[]> FillPositionsAsync(LiveSystem system)
    {
        JsonNode page = (await system.Client.GetFromJsonAsync<JsonNode>("/api/v1/accounts/main/fills?limit=1000"))!;
        return [.. page["fills"]!.AsArray().Select(fill => (long)fill!["position"]!).Reverse()];
    }

    private static async Task<string> RowsAsync(IPage page, string panel) =>
        string.Join('\n', await page.Locator($"{panel} tbody tr td:nth-child(-n+3)").AllInnerTextsAsync());

    private async Task HaltTenantAsync(IPage page, Uri server)
    {
        await page.GotoAsync(new Uri(server, "/#/risk").ToString());
        await ButtonAsync(page, "Halt the tenant or a member");
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Why").FillAsync("the drill of the day");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Halt now" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
        ILocator halt = page.Locator("#kill-switch li", new PageLocatorOptions { HasText = "Everybody is halted" });
        await Assertions.Expect(halt).ToContainTextAsync("the drill of the day");
        await Assertions.Expect(page.Locator("#kill-switch li", new PageLocatorOptions { HasText = "olives" })).ToContainTextAsync("Halted for the tenant");
        await TestBrowser.ShootAsync(page, "people-halted", output);
        await SoundAsync(page);
    }

    /// <summary>Who halted asks; the other approves, from the phone; trading may go on.</summary>
    private async Task AskAndApproveAsync(IPage asks, IPage approves, Uri server)
    {
        await ButtonAsync(asks, "Ask for the release");
        ILocator dialog = asks.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Why it may be released").FillAsync("the drill is over");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Ask" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
        // One pair of eyes is not enough.
        await Assertions.Expect(asks.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Approve the release" })).ToHaveCountAsync(0);

        await approves.GotoAsync(new Uri(server, "/#/risk").ToString());
        ILocator halt = approves.Locator("#kill-switch li", new PageLocatorOptions { HasText = "Everybody is halted" });
        await Assertions.Expect(halt).ToContainTextAsync("the drill is over");
        await TestBrowser.ShootAsync(approves, "people-release-phone", output);
        await ButtonAsync(approves, "Approve the release");
        await Assertions.Expect(approves.Locator("#kill-switch")).ToContainTextAsync("No halt of the tenant stands.");
        await Assertions.Expect(asks.Locator("#kill-switch")).ToContainTextAsync("No halt of the tenant stands.");
    }

    private static readonly string[] Pages =
    [
        "overview", "trade", "strategies", "strategies/new", "decisions", "backtests", "backtests/new", "reports", "risk",
        "history/orders", "history/fills", "history/journal",
        "settings", "settings/security", "settings/keys", "settings/configuration", "settings/notifications",
        "administration/members", "administration/clients", "administration/users", "administration/services", "administration/system",
    ];

    /// <summary>Every page that an owner has, without a fault, no wider than the screen, and as axe wants it.</summary>
    private async Task LookAroundAsync(IPage page, Uri server, int width, ColorScheme scheme)
    {
        foreach (string at in Pages)
        {
            await page.GotoAsync(new Uri(server, $"/#/{at}").ToString());
            await Assertions.Expect(page.Locator("main h2").First).ToBeVisibleAsync();
            await Assertions.Expect(page.Locator("main .empty:visible", new PageLocatorOptions { HasText = "Loading…" })).ToHaveCountAsync(0);
            await TestBrowser.ShootAsync(page, $"look-{width}-{scheme.ToString().ToLowerInvariant()}-{at.Replace('/', '-')}", output);
            await SoundAsync(page);
            int excess = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            Assert.True(excess <= 0, $"{at} is {excess} px wider than a screen of {width}");
        }
    }

    /// <summary>axe finds nothing wrong with the page as it is now.</summary>
    internal static async Task SoundAsync(IPage page)
    {
        await page.EvaluateAsync(Accessibility.Value.Axe);
        string[] found = await page.EvaluateAsync<string[]>(Accessibility.Value.Check);
        Assert.True(found.Length == 0, $"{page.Url}: {string.Join('\n', found)}");
    }

    private static Task ButtonAsync(IPage page, string name) =>
        page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true }).ClickAsync();

    [GeneratedRegex("/#/welcome/([A-Za-z0-9_-]+)")]
    private static partial Regex WelcomeLink();

    [GeneratedRegex("Compliance officer", RegexOptions.IgnoreCase)]
    private static partial Regex ComplianceOfficer();
}
