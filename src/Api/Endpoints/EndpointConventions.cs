using System.Globalization;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Limits;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using Microsoft.AspNetCore.Http.HttpResults;

namespace HybridTrading.Api.Endpoints;

internal static partial class EndpointConventions
{
    /// <summary>What a request at the door takes of its address's budget: guessing is to be dear.</summary>
    private const int DoorWeight = 20;

    /// <summary>Every failure below leaves as a problem; none leaves with a stack trace.</summary>
    public static TBuilder WithProblems<TBuilder>(this TBuilder endpoints) where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Finally(builder =>
        {
            RequestDelegate inner = builder.RequestDelegate!;
            builder.RequestDelegate = context => RunAsync(context, inner);
        });
        return endpoints;
    }

    /// <summary>A mutation: it takes an Idempotency-Key and can be refused.</summary>
    /// <param name="permission">What the caller must be allowed.</param>
    public static RouteHandlerBuilder Mutation(this RouteHandlerBuilder endpoint, Permission permission, params int[] refusals)
    {
        endpoint.Requires(permission).Idempotent().Problems(
            [StatusCodes.Status400BadRequest, StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status413PayloadTooLarge,
            StatusCodes.Status415UnsupportedMediaType, StatusCodes.Status422UnprocessableEntity, StatusCodes.Status429TooManyRequests,
            StatusCodes.Status503ServiceUnavailable, StatusCodes.Status504GatewayTimeout, .. refusals]);
        return endpoint;
    }

    /// <param name="permission">What the caller must be allowed.</param>
    public static RouteHandlerBuilder Query(this RouteHandlerBuilder endpoint, Permission permission, params int[] refusals) =>
        endpoint.Requires(permission).Problems(
            [StatusCodes.Status400BadRequest, StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status429TooManyRequests,
            StatusCodes.Status503ServiceUnavailable, StatusCodes.Status504GatewayTimeout, .. refusals]);

    /// <summary>A change whose request or answer holds a secret: the answer is not kept, so there is no Idempotency-Key.</summary>
    /// <param name="permission">What the caller must be allowed.</param>
    public static RouteHandlerBuilder Confidential(this RouteHandlerBuilder endpoint, Permission permission, params int[] refusals) =>
        endpoint.Requires(permission).AnswersSecret().Problems(
            [StatusCodes.Status400BadRequest, StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status429TooManyRequests,
            StatusCodes.Status503ServiceUnavailable, .. refusals]);

    /// <summary>Needs no permission: it is what a stranger does.</summary>
    public static RouteHandlerBuilder OpenToAll(this RouteHandlerBuilder endpoint, params int[] refusals) =>
        endpoint.Weighs(DoorWeight).AnswersSecret().WithMetadata(new OpenToAll()).Problems(
            [StatusCodes.Status400BadRequest, StatusCodes.Status429TooManyRequests, .. refusals]);

    /// <summary>Asked before the request is read any further: who may not do it learns nothing from it.</summary>
    private static RouteHandlerBuilder Requires(this RouteHandlerBuilder endpoint, Permission permission)
    {
        endpoint.WithUsualCost().WithMetadata(new RequiredPermission(permission)).Finally(builder =>
        {
            RequestDelegate inner = builder.RequestDelegate!;
            builder.RequestDelegate = context => context.RequestServices.GetRequiredService<ICaller>().Has(permission)
                ? inner(context)
                : throw new ApiException(
                    StatusCodes.Status403Forbidden, ApiReason.PermissionMissing, $"this needs the permission {permission}, which the caller does not have");
        });
        return endpoint;
    }

    /// <summary>A page of its own that the console may show in a frame: its script runs, and reaches nothing of the console's.</summary>
    public static RouteHandlerBuilder Page(this RouteHandlerBuilder endpoint) => endpoint.AddEndpointFilter(static (context, next) =>
    {
        context.HttpContext.Response.Headers.ContentSecurityPolicy = "sandbox allow-scripts; frame-ancestors 'self'";
        return next(context);
    });

    /// <summary>Tells the caller in a header, too, where the journal holds what was done.</summary>
    /// <param name="position">-1 where nothing had to be recorded: then whatever is recorded by now holds it.</param>
    /// <returns>The position to tell in the body.</returns>
    public static long SetMinPosition(this HttpContext context, long position)
    {
        if (position < 0) position = Math.Max(0, context.RequestServices.GetRequiredService<IJournal>().DurableSize - 1);
        context.Response.Headers[IdempotentEndpoints.PositionHeader] = position.ToString(CultureInfo.InvariantCulture);
        return position;
    }

    /// <summary>The size of a page: 1 to 1000.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static int Limit(int? limit, int otherwise) => limit is < 1 or > 1000
        ? throw ApiException.Invalid("limit", $"limit is {limit}; expected 1 to 1000")
        : limit ?? otherwise;

    private static RouteHandlerBuilder Problems(this RouteHandlerBuilder endpoint, int[] statuses)
    {
        foreach (int status in statuses.Distinct().Order()) endpoint.ProducesProblem(status);
        return endpoint;
    }

    private static async Task RunAsync(HttpContext context, RequestDelegate execute)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        // Nothing of an answer is a page of its own, unless it says so itself.
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        context.GetEndpoint()?.Metadata.GetMetadata<Deprecation>()?.Show(context.Response.Headers);
        CancellationToken gone = context.RequestAborted;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(gone);
        limit.CancelAfter((context.GetEndpoint()?.Metadata.GetMetadata<TimeLimit>() ?? TimeLimit.Usual).Longest);
        context.RequestAborted = limit.Token;
        try
        {
            RateLimiting.Admit(context);
            await execute(context);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // The caller has gone: there is nobody to answer.
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !context.Response.HasStarted)
        {
            context.RequestAborted = gone;
            await Api.Problems.Known(new TimeoutException())!.ExecuteAsync(context);
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            context.RequestAborted = gone;
            ProblemHttpResult problem = Api.Problems.Known(failure) ?? Api.Problems.Unforeseen();
            if (problem.StatusCode >= StatusCodes.Status500InternalServerError)
            {
                ILogger log = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("HybridTrading.Api");
                LogFailed(log, failure, context.Request.Method, context.Request.Path);
            }
            if (problem.StatusCode == StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
            if (failure is ApiException { RetryAfter: { } wait }) context.Response.Headers.RetryAfter = Math.Ceiling(Math.Max(1, wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await problem.ExecuteAsync(context);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger log, Exception failure, string method, string path);
}

/// <summary>Metadata of an endpoint: what its caller must be allowed.</summary>
public sealed record RequiredPermission(Permission Permission);

internal static class OwnedGrains
{
    public static Grains.Configuration.IConfigurationGrain Configuration(this IGrainFactory grains, ICaller caller) =>
        grains.GetGrain<Grains.Configuration.IConfigurationGrain>(caller.Person());

    public static Grains.Configuration.IConfigurationGrain TenantConfiguration(this IGrainFactory grains, ICaller caller) =>
        grains.GetGrain<Grains.Configuration.IConfigurationGrain>(Grains.Keys.TenantConfiguration(caller.Tenant));

    /// <summary>What counts for the caller now.</summary>
    /// <param name="strategy">One of theirs, whose layer lies on top; null for none.</param>
    public static async Task<EffectiveSettings> SettingsAsync(this IGrainFactory grains, ICaller caller, string? strategy = null)
    {
        Task<LayerDocuments> tenant = grains.TenantConfiguration(caller).GetLayer(), user = grains.Configuration(caller).GetLayer();
        return EffectiveSettings.Of(await tenant, await user, strategy);
    }

    public static Grains.Backtesting.IJobGrain Job(this IGrainFactory grains, ICaller caller, string id) =>
        grains.GetGrain<Grains.Backtesting.IJobGrain>(caller.Key(id, "id"));

    public static Grains.Backtesting.IJobQueueGrain JobQueue(this IGrainFactory grains, ICaller caller) =>
        grains.GetGrain<Grains.Backtesting.IJobQueueGrain>(Grains.Keys.JobQueue(caller.Person()));

    public static Grains.Backtesting.IDataSetsGrain DataSets(this IGrainFactory grains, ICaller caller) =>
        grains.GetGrain<Grains.Backtesting.IDataSetsGrain>(Grains.Keys.DataSets(caller.Person()));

    public static Grains.Trading.IAccountGrain Account(this IGrainFactory grains, ICaller caller, string name) =>
        grains.GetGrain<Grains.Trading.IAccountGrain>(caller.Key(name, "account"));

    public static Grains.Trading.IStrategyGrain Strategy(this IGrainFactory grains, ICaller caller, string name) =>
        grains.GetGrain<Grains.Trading.IStrategyGrain>(caller.Key(name, "strategy"));
}
