using HybridTrading.Api.Gateway;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Trading;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Strategies: what there is, making, starting, stopping.</summary>
internal static class StrategyEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/strategy-definitions", Definitions).WithTags("Strategies").WithName("listStrategyDefinitions").CacheableByContent()
            .WithSummary("What strategies can be made of").Query(Permission.ReadMarket);
        RouteGroupBuilder strategies = api.MapGroup("/strategies").WithTags("Strategies");
        strategies.MapGet("/", ListAsync).WithName("listStrategies").Weighs(10).WithSummary("The caller's strategies").Query(Permission.ReadTrading);
        strategies.MapPost("/", CreateAsync).WithName("createStrategy")
            .WithSummary("Makes a strategy of a definition or a rule, lets accounts follow it, and starts it if asked")
            .WithDescription("Making a strategy again with the same set-up answers with the one that there is; with another it is refused.")
            .Mutation(Permission.Automate, Status404NotFound, Status409Conflict);
        strategies.MapGet("/{strategy}", GetAsync).WithName("getStrategy").WithSummary("One strategy as it stands now").Query(Permission.ReadTrading, Status404NotFound);
        strategies.MapPut("/{strategy}/parameters", SetParametersAsync).WithName("setParameters")
            .WithSummary("Replaces the parameters of a stopped strategy")
            .Mutation(Permission.Automate, Status404NotFound, Status409Conflict);
        strategies.MapPost("/{strategy}/start", StartAsync).WithName("startStrategy").WithSummary("Starts it; a running one goes on")
            .Mutation(Permission.Automate, Status404NotFound);
        strategies.MapPost("/{strategy}/stop", StopAsync).WithName("stopStrategy").WithSummary("Stops it; what accounts hold for it stays")
            .Mutation(Permission.Automate, Status404NotFound);
    }

    private static Ok<IEnumerable<StrategyDefinitionView>> Definitions() => TypedResults.Ok(StrategyCatalog.All.Select(StrategyDefinitionView.Of));

    private static async Task<Ok<IEnumerable<StrategyView>>> ListAsync(
        HttpContext context, ICaller caller, IGrainFactory grains, StrategyQueries strategies, ReadSide reads, ApiOptions options, CancellationToken cancellation,
        int? limit = null, string? after = null, long? minPosition = null)
    {
        await reads.WaitForAsync(StrategyProjection.ProjectionName, minPosition, cancellation);
        string? last = after is null ? null : caller.Key(after, "after");
        Grains.Trading.StrategyView?[] views = await Task.WhenAll(
            Paging.Page(context, strategies.Strategies(caller.Person()), limit, last, caller.NameOf).Select(key => grains.GetGrain<IStrategyGrain>(key).GetView()));
        return TypedResults.Ok(views.OfType<Grains.Trading.StrategyView>().Select(view => StrategyView.Of(view, caller, options.Universe)));
    }

    private static async Task<Results<Created<StrategyChanged>, ProblemHttpResult>> CreateAsync(
        Body<CreateStrategy> body, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options)
    {
        CreateStrategy asked = body.Value;
        if (options.Universe.Find(asked.Symbol!) is null)
        {
            string known = string.Join(", ", options.Universe.Instruments.Take(20).Select(one => one.Symbol));
            throw ApiException.Invalid("symbol", $"symbol is {ApiException.Quote(asked.Symbol)}; expected one of {known}");
        }
        string definition = asked.Rule is null ? asked.Definition! : RuleLanguage.DefinitionName;
        ImmutableSortedDictionary<string, decimal> parameters = Parameters(definition, asked.Rule, asked.Parameters ?? []);
        string key = caller.Key(asked.Name, "name");
        IStrategyGrain strategy = grains.GetGrain<IStrategyGrain>(key);
        // Before anything is made: all of the accounts, or none.
        foreach (string account in asked.Accounts ?? [])
        {
            if (await grains.Account(caller, account).GetView() is null) return Problems.NoAccount(account);
        }
        bool existed = await strategy.GetView() is not null;
        CommandResult done = await strategy.Create(
            new StrategySetup(definition, parameters, asked.Symbol!, TimeFrame.Parse(asked.TimeFrame!), asked.Rule));
        if (done.Fault is not null && existed)
        {
            return Problems.Conflict(ApiReason.StrategyExists, $"name is '{asked.Name}'; that strategy exists with another set-up");
        }
        if (done.Fault is { } fault) return Problems.Fault(fault);
        long position = done.MinPosition;
        Sizing? sizing = asked.Accounts is { Length: > 0 } ? (await grains.SettingsAsync(caller, asked.Name)).NewFollowerSizing : null;
        foreach (string account in asked.Accounts ?? [])
        {
            IAccountGrain grain = grains.Account(caller, account);
            // An account that follows already keeps its terms.
            if (!(await grain.GetView())!.Follows.ContainsKey(key))
            {
                position = Math.Max(position, await DoneAsync(grain.SetFollow(key, new FollowTerms(sizing!))));
            }
            position = Math.Max(position, await DoneAsync(strategy.SetFollower(caller.Key(account, "account"), true)));
        }
        if (asked.Start)
        {
            position = Math.Max(position, await DoneAsync(strategy.Start()));
            await ReviewFromNowOnAsync(grains, key);
        }

        StrategyView view = StrategyView.Of((await strategy.GetView())!, caller, options.Universe);
        return TypedResults.Created($"/api/v1/strategies/{view.Name}", new StrategyChanged(context.SetMinPosition(position), view));
    }

    private static async Task<Results<Ok<StrategyView>, ProblemHttpResult>> GetAsync(
        string strategy, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        await grains.Strategy(caller, strategy).GetView() is { } view
            ? TypedResults.Ok(StrategyView.Of(view, caller, options.Universe))
            : Problems.NoStrategy(strategy);

    private static async Task<Results<Ok<StrategyChanged>, ProblemHttpResult>> SetParametersAsync(
        string strategy, Body<Dictionary<string, decimal>> body, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options)
    {
        IStrategyGrain grain = grains.Strategy(caller, strategy);
        if (await grain.GetView() is not { } view) return Problems.NoStrategy(strategy);
        if (view.Status == StrategyStatus.Running)
        {
            return Problems.Conflict(ApiReason.StrategyRunning, $"strategy '{strategy}' is running; stop it before changing parameters");
        }
        ImmutableSortedDictionary<string, decimal> parameters = Parameters(view.Setup.Definition, view.Setup.Rule, body.Value);
        return await CommandAsync(strategy, context, caller, grains, options, grain => grain.SetParameters(parameters));
    }

    private static Task<Results<Ok<StrategyChanged>, ProblemHttpResult>> StartAsync(
        string strategy, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        CommandAsync(strategy, context, caller, grains, options, async grain =>
        {
            CommandResult done = await grain.Start();
            if (done.Fault is null) await ReviewFromNowOnAsync(grains, caller.Key(strategy, "strategy"));
            return done;
        });

    /// <summary>A strategy that goes live is looked at every day, unless its owner says otherwise. It goes live also where nobody hosts that service.</summary>
    private static async Task ReviewFromNowOnAsync(IGrainFactory grains, string strategy)
    {
        try
        {
            await grains.GetGrain<IStrategyReviewGrain>(strategy).Keep();
        }
        catch (Exception e) when (Problems.Known(e) is { StatusCode: Status503ServiceUnavailable or Status504GatewayTimeout })
        {
            // The next start sets it.
        }
    }

    private static Task<Results<Ok<StrategyChanged>, ProblemHttpResult>> StopAsync(
        string strategy, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options) =>
        CommandAsync(strategy, context, caller, grains, options, grain => grain.Stop());

    private static async Task<Results<Ok<StrategyChanged>, ProblemHttpResult>> CommandAsync(
        string strategy, HttpContext context, ICaller caller, IGrainFactory grains, ApiOptions options,
        Func<IStrategyGrain, Task<CommandResult>> command)
    {
        IStrategyGrain grain = grains.Strategy(caller, strategy);
        if (await grain.GetView() is null) return Problems.NoStrategy(strategy);
        CommandResult done = await command(grain);
        if (done.Fault is { } fault) return done.Reason == Reason.None ? Problems.Fault(fault) : Problems.Denied(new Denial(done.Reason, fault));
        StrategyView view = StrategyView.Of((await grain.GetView())!, caller, options.Universe);
        return TypedResults.Ok(new StrategyChanged(context.SetMinPosition(done.MinPosition), view));
    }

    private static async Task<long> DoneAsync(Task<CommandResult> command)
    {
        CommandResult done = await command;
        return done.Fault is { } fault ? throw new ApiException(
            Status422UnprocessableEntity, done.Reason == Reason.None ? ApiReason.InvalidInput : done.Reason.ToString(), fault) : done.MinPosition;
    }

    /// <summary>All parameters of a definition: those given, checked, and the defaults of the rest.</summary>
    /// <exception cref="ApiException">400.</exception>
    private static ImmutableSortedDictionary<string, decimal> Parameters(string definition, string? rule, Dictionary<string, decimal> given)
    {
        try
        {
            return StrategyCatalog.Find(definition, rule).Bind(given).Values;
        }
        catch (ArgumentException e)
        {
            string? field = given.Keys.FirstOrDefault(name => e.Message.Contains($"'{name}'") || e.Message.Contains($": {name} is "));
            throw ApiException.Invalid(field is null ? "parameters" : $"parameters.{field}", e.Message);
        }
    }
}
