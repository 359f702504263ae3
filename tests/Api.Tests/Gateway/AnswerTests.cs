using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using HybridTrading.Api;
using HybridTrading.Api.Gateway;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Tests.Gateway;

/// <summary>What every answer of the API carries: ids, tags, encodings, protection.</summary>
public sealed partial class AnswerTests
{
    [GeneratedRegex("^[0-9a-f]{32}$")]
    private static partial Regex Hex { get; }

    [Fact]
    public async Task A_request_has_an_id_and_goes_on_with_the_callers_trace()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/accounts/none");
        request.Headers.Add("X-Request-Id", "mine-17");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        Answer answer = (await Answer.ReadAsync(await host.Client.SendAsync(request))).ExpectProblem(404, ApiReason.AccountUnknown);
        Assert.Equal("mine-17", answer.Headers["X-Request-Id"]);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", answer.Headers["X-Trace-Id"]);
        Assert.Equal("mine-17", answer["requestId"].GetString());
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", answer["traceId"].GetString());
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("<script>")]
    [InlineData("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    public async Task An_id_that_is_not_sound_is_replaced(string id)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/system");
        request.Headers.TryAddWithoutValidation("X-Request-Id", id);
        request.Headers.TryAddWithoutValidation("traceparent", "nonsense");
        Answer answer = (await Answer.ReadAsync(await host.Client.SendAsync(request))).Expect(200);
        Assert.Matches(Hex, answer.Headers["X-Request-Id"]);
        Assert.Matches(Hex, answer.Headers["X-Trace-Id"]);
    }

    [Fact]
    public async Task A_log_line_says_of_which_request_it_is()
    {
        var log = new ScopeLog();
        await using ApiHost host = await ApiHost.StartAsync(services =>
        {
            services.AddSingleton<ILoggerProvider>(log);
            services.AddSingleton<IStartupFilter, TestRoutes>();
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/test/log");
        request.Headers.Add("X-Request-Id", "mine-18");
        using HttpResponseMessage answer = await host.Client.SendAsync(request);
        Assert.Contains(log.Lines, line => line is { Text: "from the test", RequestId: "mine-18" } && line.TraceId == answer.Headers.GetValues("X-Trace-Id").Single());
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer words = (await host.GetAsync("rules/words")).Expect(200);
        Assert.StartsWith("W/\"", words.Headers["ETag"]);
        Assert.Equal("no-cache, private", string.Join(", ", words.Headers["Cache-Control"].Split(", ").Order(StringComparer.Ordinal)));
        Answer same = await AskAsync("/api/v1/rules/words", words.Headers["ETag"]);
        Assert.Equal((304, ""), (same.Status, same.Text));
        Assert.Equal(words.Headers["ETag"], same.Headers["ETag"]);
        Assert.Equal(304, (await AskAsync("/api/v1/rules/words", $"\"other\", {words.Headers["ETag"][2..]}")).Status);
        Assert.Equal(words.Text, (await AskAsync("/api/v1/rules/words", "\"other\"")).Expect(200).Text);
        Answer missing = await AskAsync("/api/v1/decisions/none%231", "*");
        missing.ExpectProblem(404, ApiReason.DecisionUnknown);
        Assert.False(missing.Headers.ContainsKey("ETag"));

        async Task<Answer> AskAsync(string path, string tags)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("If-None-Match", tags);
            return await Answer.ReadAsync(await host.Client.SendAsync(request));
        }
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Answers_are_compressed_but_for_those_with_a_secret(string encoding)
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<IStartupFilter, TestRoutes>());
        using HttpResponseMessage words = await AskAsync("/api/v1/rules/words");
        Assert.Equal([encoding], words.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", words.Headers.Vary);
        using HttpResponseMessage secret = await AskAsync("/test/secret");
        Assert.Equal(HttpStatusCode.OK, secret.StatusCode);
        Assert.Empty(secret.Content.Headers.ContentEncoding);

        async Task<HttpResponseMessage> AskAsync(string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue(encoding));
            return await host.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task An_endpoint_that_will_go_says_so()
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<IStartupFilter, TestRoutes>());
        using HttpResponseMessage old = await host.Client.GetAsync(new Uri("/test/old", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, old.StatusCode);
        Assert.Equal("@1767225600", old.Headers.GetValues("Deprecation").Single());
        Assert.Equal(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero),
            DateTimeOffset.ParseExact(old.Headers.GetValues("Sunset").Single(), "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
        Assert.Equal("</api/v1/system>; rel=\"successor-version\"", old.Headers.GetValues("Link").Single());
        Assert.False((await host.GetAsync("system")).Headers.ContainsKey("Deprecation"));
        Assert.Throws<ArgumentException>(() => new RouteGroupBuilderStub().Deprecated(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public async Task An_answer_is_protected_from_being_taken_for_a_page()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        foreach (string path in (string[])["system", "accounts/none"])
        {
            Answer answer = await host.GetAsync(path);
            Assert.Equal("default-src 'none'; frame-ancestors 'none'", answer.Headers["Content-Security-Policy"]);
            Assert.Equal(("nosniff", "no-referrer"), (answer.Headers["X-Content-Type-Options"], answer.Headers["Referrer-Policy"]));
            Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        }
    }

    [Fact]
    public async Task A_request_that_takes_too_long_ends_with_a_problem()
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<IStartupFilter, TestRoutes>());
        (await host.SendAsync(HttpMethod.Get, "/test/slow", null, null)).ExpectProblem(504, ApiReason.TimedOut);
    }

    private sealed class RouteGroupBuilderStub : IEndpointConventionBuilder
    {
        public void Add(Action<EndpointBuilder> convention)
        {
        }
    }

    /// <summary>Endpoints that only tests have, with the conventions of the API's own.</summary>
    private sealed class TestRoutes : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            next(app);
            app.UseRouting();
            app.UseEndpoints(routes =>
            {
                routes.MapGet("/test/log", (ILogger<AnswerTests> log) => log.LogWarning("from the test"));
                HybridTrading.Api.Endpoints.EndpointConventions.WithProblems(routes.MapGet("/test/old", () => "old")
                    .Deprecated(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), "/api/v1/system"));
                routes.MapGet("/test/secret", () => Results.Text(new string('s', 5000), "application/json")).AnswersSecret();
                HybridTrading.Api.Endpoints.EndpointConventions.WithProblems(routes.MapGet("/test/slow", async (HttpContext context) =>
                {
                    await Task.Delay(Timeout.Infinite, context.RequestAborted);
                }).EndsWithin(TimeSpan.FromMilliseconds(50)));
            });
        };
    }

    private sealed class ScopeLog : ILoggerProvider, ISupportExternalScope
    {
        private readonly List<(string Text, string? RequestId, string? TraceId)> _lines = [];
        private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

        public IReadOnlyList<(string Text, string? RequestId, string? TraceId)> Lines
        {
            get
            {
                lock (_lines) return [.. _lines];
            }
        }

        public ILogger CreateLogger(string categoryName) => new Logger(this);

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public void Dispose()
        {
        }

        private sealed class Logger(ScopeLog owner) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => owner._scopes.Push(state);

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                var known = new Dictionary<string, object?>();
                owner._scopes.ForEachScope((scope, into) =>
                {
                    if (scope is not IEnumerable<KeyValuePair<string, object?>> pairs) return;
                    foreach ((string name, object? value) in pairs) into[name] = value;
                }, known);
                lock (owner._lines)
                {
                    owner._lines.Add((formatter(state, exception), known.GetValueOrDefault("RequestId")?.ToString(), known.GetValueOrDefault("TraceId")?.ToString()));
                }
            }
        }
    }
}
