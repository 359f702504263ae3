using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

public sealed class IdempotencyTests
{
    [Fact]
    public async Task ARepeatGetsTheFirstAnswerAlsoAfterARestart()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        object order = OrderApiTests.Limit("once", 1.05m);
        Answer first = (await host.PostAsync("accounts/main/orders", order, "k")).Expect(201);
        Assert.False(first.IsReplayed);
        Answer second = (await host.PostAsync("accounts/main/orders", order, "k")).Expect(201);
        await host.RestartAsync();
        Answer third = (await host.PostAsync("accounts/main/orders", order, "k")).Expect(201);
        foreach (Answer repeat in (Answer[])[second, third])
        {
            Assert.True(repeat.IsReplayed);
            Assert.Equal(first.Text, repeat.Text);
            Assert.Equal(first.ContentType, repeat.ContentType);
            Assert.Equal(first.Headers["Location"], repeat.Headers["Location"]);
            Assert.Equal(first.Headers["X-Min-Position"], repeat.Headers["X-Min-Position"]);
        }
    }

    [Fact]
    public async Task ARefusalIsRepeatedToo()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        object order = OrderApiTests.Market(0);
        Answer first = (await host.PostAsync("accounts/main/orders", order, "k")).ExpectProblem(422, "VolumeNotPositive");
        Answer second = (await host.PostAsync("accounts/main/orders", order, "k")).ExpectProblem(422, "VolumeNotPositive");
        Assert.True(second.IsReplayed);
        Assert.Equal(first.Text, second.Text);
    }

    [Fact]
    public async Task TheSameKeyWithAnotherBodyIsRefusedAndOnAnotherPathIsAnother()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        (await host.PostAsync("accounts/main/deposits", new { amount = 1 }, "k")).Expect(200);
        (await host.PostAsync("accounts/main/deposits", new { amount = 2 }, "k")).ExpectProblem(422, "IdempotencyKeyReused");
        Assert.False((await host.PutAsync("accounts/main/state", new { state = "Active" }, "k")).Expect(200).IsReplayed);
        Assert.Equal(100_001m, (await host.GetAsync("accounts/main"))["balance"].GetDecimal());
    }

    [Fact]
    public async Task EveryMutationNeedsAKeyAndQueriesTakeNone()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (HttpMethod, string)[] mutations =
        [
            (HttpMethod.Post, "accounts"), (HttpMethod.Post, "accounts/a/deposits"), (HttpMethod.Put, "accounts/a/limits"),
                (HttpMethod.Put, "accounts/a/state"),
            (HttpMethod.Post, "accounts/a/flatten"), (HttpMethod.Put, "accounts/a/follows/s"), (HttpMethod.Delete, "accounts/a/follows/s"),
            (HttpMethod.Post, "accounts/a/orders"), (HttpMethod.Patch, "accounts/a/orders/o"), (HttpMethod.Delete, "accounts/a/orders/o"),
            (HttpMethod.Post, "strategies"), (HttpMethod.Put, "strategies/s/parameters"), (HttpMethod.Post, "strategies/s/start"),
            (HttpMethod.Post, "strategies/s/stop"),
        ];
        foreach ((HttpMethod method, string path) in mutations)
        {
            (await host.SendAsync(method, path, method == HttpMethod.Delete ? null : "{}", null)).ExpectProblem(400, "IdempotencyKeyMissing");
            (await host.SendAsync(method, path, method == HttpMethod.Delete ? null : "{}", "a b")).ExpectProblem(400, "IdempotencyKeyInvalid");
        }
        (await host.SendAsync(HttpMethod.Post, "accounts", "{}", new string('k', 201))).ExpectProblem(400, "IdempotencyKeyInvalid");
        (await host.GetAsync("accounts")).Expect(200);
    }

    [Fact]
    public async Task ManyAtOnceAreOne()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        Answer[] answers = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(_ => host.PostAsync("accounts/main/deposits", new { amount = 10 }, "k")));
        Assert.All(answers, answer => answer.Expect(200));
        Assert.Single(answers, answer => !answer.IsReplayed);
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Equal(100_010m, (await host.GetAsync("accounts/main"))["balance"].GetDecimal());
    }

    [Fact]
    public async Task WhatWasNotUnderstoodCanBeSentAgainUnderTheSameKey()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("accounts", new { name = "MAIN" }, "k")).ExpectProblem(400, "InvalidInput", "name");
        (await host.PostAsync("accounts", new { name = "main" }, "k")).Expect(201);
    }

    [Fact]
    public async Task AnAnswerLostInACrashIsMadeAgainWithoutDoingAnythingTwice()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        object order = OrderApiTests.Market(1000);
        Answer first = (await host.PostAsync("accounts/main/orders", order, "o")).Expect(201);
        (await host.PostAsync("accounts/main/deposits", new { amount = 5 }, "d")).Expect(200);
        (await host.PostAsync("strategies", Strategy(), "s")).Expect(201);
        // As if the process had died after the journal and before the answers: the journal stays, the answers go.
        await host.RestartAsync(folder =>
        {
            File.Delete(Path.Combine(folder, "state.db"));
            File.Delete(Path.Combine(folder, "state.db-wal"));
            File.Delete(Path.Combine(folder, "state.db-shm"));
        });
        Answer again = (await host.PostAsync("accounts/main/orders", order, "o")).Expect(200);
        Assert.False(again.IsReplayed);
        Assert.Equal(first["order"].GetProperty("ordinal").GetInt64(), again["order"].GetProperty("ordinal").GetInt64());
        Answer money = (await host.PostAsync("accounts/main/deposits", new { amount = 5 }, "d")).Expect(200);
        Assert.Equal(100_005m, money["account"].GetProperty("balance").GetDecimal());
        (await host.PostAsync("strategies", Strategy(), "s")).Expect(201);
        (await host.PostAsync("accounts", new { name = "main", currency = "USD" })).Expect(201);
        Assert.Single((await host.GetAsync("accounts/main/orders"))["orders"].EnumerateArray());
        Assert.Single((await host.GetAsync("strategies")).Json.EnumerateArray());

        static object Strategy() => new { name = "cross", definition = "sma-cross", symbol = "EURUSD", timeFrame = "M1" };
    }

    [Fact]
    public async Task ALargeBodyAndAnotherMediaTypeAreRefused()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("accounts", $$"""{"name":"{{new string('a', 70_000)}}"}""")).ExpectProblem(413, "BodyTooLarge");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/accounts") { Content = new StringContent("name=a") };
        request.Headers.Add("Idempotency-Key", "k");
        using HttpResponseMessage response = await host.Client.SendAsync(request);
        (await Answer.ReadAsync(response)).ExpectProblem(415, "MediaTypeUnsupported");
    }
}
