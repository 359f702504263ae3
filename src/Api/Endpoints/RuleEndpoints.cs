using HybridTrading.Api.Gateway;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Domain.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Rules: strategies without code, looked at while they are written.</summary>
internal static class RuleEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder rules = api.MapGroup("/rules").WithTags("Rules");
        rules.MapPost("/check", Check).WithName("checkRule").Weighs(2).WithSummary("Reads and checks the text of a rule; makes nothing of it")
            .WithDescription("A text with errors is answered with all of them, each with line and column and, if one is near, the name meant.")
            .Query(Permission.ReadMarket, Status413PayloadTooLarge, Status415UnsupportedMediaType);
        rules.MapGet("/words", Words).WithName("listRuleWords").CacheableByContent().WithSummary("The facts, functions and features that rules can be made of").Query(Permission.ReadMarket);
        api.MapGet("/features", Features).WithTags("Market").WithName("listFeatures").CacheableByContent().WithSummary("The features that can be computed of every instrument")
            .Query(Permission.ReadMarket);
    }

    private static Ok<RuleCheckView> Check(Body<CheckRule> body) => TypedResults.Ok(RuleCheckView.Of(RuleLanguage.Check(body.Value.Rule!)));

    private static Ok<IEnumerable<RuleWordView>> Words() => TypedResults.Ok(
        RuleVocabulary.Facts.Select(fact => Of("Fact", fact.Word))
            .Concat(RuleVocabulary.Functions.Select(function => Of("Function", function)))
            .Concat(FeatureWords()));

    private static Ok<IEnumerable<RuleWordView>> Features() => TypedResults.Ok(FeatureWords());

    private static IEnumerable<RuleWordView> FeatureWords() => RuleVocabulary.Features.SelectMany(feature => feature.Outputs.Select((output, index) =>
        new RuleWordView("Feature", feature.Usage(index), output.Unit.ToString(), $"{feature.Description} {output.Description}".Trim())));

    private static RuleWordView Of(string kind, RuleWord word) => new(kind, word.Usage, word.Type.ToString(), word.Description);
}
