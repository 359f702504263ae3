using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>
/// The gateway of a whole running system with its simulated market, beside a bare minimal API. Both, and the load, are processes of their own on this machine;
/// each request has a token, is counted against limits, measured and traced as any other.
/// </summary>
internal sealed class Gateway() : Workload("gateway")
{
    private const int PerSecond = 1000, Connections = 64, Accounts = 64;
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(10), Long = TimeSpan.FromMinutes(1), WarmUp = TimeSpan.FromSeconds(30);

    /// <summary>What a console and a program ask for in turns: of twenty requests one is an order, the others read what the page shows.</summary>
    private static readonly string Mixed = $$"""
        local kind, account = n % 20, "/api/v1/accounts/load-" .. (n % {{Accounts}})
        if kind == 0 then
          wrk.headers["Idempotency-Key"] = id()
          local side = math.floor(n / {{Accounts}}) % 2 == 0 and "Buy" or "Sell"
          return wrk.format("POST", account .. "/orders", nil, '{"symbol":"BTCUSD","side":"' .. side .. '","type":"Market","volume":0.01}')
        end
        if kind < 6 then return wrk.format("GET", "/api/v1/quotes?symbols=EURUSD") end
        if kind < 10 then return wrk.format("GET", account) end
        if kind < 12 then return wrk.format("GET", account .. "/orders?limit=20") end
        if kind < 14 then return wrk.format("GET", account .. "/fills?limit=20") end
        if kind < 16 then return wrk.format("GET", "/api/v1/bars/EURUSD?timeFrame=M1&count=50") end
        if kind < 18 then return wrk.format("GET", "/api/v1/decisions?limit=20") end
        return wrk.format("GET", "/api/v1/instruments")
        """;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        if (!Wrk.IsInstalled)
        {
            add(new Row(Name, "gateway: p99 at 1000 requests/s", "ms", null, Must: 10, Aim: 5, Note: Wrk.Missing));
            return;
        }
        await using RunningSystem system = await RunningSystem.StartAsync(context, [], cancellation);
        using HttpClient client = await system.SignInAsync(Connections, cancellation);
        for (int account = 0; account < Accounts; account++)
        {
            await RunningSystem.PostAsync(client, "accounts", new() { ["name"] = $"load-{account}", ["deposit"] = 1_000_000_000, ["limits"] = new JsonObject() }, cancellation);
        }
        string token = client.DefaultRequestHeaders.Authorization!.Parameter!;
        using System.Diagnostics.Process bare = Process.Start("HybridTrading.Benchmarks.dll", ["bare-api"]);
        try
        {
            var theirs = new Uri((await bare.StandardOutput.ReadLineAsync(cancellation))!);
            // The runtime compiles what is called often anew, until some hundred thousand requests have come.
            await BareAsync(null, WarmUp);
            await OneAsync(null, WarmUp);
            await MixedAsync(WarmUp);

            WrkReport mixed = await MixedAsync(Long);
            add(new Row(Name, "gateway: p99 at 1000 mixed requests/s for 60 s", "ms", new Sample(mixed.P99, mixed.P99, mixed.P99), 10, 5, "", FormattableString.Invariant(
                $"50 orders and 950 reads of seven kinds; {mixed.PerSecond:0} requests/s were answered, none refused; p50 {mixed.P50:0.0} ms, highest {mixed.Highest:0} ms")));
            List<double> p99 = [], bareP99 = [], rate = [], bareRate = [], share = [];
            for (int run = 0; run < context.Runs; run++)
            {
                bareP99.Add((await BareAsync(PerSecond, Short)).P99);
                p99.Add((await OneAsync(PerSecond, Short)).P99);
                bareRate.Add((await BareAsync(null, Short)).PerSecond);
                rate.Add((await OneAsync(null, Short)).PerSecond);
                share.Add(rate[^1] / bareRate[^1]);
            }
            add(new Row(Name, "gateway: p99 at 1000 requests/s of one kind", "ms", Sample.Of(p99), 10, 5,
                FormattableString.Invariant($"bare minimal API, same run: {Sample.Of(bareP99).Median:0.0} ms"), "GET /api/v1/instruments"));
            add(new Row(Name, "gateway: throughput against a bare minimal API", "share", Sample.Of(share), 0.5, 0.8,
                FormattableString.Invariant($"bare minimal API, same run: {Sample.Of(bareRate).Median:0} requests/s"),
                FormattableString.Invariant($"{Sample.Of(rate).Median:0} requests/s by {Connections} connections; measured in turns")));

            Task<WrkReport> BareAsync(double? perSecond, TimeSpan duration) =>
                SoundAsync(Wrk.RunAsync(context, theirs, null, Connections, duration, null, perSecond, cancellation));

            Task<WrkReport> OneAsync(double? perSecond, TimeSpan duration) =>
                SoundAsync(Wrk.RunAsync(context, new Uri(system.Address, "/api/v1/instruments"), token, Connections, duration, null, perSecond, cancellation));

            Task<WrkReport> MixedAsync(TimeSpan duration) =>
                SoundAsync(Wrk.RunAsync(context, system.Address, token, Connections, duration, Mixed, PerSecond, cancellation));

            static async Task<WrkReport> SoundAsync(Task<WrkReport> report) => (await report).Sound();
        }
        finally
        {
            if (!bare.HasExited) bare.Kill();
            await bare.WaitForExitAsync(CancellationToken.None);
        }
    }
}

/// <summary>A storm of sign-ins beside orders: hashing passwords is what costs most here, and must not stand in the way of trading.</summary>
internal sealed class SignInStorm() : Workload("sign-in-storm")
{
    private const int Callers = 32, PerSecond = 50;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    private const string Order = """
        wrk.headers["Idempotency-Key"] = id()
        local side = n % 2 == 0 and "Buy" or "Sell"
        return wrk.format("POST", "/api/v1/accounts/load/orders", nil, '{"symbol":"BTCUSD","side":"' .. side .. '","type":"Market","volume":0.01}')
        """;

    /// <summary>Of people who are not there: each costs a hash all the same, so that nobody learns who is.</summary>
    private const string SignIn = """
        return wrk.format("POST", "/api/v1/auth/sign-in", nil, '{"email":"' .. id() .. '@example.org","password":"not the right one","cookie":false}')
        """;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        if (!Wrk.IsInstalled)
        {
            add(new Row(Name, "orders beside a storm of sign-ins", "ms", null, Note: Wrk.Missing));
            return;
        }
        await using RunningSystem system = await RunningSystem.StartAsync(context, [], cancellation);
        using HttpClient client = await system.SignInAsync(Callers, cancellation);
        await RunningSystem.PostAsync(client, "accounts", new() { ["name"] = "load", ["deposit"] = 1_000_000_000, ["limits"] = new JsonObject() }, cancellation);
        string token = client.DefaultRequestHeaders.Authorization!.Parameter!;

        Sample alone = await Sample.MeasureAsync(context.Runs, async () => (await OrdersAsync()).Sound().P99);
        add(new Row(Name, $"orders at {PerSecond}/s without sign-ins, p99", "ms", alone));
        List<double> signIns = [], rates = [];
        Sample beside = await Sample.MeasureAsync(context.Runs, async () =>
        {
            Task<WrkReport> storm = Wrk.RunAsync(context, system.Address, null, Callers, Duration, SignIn, null, cancellation);
            WrkReport orders = (await OrdersAsync()).Sound();
            signIns.Add((await storm).PerSecond);
            rates.Add(orders.PerSecond);
            return orders.P99;
        });
        add(new Row(Name, $"orders at {PerSecond}/s beside {Callers} callers that sign in without end, p99", "ms", beside, Note: FormattableString.Invariant(
            $"{Sample.Of(rates).Median:0} orders/s and {Sample.Of(signIns).Median:0} sign-ins/s were answered")));

        Task<WrkReport> OrdersAsync() => Wrk.RunAsync(context, system.Address, token, 8, Duration, Order, PerSecond, cancellation);
    }
}

/// <summary>The least that ASP.NET Core can do for a JSON answer.</summary>
internal static class BareApi
{
    /// <summary>Prints its address when it answers.</summary>
    public static async Task<int> RunAsync(CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/", () => Results.Text("{\"status\":\"ok\"}", "application/json"));
        await app.StartAsync(cancellation);
        Console.Out.WriteLine(app.Urls.First());
        await app.WaitForShutdownAsync(cancellation);
        return 0;
    }
}
