using System.Text;
using HybridTrading.Api.Endpoints;
using HybridTrading.Api.Identity;
using HybridTrading.Domain.Users;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Routing;

namespace HybridTrading.Tests;

/// <summary>Every endpoint and every role: who gets in and who does not. An endpoint that is not in the table fails.</summary>
public sealed class AuthorisationTests
{
    private const string OpenToAll = "";

    /// <summary>What each endpoint needs, said a second time: a change must be meant.</summary>
    private static readonly Dictionary<string, string> Table = new(StringComparer.Ordinal)
    {
        ["GET auth/state"] = OpenToAll, ["POST auth/setup"] = OpenToAll, ["POST auth/sign-in"] = OpenToAll, ["POST auth/refresh"] = OpenToAll,
        ["POST auth/sign-out"] = OpenToAll, ["POST auth/sign-up"] = OpenToAll, ["POST auth/verify-email"] = OpenToAll,
        ["POST auth/forgot-password"] = OpenToAll, ["POST auth/reset-password"] = OpenToAll, ["GET auth/invitations/{token}"] = OpenToAll,
        ["POST auth/invitations/{token}/accept"] = OpenToAll, ["POST auth/token"] = OpenToAll,
        ["POST auth/provider"] = OpenToAll, ["POST auth/provider/complete"] = OpenToAll, ["POST auth/provider/confirm"] = OpenToAll,
        ["GET me/provider-links"] = "ManageProfile", ["POST me/provider-links"] = "ManageProfile", ["POST me/provider-links/complete"] = "ManageProfile",
        ["DELETE me/provider-links/{id}"] = "ManageProfile",
        ["GET clients"] = "ManageClients", ["POST clients"] = "ManageClients", ["POST clients/{id}/secrets"] = "ManageClients", ["DELETE clients/{id}"] = "ManageClients",
        ["GET me"] = "ReadSystem", ["PATCH me"] = "ManageProfile", ["POST me/password"] = "ManageProfile", ["POST me/second-factor"] = "ManageProfile",
        ["POST me/second-factor/confirm"] = "ManageProfile", ["POST me/second-factor/remove"] = "ManageProfile", ["GET me/sessions"] = "ManageProfile", ["GET me/export"] = "ManageProfile",
        ["DELETE me/sessions/{id}"] = "ManageProfile", ["DELETE me/sessions"] = "ManageProfile", ["POST me/tenant"] = "ReadSystem",
        ["POST auth/change-email"] = OpenToAll, ["POST auth/undo-email"] = OpenToAll, ["POST me/email"] = "ManageProfile", ["GET me/erasure"] = "ManageProfile",
        ["POST me/erasure"] = "ManageProfile", ["POST users/{id}/erasure"] = "Administer", ["DELETE users/{id}/erasure"] = "Administer",
        ["GET me/api-keys"] = "ManageKeys", ["POST me/api-keys"] = "ManageKeys", ["DELETE me/api-keys/{id}"] = "ManageKeys",
        ["GET members"] = "ReadTenant", ["PUT members/{user}/roles"] = "ManageMembers", ["DELETE members/{user}"] = "ManageMembers",
        ["GET members/invitations"] = "ManageMembers", ["POST members/invitations"] = "ManageMembers", ["DELETE members/invitations/{id}"] = "ManageMembers",
        ["GET users"] = "Administer", ["PUT users/{id}"] = "Administer",
        ["GET system"] = "ReadSystem", ["GET instruments"] = "ReadMarket", ["GET quotes"] = "ReadMarket", ["GET bars/{symbol}"] = "ReadMarket",
        ["GET features/{symbol}/{timeFrame}"] = "ReadMarket", ["GET feed"] = "ReadMarket", ["PUT feed"] = "Operate",
        ["GET accounts"] = "ReadTrading", ["POST accounts"] = "Trade", ["GET accounts/{account}"] = "ReadTrading", ["POST accounts/{account}/deposits"] = "Trade",
        ["PUT accounts/{account}/limits"] = "ManageRisk", ["PUT accounts/{account}/state"] = "ManageRisk", ["POST accounts/{account}/flatten"] = "Halt",
        ["GET accounts/{account}/positions"] = "ReadTrading", ["GET accounts/{account}/equity"] = "ReadTrading",
        ["PUT accounts/{account}/follows/{strategy}"] = "Trade", ["DELETE accounts/{account}/follows/{strategy}"] = "Trade",
        ["GET accounts/{account}/orders"] = "ReadTrading", ["POST accounts/{account}/orders"] = "Trade",
        ["POST accounts/{account}/orders/preview"] = "Trade",
        ["GET accounts/{account}/orders/{clientOrderId}"] = "ReadTrading", ["PATCH accounts/{account}/orders/{clientOrderId}"] = "Trade",
        ["DELETE accounts/{account}/orders/{clientOrderId}"] = "Trade", ["GET accounts/{account}/fills"] = "ReadTrading",
        ["GET performance/accounts/{account}"] = "ReadTrading", ["GET performance/accounts/{account}/report.html"] = "ReadTrading",
        ["GET strategy-definitions"] = "ReadMarket", ["GET strategies"] = "ReadTrading", ["POST strategies"] = "Automate", ["GET strategies/{strategy}"] = "ReadTrading",
        ["PUT strategies/{strategy}/parameters"] = "Automate", ["POST strategies/{strategy}/start"] = "Automate", ["POST strategies/{strategy}/stop"] = "Automate",
        ["GET strategies/{strategy}/review"] = "ReadTrading", ["PUT strategies/{strategy}/review/schedule"] = "Automate",
        ["POST strategies/{strategy}/review/run"] = "Automate", ["POST strategies/{strategy}/review/proposal"] = "Automate",
        ["POST rules/check"] = "ReadMarket", ["GET rules/words"] = "ReadMarket", ["GET decisions"] = "ReadTrading", ["GET decisions/{**id}"] = "ReadTrading",
        ["GET data-sets"] = "ReadTrading", ["POST data-sets"] = "Research", ["DELETE data-sets/{dataSet}"] = "Research",
        ["POST backtests"] = "Research", ["POST optimisations"] = "Research", ["GET reports"] = "ReadTrading", ["GET job-limits"] = "ReadTrading",
        ["GET optimisations/{id}/trials"] = "ReadTrading", ["GET optimisations/{id}/walk-forward"] = "ReadTrading",
        ["GET backtests"] = "ReadTrading", ["GET backtests/{id}"] = "ReadTrading", ["DELETE backtests/{id}"] = "Research", ["GET backtests/{id}/report"] = "ReadTrading",
        ["GET backtests/{id}/report.html"] = "ReadTrading", ["GET backtests/{id}/trades.csv"] = "ReadTrading", ["GET backtests/{id}/equity.csv"] = "ReadTrading",
        ["GET optimisations"] = "ReadTrading", ["GET optimisations/{id}"] = "ReadTrading", ["DELETE optimisations/{id}"] = "Research", ["GET optimisations/{id}/report"] = "ReadTrading",
        ["GET optimisations/{id}/report.html"] = "ReadTrading", ["GET optimisations/{id}/trades.csv"] = "ReadTrading", ["GET optimisations/{id}/equity.csv"] = "ReadTrading",
        ["GET journal"] = "ReadJournal", ["GET alerts"] = "ReadTrading", ["GET alerts/channels"] = "Configure", ["POST alerts/test"] = "Configure",
        ["GET kill-switch"] = "ReadTrading", ["POST kill-switch"] = "Halt", ["POST kill-switch/accounts/{account}"] = "Halt", ["POST kill-switch/tenant"] = "HaltTenant",
        ["POST kill-switch/tenant/{number}/release"] = "ReleaseTenant", ["POST kill-switch/tenant/{number}/release/approval"] = "ReleaseTenant",
        ["GET config-schemas"] = "Configure", ["GET config-schemas/{section}"] = "Configure", ["GET user-config/{userId}"] = "Configure", ["POST user-config"] = "Configure",
        ["PUT user-config/{id}"] = "Configure", ["DELETE user-config/{id}"] = "Configure", ["POST user-config/{id}/rollback"] = "Configure",
        ["GET user-config/{userId}/{id}"] = "Configure", ["GET user-config/{userId}/{id}/versions"] = "Configure",
        ["GET user-config/{userId}/{id}/versions/{number}"] = "Configure", ["GET user-config/{userId}/{id}/diff"] = "Configure",
        ["GET tenant-config"] = "ConfigureTenant", ["POST tenant-config"] = "ConfigureTenant", ["PUT tenant-config/{id}"] = "ConfigureTenant",
        ["DELETE tenant-config/{id}"] = "ConfigureTenant", ["POST tenant-config/{id}/rollback"] = "ConfigureTenant", ["GET tenant-config/{id}"] = "ConfigureTenant",
        ["GET tenant-config/{id}/versions"] = "ConfigureTenant", ["GET tenant-config/{id}/versions/{number}"] = "ConfigureTenant", ["GET tenant-config/{id}/diff"] = "ConfigureTenant",
        ["GET services"] = "Operate", ["GET services/{name}/history"] = "Operate", ["GET system/grains"] = "Operate", ["GET system/storage"] = "Operate", ["GET system/feeds"] = "Operate",
        // Of services that are still to come: 501.
        ["GET features"] = "ReadMarket", ["POST user-features"] = "ReadSystem", ["GET feature-sets/{userId}"] = "ReadSystem", ["POST validation/pattern"] = "ReadSystem",
        ["GET patterns/{userId}"] = "ReadSystem", ["POST user-patterns"] = "ReadSystem", ["POST coordination/register"] = "ReadSystem", ["GET agents/status"] = "ReadSystem",
        ["POST consensus/request"] = "ReadSystem", ["POST decisions/make"] = "ReadSystem", ["GET models/status"] = "ReadSystem", ["POST consensus/aggregate"] = "ReadSystem",
    };

    [Fact]
    public async Task EachRoleMayDoWhatItsEndpointsSayAndNothingElse()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        (string Name, RouteEndpoint Endpoint)[] all = [.. ApiEndpoints.Of(host)];
        string[] unlisted = [.. all.Select(one => one.Name).Except(Table.Keys)], gone = [.. Table.Keys.Except(all.Select(one => one.Name))];
        Assert.True(unlisted.Length + gone.Length == 0, $"not in the table: {string.Join(", ", unlisted)}; no more: {string.Join(", ", gone)}");
        foreach ((string name, RouteEndpoint endpoint) in all)
        {
            Assert.Equal((name, Table[name]), (name, endpoint.Metadata.GetMetadata<RequiredPermission>()?.Permission.ToString() ?? OpenToAll));
            Assert.True(Table[name].Length > 0 || endpoint.Metadata.GetMetadata<OpenToAll>() is not null, $"{name} needs nothing and does not say that it is open to all");
        }

        using Visitor owner = await Visitor.OwnerAsync(host);
        using var nobody = new Visitor(host);
        List<(Visitor Who, IReadOnlySet<Permission> May, string As)> visitors = [(owner, RolePermissions.Of([Role.Owner, Role.Administrator]), "first owner")];
        foreach (Role role in Enum.GetValues<Role>().Where(role => role != Role.Administrator))
        {
            visitors.Add((await owner.InviteAsync($"one-{role}".ToLowerInvariant(), $"{role}"), RolePermissions.Of(role), $"{role}"));
        }
        try
        {
            List<string> faults = [];
            foreach ((string name, _) in all.Where(one => Table[one.Name].Length > 0 && !EndsWhatTheTestNeeds(one.Name)))
            {
                string[] parts = name.Split(' ');
                string PathFor(Visitor who) => string.Join('/', parts[1].Split('/').Select(part => part == "{userId}" && who.Id.Length > 0 ? who.Id : part.StartsWith('{') ? "no-such-thing" : part));
                object? body = parts[0] is "GET" or "DELETE" ? null : "{}";
                // Another media type would be refused by routing, before any endpoint is chosen.
                void AsFile(HttpRequestMessage request)
                {
                    if (name == "POST data-sets") request.Content = new StringContent("x", Encoding.UTF8, "text/csv");
                }

                Answer unknown = await nobody.SendAsync(new HttpMethod(parts[0]), PathFor(nobody), body, AsFile);
                if (unknown.Status != 401 || unknown.Reason != "SignInNeeded") faults.Add($"{name} by nobody: {unknown.Status} {unknown.Reason}");
                Permission needed = Enum.Parse<Permission>(Table[name]);
                foreach ((Visitor who, IReadOnlySet<Permission> may, string role) in visitors)
                {
                    Answer answer = await who.SendAsync(new HttpMethod(parts[0]), PathFor(who), body, AsFile);
                    bool refused = answer.Status == 403 && answer.Reason == "PermissionMissing";
                    if (refused == may.Contains(needed) || answer.Status is 401 or (>= 500 and not 501)) faults.Add($"{name} as {role}: {answer.Status} {answer.Reason}");
                }
            }
            Assert.True(faults.Count == 0, string.Join('\n', faults));
        }
        finally
        {
            foreach ((Visitor who, _, _) in visitors) who.Dispose();
        }
    }

    /// <summary>It would sign out everybody else who tries.</summary>
    private static bool EndsWhatTheTestNeeds(string name) => name == "DELETE me/sessions";
}
