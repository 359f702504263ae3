using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

/// <summary>Whatever is sent, the API answers, and never with a failure of its own.</summary>
public sealed class FuzzTests
{
    private static readonly (string Method, string Path, string[] Fields)[] Routes =
    [
        ("POST", "accounts", ["name", "currency", "deposit", "mode", "leverage", "moneyDigits", "commissionPerLot", "slippagePoints",
            "latencyMilliseconds", "limits"]),
        ("POST", "accounts/main/deposits", ["amount", "note"]),
        ("PUT", "accounts/main/limits",
        ["maxOrderVolume", "priceCollarPercent", "submitRate", "lossLimits", "maxDrawdownPercent", "allowedInstruments", "maxOpenPositions"]),
        ("PUT", "accounts/main/state", ["state"]),
        ("PUT", "accounts/main/follows/cross", ["sizing", "paused", "maxUnits"]),
        ("POST", "accounts/main/orders",
        [
            "clientOrderId", "symbol", "side", "type", "volume", "limitPrice", "stopPrice", "trailDistance", "timeInForce", "goodTill", "reduceOnly",
                "stopLoss",
            "takeProfit", "trailingStopLoss", "ocoGroup", "positionId",
        ]),
        ("POST", "accounts/main/orders/preview",
        [
            "clientOrderId", "symbol", "side", "type", "volume", "limitPrice", "stopPrice", "trailDistance", "timeInForce", "goodTill", "reduceOnly",
                "stopLoss",
            "takeProfit", "trailingStopLoss", "ocoGroup", "positionId",
        ]),
        ("PATCH", "accounts/main/orders/resting", ["volume", "limitPrice", "stopPrice", "trailDistance"]),
        ("POST", "strategies", ["name", "definition", "rule", "parameters", "symbol", "timeFrame", "accounts", "start"]),
        ("PUT", "strategies/cross/parameters", ["fast", "slow", "units"]),
        ("POST", "rules/check", ["rule"]),
        // Without what would make them halt everything else that is tried.
        ("POST", "kill-switch/accounts/none", ["flatten", "reason"]),
        ("POST", "kill-switch/tenant", ["member", "flatten"]),
        ("POST", "kill-switch/tenant/1/release", ["reason"]),
        ("POST", "user-config", ["section", "strategy", "values", "comment"]),
        ("PUT", "user-config/risk", ["values", "version", "comment"]),
        ("POST", "user-config/risk/rollback", ["to", "version", "comment"]),
        ("POST", "tenant-config", ["section", "strategy", "values", "comment"]),
        ("POST", "backtests", ["name", "dataSets", "timeFrame", "from", "to", "strategies", "account", "costs", "limits", "riskFreePercent"]),
        ("POST", "optimisations", ["dataSets", "strategies", "vary", "search", "searchSeed", "objective", "constraints", "walkForward"]),
    ];

    private static readonly Gen<string> Value = Gen.Frequency(
        (6, Gen.Elements(
            "null", "true", "false", "0", "-1", "1", "1000", "5000", "1.1", "1.10001", "0.000001", "1e15", "-1e15", "1e28", "1e400",
            "79228162514264337593543950335",
            "300000000000000", "\"\"", "\"main\"", "\"EURUSD\"", "\"USDJPY\"", "\"Buy\"", "\"Sell\"", "\"Limit\"", "\"Stop\"", "\"Market\"",
            "\"TrailingStop\"", "\"Gtd\"", "\"Day\"",
            "\"Active\"", "\"Netting\"", "\"Hedging\"", "\"sma-cross\"", "\"enter long when close > sma(2)\"", "\"M1\"", "\"MN1\"", "\"2030-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"",
            "\"0001-01-01T00:00:00+14:00\"",
            "[]", "{}", "[null]", "[1]", "[\"main\"]", "[\"market:EURUSD:M1\"]", "[{\"definition\":\"sma-cross\"}]", "[{\"rule\":\"enter long when close > sma(2);\"}]", "{\"fast\":\"1..9\"}", "{\"fast\":2,\"slow\":5}", "{\"kind\":\"PercentRisk\",\"value\":1}",
            "{\"count\":0,\"window\":\"00:00:00\"}",
            "{\"count\":1,\"window\":\"10675199.02:48:05\"}", "[{\"period\":\"Day\",\"percent\":100}]",
            "[{\"period\":\"Month\",\"amount\":1,\"action\":\"Flatten\"}]",
            "\"risk\"", "\"trading\"", "\"notifications\"", "{\"limits\":{\"lossLimits\":[{}]}}", "{\"pausedHours\":[{\"days\":[1]}]}", "{\"webHookSecret\":\"\\ud83d\"}",
            "\"\\u0000\"", "\"\\ud800\"", "\"../../etc\"", "\"a/b#c\"")),
        (1, ArbMap.Default.GeneratorFor<string>().Select(text => System.Text.Json.JsonSerializer.Serialize(text ?? ""))),
        (1, ArbMap.Default.GeneratorFor<decimal>().Select(number => number.ToString(CultureInfo.InvariantCulture))));

    private static Gen<string> Body(string[] fields) => Gen.Frequency(
        (8, from chosen in Gen.SubListOf(fields)
            from values in Gen.ArrayOf(Value, chosen.Count)
            select "{" + string.Join(",", chosen.Zip(values, (field, value) => $"\"{field}\":{value}")) + "}"),
        (1, from field in Gen.Elements(fields)
            from values in Gen.ArrayOf(Value, 2)
            select $"{{\"{field}\":{values[0]},\"{field}x\":{values[1]}}}"),
        (1, Value),
        (1, ArbMap.Default.GeneratorFor<string>().Select(text => text ?? "")));

    [Fact]
    public async Task NoBodyMakesTheServiceFail()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        (await host.PostAsync("strategies", StrategyApiTests.Cross())).Expect(201);
        Gen<(string Method, string Path, string Body)> requests =
            from route in Gen.Elements(Routes)
            from body in Body(route.Fields)
            select (route.Method, route.Path, body);
        Prop.ForAll(requests.ToArbitrary(), request =>
        {
            Answer answer = AskAsync(host, request).GetAwaiter().GetResult();
            Assert.True(answer.Status < 500, $"{request.Method} {request.Path} {request.Body}: {answer.Status} {answer.Text}");
            if (answer.Status < 400) return;
            Assert.Equal("application/problem+json", answer.ContentType);
            Assert.NotEmpty(answer.Reason!);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1500).WithQuietOnSuccess(true));
        // And what came of it is sound: the account answers, and so does a market event.
        (await host.GetAsync("accounts/main")).Expect(200);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
    }

    [Fact]
    public async Task NoPathOrQueryMakesTheServiceFail()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        Gen<string> part = Gen.OneOf(
            Gen.Elements("main", "none", "EURUSD", "M1", "cross#1", "-1", "0", "5", "99999999999999999999", "NaN", "'", "%", "\0", "a b",
            "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
            ArbMap.Default.GeneratorFor<string>().Select(text => text ?? ""));
        Gen<string> path = Gen.OneOf(
            from name in part
            from rest in Gen.Elements(
                "", "/orders", "/fills", "/positions", "/equity", "/orders/x")
            select $"accounts/{Uri.EscapeDataString(name)}{rest}",
            from name in part select $"decisions/{Uri.EscapeDataString(name)}",
            from name in part select $"strategies/{Uri.EscapeDataString(name)}",
            from a in part from b in part select $"features/{Uri.EscapeDataString(a)}/{Uri.EscapeDataString(b)}",
            from name in part from rest in Gen.Elements("", "/versions", "/versions/1", "/diff") select $"user-config/owner/{Uri.EscapeDataString(name)}{rest}",
            from name in part select $"user-config/{Uri.EscapeDataString(name)}",
            from name in part select $"bars/{Uri.EscapeDataString(name)}",
            from name in part from rest in Gen.Elements("", "/report", "/report.html", "/trades.csv", "/trials") select $"{(rest == "/trials" ? "optimisations" : "backtests")}/{Uri.EscapeDataString(name)}{rest}",
            from name in part select $"performance/accounts/{Uri.EscapeDataString(name)}",
            Gen.Elements("bars/EURUSD", "accounts/main/orders", "accounts/main/equity", "journal", "decisions", "quotes", "accounts/main/fills", "backtests", "optimisations", "reports", "data-sets"));
        Gen<string> query =
            from name in Gen.Elements("limit", "before", "from", "to", "status", "symbol", "symbols", "count", "timeFrame", "strategy", "cursor", "sort", "riskFreePercent")
            from value in part
            select $"{name}={Uri.EscapeDataString(value)}";
        Gen<string> requests = from p in path from q in query select $"{p}?{q}";
        Prop.ForAll(requests.ToArbitrary(), request =>
        {
            Answer answer = host.GetAsync(request).GetAwaiter().GetResult();
            Assert.True(answer.Status < 500, $"{request}: {answer.Status} {answer.Text}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithQuietOnSuccess(true));
    }

    private static Task<Answer> AskAsync(ApiHost host, (string Method, string Path, string Body) request) =>
        host.SendAsync(new HttpMethod(request.Method), request.Path, request.Body, ApiHost.NewKey());
}
