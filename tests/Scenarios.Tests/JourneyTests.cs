using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>
/// Two people in two browsers, from an installation that nobody owns to a halt that both of them release: one at a desk by day, one on a phone at night.
/// What axe finds wrong on any page that is passed fails the test. Screenshots lie beside the test's binaries.
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
    public async Task Two_people_own_trade_halt_and_release()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, further: ["--ticks-per-second", "10"]);
        Uri server = system.Client.BaseAddress!;
        await using IBrowserContext desk = await ContextAsync(browser, 1440, 1000, ColorScheme.Light);
        await using IBrowserContext phone = await ContextAsync(browser, 360, 780, ColorScheme.Dark);
        IPage olive = await desk.NewPageAsync(), tom = await phone.NewPageAsync();
        ConcurrentQueue<string> faults = TestBrowser.Faults(olive), others = TestBrowser.Faults(tom);

        await OwnAsync(olive, server, system.Program.Output);
        await InviteAsync(olive, server);
        await AcceptAsync(tom, server, Outbox.Link(Path.Combine(data.Path, "outbox"), "tom@example.org", "invitation"));
        await TradeByRuleAsync(olive, server, "olives");
        await TradeByRuleAsync(tom, server, "toms");
        await DecisionsAsync(olive, server, "olives");

        await HaltTenantAsync(olive, server);
        await AskAndApproveAsync(olive, tom, server);
        await LookAroundAsync(olive, server, "desk");
        await LookAroundAsync(tom, server, "phone");
        Assert.Empty(faults);
        Assert.Empty(others);
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
    private async Task DecisionsAsync(IPage page, Uri server, string account)
    {
        await page.GotoAsync(new Uri(server, "/#/decisions").ToString());
        ILocator decisions = page.Locator("ol > li", new PageLocatorOptions { HasText = $"{account}-rule" });
        await Assertions.Expect(decisions.Nth(2)).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("ol > li", new PageLocatorOptions { HasText = "toms-rule" })).ToHaveCountAsync(0);
        await TestBrowser.ShootAsync(page, "people-decisions", output);
        await SoundAsync(page);
    }

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

    /// <summary>Every page that the person has, without a fault and as axe wants it.</summary>
    private async Task LookAroundAsync(IPage page, Uri server, string where)
    {
        foreach (string at in (string[])["overview", "strategies", "backtests", "reports", "risk", "history", "settings", "settings/security", "settings/configuration"])
        {
            await page.GotoAsync(new Uri(server, $"/#/{at}").ToString());
            await Assertions.Expect(page.Locator("main h2").First).ToBeVisibleAsync();
            await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            await TestBrowser.ShootAsync(page, $"people-{where}-{at.Replace('/', '-')}", output);
            await SoundAsync(page);
            int width = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            Assert.True(width <= 0, $"{at} is {width} px wider than the screen of the {where}");
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
