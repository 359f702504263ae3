using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>The tear sheet and the comparison in a real browser: every figure shown is the one of the JSON, by day, by night and on a phone, and
/// nothing is
/// fetched from anywhere. Screenshots lie beside the test's binaries.</summary>
public sealed class ReportPageTests(ITestOutputHelper output)
{
    private const int Narrow = 360;

    // What the page says of every figure against what its JSON says: shown text, path, and the value at that path, off by at most half of the last
    // digit.
    private const string Check = """
        () => {
          const figures = JSON.parse(document.getElementById('figures').textContent);
          const wrong = [];
          let count = 0;
          for (const cell of document.querySelectorAll('[data-path]')) {
            count++;
            const value = cell.dataset.path.split('.').reduce((node, name) => node == null ? node : node[name], figures);
            const shown = cell.textContent, format = cell.dataset.format;
            if (value === undefined) { wrong.push(cell.dataset.path + ' is not in the JSON'); continue; }
            if (value === null) { if (shown !== '–') wrong.push(cell.dataset.path + ': ' + shown + ' for null'); continue; }
            if (format === 'Duration') {
              const part = /^(?:(\d+)\.)?(\d+):(\d+):([\d.]+)$/.exec(value);
              const seconds = ((+(part[1] ?? 0) * 24 + +part[2]) * 60 + +part[3]) * 60 + +part[4];
              const unit = { d: 86400, h: 3600, min: 60, s: 1 };
              const said = [...shown.matchAll(/([\d.]+) (d|h|min|s)/g)].reduce((sum, each) => sum + each[1] * unit[each[2]], 0);
              if (!(said <= seconds + 0.05 && seconds - said < Math.max(3600 * (seconds >= 86400), 60 * (seconds >= 3600), 1))) wrong.push(cell.dataset.path + ': ' + shown + ' for ' + value);
              continue;
            }
            const digits = shown.replace(/,| %/g, '').replace('\u2212', '-');
            const places = (digits.split('.')[1] ?? '').length, expected = format === 'Percent' || format === 'Heat' ? value * 100 : value;
            if (!/^-?\d+(\.\d+)?$/.test(digits) || Math.abs(Number(digits) - expected) > 0.5000001 * 10 ** -places) wrong.push(cell.dataset.path + ': ' + shown + ' for ' + value);
          }
          return count + '\n' + wrong.join('\n');
        }
        """;

    [Fact]
    public async Task Every_figure_shown_is_that_of_the_json_in_light_and_dark_and_on_a_phone()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var folder = new TempFolder();
        string reports = Path.Combine(folder.Path, "r1");
        string[] rule =
        [
            SharedData.Path("data/mt5-history/gbpusd_h1.zip"), "--symbol", "GBPUSD", "--strategy", "sma-cross", "--set", "slow=50", "--set",
                "units=10000", "--limits", "none",
            "--stop-out", "none", "--commission-rate", "0.00002", "--json",
        ];
        ProgramResult run = (await HybridProgram.RunAsync(["backtest", .. rule, "--set", "fast=20", "--report", reports])).Succeeded();
        JsonNode file = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(reports, "report.json")))!;
        Assert.Equal((decimal)JsonNode.Parse(run.Output)!["finalEquity"]!, (decimal)file["equity"]!["end"]!);
        Assert.Equal(101045.539314m, (decimal)file["equity"]!["end"]!);
        Assert.Equal(1210, (int)file["trades"]!["count"]!);
        foreach (string fast in (string[])["10", "30"])
        {
            (await HybridProgram.RunAsync(["backtest", .. rule, "--set", $"fast={fast}", "--title", $"fast {fast}", "--report",
                Path.Combine(folder.Path, $"{fast}.json")])).Succeeded();
        }
        string compared = Path.Combine(folder.Path, "compared.html");
        (await HybridProgram.RunAsync("compare", Path.Combine(reports, "report.json"), Path.Combine(folder.Path, "10.json"),
            Path.Combine(folder.Path, "30.json"), "--out", compared)).Succeeded();

        await LookAsync(browser.Browser, Path.Combine(reports, "report.html"), "report", 150, file);
        await LookAsync(browser.Browser, compared, "comparison", 250, null);
    }

    private async Task LookAsync(IBrowser browser, string path, string name, int figures, JsonNode? file)
    {
        foreach ((string look, ColorScheme scheme, int width) in new[] { ("light", ColorScheme.Light, 1240), ("dark", ColorScheme.Dark, 1240),
            ("narrow", ColorScheme.Light, Narrow) })
        {
            await using IBrowserContext context = await browser.NewContextAsync(new BrowserNewContextOptions
            {
                ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = 900 },
            });
            IPage page = await context.NewPageAsync();
            var faults = new ConcurrentQueue<string>();
            var fetched = new ConcurrentQueue<string>();
            page.Console += (_, message) => { if (message.Type is "error" or "warning") faults.Enqueue(message.Text); };
            page.PageError += (_, error) => faults.Enqueue(error);
            page.Request += (_, request) => fetched.Enqueue(request.Url);
            await page.GotoAsync(new Uri(path).AbsoluteUri);

            string[] said = (await page.EvaluateAsync<string>(Check)).Split('\n');
            Assert.True(int.Parse(said[0]) >= figures, $"{said[0]} figures on the page");
            Assert.Equal("", string.Join(Environment.NewLine, said[1..]));
            if (file is not null) AssertSameFigures(file, JsonNode.Parse(await page.Locator("#figures").TextContentAsync() ?? "")!);

            string background = await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
            Assert.True(scheme == ColorScheme.Dark ? Brightness(background) < 60 : Brightness(background) > 200, $"{look}: {background}");
            int overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            Assert.True(overflow <= 0, $"{look}: the page is {overflow} px wider than the screen");
            ILocator chart = page.Locator($"figure svg.{(width == Narrow ? "narrow" : "wide")}[data-h]").First;
            if (await chart.CountAsync() > 0)
            {
                await chart.HoverAsync();
                await Assertions.Expect(page.Locator("#tip")).ToBeVisibleAsync();
                await page.Mouse.MoveAsync(0, 0);
            }
            string shot = Path.Combine(AppContext.BaseDirectory, "screenshots", $"{name}-{look}.png");
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = shot, FullPage = true });
            output.WriteLine(shot);
            Assert.Empty(faults);
            Assert.Single(fetched);
        }
    }

    /// <summary>The page carries the figures of the file, without its series.</summary>
    private static void AssertSameFigures(JsonNode file, JsonNode page)
    {
        foreach ((string name, JsonNode? value) in file.AsObject())
        {
            if (name is "daily" or "curve" or "prices" or "tradeList") continue;
            Assert.True(JsonNode.DeepEquals(value, page[name]), name);
        }
    }

    private static double Brightness(string rgb) => rgb[(rgb.IndexOf('(') + 1)..rgb.IndexOf(')')].Split(',').Take(3).Average(double.Parse);
}
