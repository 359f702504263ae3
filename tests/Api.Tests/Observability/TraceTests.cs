using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using HybridTrading.Api.Observability;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests.Observability;

public sealed class TraceTests
{
    [Fact]
    public async Task AnOrderIsOneTraceFromTheRequestThroughGrainsJournalAndVenueToTheScreen()
    {
        using var spans = new Spans();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddObservability(ProcessIdentity.Here("Local", TimeProvider.System)));
        await host.OpenAsync("main");
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        await client.SubscribeAsync(["EURUSD"], "main");

        host.Client.DefaultRequestHeaders.TryAddWithoutValidation("traceparent", spans.Parent);
        (await host.PostAsync("accounts/main/orders", OrderApiTests.Market(10_000, "mine"))).Expect(201);
        host.Client.DefaultRequestHeaders.Remove("traceparent");
        await client.WaitForAsync("orders", _ => true);
        await host.QuoteAsync("EURUSD", 1.2m, 1.2002m);
        await client.WaitForAsync("fills", _ => true);
        // A span ends after what it spans: the second push is the last of all.
        await spans.UntilAsync("hub push", 2);

        string tree = spans.Tree();
        TestContext.Current.TestOutputHelper?.WriteLine(tree);
        Activity request = spans.Only("POST /api/v1/accounts/{account}/orders");
        Assert.Equal(201, request.GetTagItem("http.response.status_code"));
        Activity place = spans.Only("IAccountGrain/Place");
        Assert.Equal(request.SpanId, place.ParentSpanId);
        Assert.Equal("local/…", place.GetTagItem("hybridtrading.grain.target"));
        Assert.Equal(place.SpanId, spans.Only("IMarketGrain/Watch").ParentSpanId);
        Activity accepted = spans.Only("journal append", place);
        Assert.StartsWith("order-accepted", (string?)accepted.GetTagItem("hybridtrading.journal.events"));
        Activity fill = spans.Only("paper fill", place);
        Activity filled = spans.Only("journal append", fill);
        Assert.Contains("order-filled", (string?)filled.GetTagItem("hybridtrading.journal.events"));
        Assert.Equal(accepted.SpanId, spans.Only("hub push", accepted).ParentSpanId);
        Assert.Equal(filled.SpanId, spans.Only("hub push", filled).ParentSpanId);
    }

    [Fact]
    public async Task WhatIsNotTracedMakesNoSpan()
    {
        using var spans = new Spans();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddObservability(ProcessIdentity.Here("Local", TimeProvider.System)));
        await host.OpenAsync("main");
        (await host.PostAsync("accounts/main/orders", OrderApiTests.Market(10_000))).Expect(422);
        Assert.Equal("", spans.Tree());
    }

    [Fact]
    public async Task AFailedGrainCallIsAFailedSpan()
    {
        using var spans = new Spans();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddObservability(ProcessIdentity.Here("Local", TimeProvider.System)));
        using (var request = new Activity("test").SetParentId(spans.Parent).Start())
        {
            HybridTrading.Grains.Telemetry.GrainTracing.Join();
            // Nobody's principal: the guard refuses.
            Orleans.IGrainFactory grains = (Orleans.IGrainFactory)host.Services.GetService(typeof(Orleans.IGrainFactory))!;
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() =>
                grains.GetGrain<HybridTrading.Grains.Trading.IAccountGrain>("local/owner/main").GetView());
        }
        await spans.UntilAsync("IAccountGrain/GetView", 1);
        Activity refused = spans.Only("IAccountGrain/GetView");
        Assert.Equal(ActivityStatusCode.Error, refused.Status);
        Assert.Equal(typeof(UnauthorizedAccessException).FullName, refused.GetTagItem("error.type"));
    }

    /// <summary>The spans of one trace, as a collector would get them.</summary>
    private sealed class Spans : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _ended = new();
        private readonly ActivityListener _listener;

        public Spans()
        {
            var trace = ActivityTraceId.CreateRandom();
            Parent = $"00-{trace}-{ActivitySpanId.CreateRandom()}-01";
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Microsoft.AspNetCore" || source.Name.StartsWith("HybridTrading.", StringComparison.Ordinal),
                Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                    options.TraceId == trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
                ActivityStopped = span =>
                {
                    if (span.TraceId == trace) _ended.Enqueue(span);
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        /// <summary>What a request says to be part of the trace.</summary>
        public string Parent { get; }

        public async Task UntilAsync(string name, int count)
        {
            for (int look = 0; look < 3000 && _ended.Count(span => span.DisplayName == name) < count; look++)
            {
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
            Assert.Equal(count, _ended.Count(span => span.DisplayName == name));
        }

        public Activity Only(string name, Activity? parent = null) =>
            Assert.Single(_ended, span => span.DisplayName == name && (parent is null || span.ParentSpanId == parent.SpanId));

        public string Tree()
        {
            var text = new StringBuilder();
            HashSet<ActivitySpanId> known = [.. _ended.Select(span => span.SpanId)];
            foreach (Activity root in _ended.Where(span => !known.Contains(span.ParentSpanId)).OrderBy(span => span.StartTimeUtc)) Write(root, "");
            return text.ToString();

            void Write(Activity span, string indent)
            {
                text.Append(System.Globalization.CultureInfo.InvariantCulture,
                    $"{indent}{span.DisplayName}  {span.Duration.TotalMilliseconds:0.00} ms  {string.Join(' ', span.TagObjects.Where(tag => tag.Key.StartsWith("hybridtrading.", StringComparison.Ordinal)).Select(tag => $"{tag.Key[14..]}={tag.Value}"))}\n");
                foreach (Activity child in _ended.Where(each => each.ParentSpanId == span.SpanId).OrderBy(each => each.StartTimeUtc)) Write(child, indent + "  ");
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
