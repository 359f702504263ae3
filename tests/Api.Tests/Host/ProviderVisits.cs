using System.Net;
using System.Text.Json;

namespace HybridTrading.Tests.Host;

internal static class ProviderVisits
{
    /// <summary>Goes to the provider and back, as a browser does.</summary>
    /// <returns>What the redirect says.</returns>
    public static async Task<(string Code, string State, string? Issuer)> AskProviderAsync(this Visitor visitor, string path = "auth/provider", object? body = null)
    {
        Answer start = (await visitor.PostAsync(path, body ?? new { })).Expect(200);
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using HttpResponseMessage redirect = await browser.GetAsync(start["address"].GetString());
        Assert.Equal(HttpStatusCode.Redirect, redirect.StatusCode);
        Assert.Equal("/", redirect.Headers.Location!.AbsolutePath);
        Dictionary<string, string> query = redirect.Headers.Location.Query.TrimStart('?').Split('&').Select(pair => pair.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));
        return (query["code"], query["state"], query.GetValueOrDefault("iss"));
    }

    /// <summary>The whole of a sign-in.</summary>
    public static async Task<Answer> SignInByProviderAsync(this Visitor visitor, string? invitation = null)
    {
        (string code, string state, string? issuer) = await visitor.AskProviderAsync();
        Answer answer = await visitor.PostAsync("auth/provider/complete", new { code, state, issuer, invitation });
        if (answer.Status == 200 && answer["tokens"].ValueKind == JsonValueKind.Object) visitor.Keep(answer.Member("tokens"));
        return answer;
    }

    /// <summary>Links the provider's sign-in to whoever has signed in.</summary>
    public static async Task<Answer> LinkAsync(this Visitor visitor, string? password = Visitor.Password)
    {
        (string code, string state, string? issuer) = await visitor.AskProviderAsync("me/provider-links", new { password });
        return await visitor.PostAsync("me/provider-links/complete", new { code, state, issuer });
    }

    public static Answer Member(this Answer answer, string name) => answer with { Text = answer[name].GetRawText() };
}
