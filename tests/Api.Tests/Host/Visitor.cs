using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HybridTrading.Api.Identity;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace HybridTrading.Tests.Host;

/// <summary>Somebody at the door of a host: a client with cookies of its own, and a token once they have signed in.</summary>
internal sealed class Visitor : IDisposable
{
    public const string Password = "correct horse battery";

    private readonly ApiHost _host;

    public Visitor(ApiHost host)
    {
        _host = host;
        Client = new HttpClient(new SocketsHttpHandler { CookieContainer = Cookies }) { BaseAddress = host.Address, Timeout = TimeSpan.FromMinutes(1) };
    }

    public CookieContainer Cookies { get; } = new();

    public HttpClient Client { get; }

    public string? Token { get; set; }

    public string Id { get; private set; } = "";

    public string Tenant { get; private set; } = "";

    /// <summary>The first owner of a fresh host.</summary>
    public static async Task<Visitor> OwnerAsync(ApiHost host)
    {
        var owner = new Visitor(host);
        (await owner.PostAsync("auth/setup", new { token = await LinkAsync(host), email = "owner@example.org", name = "Olive Owner", password = Password })).Expect(200).Let(owner.Keep);
        return owner;
    }

    /// <summary>What the program prints at its first start.</summary>
    public static async Task<string> LinkAsync(ApiHost host)
    {
        using Principal.Scope scope = Principal.OfGateway();
        return (await host.Services.GetRequiredService<IGrainFactory>().GetGrain<IInstallationGrain>(Keys.Installation).MakeLink())!.Value;
    }

    /// <summary>Somebody whom a member has invited to the tenant.</summary>
    public async Task<Visitor> InviteAsync(string name, params string[] roles)
    {
        string email = $"{name}@example.org";
        (await PostAsync("members/invitations", new { email, roles })).Expect(201);
        var invited = new Visitor(_host);
        string link = _host.MailLink(email, "invitation");
        (await invited.PostAsync($"auth/invitations/{link}/accept", new { name, password = Password })).Expect(200).Let(invited.Keep);
        return invited;
    }

    public async Task<Answer> SignInAsync(string email, string password = Password, string? code = null)
    {
        Answer answer = await PostAsync("auth/sign-in", new { email, password, code });
        if (answer.Status == 200) Keep(answer);
        return answer;
    }

    public void Keep(Answer tokens)
    {
        Token = tokens["accessToken"].GetString();
        Id = tokens["user"].GetProperty("id").GetString()!;
        Tenant = tokens["user"].GetProperty("tenant").GetProperty("id").GetString()!;
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<Answer> PostAsync(string path, object? body) => SendAsync(HttpMethod.Post, path, body ?? new { });

    public Task<Answer> PutAsync(string path, object body) => SendAsync(HttpMethod.Put, path, body);

    public Task<Answer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path, null);

    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body, Action<HttpRequestMessage>? more = null)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith('/') ? path : $"/api/v1/{path}");
        if (Token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (method != HttpMethod.Get) request.Headers.TryAddWithoutValidation("Idempotency-Key", ApiHost.NewKey());
        if (body is not null) request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        more?.Invoke(request);
        using HttpResponseMessage response = await Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    public void Dispose() => Client.Dispose();
}

internal static class VisitorExtensions
{
    public static void Let(this Answer answer, Action<Answer> use) => use(answer);

    /// <summary>The mails to an address, in the clear.</summary>
    public static string[] MailsTo(this ApiHost host, string email) => Outbox.To(host.Outbox, email);

    /// <summary>What the newest mail to an address holds in its link to a page.</summary>
    public static string MailLink(this ApiHost host, string email, string page) => Outbox.Link(host.Outbox, email, page);
}
