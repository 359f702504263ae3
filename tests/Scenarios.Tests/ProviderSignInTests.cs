using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using HybridTrading.Tests.Host;
using Microsoft.Playwright;

namespace HybridTrading.Scenarios.Tests;

/// <summary>Sign-in by an external provider in a browser, with what a browser makes of redirects and cookies; and the clients of services.</summary>
public sealed class ProviderSignInTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_user_links_the_provider_and_signs_in_by_it_and_somebody_new_comes_by_invitation()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        await using LocalProvider provider = await LocalProvider.StartAsync();
        using var data = new TempFolder();
        var environment = new Dictionary<string, string>
        {
            ["Identity__Provider__Issuer"] = provider.Issuer, ["Identity__Provider__Name"] = "Example Login",
            ["Identity__Provider__ClientId"] = LocalProvider.ClientId, ["Identity__Provider__ClientSecret"] = LocalProvider.ClientSecret,
        };
        await using LiveSystem system = await LiveSystem.StartAsync(environment, data.Path);
        Uri server = system.Client.BaseAddress!;
        IPage owner = await browser.NewPageAsync();
        ConcurrentQueue<string> faults = TestBrowser.Faults(owner);
        await TestBrowser.SignInAsync(owner, system);

        await owner.GotoAsync(new Uri(server, "/#/settings/security").ToString());
        await ClickAsync(owner, "Link Example Login");
        ILocator dialog = owner.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Password").FillAsync(OwnerSession.Password);
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Go to Example Login" }).ClickAsync();
        await Assertions.Expect(owner.Locator("#provider tbody")).ToContainTextAsync("ann@example.org");
        Assert.EndsWith("/#/settings/security", owner.Url, StringComparison.Ordinal);
        Assert.DoesNotContain("code=", owner.Url, StringComparison.Ordinal);
        await TestBrowser.ShootAsync(owner, "provider-linked", output);
        await JourneyTests.SoundAsync(owner);

        await owner.GotoAsync(new Uri(server, "/#/administration/clients").ToString());
        await ClickAsync(owner, "New client");
        await dialog.GetByLabel("Name").FillAsync("Metrics collector");
        await dialog.GetByRole(AriaRole.Checkbox, new LocatorGetByRoleOptions { Name = "Read metrics" }).CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Make the client" }).ClickAsync();
        await Assertions.Expect(dialog.Filter(new LocatorFilterOptions { HasText = "client_secret" })).ToBeVisibleAsync();
        await TestBrowser.ShootAsync(owner, "client-secret", output);
        await JourneyTests.SoundAsync(owner);
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Done" }).ClickAsync();
        await Assertions.Expect(owner.Locator("#clients tbody")).ToContainTextAsync("Metrics collector");
        await TestBrowser.ShootAsync(owner, "clients", output);
        await JourneyTests.SoundAsync(owner);
        Assert.Empty(faults);

        IPage again = await browser.NewPageAsync();
        await again.GotoAsync(server.ToString());
        await Assertions.Expect(again.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in with Example Login" })).ToBeVisibleAsync();
        await TestBrowser.ShootAsync(again, "provider-sign-in", output);
        await JourneyTests.SoundAsync(again);
        await ClickAsync(again, "Sign in with Example Login");
        await Assertions.Expect(again.Locator(".connection")).ToContainTextAsync("Connected");
        await again.ReloadAsync();
        await Assertions.Expect(again.Locator(".connection")).ToContainTextAsync("Connected");

        provider.Person = new JsonObject { ["sub"] = "tom-9", ["email"] = "tom@example.net", ["name"] = "Tom Trader" };
        (HttpStatusCode status, JsonNode told) = await PlayedMarket.TryAsync(system.Client, HttpMethod.Post, "members/invitations", new JsonObject
        {
            ["email"] = "tom@example.org", ["roles"] = new JsonArray("Trader"),
        });
        Assert.True(status == HttpStatusCode.Created, told.ToString());
        IPage tom = await browser.NewPageAsync();
        await tom.GotoAsync(new Uri(server, $"/#/invitation/{Outbox.Link(Path.Combine(data.Path, "outbox"), "tom@example.org", "invitation")}").ToString());
        await ClickAsync(tom, "Go on with Example Login");
        await Assertions.Expect(tom.Locator(".connection")).ToContainTextAsync("Connected");
        await Assertions.Expect(tom).ToHaveURLAsync(new Uri(server, "/#/overview").ToString());

        // Somebody whom nobody has invited is told what to do.
        provider.Person = new JsonObject { ["sub"] = "eve-1", ["email"] = "eve@example.net", ["email_verified"] = true };
        IPage eve = await browser.NewPageAsync();
        await eve.GotoAsync(server.ToString());
        await ClickAsync(eve, "Sign in with Example Login");
        await Assertions.Expect(eve.GetByRole(AriaRole.Alert).First).ToContainTextAsync("Nobody here is linked");
        await TestBrowser.ShootAsync(eve, "provider-refused", output);
        await JourneyTests.SoundAsync(eve);
        (await system.Program.StopAsync()).Succeeded();
    }

    private static Task ClickAsync(IPage page, string button) => page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = button, Exact = true }).ClickAsync();
}
