using System.Globalization;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Api;
using HybridTrading.Api.Endpoints;
using HybridTrading.Api.Requests;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace HybridTrading.Tests;

/// <summary>
/// Whatever is sent to whatever endpoint, the API answers, and never with a failure of its own. What there is to send follows from the endpoints themselves: their
/// paths, the parameters of their handlers, the types of their bodies; so a new one is tried without a word here.
/// </summary>
public sealed class FuzzTests
{
    private const int TriesEach = 8;

    /// <summary>They would sign out who tries.</summary>
    private static readonly string[] EndsTheTest = ["DELETE me/sessions", "POST auth/sign-out"];

    /// <summary>Values of every JSON kind, at their bounds and beyond, and names of things that are there.</summary>
    private static readonly Gen<string> Value = Gen.Frequency(
        (8, Gen.Elements(
            "null", "true", "false", "0", "-1", "1", "1000", "5000", "1.1", "1.10001", "0.000001", "1e15", "-1e15", "1e28", "1e400", "79228162514264337593543950335",
            "300000000000000", "9223372036854775808", "\"\"", "\"main\"", "\"cross\"", "\"resting\"", "\"EURUSD\"", "\"USDJPY\"", "\"Buy\"", "\"Limit\"", "\"TrailingStop\"",
            "\"Gtd\"", "\"Active\"", "\"Hedging\"", "\"sma-cross\"", "\"enter long when close > sma(2)\"", "\"M1\"", "\"MN1\"", "\"2030-01-01T00:00:00Z\"",
            "\"9999-12-31T23:59:59Z\"", "\"0001-01-01T00:00:00+14:00\"", "\"10675199.02:48:05\"", "[]", "{}", "[null]", "[1]", "[\"main\"]", "[\"market:EURUSD:M1\"]",
            "[{\"definition\":\"sma-cross\"}]", "[{\"rule\":\"enter long when close > sma(2);\"}]", "{\"fast\":\"1..9\"}", "{\"fast\":2,\"slow\":5}",
            "\"risk\"", "\"trading\"", "\"notifications\"", "{\"limits\":{\"lossLimits\":[{}]}}", "{\"pausedHours\":[{\"days\":[1]}]}",
            "\"one@example.org\"", "\"Owner\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\u202e\\ufeff\"", "\"../../etc\"", "\"a/b#c\"", "\"' or 1=1 --\"")),
        (1, Gen.Choose(1, 19).Select(doublings => $"\"{new string('x', 1 << doublings)}\"")),
        (1, Gen.Choose(1, 2000).Select(depth => new string('[', depth) + new string(']', depth))),
        (1, ArbMap.Default.GeneratorFor<string>().Select(text => JsonSerializer.Serialize(text ?? ""))),
        (1, ArbMap.Default.GeneratorFor<decimal>().Select(number => number.ToString(CultureInfo.InvariantCulture))));

    private static readonly Gen<string> Words = Gen.OneOf(
        Gen.Elements("main", "none", "EURUSD", "M1", "cross", "cross#1", "resting", "risk", "values", "-1", "0", "1", "5", "99999999999999999999", "NaN", "'", "%", "\0", "a b",
            "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", new string('x', 300)),
        ArbMap.Default.GeneratorFor<string>().Select(text => text ?? ""));

    /// <summary>It answers in the form of RFC 6749.</summary>
    private const string TokenEndpoint = "POST auth/token";

    private static bool IsProblem(Answer answer) => answer.ContentType == "application/problem+json" && answer.Reason!.Length > 0;

    private sealed record Sent(string Method, string Path, string? Body, string MediaType)
    {
        public override string ToString() => $"{Method} {Path} {(Body?.Length > 500 ? $"{Body[..500]}... ({Body.Length} characters)" : Body)} as {MediaType}";
    }

    [Fact]
    public async Task NothingThatIsSentMakesTheServiceFail()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor other = await owner.InviteAsync("other", "Trader");
        (await owner.PostAsync("accounts", new { name = "main", currency = "USD" })).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await owner.PostAsync("accounts/main/orders", new { clientOrderId = "resting", symbol = "EURUSD", side = "Buy", type = "Limit", volume = 1000, limitPrice = 1.05 })).Expect(201);
        (await owner.PostAsync("strategies", StrategyApiTests.Cross())).Expect(201);

        List<string> faults = [];
        foreach ((string name, RouteEndpoint endpoint) in ApiEndpoints.Of(host).Where(one => !EndsTheTest.Contains(one.Name)))
        {
            // What is told a later service is answered 501, whatever it is.
            bool isThere = LaterEndpoints.All.All(later => $"{later.Method} {later.Path.TrimStart('/')}" != name);
            Property holds = Prop.ForAll(Requests(name, endpoint, owner.Id, other.Id).ToArbitrary(), sent =>
            {
                Answer answer = SendAsync(owner, sent).GetAwaiter().GetResult();
                string said = $"{sent}: {answer.Status} {answer.ContentType} {answer.Text}";
                Assert.True(answer.Status < 500 || !isThere && answer.Status == 501, said);
                Assert.False(answer.Text.Contains("   at ") || answer.Text.Contains("Exception"), said);
                Assert.True(answer.Status < 400 || IsProblem(answer) || name == TokenEndpoint && answer["error"].GetString()!.Length > 0, said);
            });
            try
            {
                holds.Check(Config.QuickThrowOnFailure.WithMaxTest(TriesEach).WithQuietOnSuccess(true));
            }
            catch (Exception failed)
            {
                faults.Add($"{name}: {failed.Message}");
            }
        }
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
        // And what came of it is sound: who tried is still somebody, the account answers, and so does a market event.
        (await owner.GetAsync("accounts/main")).Expect(200);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
    }

    private static Gen<Sent> Requests(string name, RouteEndpoint endpoint, string own, string other)
    {
        string method = name[..name.IndexOf(' ')];
        Gen<string> path = Gen.Constant("/");
        foreach (RoutePatternPathSegment segment in endpoint.RoutePattern.PathSegments)
        {
            Gen<string> part = segment.Parts[0] is RoutePatternParameterPart parameter
                ? (parameter.Name == "userId" ? Gen.OneOf(Gen.Constant(own), Words) : Gen.OneOf(Words, Words, Gen.Constant(other)))
                    // The web server itself refuses NUL in a path, and without a body.
                    .Select(text => Uri.EscapeDataString(text.Replace("\0", "", StringComparison.Ordinal)))
                : Gen.Constant(((RoutePatternLiteralPart)segment.Parts[0]).Content);
            path = from before in path from one in part select before.EndsWith('/') ? before + one : $"{before}/{one}";
        }
        string[] names = QueryNames(endpoint);
        Gen<string> query = names.Length == 0
            ? Gen.Constant("")
            : from chosen in Gen.SubListOf(names)
              from values in Gen.ArrayOf(Words, chosen.Count)
              select string.Join('&', chosen.Zip(values, (key, value) => $"{key}={Uri.EscapeDataString(value)}"));
        IAcceptsMetadata? accepts = endpoint.Metadata.GetMetadata<IAcceptsMetadata>();
        Gen<string> body = accepts is null ? Gen.Constant("") : Gen.Frequency((8, Json(accepts.RequestType!, 0)), (1, Value), (1, Words), (1, Gen.Constant("")));
        string usual = accepts?.ContentTypes[0] ?? "application/json";
        Gen<string> media = Gen.Frequency((20, Gen.Constant(usual)), (1, Gen.Elements("text/plain", "application/xml", "multipart/form-data; boundary=x")));
        return from to in path from asked in query from sent in body from type in media select new Sent(method, asked.Length == 0 ? to : $"{to}?{asked}", accepts is null ? null : sent, type);
    }

    /// <summary>An object of the type with some of its members, each mostly of its own type; now and then with one that is unknown or there twice.</summary>
    private static Gen<string> Json(Type type, int depth)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsEnum) return Gen.OneOf(Gen.Elements(Enum.GetNames(plain)).Select(one => $"\"{one}\""), Value);
        JsonTypeInfo info = ApiJson.Options.GetTypeInfo(plain);
        if (depth > 3 || info.Kind == JsonTypeInfoKind.None) return Value;
        if (info.Kind == JsonTypeInfoKind.Enumerable)
        {
            return from count in Gen.Choose(0, 3) from items in Gen.ArrayOf(Json(info.ElementType!, depth + 1), count) select $"[{string.Join(',', items)}]";
        }
        if (info.Kind == JsonTypeInfoKind.Dictionary)
        {
            return from key in Words from value in Json(info.ElementType!, depth + 1) select $"{{{JsonSerializer.Serialize(key)}:{value}}}";
        }
        Gen<string>[] members = [.. info.Properties.Select(property => Gen.Frequency((3, Json(property.PropertyType, depth + 1)), (2, Value)).Select(value => $"\"{property.Name}\":{value}"))];
        return from chosen in Gen.SubListOf(members)
               from values in Gen.CollectToArray(chosen)
               from more in Gen.Frequency((12, Gen.Constant<string[]>([])), (1, Gen.Constant<string[]>(["\"stranger\":1"])), (1, Gen.Constant(values.Take(1).ToArray())))
               select $"{{{string.Join(',', values.Concat(more))}}}";
    }

    /// <summary>What the handler takes of the query.</summary>
    private static string[] QueryNames(RouteEndpoint endpoint) =>
    [
        .. (endpoint.Metadata.GetMetadata<MethodInfo>()?.GetParameters() ?? [])
            .Where(parameter => (Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType) is var plain
                && (plain.IsPrimitive || plain.IsEnum || plain == typeof(string) || plain == typeof(decimal) || plain == typeof(DateTime)))
            .Select(parameter => parameter.Name!)
            // A list is asked to wait for a position that is to come, for some seconds, and then says that it is behind: 503.
            .Where(name => name != "minPosition" && endpoint.RoutePattern.GetParameter(name) is null),
        "user",
    ];

    private static async Task<Answer> SendAsync(Visitor visitor, Sent sent)
    {
        try
        {
            return await OnceAsync();
        }
        catch (HttpRequestException ended) when (ended.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            // The connection was one that the server closed, since it had not read the body of the request before to its end.
            return await OnceAsync();
        }

        Task<Answer> OnceAsync() => visitor.SendAsync(new HttpMethod(sent.Method), sent.Path, null, request =>
        {
            if (sent.Body is null) return;
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(sent.Body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(sent.MediaType);
        });
    }
}
