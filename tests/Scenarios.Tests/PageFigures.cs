using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>
/// What the console costs a browser: bytes and time of the first load, and the work of its main thread at 50 quotes a second with 20 strategies that
/// decide each second. A report and no test: it is run by its name (<c>--explicit only</c>) on a quiet machine, prints figures, and leaves them
/// beside the test's binaries, with the trace that they are made of (the browser's own tools read it).
/// </summary>
public sealed class PageFigures(ITestOutputHelper output)
{
    // A symbol's quotes are shown ten times a second at most, so some more are played than are to arrive.
    private const int Loads = 7, QuotesPerSecond = 60, Strategies = 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10), Watched = TimeSpan.FromSeconds(30), Played = TimeSpan.FromMinutes(10);
    private static readonly (string Name, decimal Price, decimal Point)[] Symbols =
    [
        ("AUDUSD", 0.66m, 0.00001m), ("BTCUSD", 45_000m, 0.01m), ("EURUSD", 1.1m, 0.00001m), ("GBPUSD", 1.27m, 0.00001m), ("USDCAD", 1.36m, 0.00001m),
        ("USDCHF", 0.88m, 0.00001m), ("USDJPY", 150m, 0.001m), ("XAUUSD", 2050m, 0.01m),
    ];

    /// <summary>What counts as scripting; the time of one inside another counts once.</summary>
    private static readonly HashSet<string> Scripting = new(StringComparer.Ordinal)
    {
        "EvaluateScript", "v8.compile", "FunctionCall", "FireAnimationFrame", "TimerFire", "EventDispatch", "RunMicrotasks", "WebSocketReceive",
        "MinorGC", "MajorGC",
    };

    private readonly StringBuilder _report = new();

    [Fact(Explicit = true)]
    public async Task Report()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        using var data = new TempFolder();
        string[] files = [.. Symbols.Select(symbol => Quotes(data.Path, symbol.Name, symbol.Price, symbol.Point))];
        string[] market = [.. files.SelectMany(file => new[] { "--market", file }), "--market-speed", "1", "--market-play"];
        await using LiveSystem system = await LiveSystem.StartAsync(Path.Combine(data.Path, "system"), further: market);
        await system.Owner.TokenAsync(system.Client.BaseAddress!);
        await PostAsync(system, "accounts", new JsonObject { ["name"] = "main", ["currency"] = "USD", ["deposit"] = 1_000_000 });
        for (int i = 0; i < Strategies; i++)
        {
            (string symbol, decimal price, _) = Symbols[i % Symbols.Length];
            await PostAsync(system, "strategies", new JsonObject
            {
                ["name"] = $"s{i}", ["definition"] = "sma-cross", ["symbol"] = symbol, ["timeFrame"] = "S1",
                ["accounts"] = new JsonArray("main"), ["start"] = true,
                ["parameters"] = new JsonObject { ["fast"] = 1 + i / Symbols.Length, ["slow"] = 6, ["units"] = price > 1000 ? 1 : 1000 },
            });
        }
        await FirstLoadAsync(browser, system);
        await FramesAsync(browser, system);

        string path = Path.Combine(AppContext.BaseDirectory, "page-figures.txt");
        await File.WriteAllTextAsync(path, _report.ToString(), TestContext.Current.CancellationToken);
        output.WriteLine(path);
        (await system.Program.StopAsync()).Succeeded();
    }

    /// <summary>With an empty cache, from the navigation until the overview shows its accounts.</summary>
    private async Task FirstLoadAsync(TestBrowser browser, LiveSystem system)
    {
        List<double> times = [], kilobytes = [];
        for (int i = 0; i < Loads; i++)
        {
            IPage page = await browser.NewPageAsync();
            await TestBrowser.SignInAsync(page, system);
            ICDPSession session = await page.Context.NewCDPSessionAsync(page);
            var addresses = new ConcurrentDictionary<string, string>();
            var sizes = new ConcurrentDictionary<string, double>();
            session.Event("Network.requestWillBeSent").OnEvent += (_, e) =>
                addresses[Text(e, "requestId")] = e!.Value.GetProperty("request").GetProperty("url").GetString()!;
            session.Event("Network.loadingFinished").OnEvent += (_, e) =>
                sizes[Text(e, "requestId")] = e!.Value.GetProperty("encodedDataLength").GetDouble();
            await session.SendAsync("Network.enable");
            var headers = new Dictionary<string, string> { ["Accept-Encoding"] = "gzip" };
            await session.SendAsync("Network.setExtraHTTPHeaders", new() { ["headers"] = headers });
            await page.GotoAsync(new Uri(system.Client.BaseAddress!, "/#/overview").ToString());
            IJSHandle shown = await page.WaitForFunctionAsync(
                "() => document.querySelector('#accounts tbody tr') && document.querySelector('#running li') && performance.now()");
            double time = await shown.JsonValueAsync<double>();
            await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            // The first one also compiles the service.
            if (i > 0) times.Add(time);
            kilobytes.Add(sizes.Where(size => !IsCall(addresses.GetValueOrDefault(size.Key, "/api/"))).Sum(size => size.Value) / 1000);
            await page.Context.CloseAsync();
        }
        Tell("first load, page and scripts, gzip", Median(kilobytes), "kB", "must be under 300");
        string range = $"{times.Min():0} to {times.Max():0} of {times.Count}, empty cache, loopback";
        Tell("first load, until the accounts are shown", Median(times), "ms", $"must be under 1000; {range}");
    }

    /// <summary>The trade page, with everything on it that moves.</summary>
    private async Task FramesAsync(TestBrowser browser, LiveSystem system)
    {
        IPage page = await browser.NewPageAsync();
        await TestBrowser.SignInAsync(page, system);
        ICDPSession session = await page.Context.NewCDPSessionAsync(page);
        long quotes = 0;
        session.Event("Network.webSocketFrameReceived").OnEvent += (_, e) =>
        {
            string payload = e!.Value.GetProperty("response").GetProperty("payloadData").GetString()!;
            foreach (string message in payload.Split('\u001e', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!message.Contains("\"target\":\"quotes\"", StringComparison.Ordinal)) continue;
                Interlocked.Add(ref quotes, message.Split("\"bid\":").Length - 1);
            }
        };
        await session.SendAsync("Network.enable");
        await page.GotoAsync(new Uri(system.Client.BaseAddress!, "/#/trade").ToString());
        await Assertions.Expect(page.Locator("#strategies li")).ToHaveCountAsync(Strategies);
        await Assertions.Expect(page.Locator("#fills tbody tr").First).ToBeVisibleAsync();
        await Task.Delay(WarmUp, TestContext.Current.CancellationToken);

        var complete = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Event("Tracing.tracingComplete").OnEvent += (_, e) => complete.TrySetResult(Text(e, "stream"));
        long before = Interlocked.Read(ref quotes);
        await session.SendAsync("Tracing.start", new()
        {
            ["transferMode"] = "ReturnAsStream",
            ["traceConfig"] = new Dictionary<string, object>
            {
                ["includedCategories"] = new[]
                {
                    "devtools.timeline", "disabled-by-default-devtools.timeline", "disabled-by-default-devtools.timeline.frame", "v8.execute",
                    "toplevel",
                },
            },
        });
        await Task.Delay(Watched, TestContext.Current.CancellationToken);
        double rate = (Interlocked.Read(ref quotes) - before) / Watched.TotalSeconds;
        await session.SendAsync("Tracing.end");
        string trace = await ReadAsync(session, await complete.Task);
        await File.WriteAllTextAsync(Path.Combine(AppContext.BaseDirectory, "page-trace.json"), trace, TestContext.Current.CancellationToken);
        Work work = Work.Of(trace);
        int decisions = await page.Locator("#decisions ol > li").CountAsync();

        string load = $"{QuotesPerSecond} are played; {Strategies} strategies on bars of a second, {decisions} decisions listed";
        Tell("quotes that reached the page", rate, "/s", load);
        Tell("longest task", work.LongestTask, "ms", $"must be under 50; {work.Tasks} tasks in {Watched.TotalSeconds:0} s");
        Tell("longest task, processor time", work.LongestTaskCpu, "ms", "what of it the machine did for others is not in it");
        Tell("scripting a frame, p99", Percentile(work.Frames, 99), "ms", $"must be under 8; {work.Frames.Count} frames");
        Tell("scripting a frame, median", Percentile(work.Frames, 50), "ms", "");
        Tell("scripting a frame, the most", work.Frames.Max(), "ms", "");
        Tell("scripting a frame, p99, processor time", Percentile(work.FramesCpu, 99), "ms", "");
        Tell("scripting a frame, the most, processor time", work.FramesCpu.Max(), "ms", "");
        await page.Context.CloseAsync();
    }

    private static async Task<string> ReadAsync(ICDPSession session, string stream)
    {
        var all = new StringBuilder();
        for (bool ends = false; !ends;)
        {
            JsonElement part = (await session.SendAsync("IO.read", new() { ["handle"] = stream, ["size"] = 1_000_000 }))!.Value;
            string text = part.GetProperty("data").GetString()!;
            bool isEncoded = part.TryGetProperty("base64Encoded", out JsonElement encoded) && encoded.GetBoolean();
            all.Append(isEncoded ? Encoding.UTF8.GetString(Convert.FromBase64String(text)) : text);
            ends = part.GetProperty("eof").GetBoolean();
        }
        await session.SendAsync("IO.close", new() { ["handle"] = stream });
        return all.ToString();
    }

    /// <summary>What the page's main thread did; all times in milliseconds, by the clock and by its processor time.</summary>
    /// <param name="Frames">Scripting from the begin of each frame to that of the next.</param>
    private sealed record Work(int Tasks, double LongestTask, double LongestTaskCpu, List<double> Frames, List<double> FramesCpu)
    {
        private readonly record struct Span(double From, double Wall, double Cpu);

        public static Work Of(string trace)
        {
            using JsonDocument document = JsonDocument.Parse(trace);
            JsonElement[] events = [.. document.RootElement.GetProperty("traceEvents").EnumerateArray()];
            // Of all renderers' main threads the page's is the one that worked the most.
            HashSet<(int, int)> mains = [.. events.Where(IsMainThread).Select(Thread)];
            List<JsonElement> own = events.Where(e => mains.Contains(Thread(e))).GroupBy(Thread)
                .MaxBy(thread => thread.Where(e => Name(e) == "RunTask").Sum(e => Microseconds(e, "dur")))!.ToList();
            List<JsonElement> tasks = [.. own.Where(e => Name(e) == "RunTask")];
            List<double> begins = [.. own.Where(e => Name(e) == "BeginMainThreadFrame").Select(e => Microseconds(e, "ts")).Order()];
            List<Span> scripts = Outermost(own.Where(e => Scripting.Contains(Name(e)))
                .Select(e => new Span(Microseconds(e, "ts"), Microseconds(e, "dur"), Microseconds(e, "tdur"))));
            List<double> frames = [], framesCpu = [];
            int next = scripts.FindIndex(script => script.From >= begins[0]);
            for (int i = 1; i < begins.Count; i++)
            {
                (double wall, double cpu) = (0, 0);
                for (; next < scripts.Count && scripts[next].From < begins[i]; next++)
                {
                    wall += scripts[next].Wall;
                    cpu += scripts[next].Cpu;
                }
                frames.Add(wall / 1000);
                framesCpu.Add(cpu / 1000);
            }
            double longest = tasks.Max(e => Microseconds(e, "dur")) / 1000, longestCpu = tasks.Max(e => Microseconds(e, "tdur")) / 1000;
            return new Work(tasks.Count, longest, longestCpu, frames, framesCpu);
        }

        /// <summary>Those that are inside no other, in order.</summary>
        private static List<Span> Outermost(IEnumerable<Span> spans)
        {
            List<Span> outermost = [];
            double until = double.MinValue;
            foreach (Span span in spans.Where(span => span.Wall > 0).OrderBy(span => span.From).ThenByDescending(span => span.Wall))
            {
                if (span.From < until) continue;
                outermost.Add(span);
                until = span.From + span.Wall;
            }
            return outermost;
        }

        private static bool IsMainThread(JsonElement e) =>
            Name(e) == "thread_name" && e.GetProperty("args").GetProperty("name").GetString() == "CrRendererMain";

        private static string Name(JsonElement e) => e.GetProperty("name").GetString()!;

        private static (int Process, int Thread) Thread(JsonElement e) => (e.GetProperty("pid").GetInt32(), e.GetProperty("tid").GetInt32());

        private static double Microseconds(JsonElement e, string member) => e.TryGetProperty(member, out JsonElement value) ? value.GetDouble() : 0;
    }

    private static async Task PostAsync(LiveSystem system, string path, JsonObject body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, $"/api/v1/{path}") { Content = JsonContent.Create((JsonNode)body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
        using HttpResponseMessage answer = await system.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Evenly spaced quotes that wander, all symbols together <see cref="QuotesPerSecond"/>.</summary>
    private static string Quotes(string folder, string symbol, decimal price, decimal point)
    {
        string path = Path.Combine(folder, $"{symbol}_tick.csv");
        using var file = new StreamWriter(path);
        file.Write("time,bid,ask\n");
        DateTime start = new(2024, 1, 10, 10, 0, 0, DateTimeKind.Utc);
        var wander = new Random(symbol[0] * symbol[3]);
        double gap = 1000.0 * Symbols.Length / QuotesPerSecond;
        for (int i = 0; i * gap < Played.TotalMilliseconds; i++)
        {
            price += point * wander.Next(-20, 21);
            DateTime time = start.AddMilliseconds(i * gap);
            file.Write(string.Create(CultureInfo.InvariantCulture, $"{time:yyyy-MM-dd HH:mm:ss.fff},{price},{price + 10 * point}\n"));
        }
        return path;
    }

    private static bool IsCall(string address) =>
        address.Contains("/api/", StringComparison.Ordinal) || address.Contains("/hubs/", StringComparison.Ordinal);

    private static string Text(JsonElement? e, string name) => e!.Value.GetProperty(name).GetString()!;

    private static double Median(List<double> values) => Percentile(values, 50);

    /// <summary>Nearest rank.</summary>
    private static double Percentile(List<double> values, double percent) =>
        values.Order().ElementAt(Math.Clamp((int)Math.Ceiling(percent / 100 * values.Count) - 1, 0, values.Count - 1));

    private void Tell(string what, double value, string unit, string note)
    {
        string line = string.Create(CultureInfo.InvariantCulture, $"{what,-45} {value,8:0.0} {unit,-3} {note}");
        output.WriteLine(line);
        _report.AppendLine(line);
    }
}
