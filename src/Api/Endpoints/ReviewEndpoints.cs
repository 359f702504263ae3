using HybridTrading.Api.Limits;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Trading;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Reviews of live strategies: what they do against what was to be expected, and what their owner says to proposals.</summary>
internal static class ReviewEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder review = api.MapGroup("/strategies/{strategy}/review").WithTags("Strategy analysis");
        review.MapGet("/", GetAsync).WithName("getReview").WithSummary("The last review of a strategy, its proposal, and all before")
            .WithDescription("The live curve stands day by day beside the band that the strategy's own back-test leads one to expect.")
            .Query(Permission.ReadTrading, Status404NotFound);
        review.MapPut("/schedule", ScheduleAsync).WithName("scheduleReview").WithSummary("When the strategy is looked at, and on which account")
            .Mutation(Permission.Automate, Status404NotFound);
        review.MapPost("/run", RunAsync).WithName("runReview").Weighs(50).WithSummary("Begins a review now, unless one is under way").Mutation(Permission.Automate, Status404NotFound);
        review.MapPost("/proposal", AnswerAsync).WithName("answerProposal")
            .WithSummary("Accepts or declines the parameters that the last review proposes")
            .WithDescription("Nothing but this changes a live strategy: an accepted proposal stops it, sets the parameters, and starts it if it was running.")
            .Mutation(Permission.Automate, Status404NotFound, Status409Conflict);
    }

    private static async Task<Results<Ok<StrategyReviewView>, ProblemHttpResult>> GetAsync(string strategy, ICaller caller, IGrainFactory grains)
    {
        if (await grains.Strategy(caller, strategy).GetView() is null) return Problems.NoStrategy(strategy);
        return TypedResults.Ok(StrategyReviewView.Of(await Review(grains, caller, strategy).GetView(), caller));
    }

    private static Task<Results<Ok<ReviewChanged>, ProblemHttpResult>> ScheduleAsync(
        string strategy, Body<ScheduleReview> body, HttpContext context, ICaller caller, IGrainFactory grains)
    {
        ScheduleReview asked = body.Value;
        string? account = asked.Account is { } name ? caller.Key(name, "account") : null;
        TimeSpan? every = asked.EveryHours is { } hours ? TimeSpan.FromHours(hours) : null;
        return CommandAsync(strategy, context, caller, grains, review => review.SetSchedule(new ReviewSchedule(every, account, asked.Proposes)), Problems.Fault);
    }

    private static Task<Results<Ok<ReviewChanged>, ProblemHttpResult>> RunAsync(string strategy, HttpContext context, ICaller caller, IGrainFactory grains) =>
        CommandAsync(strategy, context, caller, grains, review => review.Begin(), Problems.Fault);

    private static Task<Results<Ok<ReviewChanged>, ProblemHttpResult>> AnswerAsync(
        string strategy, Body<AnswerProposal> body, HttpContext context, ICaller caller, IGrainFactory grains) =>
        CommandAsync(strategy, context, caller, grains, review => review.Answer(body.Value.Number!.Value, body.Value.Accept!.Value),
            fault => Problems.Conflict(ApiReason.NoProposal, fault));

    private static async Task<Results<Ok<ReviewChanged>, ProblemHttpResult>> CommandAsync(
        string strategy, HttpContext context, ICaller caller, IGrainFactory grains, Func<IStrategyReviewGrain, Task<CommandResult>> command,
        Func<string, ProblemHttpResult> refuse)
    {
        if (await grains.Strategy(caller, strategy).GetView() is null) return Problems.NoStrategy(strategy);
        IStrategyReviewGrain review = Review(grains, caller, strategy);
        CommandResult done = await command(review);
        if (done.Fault is { } fault) return refuse(fault);
        return TypedResults.Ok(new ReviewChanged(context.SetMinPosition(done.MinPosition), StrategyReviewView.Of(await review.GetView(), caller)));
    }

    private static IStrategyReviewGrain Review(IGrainFactory grains, ICaller caller, string strategy) =>
        grains.GetGrain<IStrategyReviewGrain>(caller.Key(strategy, "strategy"));
}
