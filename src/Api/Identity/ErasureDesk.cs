using System.Globalization;
using HybridTrading.Api.Contract;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Identity;

/// <summary>
/// Takes the wish of a user to be erased, or that of an administrator, and says what must be settled first. The grain of the erasure does the rest.
/// </summary>
public sealed class ErasureDesk(SignInDesk desk, IGrainFactory grains, IdentityOptions options, UserQueries users, ReadSide reads, TimeProvider clock)
{
    private const int LongestReason = 200, UsersAPage = 100;

    /// <summary>What an erasure leaves, as the user is told before it. docs/security.md has the same at length.</summary>
    private static readonly ImmutableArray<string> Kept =
    [
        "The journal keeps that something happened, when, and in which account by the name you gave it; what happened cannot be read any more.",
        "Records of others in which you appear by an id that says nothing (who halted, who gave a role) stay.",
        "That your user was erased, when, and by whose wish is kept under that id, as proof that it was done.",
        "Backups that were made before hold it until the operator drops them.",
    ];

    /// <summary>What stands in the caller's way.</summary>
    public async Task<ErasureOutlook> LookAsync(CancellationToken cancellation)
    {
        CallerIdentity caller = desk.Caller();
        return new ErasureOutlook(await HindrancesAsync(caller.User, cancellation), (int)options.ErasureGrace.TotalDays, Kept);
    }

    /// <summary>The caller wants to be erased.</summary>
    public async Task<ErasurePlanned> AskAsync(EraseMe asked, CancellationToken cancellation)
    {
        CallerIdentity caller = desk.Caller();
        using (Principal.OfGateway())
        {
            IUserGrain user = grains.GetGrain<IUserGrain>(caller.User);
            UserView view = await user.GetView() ?? throw new ApiException(Status401Unauthorized, ApiReason.SessionEnded, "the user is no more");
            if (EmailAddress.Normalise(asked.Confirm!) != view.Email)
            {
                throw ApiException.Invalid("confirm", "confirm is another text; expected your own address");
            }
            SignInDesk.ThrowIf(await user.Prove(new Secret(asked.Password!), asked.Code is null ? null : new Secret(asked.Code)));
        }
        return await PlanAsync(caller.User, caller.User, "asked by the user", options.ErasureGrace, cancellation);
    }

    /// <summary>An administrator wants a user erased.</summary>
    public async Task<ErasurePlanned> EraseAsync(string id, EraseUser asked, CancellationToken cancellation)
    {
        CallerIdentity by = desk.Caller();
        if (id == by.User) throw ApiException.Invalid("id", $"id is '{id}', which is the caller; expected another user");
        if (asked.Confirm != id) throw ApiException.Invalid("confirm", $"confirm is {ApiException.Quote(asked.Confirm)}; expected '{id}'");
        string reason = asked.Reason!.Trim();
        if (reason.Length is 0 or > LongestReason || reason.Any(char.IsControl))
        {
            throw ApiException.Invalid("reason", $"reason has {reason.Length} characters; expected 1 to {LongestReason} on one line");
        }
        return await PlanAsync(id, by.User, reason, asked.Immediately ? TimeSpan.Zero : options.ErasureGrace, cancellation);
    }

    public async Task CancelAsync(string id)
    {
        CallerIdentity by = desk.Caller();
        using Principal.Scope scope = Principal.OfGateway();
        SignInDesk.ThrowIf(await grains.GetGrain<IUserGrain>(id).CancelErasure(by.User));
    }

    private async Task<ErasurePlanned> PlanAsync(string id, string by, string reason, TimeSpan grace, CancellationToken cancellation)
    {
        using Principal.Scope scope = Principal.OfGateway();
        IUserGrain user = grains.GetGrain<IUserGrain>(id);
        UserView view = await user.GetView() ?? throw new ApiException(Status404NotFound, ApiReason.UserUnknown, "no such user");
        ImmutableArray<ErasureHindranceView> hindrances = await HindrancesAsync(id, cancellation);
        if (!hindrances.IsEmpty)
        {
            throw new ApiException(Status409Conflict, ApiReason.ErasureBlocked,
                $"not before this is settled: {string.Join("; ", hindrances.Select(one => one.Detail))}");
        }
        DateTime due = clock.GetUtcNow().UtcDateTime + grace;
        if (grace > TimeSpan.Zero) await TellAsync(view, due, cancellation);
        SignInDesk.ThrowIf(await grains.GetGrain<IErasureGrain>(id).Plan(new ErasurePlan(due, by, reason)));
        return new ErasurePlanned(due);
    }

    /// <summary>Also the address before, while it can be taken back: who has got hold of a user must not get rid of them.</summary>
    private async Task TellAsync(UserView view, DateTime due, CancellationToken cancellation)
    {
        string when = due.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        foreach (string address in new[] { view.Email, view.EmailBefore }.OfType<string>())
        {
            await desk.MailAsync(new Mail(address, "Your HybridTrading user is to be erased", $"""
                On {when} your user is erased, with everything that is yours: accounts, strategies, back-tests, data, settings. It cannot be undone.

                If you want to keep it, sign in before that: {desk.Link("sign-in")}
                """), cancellation);
        }
    }

    private async Task<ImmutableArray<ErasureHindranceView>> HindrancesAsync(string id, CancellationToken cancellation)
    {
        using Principal.Scope scope = Principal.OfGateway();
        ImmutableArray<ErasureHindrance> found = await grains.GetGrain<IErasureGrain>(id).GetHindrances();
        if (await IsLastAdministratorAsync(id, cancellation))
        {
            found = found.Add(new ErasureHindrance(ErasureObstacle.LastAdministrator, "installation"));
        }
        return [.. found.Select(Shown)];
    }

    private static ErasureHindranceView Shown(ErasureHindrance one)
    {
        string name = one.Where[(one.Where.LastIndexOf('/') + 1)..];
        return new ErasureHindranceView(one.Obstacle, name, one.Obstacle switch
        {
            ErasureObstacle.StrategyRunning => $"the strategy {name} runs: stop it",
            ErasureObstacle.PositionOpen => $"the account {name} holds a position: close it",
            ErasureObstacle.OrderWorking => $"the account {name} has an order at work: cancel it",
            ErasureObstacle.LastOwner => $"the tenant {name} has other members and no other owner: make one of them an owner",
            _ => "the installation has no other administrator: make another user one",
        });
    }

    /// <summary>Administrators who are locked out, or are to be erased themselves, do not count.</summary>
    private async Task<bool> IsLastAdministratorAsync(string id, CancellationToken cancellation)
    {
        if (await grains.GetGrain<IUserGrain>(id).GetView() is not { Administrator: true }) return false;
        await reads.CatchUpAsync(cancellation);
        string? after = null;
        while (users.Users(after, UsersAPage) is { IsEmpty: false } page)
        {
            UserView?[] views = await Task.WhenAll(page.Select(each => grains.GetGrain<IUserGrain>(each).GetView()));
            if (views.Any(view => view is { Administrator: true, Locked: false, ErasureDue: null } && view.Id != id)) return false;
            after = page[^1];
        }
        return true;
    }
}
