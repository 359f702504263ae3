using HybridTrading.Api.Limits;
using HybridTrading.Api.Reports;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Users;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>What has become of an account, by the figures of back-tests.</summary>
internal static class PerformanceEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder accounts = api.MapGroup("/performance/accounts/{account}").WithTags("Performance");
        accounts.MapGet("/", (string account, ICaller caller, AccountPerformance performance, CancellationToken cancellation, double? riskFreePercent = null) =>
                AnswerAsync(account, caller, performance, riskFreePercent, ReportFiles.Json, "application/json", cancellation))
            .WithName("getAccountPerformance").Weighs(50).WithSummary("The analysis of an account's life, from its journal and the market's recorded bars")
            .WithDescription("The same JSON as the report of a back-test. Deposits and withdrawals are neither profit nor loss. Between two fills the account is marked at the "
                + "closes of bars.")
            .Produces(Status200OK, contentType: "application/json").Query(Permission.ReadTrading, Status404NotFound);
        accounts.MapGet("/report.html", (string account, ICaller caller, AccountPerformance performance, CancellationToken cancellation, double? riskFreePercent = null) =>
                AnswerAsync(account, caller, performance, riskFreePercent, TearSheet.Render, "text/html; charset=utf-8", cancellation))
            .WithName("getAccountPerformancePage").Weighs(50).WithSummary("The same as a tear sheet: one self-contained page")
            .Page().Produces(Status200OK, contentType: "text/html").Query(Permission.ReadTrading, Status404NotFound);
    }

    private static async Task<IResult> AnswerAsync(
        string account, ICaller caller, AccountPerformance performance, double? riskFreePercent, Func<RunAnalysis, string> write, string type, CancellationToken cancellation)
    {
        if (riskFreePercent is { } rate && rate is not (> -100 and <= 1000))
        {
            throw ApiException.Invalid("riskFreePercent", FormattableString.Invariant($"riskFreePercent is {rate}; expected more than -100, at most 1000"));
        }
        string key = caller.Key(account, "account");
        return await performance.AnalyseAsync(key, new AnalysisOptions($"Account {account}", (riskFreePercent ?? 0) / 100), cancellation) is { } analysis
            ? TypedResults.Text(write(analysis), type)
            : Problems.NotFound(ApiReason.ReportUnknown, $"account is '{account}'; it has no fills in what the market has recorded, so there is nothing to analyse");
    }
}
