using System.Text.Json;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage.Projections;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Accounts: opening, money, limits, state, and which strategies they follow.</summary>
internal static class AccountEndpoints
{
    private const int MostEquityPoints = 5000;

    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder accounts = api.MapGroup("/accounts").WithTags("Accounts");
        accounts.MapGet("/", ListAsync).WithName("listAccounts").Weighs(10).WithSummary("The caller's accounts").Query(Permission.ReadTrading);
        accounts.MapPost("/", OpenAsync).WithName("openAccount").WithSummary("Opens a paper account")
            .WithDescription("Opening an account again with the same terms answers with the account that there is; with other terms it is refused.")
            .Mutation(Permission.Trade, Status409Conflict);
        accounts.MapGet("/{account}", GetAsync).WithName("getAccount").WithSummary("One account as it stands now").Query(Permission.ReadTrading, Status404NotFound);
        accounts.MapPost("/{account}/deposits", DepositAsync).WithName("deposit").WithSummary("Pays in or, with a negative amount, out")
            .Mutation(Permission.Trade, Status404NotFound);
        accounts.MapPut("/{account}/limits", SetLimitsAsync).WithName("setLimits").WithSummary("Replaces the pre-trade limits")
            .Mutation(Permission.ManageRisk, Status404NotFound);
        accounts.MapPut("/{account}/state", SetStateAsync).WithName("setState").WithSummary("Lets the account trade, only reduce, or halts it")
            .WithDescription("Halting cancels working orders that add. Releasing counts loss and drawdown limits anew from now.")
            .Mutation(Permission.ManageRisk, Status404NotFound);
        accounts.MapPost("/{account}/flatten", FlattenAsync).WithName("flatten").CountsAsSafety()
            .WithSummary("Halts the account, cancels its orders and closes its positions at the market").Mutation(Permission.Halt, Status404NotFound);
        accounts.MapGet("/{account}/positions", PositionsAsync).WithName("listPositions").WithSummary("The account's positions at the market")
            .Query(Permission.ReadTrading, Status404NotFound);
        accounts.MapGet("/{account}/equity", EquityAsync).WithName("equity").Weighs(5).WithSummary("The account's equity over time, and now")
            .WithDescription("Samples that the journal holds, from a time (inclusive) to a time (exclusive); of more than 5000 the last "
                + "in each of as many equal stretches. The last point is now, unless the range ends before.")
            .Query(Permission.ReadTrading, Status404NotFound);
        accounts.MapPut("/{account}/follows/{strategy}", FollowAsync).WithName("follow").WithSummary("Follows a strategy, or changes the terms")
            .Mutation(Permission.Trade, Status404NotFound);
        accounts.MapDelete("/{account}/follows/{strategy}", UnfollowAsync).WithName("unfollow")
            .WithSummary("Follows a strategy no more; what is held for it stays").Mutation(Permission.Trade, Status404NotFound);
    }

    private static async Task<Ok<IEnumerable<AccountView>>> ListAsync(
        HttpContext context, ICaller caller, IGrainFactory grains, AccountQueries accounts, ReadSide reads, ApiOptions options, CancellationToken cancellation,
        int? limit = null, string? after = null, long? minPosition = null)
    {
        await reads.WaitForAsync(AccountProjection.ProjectionName, minPosition, cancellation);
        string? last = after is null ? null : caller.Key(after, "after");
        Grains.Trading.AccountView?[] views = await Task.WhenAll(
            Paging.Page(context, accounts.Accounts(caller.Person()), limit, last, caller.NameOf).Select(key => grains.GetGrain<IAccountGrain>(key).GetView()));
        return TypedResults.Ok(views.OfType<Grains.Trading.AccountView>().Select(view => AccountView.Of(view, caller, options.Universe)));
    }

    private static async Task<Results<Created<AccountChanged>, ProblemHttpResult>> OpenAsync(
        Body<OpenAccount> body, HttpContext context, ICaller caller, IGrainFactory grains, AccountQueries accounts, ReadSide reads,
        ApiOptions options)
    {
        OpenAccount asked = body.Value;
        string key = caller.Key(asked.Name, "name");
        RiskLimits limits = asked.Limits ?? (await grains.SettingsAsync(caller)).NewAccountLimits;
        CommandResult done = await grains.GetGrain<IAccountGrain>(key).Open(asked.Settings(), limits, asked.Deposit);
        if (done.Fault is { } fault) return Problems.Fault(fault);

        long position = context.SetMinPosition(done.MinPosition);
        await reads.WaitForAsync(AccountProjection.ProjectionName, position, CancellationToken.None);
        AccountOpened opening = accounts.Opening(key)!;
        // Limits that nobody named may have been others when it was opened.
        if (!SameJson(opening.Settings, asked.Settings()) || asked.Limits is not null && !SameJson(opening.Limits, limits))
        {
            return Problems.Conflict(ApiReason.AccountExists, $"name is '{asked.Name}'; that account exists with other terms");
        }
        AccountView view = (await ViewAsync(caller, grains, asked.Name!, options))!;
        return TypedResults.Created($"/api/v1/accounts/{view.Name}", new AccountChanged(position, view));
    }

    private static async Task<Results<Ok<AccountView>, ProblemHttpResult>> GetAsync(
        string account, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        await ViewAsync(caller, grains, account, options) is { } view ? TypedResults.Ok(view) : Problems.NoAccount(account);

    private static async Task<Results<Ok<AccountChanged>, ProblemHttpResult>> DepositAsync(
        string account, Body<Deposit> body, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options)
    {
        decimal amount = body.Value.Amount!.Value;
        return await CommandAsync(account, context, caller, grains, options,
            grain => grain.Adjust(amount, body.Value.Note, $"deposit:{context.IdempotencyKey()}"),
            fault => amount < 0 ? Problems.Of(Status422UnprocessableEntity, ApiReason.InsufficientFunds, fault) : Problems.Fault(fault));
    }

    private static Task<Results<Ok<AccountChanged>, ProblemHttpResult>> SetLimitsAsync(
        string account, Body<RiskLimits> body, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options)
    {
        var faults = new Faults();
        LimitChecks.Check(body.Value, "", faults);
        faults.ThrowIfAny();
        return CommandAsync(account, context, caller, grains, options, grain => grain.SetLimits(body.Value));
    }

    private static Task<Results<Ok<AccountChanged>, ProblemHttpResult>> SetStateAsync(
        string account, Body<SetState> body, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        CommandAsync(account, context, caller, grains, options, grain => grain.SetState(body.Value.State!.Value, caller.Person()));

    private static Task<Results<Ok<AccountChanged>, ProblemHttpResult>> FlattenAsync(
        string account, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        CommandAsync(account, context, caller, grains, options, grain => grain.Flatten(caller.Person()));

    private static async Task<Results<Ok<ImmutableArray<PositionView>>, ProblemHttpResult>> PositionsAsync(
        string account, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        await ViewAsync(caller, grains, account, options) is { } view ? TypedResults.Ok(view.Positions) : Problems.NoAccount(account);

    private static async Task<Results<Ok<IEnumerable<EquityPoint>>, ProblemHttpResult>> EquityAsync(
        string account, ICaller caller, IGrainFactory grains, AccountQueries accounts, ReadSide reads, ApiOptions options,
        CancellationToken cancellation,
        DateTimeOffset? from = null, DateTimeOffset? to = null, long? minPosition = null)
    {
        if (await ViewAsync(caller, grains, account, options) is not { } view) return Problems.NoAccount(account);
        await reads.WaitForAsync(AccountProjection.ProjectionName, minPosition, cancellation);
        DateTime first = from?.UtcDateTime ?? DateTime.MinValue, end = to?.UtcDateTime ?? DateTime.MaxValue;
        if (first > end) throw ApiException.Invalid("from", $"from is {first:O}; expected a time before to ({end:O})");
        IEnumerable<EquityPoint> points = accounts.Equity(view.Key, first, end, MostEquityPoints)
            .Where(sample => sample.Time < view.Time)
            .Select(sample => new EquityPoint(sample.Time, sample.Balance, sample.Equity));
        bool hasNow = view.Time >= first && view.Time < end;
        return TypedResults.Ok(hasNow ? points.Append(new EquityPoint(view.Time, view.Balance, view.Equity)) : points);
    }

    private static async Task<Results<Ok<AccountChanged>, ProblemHttpResult>> FollowAsync(
        string account, string strategy, Body<Follow> body, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options)
    {
        IStrategyGrain followed = grains.Strategy(caller, strategy);
        if (await followed.GetView() is null) return Problems.NoStrategy(strategy);
        Sizing sizing = body.Value.AskedSizing() ?? (await grains.SettingsAsync(caller, strategy)).NewFollowerSizing;
        // The account must have its terms before the strategy's first word comes.
        return await CommandAsync(account, context, caller, grains, options, async grain =>
        {
            CommandResult terms = await grain.SetFollow(caller.Key(strategy, "strategy"), new FollowTerms(sizing, body.Value.Paused, body.Value.MaxUnits));
            if (terms.Fault is not null) return terms;
            CommandResult joined = await followed.SetFollower(caller.Key(account, "account"), true);
            return joined with { MinPosition = Math.Max(terms.MinPosition, joined.MinPosition) };
        });
    }

    private static Task<Results<Ok<AccountChanged>, ProblemHttpResult>> UnfollowAsync(
        string account, string strategy, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        CommandAsync(account, context, caller, grains, options, async grain =>
        {
            IStrategyGrain followed = grains.Strategy(caller, strategy);
            CommandResult left = await followed.GetView() is null
                ? new CommandResult(-1)
                : await followed.SetFollower(caller.Key(account, "account"), false);
            CommandResult terms = await grain.SetFollow(caller.Key(strategy, "strategy"), null);
            return terms with { MinPosition = Math.Max(terms.MinPosition, left.MinPosition) };
        });

    private static async Task<Results<Ok<AccountChanged>, ProblemHttpResult>> CommandAsync(
        string account, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options,
        Func<IAccountGrain, Task<CommandResult>> command, Func<string, ProblemHttpResult>? refused = null)
    {
        IAccountGrain grain = grains.Account(caller, account);
        if (await grain.GetView() is null) return Problems.NoAccount(account);
        CommandResult done = await command(grain);
        if (done.Fault is { } fault) return (refused ?? Problems.Fault)(fault);
        AccountView view = (await ViewAsync(caller, grains, account, options))!;
        return TypedResults.Ok(new AccountChanged(context.SetMinPosition(done.MinPosition), view));
    }

    private static async Task<AccountView?> ViewAsync(ICaller caller, IGrainFactory grains, string account, ApiOptions options) =>
        await grains.Account(caller, account).GetView() is { } view ? AccountView.Of(view, caller, options.Universe) : null;

    /// <summary>Equal in everything that is stored: records that hold lists compare them by reference.</summary>
    private static bool SameJson<T>(T one, T other) =>
        JsonSerializer.SerializeToUtf8Bytes(one, ApiJson.Options).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, ApiJson.Options));
}
