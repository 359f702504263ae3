using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Grains.Alerts;
using Microsoft.AspNetCore.Http;

namespace HybridTrading.Tests.Alerts;

/// <summary>One attempt at a web hook, against a receiver on this machine.</summary>
public sealed class WebHookSenderTests
{
    private const string Secret = "sixteen letters!";

    private static readonly byte[] Body = """{"version":1}"""u8.ToArray();

    /// <summary>A case of the standard's own documentation.</summary>
    [Fact]
    public void TheSignatureIsThatOfTheStandard() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebHookSender.Signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""u8));

    [Fact]
    public void AnySecretThatIsNoBase64IsTheKeyItself()
    {
        string expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData("whsec_not base 64!"u8, "a/b#1.5.{}"u8));
        Assert.Equal(expected, WebHookSender.Signature("whsec_not base 64!", "a/b#1", 5, "{}"u8));
    }

    [Fact]
    public async Task ASignedCallArrivesAsItWasSent()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        using WebHookSender sender = Sender();
        long before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.Equal(AttemptOutcome.Delivered, (await SendAsync(sender, receiver.Url, Secret, "another secret of sixteen")).Outcome);
        HookCall call = Assert.Single(receiver.Calls);
        Assert.Equal(("/hook", "acme/ann#7", """{"version":1}"""), (call.Path, call.Id, call.Body));
        Assert.InRange(call.Timestamp, before, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        Assert.True(call.IsSignedBy(Secret) && call.IsSignedBy("another secret of sixteen"));
        Assert.False(call.IsSignedBy("a wrong secret of sixteen"));
    }

    [Theory]
    [InlineData(200, AttemptOutcome.Delivered), InlineData(204, AttemptOutcome.Delivered), InlineData(301, AttemptOutcome.Refused), InlineData(307, AttemptOutcome.Refused)]
    [InlineData(400, AttemptOutcome.Refused), InlineData(404, AttemptOutcome.Refused), InlineData(408, AttemptOutcome.Failed), InlineData(410, AttemptOutcome.Gone)]
    [InlineData(429, AttemptOutcome.Failed), InlineData(500, AttemptOutcome.Failed), InlineData(503, AttemptOutcome.Failed)]
    public async Task WhatTheReceiverAnswersDecides(int status, AttemptOutcome outcome)
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, status, response => response.Headers.Location = "/elsewhere");
        using WebHookSender sender = Sender();
        Attempt attempt = await SendAsync(sender, receiver.Url, Secret);
        Assert.Equal(outcome, attempt.Outcome);
        Assert.Equal(outcome == AttemptOutcome.Delivered, attempt.Why.Length == 0);
        Assert.Equal("/hook", Assert.Single(receiver.Calls).Path);
    }

    [Fact]
    public async Task RetryAfterIsReadAsSecondsAndAsADate()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        string after = "120";
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 429, response => response.Headers.RetryAfter = after);
        using WebHookSender sender = Sender();
        Assert.Equal(TimeSpan.FromMinutes(2), (await SendAsync(sender, receiver.Url, Secret)).RetryAfter);
        after = DateTimeOffset.UtcNow.AddHours(1).ToString("R");
        Assert.InRange((await SendAsync(sender, receiver.Url, Secret)).RetryAfter!.Value, TimeSpan.FromMinutes(55), TimeSpan.FromHours(1));
        after = "soon";
        Assert.Null((await SendAsync(sender, receiver.Url, Secret)).RetryAfter);
    }

    [Fact]
    public async Task AReceiverThatHangsOrIsNotThereIsAFailure()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, _, context) => Task.Delay(Timeout.Infinite, context.RequestAborted);
        using WebHookSender sender = Sender(patience: TimeSpan.FromMilliseconds(300));
        Attempt hung = await SendAsync(sender, receiver.Url, Secret);
        Assert.Equal((AttemptOutcome.Failed, "no answer within 0.3 s"), (hung.Outcome, hung.Why));
        using var nobody = new TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        int port = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        Attempt away = await SendAsync(sender, $"http://127.0.0.1:{port}/", Secret);
        Assert.Equal((AttemptOutcome.Failed, "it cannot be reached: ConnectionRefused"), (away.Outcome, away.Why));
    }

    [Fact]
    public async Task AnAnswerWithoutEndIsCutAndCounts()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        long written = 0;
        receiver.Answer = async (_, _, context) =>
        {
            byte[] page = new byte[4096];
            while (!context.RequestAborted.IsCancellationRequested && written < 1L << 30)
            {
                await context.Response.Body.WriteAsync(page, context.RequestAborted);
                written += page.Length;
            }
        };
        using WebHookSender sender = Sender();
        Assert.Equal(AttemptOutcome.Delivered, (await SendAsync(sender, receiver.Url, Secret)).Outcome);
        Assert.InRange(written, 1, 64 << 20);
    }

    [Theory]
    [InlineData("https://127.0.0.1:PORT/"), InlineData("https://localhost:PORT/"), InlineData("https://[::1]:PORT/"), InlineData("https://[::ffff:127.0.0.1]:PORT/")]
    [InlineData("https://2130706433:PORT/"), InlineData("https://0x7f.1:PORT/"), InlineData("https://169.254.169.254/latest/meta-data/"), InlineData("https://10.0.0.1/")]
    [InlineData("https://0.0.0.0:PORT/")]
    public async Task AddressesThatAreNotPublicAreNotConnectedTo(string url)
    {
        using var listener = new TcpListener(IPAddress.IPv6Any, 0);
        listener.Server.DualMode = true;
        listener.Start();
        using WebHookSender sender = Sender(allowInternal: false);
        Attempt attempt = await SendAsync(sender, url.Replace("PORT", $"{((IPEndPoint)listener.LocalEndpoint).Port}", StringComparison.Ordinal), Secret);
        Assert.Equal(AttemptOutcome.Refused, attempt.Outcome);
        Assert.EndsWith("which is not a public address", attempt.Why);
        Assert.False(listener.Pending());
    }

    [Fact]
    public async Task PlainHttpIsRefusedUnlessItStaysOnAMachineThatAllowsIt()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        using WebHookSender strict = Sender(allowInternal: false), open = Sender();
        Assert.Equal((AttemptOutcome.Refused, "the address begins with http; expected https"), Of(await SendAsync(strict, receiver.Url, Secret)));
        Assert.Equal((AttemptOutcome.Refused, "the address begins with http; expected https"), Of(await SendAsync(open, "http://example.org/", Secret)));
        Assert.Empty(receiver.Calls);

        static (AttemptOutcome, string) Of(Attempt attempt) => (attempt.Outcome, attempt.Why);
    }

    private static WebHookSender Sender(bool allowInternal = true, TimeSpan? patience = null) =>
        new(new AlertOptions { AllowInternal = allowInternal, Patience = patience ?? TimeSpan.FromSeconds(20) }, TimeProvider.System);

    private static Task<Attempt> SendAsync(WebHookSender sender, string url, params string[] secrets) =>
        sender.SendAsync(new WebHookCall(new Uri(url), [.. secrets], "acme/ann#7", Body), TestContext.Current.CancellationToken);
}
