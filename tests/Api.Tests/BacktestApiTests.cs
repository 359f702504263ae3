using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Domain.Markets;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

/// <summary>Data sets, back-tests and searches by HTTP, and what the hub tells of them.</summary>
public sealed class BacktestApiTests
{
    private const string Rule = """
        param fast = 20 from 1 to 500 step 1;
        param slow = 50 from 2 to 1000 step 1;
        enter long when crosses_above(sma(fast), sma(slow));
        enter short when crosses_below(sma(fast), sma(slow));
        """;

    private static readonly object R1Account = new { currency = "USD", deposit = 100_000, stopOutPercent = (int?)null };

    private static readonly object R1Costs = new { commissionRate = 0.00002m };

    [Fact]
    public async Task Rule_r1_uploaded_as_a_zip_gives_the_published_figures_and_its_report()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer set = await UploadAsync(host, SharedData.Path("data/mt5-history/gbpusd_h1.zip"));
        Assert.Equal(("GBPUSD", "H1", 57_600, "upload"), (set["symbol"].GetString(), set["timeFrame"].GetString(), set["count"].GetInt32(), set["source"].GetString()));
        await using HubClient hub = await HubClient.ConnectAsync(host.Address);
        await hub.SubscribeAsync([], null);
        Answer queued = (await host.PostAsync("backtests", R1(set))).Expect(202);
        string id = queued["id"].GetString()!;
        Assert.Equal($"/api/v1/backtests/{id}", queued.Headers["Location"]);

        JsonElement last = await hub.WaitForAsync("job", job => job.GetProperty("id").GetString() == id && job.GetProperty("status").GetString() is "finished" or "failed");
        Assert.Equal("finished", last.GetProperty("status").GetString());
        JsonElement[] told = [.. hub.Pushed("job").Where(job => job.GetProperty("id").GetString() == id)];
        Assert.Equal(told.Select(Standing), told.Select(Standing).Order());
        Assert.Equal("finished", told[^1].GetProperty("status").GetString());

        Answer job = (await host.GetAsync($"backtests/{id}")).Expect(200);
        JsonElement summary = job["summary"];
        Assert.Equal(101045.539314m, summary.GetProperty("finalEquity").GetDecimal());
        Assert.Equal(679.660686m, summary.GetProperty("fees").GetDecimal());
        Assert.Equal((1210, 57_600), (summary.GetProperty("trades").GetInt32(), summary.GetProperty("dataPoints").GetInt32()));
        Assert.StartsWith("d0e390f137048438", summary.GetProperty("orderListHash").GetString());
        Assert.InRange(summary.GetProperty("equity").GetArrayLength(), 100, 300);

        Answer report = (await host.GetAsync($"backtests/{id}/report")).Expect(200);
        Assert.Equal("run-analysis v1", report["schema"].GetString());
        Assert.Equal(101045.539314m, report["equity"].GetProperty("end").GetDecimal());
        Answer page = (await host.GetAsync($"backtests/{id}/report.html")).Expect(200);
        Assert.Equal("text/html", page.ContentType);
        Assert.Contains("<!doctype html>", page.Text);
        Assert.Equal("sandbox allow-scripts; frame-ancestors 'self'", page.Headers["Content-Security-Policy"]);
        Answer trades = (await host.GetAsync($"backtests/{id}/trades.csv")).Expect(200);
        Assert.Equal(1211, trades.Text.Count(c => c == '\n'));
        Assert.StartsWith("time,equity,grossExposure,netExposure\n", (await host.GetAsync($"backtests/{id}/equity.csv")).Expect(200).Text);

        Answer reports = (await host.GetAsync($"reports?minPosition={job["version"].GetInt64()}")).Expect(200);
        Assert.Equal(id, Assert.Single(reports["items"].EnumerateArray()).GetProperty("id").GetString());
        (await host.DeleteAsync($"backtests/{id}")).Expect(204);
        (await host.GetAsync($"backtests/{id}")).ExpectProblem(404, "JobUnknown");
        (await host.GetAsync($"backtests/{id}/report")).ExpectProblem(404, "ReportUnknown");
    }

    [Fact]
    public async Task The_same_as_a_rule_gives_the_same_orders_and_the_same_key_makes_one_job()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer set = await UploadAsync(host, SharedData.Path("data/mt5-history/gbpusd_h1.zip"));
        object body = new
        {
            dataSets = new[] { set["id"].GetString() }, strategies = new[] { new { name = "cross", rule = Rule } },
            account = R1Account, costs = R1Costs, limits = new { },
        };
        string key = ApiHost.NewKey();
        Answer first = (await host.PostAsync("backtests", body, key)).Expect(202), again = (await host.PostAsync("backtests", body, key)).Expect(202);
        Assert.True(again.IsReplayed);
        Assert.Equal(first["id"].GetString(), again["id"].GetString());
        Answer job = await EndAsync(host, "backtests", first);
        Assert.Equal(101045.539314m, job["summary"].GetProperty("finalEquity").GetDecimal());
        Assert.StartsWith("d0e390f137048438", job["summary"].GetProperty("orderListHash").GetString());
        Assert.Single((await host.GetAsync($"backtests?minPosition={first.MinPosition}")).Expect(200)["items"].EnumerateArray());
    }

    [Fact]
    public async Task The_markets_own_bars_are_a_data_set()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Assert.Empty((await host.GetAsync("data-sets")).Expect(200)["items"].EnumerateArray());
        var start = new DateTime(2026, 3, 2, 0, 0, 0, DateTimeKind.Utc);
        Bar[] bars = [.. Enumerable.Range(0, 5000).Select(i =>
        {
            long price = 110_000 + (long)(500 * Math.Sin(i / 40.0));
            return new Bar(start.AddMinutes(i), new Ohlc(price, price + 5, price - 5, price), new Ohlc(price + 2, price + 7, price - 3, price + 2), 1);
        })];
        await host.Services.GetRequiredService<IBarStore>().AppendAsync("EURUSD", TimeFrame.M1, bars);
        await host.RestartAsync();
        JsonElement set = Assert.Single((await host.GetAsync("data-sets")).Expect(200)["items"].EnumerateArray());
        Assert.Equal(("market:EURUSD:M1", "market", 5000), (set.GetProperty("id").GetString(), set.GetProperty("source").GetString(), set.GetProperty("count").GetInt32()));
        Answer queued = (await host.PostAsync("backtests", new { dataSets = new[] { "market:EURUSD:M1" }, strategies = new[] { new { definition = "sma-cross" } } })).Expect(202);
        // A run that is begun again must see what it saw.
        Assert.Equal(start.AddMinutes(5000), queued["request"].GetProperty("to").GetDateTime());
        Answer job = await EndAsync(host, "backtests", queued);
        Assert.Equal(5000, job["summary"].GetProperty("dataPoints").GetInt32());
        Assert.InRange(job["summary"].GetProperty("trades").GetInt32(), 1, 1000);
        (await host.DeleteAsync("data-sets/market:EURUSD:M1")).ExpectProblem(400, "InvalidInput", "dataSet");
    }

    [Fact]
    public async Task A_search_ranks_its_trials_and_its_best_is_the_back_test_of_its_settings()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer set = await UploadAsync(host, Csv(4000), "eurusd_h1.csv");
        object Search(object? walkForward) => new
        {
            dataSets = new[] { set["id"].GetString() }, strategies = new[] { new { definition = "sma-cross", parameters = new { units = 5000 } } }, limits = new { },
            vary = new { fast = "5..20/5", slow = "30,60" }, objective = "profit", constraints = new { minTrades = 3 }, walkForward,
        };
        Answer job = await EndAsync(host, "optimisations", (await host.PostAsync("optimisations", Search(null))).Expect(202));
        Assert.Equal(("optimisation", 8), (job["kind"].GetString(), job["search"].GetProperty("trials").GetInt32()));
        JsonElement best = job["search"].GetProperty("best");
        Answer page = (await host.GetAsync($"optimisations/{job["id"].GetString()}/trials?limit=5")).Expect(200);
        JsonElement[] trials = [.. page["items"].EnumerateArray()];
        Assert.Equal((5, 5), (trials.Length, page["next"].GetInt32()));
        Assert.Equal(best.GetProperty("trial").GetInt32(), trials[0].GetProperty("trial").GetInt32());
        double[] objective = [.. trials.Where(trial => trial.GetProperty("kept").GetBoolean()).Select(trial => trial.GetProperty("objective").GetDouble())];
        Assert.Equal(objective.OrderDescending(), objective);
        Assert.Equal(3, (await host.GetAsync($"optimisations/{job["id"].GetString()}/trials?cursor=5")).Expect(200)["items"].GetArrayLength());
        JsonElement[] byTrades = [.. (await host.GetAsync($"optimisations/{job["id"].GetString()}/trials?sort=-closedTrades")).Expect(200)["items"].EnumerateArray()];
        int[] closed = [.. byTrades.Select(trial => trial.GetProperty("statistics").GetProperty("closedTrades").GetInt32())];
        Assert.Equal(closed.OrderDescending(), closed);
        (await host.GetAsync($"optimisations/{job["id"].GetString()}/trials?sort=luck")).ExpectProblem(400, "InvalidInput", "sort");

        JsonElement set0 = best.GetProperty("parameters");
        Answer single = await EndAsync(host, "backtests", (await host.PostAsync("backtests", new
        {
            dataSets = new[] { set["id"].GetString() }, limits = new { },
            strategies = new[] { new { definition = "sma-cross", parameters = new { units = 5000, fast = set0.GetProperty("fast").GetDecimal(), slow = set0.GetProperty("slow").GetDecimal() } } },
        })).Expect(202));
        Assert.Equal(single["summary"].GetProperty("orderListHash").GetString(), job["summary"].GetProperty("orderListHash").GetString());
        Assert.Equal(trials[0].GetProperty("statistics").GetProperty("finalEquity").GetDecimal(), single["summary"].GetProperty("finalEquity").GetDecimal());
        (await host.GetAsync($"backtests/{job["id"].GetString()}")).ExpectProblem(404, "JobUnknown");

        Answer walked = await EndAsync(host, "optimisations", (await host.PostAsync("optimisations", Search(new { windows = 3, ratio = 2 }))).Expect(202));
        Assert.Equal("walkForward", walked["kind"].GetString());
        Assert.Contains(walked["search"].GetProperty("verdict").GetProperty("finding").GetString(), (string[])["NotEnoughData", "NoEdgeShown", "EdgeShown"]);
        Assert.Equal(3, (await host.GetAsync($"optimisations/{walked["id"].GetString()}/walk-forward")).Expect(200)["windows"].GetArrayLength());
    }

    [Fact]
    public async Task A_job_is_cancelled_while_it_runs_and_the_next_one_goes_on()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer set = await UploadAsync(host, SharedData.Path("data/mt5-history/gbpusd_h1.zip"));
        object heavy = new
        {
            dataSets = new[] { set["id"].GetString() }, strategies = new[] { new { definition = "sma-cross" } }, vary = new { fast = "5..100/1", slow = "110..400/1" },
            search = "random:500",
        };
        string first = (await host.PostAsync("optimisations", heavy)).Expect(202)["id"].GetString()!;
        string second = (await host.PostAsync("backtests", R1(set))).Expect(202)["id"].GetString()!;
        await UntilAsync(async () => (await host.GetAsync($"optimisations/{first}"))["status"].GetString() == "running");
        Answer waiting = await host.GetAsync($"backtests/{second}");
        Assert.Equal(("queued", 1), (waiting["status"].GetString(), waiting["queuePosition"].GetInt32()));
        Answer cancelled = (await host.DeleteAsync($"optimisations/{first}")).Expect(202);
        Assert.Equal("cancelled", cancelled["status"].GetString());
        Answer job = await EndAsync(host, "backtests", waiting);
        Assert.Equal("finished", job["status"].GetString());
        (await host.GetAsync($"optimisations/{first}/trials")).ExpectProblem(404, "ReportUnknown");
        Assert.Equal("cancelled", (await host.GetAsync($"optimisations/{first}"))["status"].GetString());
    }

    [Fact]
    public async Task A_full_queue_refuses_and_what_waits_can_be_cancelled()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer set = await UploadAsync(host, Csv(20_000), "eurusd_h1.csv");
        object heavy = new { dataSets = new[] { set["id"].GetString() }, strategies = new[] { new { definition = "sma-cross" } }, vary = new { fast = "5..100/1", slow = "110..400/1" }, search = "random:500" };
        List<string> ids = [];
        for (int i = 0; i < 4; i++) ids.Add((await host.PostAsync("optimisations", heavy)).Expect(202)["id"].GetString()!);
        (await host.PostAsync("optimisations", heavy)).ExpectProblem(409, "JobQueueFull");
        (await host.DeleteAsync($"optimisations/{ids[2]}")).Expect(202);
        await UntilAsync(async () => (await host.PostAsync("optimisations", heavy)).Status == 202);
        foreach (string id in ids.Where(id => id != ids[2])) (await host.DeleteAsync($"optimisations/{id}")).Expect(202);
    }

    [Fact]
    public async Task Another_tenant_and_another_user_see_and_reach_nothing_of_it()
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddHttpContextAccessor().AddScoped<ICaller, HeaderCaller>());
        Answer set = await UploadAsync(host, Csv(500), "eurusd_h1.csv");
        object body = new { dataSets = new[] { set["id"].GetString() }, strategies = new[] { new { definition = "sma-cross" } } };
        Answer job = await EndAsync(host, "backtests", (await host.PostAsync("backtests", body, "one-key")).Expect(202));
        string id = job["id"].GetString()!;
        foreach (string caller in (string[])["local/somebody", "other/owner"])
        {
            host.Client.DefaultRequestHeaders.Add(HeaderCaller.Header, caller);
            Assert.Empty((await host.GetAsync("data-sets")).Expect(200)["items"].EnumerateArray());
            Assert.Empty((await host.GetAsync("backtests")).Expect(200)["items"].EnumerateArray());
            Assert.Empty((await host.GetAsync("reports")).Expect(200)["items"].EnumerateArray());
            (await host.GetAsync($"backtests/{id}")).ExpectProblem(404, "JobUnknown");
            foreach (string part in (string[])["report", "report.html", "trades.csv", "equity.csv"]) (await host.GetAsync($"backtests/{id}/{part}")).ExpectProblem(404, "ReportUnknown");
            (await host.DeleteAsync($"backtests/{id}")).ExpectProblem(404, "JobUnknown");
            (await host.DeleteAsync($"data-sets/{set["id"].GetString()}")).ExpectProblem(404, "DataSetUnknown");
            (await host.PostAsync("backtests", body)).ExpectProblem(400, "InvalidInput", "dataSets.0");
            // The same key is another's, and another's job.
            Answer own = await UploadAsync(host, Csv(500), "eurusd_h1.csv");
            Answer other = (await host.PostAsync("backtests", new { dataSets = new[] { own["id"].GetString() }, strategies = new[] { new { definition = "sma-cross" } } }, "one-key")).Expect(202);
            Assert.NotEqual(id, other["id"].GetString());
            host.Client.DefaultRequestHeaders.Remove(HeaderCaller.Header);
        }
        (await host.GetAsync($"backtests/{id}/report")).Expect(200);
    }

    private sealed class HeaderCaller(Microsoft.AspNetCore.Http.IHttpContextAccessor http) : ICaller
    {
        public const string Header = "X-Test-Caller";

        private string[] Parts => http.HttpContext?.Request.Headers[Header].ToString() is { Length: > 0 } told ? told.Split('/') : ["local", "owner"];

        public string Tenant => Parts[0];

        public string User => Parts[1];

        public bool Has(HybridTrading.Domain.Users.Permission permission) => true;
    }

    [Theory]
    [InlineData("prices.csv", "time,open,high\n2020-01-01,1,2\n", null, "body")]
    [InlineData("eurusd_h1.csv", "", null, "body")]
    [InlineData("eurusd_h1.csv", "time,open,high,low,close\n2020-01-01T00:00:00Z,1.1,1.2,1.0,x\n", null, "body")]
    [InlineData("eurusd_h1.csv", "time,open,high,low,close\n2020-01-01T00:00:00Z,1.1,1.2,1.0,1.1\n", "timeFrame=H7", "timeFrame")]
    [InlineData("eurusd_h1.csv", "time,open,high,low,close\n2020-01-01 00:00,1.1,1.2,1.0,1.1\n", "timeZone=Mars/Olympus", "timeZone")]
    [InlineData("eurusd_h1.csv", "time,open,high,low,close\n2020-01-01T00:00:00Z,1.1,1.2,1.0,1.1\n", "spreadPoints=-1", "spreadPoints")]
    [InlineData("eurusd_h1.csv", "time,open,high,low,close\n2020-01-01T00:00:00Z,1.1,1.2,1.0,1.1\n", "symbol=%2e%2e%2f", "symbol")]
    [InlineData("gbpusd_h1.csv", "time,open,high,low,close\n2020-01-01T00:00:00Z,1.1,1.2,1.0,1.1\n", "symbol=EURUSD", "symbol")]
    [InlineData("eurusd.csv", "time,open,high,low,close\n2020-01-01T00:00:00Z,1.1,1.2,1.0,1.1\n", null, "timeFrame")]
    [InlineData("eurusd_h1.zip", "PK\u0003\u0004 and no zip", null, "body")]
    public async Task What_cannot_be_read_is_one_clear_problem_and_leaves_nothing(string name, string content, string? query, string field)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer answer = await UploadAsync(host, Encoding.UTF8.GetBytes(content), name, query, expect: null);
        answer.ExpectProblem(400, "InvalidInput", field);
        Assert.DoesNotContain(host.Folder, answer.Detail);
        Assert.DoesNotContain('\n', answer.Detail);
        AssertNothingKept(host);
        Assert.Empty((await host.GetAsync("data-sets")).Expect(200)["items"].EnumerateArray());
    }

    [Fact]
    public async Task A_zip_bomb_a_huge_file_and_a_broken_connection_leave_nothing()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        using var bomb = new MemoryStream();
        using (var zip = new ZipArchive(bomb, ZipArchiveMode.Create, leaveOpen: true))
        {
            using Stream entry = zip.CreateEntry("eurusd_h1.csv").Open();
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 65; i++) entry.Write(zeros);
        }
        Assert.InRange(bomb.Length, 1, 1 << 20);
        Assert.Contains("unpacked", (await UploadAsync(host, bomb.ToArray(), "eurusd_h1.zip", null, expect: null)).ExpectProblem(400, "InvalidInput", "body").Detail);
        (await UploadAsync(host, new byte[(8 << 20) + 1], "eurusd_h1.csv", null, expect: null)).ExpectProblem(413, "BodyTooLarge");

        using (var socket = new System.Net.Sockets.TcpClient())
        {
            await socket.ConnectAsync(host.Address.Host, host.Address.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /api/v1/data-sets?name=eurusd_h1.csv HTTP/1.1\r\nHost: {host.Address.Authority}\r\nIdempotency-Key: broken\r\nContent-Length: 100000\r\n\r\ntime,open,high,low,close\n2020-01-01T00:00:00Z,1.1"));
            await UntilAsync(() => Task.FromResult(Directory.Exists(host.Work) && Directory.EnumerateFiles(host.Work, "*", SearchOption.AllDirectories).Any()));
        }
        await UntilAsync(() => Task.FromResult(!Directory.EnumerateFileSystemEntries(host.Work).Any()));
        AssertNothingKept(host);
        Assert.Empty((await host.GetAsync("data-sets")).Expect(200)["items"].EnumerateArray());
    }

    [Fact]
    public async Task The_same_upload_is_taken_once_the_quota_holds_and_what_is_removed_is_gone()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        string key = ApiHost.NewKey();
        byte[] file = Csv(90_000);
        Answer first = await UploadAsync(host, file, "eurusd_m1.csv", "timeFrame=M1", key: key), again = await UploadAsync(host, file, "eurusd_m1.csv", "timeFrame=M1", key: key);
        Assert.True(again.IsReplayed);
        Assert.Equal(first["id"].GetString(), again["id"].GetString());
        (await UploadAsync(host, Csv(10), "eurusd_h1.csv", null, key: key, expect: null)).ExpectProblem(422, "IdempotencyKeyReused");
        List<string> ids = [first["id"].GetString()!];
        while (true)
        {
            Answer more = await UploadAsync(host, file, "eurusd_m1.csv", "timeFrame=M1", expect: null);
            if (more.Status != 201)
            {
                more.ExpectProblem(409, "DataSetQuota");
                break;
            }
            ids.Add(more["id"].GetString()!);
            Assert.InRange(ids.Count, 1, 20);
        }
        foreach (string id in ids) (await host.DeleteAsync($"data-sets/{id}")).Expect(204);
        (await host.DeleteAsync($"data-sets/{ids[0]}")).ExpectProblem(404, "DataSetUnknown");
        AssertNothingKept(host);
    }

    [Theory]
    [InlineData("{}", "dataSets")]
    [InlineData("""{"dataSets":["none"],"strategies":[{"definition":"sma-cross"}]}""", "dataSets.0")]
    [InlineData("""{"dataSets":["SET"],"strategies":[]}""", "strategies")]
    [InlineData("""{"dataSets":["SET"],"strategies":[null]}""", "strategies.0")]
    [InlineData("""{"dataSets":["SET","SET"],"strategies":[{"definition":"sma-cross"}]}""", "dataSets.1")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"luck"}]}""", "strategies.0.definition")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"rule":"enter long when luck > 1;"}]}""", "strategies.0.rule")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross","rule":"enter long when close > sma(3);"}]}""", "strategies.0.definition")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross","parameters":{"fast":0}}]}""", "strategies.0.parameters.fast")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross","parameters":{"quick":5}}]}""", "strategies.0.parameters.quick")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross","symbol":"XAUUSD"}]}""", "strategies.0.symbol")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross","name":"a"},{"definition":"sma-cross","name":"a"}]}""", "strategies.1.name")]
    [InlineData("""{"dataSets":["SET"],"timeFrame":"M1","strategies":[{"definition":"sma-cross"}]}""", "timeFrame")]
    [InlineData("""{"dataSets":["SET"],"timeFrame":"H7","strategies":[{"definition":"sma-cross"}]}""", "timeFrame")]
    [InlineData("""{"dataSets":["SET"],"from":"2030-01-01T00:00:00Z","strategies":[{"definition":"sma-cross"}]}""", "from")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"account":{"currency":"JPY"}}""", "account.currency")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"account":{"deposit":0}}""", "account.deposit")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"account":{"mode":"both"}}""", "account.mode")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"account":{"sizing":{"kind":"PercentRisk"}}}""", "account.sizing.value")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"costs":{"fill":"later"}}""", "costs.fill")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"costs":{"slippagePoints":-1}}""", "costs.slippagePoints")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"limits":{"maxOpenPositions":0}}""", "limits.maxOpenPositions")]
    [InlineData("""{"dataSets":["SET"],"strategies":[{"definition":"sma-cross"}],"vary":{"fast":"1..2"}}""", "vary")]
    public async Task A_wrong_request_names_its_field(string body, string field)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        string set = (await UploadAsync(host, Csv(100), "eurusd_h1.csv"))["id"].GetString()!;
        (await host.PostAsync("backtests", body.Replace("SET", set))).ExpectProblem(400, "InvalidInput", field);
    }

    [Theory]
    [InlineData("\"vary\":{}", 400, "InvalidInput", "vary")]
    [InlineData("\"vary\":{\"quick\":\"1..2\"}", 400, "InvalidInput", "vary.quick")]
    [InlineData("\"vary\":{\"fast\":\"9..2\"}", 400, "InvalidInput", "vary.fast")]
    [InlineData("\"vary\":{\"fast\":\"1..2\"},\"search\":\"luck\"", 400, "InvalidInput", "search")]
    [InlineData("\"vary\":{\"fast\":\"1..2\"},\"objective\":\"luck\"", 400, "InvalidInput", "objective")]
    [InlineData("\"vary\":{\"fast\":\"1..2\"},\"walkForward\":{\"windows\":1}", 400, "InvalidInput", "walkForward.windows")]
    [InlineData("\"vary\":{\"fast\":\"1..100\",\"slow\":\"101..200\"}", 422, "JobTooLarge", null)]
    [InlineData("\"vary\":{\"fast\":\"60..70\",\"slow\":\"10..20\"}", 400, "InvalidInput", "vary")]
    public async Task A_wrong_search_names_its_field(string members, int status, string reason, string? field)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        string set = (await UploadAsync(host, Csv(100), "eurusd_h1.csv"))["id"].GetString()!;
        (await host.PostAsync("optimisations", $$"""{"dataSets":["{{set}}"],"strategies":[{"definition":"sma-cross"}],{{members}}}""")).ExpectProblem(status, reason, field);
    }

    /// <summary>Bars of an hour that go up and down.</summary>
    internal static byte[] Csv(int count)
    {
        var text = new StringBuilder("time,open,high,low,close\n");
        var time = new DateTime(2020, 1, 6, 0, 0, 0, DateTimeKind.Utc);
        for (int i = 0; i < count; i++)
        {
            decimal price = 1.1m + Math.Round((decimal)(0.02 * Math.Sin(i / 37.0) + 0.01 * Math.Sin(i / 11.0)), 5);
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{time.AddHours(i):yyyy-MM-ddTHH:mm:ss}Z,{price},{price + 0.0004m},{price - 0.0004m},{price}\n");
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    internal static Task<Answer> UploadAsync(ApiHost host, string path) => UploadAsync(host, File.ReadAllBytes(path), Path.GetFileName(path));

    internal static async Task<Answer> UploadAsync(ApiHost host, byte[] content, string name, string? query = null, string? key = null, int? expect = 201)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/data-sets?name={name}{(query is null ? "" : "&" + query)}");
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key ?? ApiHost.NewKey());
        request.Content = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        using HttpResponseMessage response = await host.Client.SendAsync(request);
        Answer answer = await Answer.ReadAsync(response);
        return expect is { } status ? answer.Expect(status) : answer;
    }

    internal static object R1(Answer set) => new
    {
        dataSets = new[] { set["id"].GetString() },
        strategies = new[] { new { name = "cross", definition = "sma-cross", parameters = new { fast = 20, slow = 50, units = 10_000 } } },
        account = R1Account, costs = R1Costs, limits = new { },
    };

    internal static async Task<Answer> EndAsync(ApiHost host, string kind, Answer job)
    {
        string path = $"{kind}/{job["id"].GetString()}";
        await UntilAsync(async () => (await host.GetAsync(path)).Expect(200)["endedAt"].ValueKind != JsonValueKind.Null);
        Answer ended = await host.GetAsync(path);
        Assert.True(ended["status"].GetString() == "finished", ended.Text);
        return ended;
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (int look = 0; look < 6000; look++)
        {
            if (await isSo()) return;
            await Task.Delay(10);
        }
        Assert.Fail("not within a minute");
    }

    private static void AssertNothingKept(ApiHost host)
    {
        Assert.False(Directory.Exists(host.Work) && Directory.EnumerateFileSystemEntries(host.Work).Any());
        Assert.False(Directory.Exists(host.Blobs) && Directory.EnumerateFiles(host.Blobs, "*", SearchOption.AllDirectories).Any());
    }

    private static (long, double) Standing(JsonElement job) => (job.GetProperty("version").GetInt64(), job.GetProperty("progress").GetDouble());
}
