using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>The page in a real browser on a running system: what a person does there, and what moves by itself. Screenshots lie beside the test's
/// binaries.</summary>
public sealed class PageTests(ITestOutputHelper output)
{
    private const int Narrow = 360;

    [Fact]
    public async Task The_page_lives_and_a_person_can_trade_on_it()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, further: ["--ticks-per-second", "10"]);
        IPage page = await browser.NewPageAsync();
        await TestBrowser.SignInAsync(page, system);
        ConcurrentQueue<string> faults = TestBrowser.Faults(page);
        await NothingIsSaidBeforeTheVerdictAsync(page, system.Client.BaseAddress!);

        await QuotesMoveAsync(page);
        await OpenAccountAsync(page);
        await PlaceOrderAsync(page);
        await CreateStrategyAsync(page);
        await DecisionsComeAsync(page, system);

        await TestBrowser.ShootAsync(page, "light", output);
        await DarkAsync(page);
        await NarrowAsync(page);
        Assert.Empty(faults);
        await page.CloseAsync();
        (await system.Program.StopAsync()).Succeeded();
    }

    /// <summary>While the first answer is under way the page says that it loads, and not that there is nothing.</summary>
    private static async Task NothingIsSaidBeforeTheVerdictAsync(IPage page, Uri address)
    {
        var verdict = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync("**/api/v1/accounts", async route =>
        {
            await verdict.Task;
            await route.ContinueAsync();
        });
        await page.GotoAsync(address.ToString());
        await Assertions.Expect(page.Locator(".connection")).ToContainTextAsync("Connected");
        foreach (string panel in (string[])["account", "ticket", "positions", "orders", "fills", "equity", "strategies", "decisions"])
        {
            await Assertions.Expect(page.Locator($"#{panel} .empty:visible")).ToHaveTextAsync("Loading…");
        }
        verdict.SetResult();
        await Assertions.Expect(page.Locator("#account .empty:visible")).ToContainTextAsync("No account yet");
        await page.UnrouteAsync("**/api/v1/accounts");
    }

    private static async Task QuotesMoveAsync(IPage page)
    {
        ILocator row = page.Locator("#quotes tbody tr", new PageLocatorOptions { HasText = "BTCUSD" });
        ILocator bid = row.Locator("td").Nth(1);
        await Assertions.Expect(bid).ToHaveTextAsync(new Regex(@"\d"));
        await Assertions.Expect(page.Locator(".simulated")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".connection")).ToContainTextAsync("Connected");
        for (int change = 0; change < 3; change++)
        {
            await Assertions.Expect(bid).Not.ToHaveTextAsync(await bid.InnerTextAsync(),
                new LocatorAssertionsToHaveTextOptions { Timeout = TestBrowser.Patience });
        }
        await row.GetByRole(AriaRole.Button).ClickAsync();
    }

    private static async Task OpenAccountAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Create a paper account" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name").FillAsync("paper");
        await dialog.GetByLabel("Deposit").FillAsync("250000");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Create account" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator("#account-title")).ToContainTextAsync("paper");
        await Assertions.Expect(page.Locator("#account .figures")).ToContainTextAsync("250,000");
    }

    private static async Task PlaceOrderAsync(IPage page)
    {
        ILocator ticket = page.Locator("#ticket");
        await Assertions.Expect(page.Locator("#ticket-title")).ToContainTextAsync("BTCUSD");
        await ticket.GetByLabel("Volume").FillAsync("0.5");
        await ticket.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Buy 0.5 BTCUSD" }).ClickAsync();
        // Unless told otherwise it asks first, and shows what risk will say.
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Send the order" }).ClickAsync();
        ILocator position = page.Locator("#positions tbody tr", new PageLocatorOptions { HasText = "BTCUSD" });
        await Assertions.Expect(position).ToContainTextAsync("Long 0.5");
        // It is marked at the market, live.
        ILocator mark = position.Locator("td").Nth(3);
        await Assertions.Expect(mark).Not.ToHaveTextAsync(await mark.InnerTextAsync(), new LocatorAssertionsToHaveTextOptions { Timeout = TestBrowser.Patience });
        // It fills in parts when the market has less at its best price; the parts are the whole, each there once.
        // The ticket's answer goes on from working to filled.
        await Assertions.Expect(ticket.Locator(".answer")).ToContainTextAsync("is filled: 0.5 at");
        await page.WaitForFunctionAsync("""
            () => [...document.querySelectorAll('#fills tbody tr')].reduce((sum, row) => sum + Number(row.cells[2].innerText.replace(/[^0-9.]/g, '')), 0)
                .toFixed(8) === '0.50000000'
            """);
    }

    private static async Task CreateStrategyAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Create a strategy" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Definition").SelectOptionAsync("donchian-breakout");
        await dialog.GetByLabel("Name").FillAsync("breakout");
        await dialog.GetByLabel("Symbol").SelectOptionAsync("BTCUSD");
        await dialog.GetByLabel("units", new LocatorGetByLabelOptions { Exact = true }).FillAsync("0.1");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Create strategy" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
        ILocator strategy = page.Locator("#strategies li", new PageLocatorOptions { HasText = "breakout" });
        await Assertions.Expect(strategy).ToContainTextAsync("running");
        await Assertions.Expect(strategy).ToContainTextAsync("paper");
    }

    /// <summary>One that decides within seconds is made beside the page, by a program, and appears by itself.</summary>
    private static async Task DecisionsComeAsync(IPage page, LiveSystem system)
    {
        JsonObject fast = new()
        {
            ["name"] = "fast", ["definition"] = "sma-cross", ["symbol"] = "BTCUSD", ["timeFrame"] = "S1", ["accounts"] = new JsonArray("paper"),
            ["start"] = true,
            ["parameters"] = new JsonObject { ["fast"] = 1, ["slow"] = 2, ["units"] = 0.1 },
        };
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/v1/strategies") { Content = JsonContent.Create((JsonNode)fast) };
        request.Headers.Add("Idempotency-Key", "fast");
        using HttpResponseMessage answer = await system.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());

        ILocator made = page.Locator("#strategies li", new PageLocatorOptions { HasText = "sma-cross · BTCUSD S1" });
        await Assertions.Expect(made).ToContainTextAsync("running");
        ILocator decisions = page.Locator("#decisions ol > li");
        await Assertions.Expect(decisions.Nth(2)).ToContainTextAsync("fast · BTCUSD S1",
            new LocatorAssertionsToContainTextOptions { Timeout = TestBrowser.Patience });
        await decisions.First.Locator("summary").ClickAsync();
        await Assertions.Expect(page.Locator("#decisions details[open] .detail").First).ToContainTextAsync("sma");
        await Assertions.Expect(page.Locator("#positions tbody tr", new PageLocatorOptions { HasText = "fast" })).ToHaveCountAsync(1);
    }

    private async Task DarkAsync(IPage page)
    {
        string light = await BackgroundAsync(page);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        string dark = await BackgroundAsync(page);
        Assert.True(Brightness(light) > 180 && Brightness(dark) < 80, $"the page is {light} by day and {dark} by night");
        await TestBrowser.ShootAsync(page, "dark", output);
    }

    private async Task NarrowAsync(IPage page)
    {
        await page.SetViewportSizeAsync(Narrow, 780);
        // The layout follows with the next frames.
        await page.WaitForFunctionAsync($"document.documentElement.clientWidth === {Narrow}");
        int width = await page.EvaluateAsync<int>("document.documentElement.scrollWidth");
        Assert.True(width <= Narrow, $"the page is {width} px wide on a screen of {Narrow} px");
        await Assertions.Expect(page.Locator("#ticket button[type=submit]")).ToBeVisibleAsync();
        await TestBrowser.ShootAsync(page, "narrow", output);
    }

    private static Task<string> BackgroundAsync(IPage page) =>
        page.EvaluateAsync<string>("""
            () => {
              const own = getComputedStyle(document.body).backgroundColor;
              return own === 'rgba(0, 0, 0, 0)' ? getComputedStyle(document.documentElement).backgroundColor : own;
            }
            """);

    private static double Brightness(string colour) => Regex.Matches(colour, @"\d+(\.\d+)?").Take(3)
        .Average(part => double.Parse(part.Value, System.Globalization.CultureInfo.InvariantCulture));
}
