using System.Text.Json;
using HybridTrading.Domain.Users;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

public sealed class EmailChangeTests
{
    [Fact]
    public async Task ANewAddressCountsOnceItIsProven()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor ann = await owner.InviteAsync("ann", "Trader");
        using var elsewhere = new Visitor(host);
        (await elsewhere.SignInAsync("ann@example.org")).Expect(200);
        (await ann.PostAsync("me/email", new { email = "new@example.org", password = "not the password" })).ExpectProblem(403, "PasswordWrong");
        (await ann.PostAsync("me/email", new { email = "new", password = Visitor.Password })).ExpectProblem(400, "InvalidInput", "email");
        (await ann.PostAsync("me/email", new { email = "ANN@example.org", password = Visitor.Password })).ExpectProblem(400, "InvalidInput", "email");
        (await ann.PostAsync("me/email", new { email = "New@Example.org", password = Visitor.Password })).Expect(202);
        Assert.Contains(host.MailsTo("ann@example.org"), mail => mail.Contains("wants another address", StringComparison.Ordinal));

        // Until then nothing has changed, and the link is good for nothing else.
        (await new Visitor(host).SignInAsync("new@example.org")).ExpectProblem(401, "SignInFailed");
        string link = host.MailLink("new@example.org", "change-email");
        (await ann.PostAsync("auth/undo-email", new { token = link })).ExpectProblem(403, "LinkInvalid");
        (await ann.PostAsync("auth/reset-password", new { token = link, password = "another good password" })).ExpectProblem(403, "LinkInvalid");
        (await ann.PostAsync("auth/change-email", new { token = $"{link}x" })).ExpectProblem(403, "LinkInvalid");
        (await new Visitor(host).PostAsync("auth/change-email", new { token = link })).Expect(204);
        (await new Visitor(host).PostAsync("auth/change-email", new { token = link })).ExpectProblem(403, "LinkInvalid");
        Assert.Equal("new@example.org", (await ann.GetAsync("me")).Expect(200)["email"].GetString());
        await UntilAsync(async () => (await elsewhere.GetAsync("me")).Status == 401);
        (await elsewhere.SignInAsync("ann@example.org")).ExpectProblem(401, "SignInFailed");
        (await elsewhere.SignInAsync("new@example.org")).Expect(200);

        // Nobody else gets the address before while it can be taken back; and it survives a restart.
        (await owner.PostAsync("members/invitations", new { email = "ann@example.org", roles = new[] { "Viewer" } })).Expect(201);
        (await new Visitor(host).PostAsync($"auth/invitations/{host.MailLink("ann@example.org", "invitation")}/accept", new { name = "Thief", password = Visitor.Password }))
            .ExpectProblem(409, "UserExists");
        await host.RestartAsync();
        (await new Visitor(host).SignInAsync("new@example.org")).Expect(200);
        (await new Visitor(host).SignInAsync("ann@example.org")).ExpectProblem(401, "SignInFailed");
    }

    [Fact]
    public async Task AnAddressThatSomebodyHasIsNotTakenAndNotTold()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor ann = await owner.InviteAsync("ann", "Trader");
        using Visitor bob = await owner.InviteAsync("bob", "Trader");
        Answer free = (await ann.PostAsync("me/email", new { email = "free@example.org", password = Visitor.Password })).Expect(202);
        Answer taken = (await ann.PostAsync("me/email", new { email = "bob@example.org", password = Visitor.Password })).Expect(202);
        Assert.Equal(free.Text, taken.Text);
        Assert.Throws<InvalidOperationException>(() => host.MailLink("bob@example.org", "change-email"));
        // The later wish took the place of the first.
        (await ann.PostAsync("auth/change-email", new { token = host.MailLink("free@example.org", "change-email") })).ExpectProblem(403, "LinkInvalid");

        // Two want the same one: the first to prove it has it.
        (await ann.PostAsync("me/email", new { email = "both@example.org", password = Visitor.Password })).Expect(202);
        string anns = host.MailLink("both@example.org", "change-email");
        (await bob.PostAsync("me/email", new { email = "both@example.org", password = Visitor.Password })).Expect(202);
        string bobs = host.MailLink("both@example.org", "change-email");
        (await bob.PostAsync("auth/change-email", new { token = bobs })).Expect(204);
        (await ann.PostAsync("auth/change-email", new { token = anns })).ExpectProblem(409, "UserExists");
        Assert.Equal("ann@example.org", (await ann.GetAsync("me")).Expect(200)["email"].GetString());
    }

    [Fact]
    public async Task TheOwnerOfTheAddressBeforeTakesTheUserBackFromAThief()
    {
        var clock = new MovedTime();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor ann = await owner.InviteAsync("ann", "Trader");
        using var thief = new Visitor(host);
        (await thief.SignInAsync("ann@example.org")).Expect(200);
        (await thief.PostAsync("me/email", new { email = "thief@example.org", password = Visitor.Password })).Expect(202);
        (await thief.PostAsync("auth/change-email", new { token = host.MailLink("thief@example.org", "change-email") })).Expect(204);
        (await thief.PostAsync("me/api-keys", new { name = "door", scopes = new[] { "ReadTrading" }, expiresDays = 300 })).Expect(201);
        Answer offered = (await thief.PostAsync("me/second-factor", new { password = Visitor.Password })).Expect(200);
        (await thief.PostAsync("me/second-factor/confirm", new { code = Code(offered["secret"].GetString()!, clock) })).Expect(200);
        clock.Moved = TimeSpan.FromMinutes(2);
        (await thief.PostAsync("me/erasure", new { password = Visitor.Password, code = Code(offered["secret"].GetString()!, clock), confirm = "thief@example.org" })).Expect(202);
        Assert.Contains(host.MailsTo("ann@example.org"), mail => mail.Contains("your user is erased", StringComparison.Ordinal));

        string link = host.MailLink("ann@example.org", "undo-email");
        using var herself = new Visitor(host);
        (await herself.PostAsync("auth/undo-email", new { token = link })).Expect(204);
        (await herself.PostAsync("auth/undo-email", new { token = link })).ExpectProblem(403, "LinkInvalid");
        (await thief.SignInAsync("thief@example.org")).ExpectProblem(401, "SignInFailed");
        (await herself.PostAsync("auth/reset-password", new { token = host.MailLink("ann@example.org", "reset"), password = "a better password than before" })).Expect(204);
        (await herself.SignInAsync("ann@example.org", "a better password than before")).Expect(200);
        Assert.False((await herself.GetAsync("me")).Expect(200)["secondFactor"].GetBoolean());
        Assert.Empty((await herself.GetAsync("me/api-keys")).Expect(200).Json.EnumerateArray());
        JsonElement listed = (await owner.SignInAsync("owner@example.org")).Expect(200).Json;
        Assert.Equal(JsonValueKind.Null, (await owner.GetAsync("users")).Expect(200).Json.EnumerateArray()
            .Single(user => user.GetProperty("id").GetString() == ann.Id).GetProperty("erasureDue").ValueKind);

        // After a week there is no way back, and the address is anybody's.
        (await herself.PostAsync("me/email", new { email = "ann.new@example.org", password = "a better password than before" })).Expect(202);
        (await herself.PostAsync("auth/change-email", new { token = host.MailLink("ann.new@example.org", "change-email") })).Expect(204);
        link = host.MailLink("ann@example.org", "undo-email");
        clock.Moved = TimeSpan.FromDays(8);
        (await herself.PostAsync("auth/undo-email", new { token = link })).ExpectProblem(403, "LinkInvalid");
        (await owner.SignInAsync("owner@example.org")).Expect(200);
        using Visitor successor = await owner.InviteAsync("ann", "Viewer");
        Assert.NotEqual(ann.Id, successor.Id);
    }

    private static string Code(string secret, TimeProvider clock) => Totp.Code(Decode(secret), Totp.StepOf(clock.GetUtcNow().UtcDateTime));

    private static byte[] Decode(string base32)
    {
        List<byte> bytes = [];
        int buffer = 0, bits = 0;
        foreach (char letter in base32)
        {
            buffer = ((buffer << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter)) & 0xfff;
            bits += 5;
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)(buffer >> bits));
        }
        return [.. bytes];
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (int look = 0; look < 1000; look++)
        {
            if (await isSo()) return;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Fail("it never came to be");
    }
}
