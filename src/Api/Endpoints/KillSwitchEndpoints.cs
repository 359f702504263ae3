using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;
using HybridTrading.Storage.Projections;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Stops trading at once: one's own, one account, a member, the tenant. These routes work when everything else is throttled.</summary>
internal static class KillSwitchEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder kill = api.MapGroup("/kill-switch").WithTags("Kill switch");
        kill.MapGet("/", GetAsync).WithName("getKillSwitch").WithSummary("What is halted").CountsAsSafety().Query(Permission.ReadTrading);
        kill.MapPost("/", EngageAsync).WithName("engageKillSwitch").WithSummary("Stops the caller's strategies and halts the caller's accounts")
            .WithDescription("Working orders that add are cancelled; with flatten all are, and positions are closed at the market. "
                + "What only reduces stays possible. One goes on by setting the accounts active and starting the strategies, each for itself.")
            .CountsAsSafety().Mutation(Permission.Halt);
        kill.MapPost("/accounts/{account}", EngageAccountAsync).WithName("engageAccountKillSwitch").WithSummary("Halts one account of the caller's")
            .CountsAsSafety().Mutation(Permission.Halt, Status404NotFound);
        kill.MapPost("/tenant", EngageTenantAsync).WithName("engageTenantHalt").WithSummary("Halts everybody of the tenant, or one member")
            .WithDescription("All accounts, also those opened later, only reduce, and no strategy starts, until two people release it: one asks, "
                + "another, who did not halt, approves.")
            .CountsAsSafety().Mutation(Permission.HaltTenant, Status404NotFound);
        kill.MapPost("/tenant/{number}/release", AskReleaseAsync).WithName("askRelease").WithSummary("Asks for the release of a halt of the tenant")
            .CountsAsSafety().Mutation(Permission.ReleaseTenant, Status404NotFound, Status409Conflict);
        kill.MapPost("/tenant/{number}/release/approval", ApproveReleaseAsync).WithName("approveRelease")
            .WithSummary("Approves a release that somebody else asked for")
            .WithDescription("Who halted, who asked, and who is halted cannot approve. Strategies stay stopped until somebody starts them.")
            .CountsAsSafety().Mutation(Permission.ReleaseTenant, Status404NotFound, Status409Conflict);
    }

    private static async Task<Ok<KillSwitchState>> GetAsync(
        ICaller caller, IGrainFactory grains, AccountQueries accounts, StrategyQueries strategies, TimeProvider clock)
    {
        Grains.Trading.AccountView?[] own = await Task.WhenAll(
            accounts.Accounts(caller.Person()).Select(key => grains.GetGrain<IAccountGrain>(key).GetView()));
        Grains.Trading.StrategyView?[] plans = await Task.WhenAll(
            strategies.Strategies(caller.Person()).Select(key => grains.GetGrain<IStrategyGrain>(key).GetView()));
        KillSwitchView tenant = await Switch(grains, caller).GetView();
        DateTime now = clock.GetUtcNow().UtcDateTime;
        return TypedResults.Ok(new KillSwitchState(
            [.. own.OfType<Grains.Trading.AccountView>().Select(view => new HaltedAccount(caller.NameOf(view.Key), view.State, view.IsTenantHalted))],
            [.. plans.OfType<Grains.Trading.StrategyView>().Where(view => view.Status == StrategyStatus.Running).Select(view => caller.NameOf(view.Key))],
            [.. tenant.Halts.Where(halt => caller.Has(Permission.ReadTenant) || halt.Concerns(caller.Person())).Select(halt => TenantHaltView.Of(halt, now))],
            tenant.Untold));
    }

    private static async Task<Results<Ok<KillSwitchEngaged>, ProblemHttpResult>> EngageAsync(
        Body<EngageKillSwitch> body, HttpContext context, ICaller caller, IGrainFactory grains, AccountQueries accounts, StrategyQueries strategies, ReadSide reads)
    {
        await SeeAllAsync(reads, context.RequestAborted);
        ImmutableArray<string> ownAccounts = accounts.Accounts(caller.Person()), ownStrategies = strategies.Strategies(caller.Person());
        // Side by side, and none waits for another's failure.
        (string Key, long? Position)[] done = await Task.WhenAll(
            ownStrategies.Select(key => TryAsync(key, () => grains.GetGrain<IStrategyGrain>(key).Stop()))
                .Concat(ownAccounts.Select(key => TryAsync(key, () => HaltAsync(grains.GetGrain<IAccountGrain>(key), body.Value, caller)))));
        string[] failed = [.. done.Where(one => one.Position is null).Select(one => caller.NameOf(one.Key))];
        if (failed.Length > 0)
        {
            return Problems.Of(Status503ServiceUnavailable, ApiReason.Unavailable,
                $"{done.Length - failed.Length} of {done.Length} accounts and strategies are halted; not yet: "
                + $"{string.Join(", ", failed.Take(20))}. Send it again", null, ("failed", failed));
        }
        long position = context.SetMinPosition(done.Select(one => one.Position!.Value).DefaultIfEmpty(-1).Max());
        return TypedResults.Ok(new KillSwitchEngaged(position, [.. ownAccounts.Select(caller.NameOf)], [.. ownStrategies.Select(caller.NameOf)]));
    }

    private static async Task<Results<Ok<KillSwitchEngaged>, ProblemHttpResult>> EngageAccountAsync(
        string account, Body<EngageKillSwitch> body, HttpContext context, ICaller caller, IGrainFactory grains)
    {
        IAccountGrain grain = grains.Account(caller, account);
        if (await grain.GetView() is null) return Problems.NoAccount(account);
        CommandResult done = await HaltAsync(grain, body.Value, caller);
        return TypedResults.Ok(new KillSwitchEngaged(context.SetMinPosition(done.MinPosition), [account], []));
    }

    private static async Task<Ok<TenantHaltChanged>> EngageTenantAsync(
        Body<EngageTenantHalt> body, HttpContext context, ICaller caller, IGrainFactory grains, TimeProvider clock)
    {
        EngageTenantHalt asked = body.Value;
        if (asked.Member is { } named && await grains.GetGrain<ITenantGrain>(Keys.Tenant(caller.Tenant)).GetMember(named) is null)
        {
            throw new ApiException(Status404NotFound, ApiReason.MemberUnknown,
                $"member is {ApiException.Quote(named)}; no such member of the tenant");
        }
        string? member = asked.Member is { } user ? $"{caller.Tenant}/{user}" : null;
        return TypedResults.Ok(Changed(await Switch(grains, caller).Engage(caller.Person(), member, asked.Flatten, asked.Reason!), context, clock));
    }

    private static async Task<Results<Ok<TenantHaltChanged>, ProblemHttpResult>> AskReleaseAsync(
        long number, Body<AskRelease> body, HttpContext context, ICaller caller, IGrainFactory grains, TimeProvider clock)
    {
        HaltAnswer answer = await Switch(grains, caller).AskRelease(number, caller.Person(), body.Value.Reason!);
        return Refused(number, answer) is { } refusal ? refusal : TypedResults.Ok(Changed(answer, context, clock));
    }

    private static async Task<Results<Ok<TenantHaltChanged>, ProblemHttpResult>> ApproveReleaseAsync(
        long number, HttpContext context, ICaller caller, IGrainFactory grains, TimeProvider clock)
    {
        HaltAnswer answer = await Switch(grains, caller).ApproveRelease(number, caller.Person());
        return Refused(number, answer) is { } refusal ? refusal : TypedResults.Ok(Changed(answer, context, clock));
    }

    /// <summary>What was just made is halted, too; but a list that is behind must not keep the rest waiting.</summary>
    private static async Task SeeAllAsync(ReadSide reads, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            await reads.CatchUpAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
        }
    }

    private static Task<CommandResult> HaltAsync(IAccountGrain account, EngageKillSwitch asked, ICaller caller)
    {
        string who = asked.Reason.Length == 0 ? caller.Person() : $"{caller.Person()}: {asked.Reason}";
        return asked.Flatten ? account.Flatten(who) : account.SetState(TradingState.Halted, who);
    }

    /// <returns>No position where it failed.</returns>
    private static async Task<(string Key, long? Position)> TryAsync(string key, Func<Task<CommandResult>> command)
    {
        try
        {
            CommandResult done = await command();
            return (key, done.Fault is null ? done.MinPosition : null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return (key, null);
        }
    }

    private static TenantHaltChanged Changed(HaltAnswer answer, HttpContext context, TimeProvider clock) => new(
        context.SetMinPosition(answer.MinPosition), answer.Halt is { } halt ? TenantHaltView.Of(halt, clock.GetUtcNow().UtcDateTime) : null, answer.Concerned, answer.Untold);

    private static ProblemHttpResult? Refused(long number, HaltAnswer answer) => answer.Refusal switch
    {
        ReleaseRefusal.None => null,
        ReleaseRefusal.HaltUnknown => Problems.NotFound(nameof(ReleaseRefusal.HaltUnknown),
            $"number is {number}; no such halt stands"),
        ReleaseRefusal.ReleaseNotAsked => Problems.Conflict(nameof(ReleaseRefusal.ReleaseNotAsked),
            $"nobody asks for the release of halt {number}, or no more; expected that first"),
        ReleaseRefusal.ReleaseAlreadyAsked => Problems.Conflict(nameof(ReleaseRefusal.ReleaseAlreadyAsked),
            $"the release of halt {number} was asked for by somebody else already; expected your approval instead"),
        ReleaseRefusal.HaltedThemselves => Problems.Of(Status403Forbidden, nameof(ReleaseRefusal.HaltedThemselves),
            $"halt {number} is your own; others decide on its release"),
        _ => Problems.Of(Status403Forbidden, nameof(ReleaseRefusal.SecondPersonNeeded),
            $"halt {number} needs a second person: neither who halted nor who asked for the release can approve it"),
    };

    private static IKillSwitchGrain Switch(IGrainFactory grains, ICaller caller) => grains.GetGrain<IKillSwitchGrain>(Keys.KillSwitch(caller.Tenant));
}
