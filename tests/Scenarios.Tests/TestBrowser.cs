using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>Chromium without a window, for tests of pages. Screenshots lie beside the test's binaries.</summary>
internal sealed class TestBrowser : IAsyncDisposable
{
    /// <summary>Milliseconds that a page is waited for, on a busy machine too.</summary>
    public const float Patience = 60_000;

    private readonly IPlaywright _playwright;

    private TestBrowser(IPlaywright playwright, IBrowser browser) => (_playwright, Browser) = (playwright, browser);

    public IBrowser Browser { get; }

    /// <summary>Starts it; where there is none the test is skipped.</summary>
    public static async Task<TestBrowser> LaunchAsync()
    {
        string? chromium = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(chromium is null, "needs Chromium on the PATH (Debian: apt-get install chromium)");
        IPlaywright playwright = await Playwright.CreateAsync();
        try
        {
            return new TestBrowser(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = chromium, Headless = true,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync"],
            }));
        }
        catch
        {
            playwright.Dispose();
            throw;
        }
    }

    /// <summary>A light page on a screen of 1440 x 1000.</summary>
    public async Task<IPage> NewPageAsync()
    {
        IPage page = await Browser.NewPageAsync(new BrowserNewPageOptions
        {
            ViewportSize = new ViewportSize { Width = 1440, Height = 1000 }, ColorScheme = ColorScheme.Light,
        });
        page.SetDefaultTimeout(Patience);
        Assertions.SetDefaultExpectTimeout(Patience);
        return page;
    }

    /// <summary>Signs the owner in, as the page's own form does: the page finds its cookie.</summary>
    public static async Task SignInAsync(IPage page, LiveSystem system)
    {
        Uri server = system.Client.BaseAddress!;
        await system.Owner.TokenAsync(server);
        IAPIResponse answer = await page.Context.APIRequest.PostAsync(
            new Uri(server, "/api/v1/auth/sign-in").ToString(), new APIRequestContextOptions { DataObject = new { email = OwnerSession.Email, password = OwnerSession.Password } });
        Assert.True(answer.Ok, await answer.TextAsync());
        // A browser that was never signed in does not ask. The frame of a report may not remember anything.
        await page.AddInitScriptAsync("try { localStorage.setItem('signedIn', 'yes') } catch {}");
    }

    /// <summary>What the browser complains about from here on.</summary>
    /// <param name="meant">Part of the complaints that a test provokes; null for none.</param>
    public static ConcurrentQueue<string> Faults(IPage page, string? meant = null)
    {
        ConcurrentQueue<string> faults = new();
        void Add(string fault)
        {
            if (meant is null || !fault.Contains(meant, StringComparison.Ordinal)) faults.Enqueue(fault);
        }

        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Add($"{message.Type}: {message.Text} ({message.Location})");
        };
        page.PageError += (_, error) => Add(error);
        page.RequestFailed += (_, request) =>
        {
            // A page withdraws what it no longer needs: a check of a rule that was typed over, what a page left behind had asked for.
            if (request.Failure is not "net::ERR_ABORTED") Add($"{request.Method} {request.Url}: {request.Failure}");
        };
        page.Response += (_, response) =>
        {
            if (response.Status >= 400) Add($"{response.Request.Method} {response.Url}: {response.Status}");
        };
        return faults;
    }

    public static async Task ShootAsync(IPage page, string name, ITestOutputHelper output)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "screenshots", $"{name}.png");
        await page.EvaluateAsync("scrollTo(0, 0)");
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = path, FullPage = true });
        output.WriteLine(path);
    }

    public async ValueTask DisposeAsync()
    {
        await Browser.DisposeAsync();
        _playwright.Dispose();
    }
}
