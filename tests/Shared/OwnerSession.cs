using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HybridTrading.Tests;

/// <summary>
/// The owner of a running system, who signs in with the first call that needs it: by the link that the program has printed where there is no owner yet, else
/// by password. Handed to every client of the system.
/// </summary>
public sealed partial class OwnerSession(Func<string> printed)
{
    public const string Email = "owner@example.org", Password = "correct horse battery";

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private string? _token;

    /// <summary>A client that calls as the owner.</summary>
    public HttpClient Client(TimeSpan timeout, Uri? address = null) => new(new Handler(this)) { Timeout = timeout, BaseAddress = address };

    /// <summary>A token that is good now.</summary>
    /// <param name="server">Root of the API.</param>
    /// <param name="worn">A token that was refused.</param>
    public async Task<string> TokenAsync(Uri server, string? worn = null)
    {
        await _gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_token is null || _token == worn) _token = await SignInAsync(server);
            return _token;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<string> SignInAsync(Uri server)
    {
        using var client = new HttpClient { BaseAddress = server, Timeout = TimeSpan.FromSeconds(30) };
        DateTime limit = DateTime.UtcNow + LongestWait;
        while (true)
        {
            (HttpStatusCode status, JsonNode? state) = await TryAsync(() => client.GetAsync("/api/v1/auth/state", TestContext.Current.CancellationToken));
            if (status == HttpStatusCode.OK)
            {
                string? link = Link().Matches(printed()).LastOrDefault()?.Groups[1].Value;
                JsonObject? body = (string?)state!["setup"] != "needed" ? new() { ["email"] = Email, ["password"] = Password, ["cookie"] = false }
                    : link is null ? null
                    : new() { ["token"] = link, ["email"] = Email, ["name"] = "Owner", ["password"] = Password, ["cookie"] = false };
                if (body is not null)
                {
                    string route = body.ContainsKey("token") ? "setup" : "sign-in";
                    (status, JsonNode? tokens) = await TryAsync(() => client.PostAsJsonAsync($"/api/v1/auth/{route}", body, TestContext.Current.CancellationToken));
                    if (status == HttpStatusCode.OK) return (string)tokens!["accessToken"]!;
                    // Somebody else of the test was first, or the service is not ready: both are another round.
                    Assert.True(status is HttpStatusCode.Conflict or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout or 0, $"{route}: {status} {tokens}");
                }
            }
            Assert.True(DateTime.UtcNow < limit, $"the owner cannot sign in at {server}: {status} {state}\n{printed()}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<(HttpStatusCode Status, JsonNode? Answer)> TryAsync(Func<Task<HttpResponseMessage>> ask)
    {
        try
        {
            using HttpResponseMessage response = await ask();
            string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return (response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text) : null);
        }
        catch (HttpRequestException)
        {
            return (0, null);
        }
    }

    [GeneratedRegex("/#/welcome/([A-Za-z0-9_-]+)")]
    private static partial Regex Link();

    private sealed class Handler(OwnerSession session) : DelegatingHandler(new SocketsHttpHandler { UseCookies = false })
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!request.RequestUri!.AbsolutePath.StartsWith("/api/", StringComparison.Ordinal)) return await base.SendAsync(request, cancellationToken);
            var server = new Uri(request.RequestUri.GetLeftPart(UriPartial.Authority));
            string token = await session.TokenAsync(server);
            // A request is sent once: what it carries is kept for a second try.
            if (request.Content is not null) await request.Content.LoadIntoBufferAsync(cancellationToken);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            if (response.StatusCode != HttpStatusCode.Unauthorized) return response;
            response.Dispose();
            using var again = new HttpRequestMessage(request.Method, request.RequestUri) { Content = request.Content };
            foreach ((string name, IEnumerable<string> values) in request.Headers) again.Headers.TryAddWithoutValidation(name, values);
            again.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await session.TokenAsync(server, worn: token));
            return await base.SendAsync(again, cancellationToken);
        }
    }
}
