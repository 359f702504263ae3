using System.Diagnostics;
using System.Text.RegularExpressions;
using HybridTrading.Api.Gateway;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Risk;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using HybridTrading.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Orleans.Runtime;

namespace HybridTrading.Api;

/// <summary>The API's own reason codes, beside those of <see cref="Reason"/>. The names are part of the API and never change.</summary>
public static class ApiReason
{
    public const string InvalidInput = nameof(InvalidInput);
    public const string RouteUnknown = nameof(RouteUnknown);
    public const string MethodNotAllowed = nameof(MethodNotAllowed);
    public const string BodyTooLarge = nameof(BodyTooLarge);
    public const string MediaTypeUnsupported = nameof(MediaTypeUnsupported);
    public const string IdempotencyKeyMissing = nameof(IdempotencyKeyMissing);
    public const string IdempotencyKeyInvalid = nameof(IdempotencyKeyInvalid);
    public const string IdempotencyKeyReused = nameof(IdempotencyKeyReused);
    public const string AccountUnknown = nameof(AccountUnknown);
    public const string AccountExists = nameof(AccountExists);
    public const string StrategyUnknown = nameof(StrategyUnknown);
    public const string StrategyExists = nameof(StrategyExists);
    public const string StrategyRunning = nameof(StrategyRunning);
    public const string NoPlayback = nameof(NoPlayback);
    public const string NoProposal = nameof(NoProposal);
    public const string DataSetUnknown = nameof(DataSetUnknown);
    public const string DataSetQuota = nameof(DataSetQuota);
    public const string JobUnknown = nameof(JobUnknown);
    public const string JobQueueFull = nameof(JobQueueFull);
    public const string JobTooLarge = nameof(JobTooLarge);
    public const string ReportUnknown = nameof(ReportUnknown);
    public const string ServiceUnknown = nameof(ServiceUnknown);
    public const string DecisionUnknown = nameof(DecisionUnknown);
    public const string ConfigurationUnknown = nameof(ConfigurationUnknown);
    public const string ConfigurationExists = nameof(ConfigurationExists);
    public const string VersionConflict = nameof(VersionConflict);
    public const string InsufficientFunds = nameof(InsufficientFunds);
    public const string ClientOrderIdReused = nameof(ClientOrderIdReused);
    public const string NotRecorded = nameof(NotRecorded);
    public const string ProjectionBehind = nameof(ProjectionBehind);
    public const string SignInNeeded = nameof(SignInNeeded);
    public const string SignInFailed = nameof(SignInFailed);
    public const string SecondFactorNeeded = nameof(SecondFactorNeeded);
    public const string TokenInvalid = nameof(TokenInvalid);
    public const string SessionEnded = nameof(SessionEnded);
    public const string LockedOut = nameof(LockedOut);
    public const string Busy = nameof(Busy);
    public const string Barred = nameof(Barred);
    public const string EmailUnverified = nameof(EmailUnverified);
    public const string PasswordWrong = nameof(PasswordWrong);
    public const string CodeWrong = nameof(CodeWrong);
    public const string LinkInvalid = nameof(LinkInvalid);
    public const string Erased = nameof(Erased);
    public const string ErasureBlocked = nameof(ErasureBlocked);
    public const string ErasureBegun = nameof(ErasureBegun);
    public const string MemberUnknown = nameof(MemberUnknown);
    public const string SetupDone = nameof(SetupDone);
    public const string SetupTokenInvalid = nameof(SetupTokenInvalid);
    public const string SignUpClosed = nameof(SignUpClosed);
    public const string TooMany = nameof(TooMany);
    public const string UserExists = nameof(UserExists);
    public const string UserUnknown = nameof(UserUnknown);
    public const string ProviderRefused = nameof(ProviderRefused);
    public const string ProviderUnavailable = nameof(ProviderUnavailable);
    public const string ProviderUnlinked = nameof(ProviderUnlinked);
    public const string PermissionMissing = nameof(PermissionMissing);
    public const string NotPermitted = nameof(NotPermitted);
    public const string ServiceNotAvailable = nameof(ServiceNotAvailable);
    public const string RateLimited = nameof(RateLimited);
    public const string Banned = nameof(Banned);
    public const string Unavailable = nameof(Unavailable);
    public const string TimedOut = nameof(TimedOut);
    public const string InternalError = nameof(InternalError);
}

/// <summary>A request that ends with a problem before, or instead of, any result.</summary>
public sealed class ApiException(int status, string reason, string detail, IReadOnlyDictionary<string, string[]>? errors = null) : Exception(detail)
{
    public int Status => status;

    public string Reason => reason;

    /// <summary>What is wrong, by field.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors => errors;

    /// <summary>When trying again makes sense; null where it does not, or at once.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static ApiException Invalid(string field, string detail) =>
        new(StatusCodes.Status400BadRequest, ApiReason.InvalidInput, detail, new Dictionary<string, string[]> { [field] = [detail] });

    /// <summary>A value as a message may show it: short, on one line, in quotes; or the word <c>missing</c>.</summary>
    public static string Quote(string? value)
    {
        if (value is null) return "missing";
        string shown = value.Length > 60 ? value[..60] + "..." : value;
        return $"'{string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c))}'";
    }
}

/// <summary>Failures as RFC 9457 problem details with a reason code.</summary>
public static partial class Problems
{
    /// <param name="more">Further members of the problem.</param>
    public static ProblemHttpResult Of(int status, string reason, string detail, IReadOnlyDictionary<string, string[]>? errors = null,
        params ReadOnlySpan<(string Name, object? Value)> more)
    {
        var problem = new ProblemDetails
        {
            Type = $"urn:hybridtrading:reason:{reason}",
            Title = Title(status),
            Status = status,
            Detail = detail,
            Extensions = { ["reason"] = reason },
        };
        if (errors is { Count: > 0 })
        {
            problem.Extensions["field"] = errors.Keys.First();
            problem.Extensions["errors"] = errors;
        }
        if (RequestIdentity.CurrentRequest is { } request) problem.Extensions["requestId"] = request;
        if (RequestIdentity.CurrentTrace is { } trace) problem.Extensions["traceId"] = trace;
        foreach ((string name, object? value) in more) problem.Extensions[name] = value;
        return TypedResults.Problem(problem);
    }

    public static ProblemHttpResult NotFound(string reason, string detail) => Of(StatusCodes.Status404NotFound, reason, detail);

    public static ProblemHttpResult Conflict(string reason, string detail) => Of(StatusCodes.Status409Conflict, reason, detail);

    public static ProblemHttpResult NoAccount(string name) =>
        NotFound(ApiReason.AccountUnknown, $"account is {ApiException.Quote(name)}; no such account");

    public static ProblemHttpResult NoStrategy(string name) =>
        NotFound(ApiReason.StrategyUnknown, $"strategy is {ApiException.Quote(name)}; no such strategy");

    /// <summary>A fault that the trade found in a command: its text begins with the field.</summary>
    public static ProblemHttpResult Fault(string fault)
    {
        int end = fault.IndexOf(' ');
        string field = end > 0 && fault.AsSpan(end).StartsWith(" is ") ? char.ToLowerInvariant(fault[0]) + fault[1..end] : "";
        return Of(StatusCodes.Status400BadRequest, ApiReason.InvalidInput, fault,
            field.Length > 0 ? new Dictionary<string, string[]> { [field] = [fault] } : null);
    }

    /// <summary>What the trade refused, with the journal position where the refusal is recorded, if it is.</summary>
    public static ProblemHttpResult Denied(Denial denial, long minPosition = -1)
    {
        int status = denial.Reason switch
        {
            Reason.OrderUnknown => StatusCodes.Status404NotFound,
            Reason.OrderNotWorking => StatusCodes.Status409Conflict,
            _ => StatusCodes.Status422UnprocessableEntity,
        };
        return minPosition < 0
            ? Of(status, denial.Reason.ToString(), denial.Detail)
            : Of(status, denial.Reason.ToString(), denial.Detail, null, ("minPosition", minPosition));
    }

    /// <summary>The problem that an exception stands for; null for one that nobody foresaw.</summary>
    public static ProblemHttpResult? Known(Exception failure) => failure switch
    {
        ApiException e => Of(e.Status, e.Reason, e.Message, e.Errors),
        BadHttpRequestException e => BadRequest(e),
        StreamErasedException => Of(
            StatusCodes.Status410Gone, ApiReason.Erased, "its owner was erased: there is nothing to read, and nothing more is recorded"),
        NotRecordedException or JournalConflictException => Of(
            StatusCodes.Status503ServiceUnavailable, ApiReason.NotRecorded,
            "nothing was recorded, so nothing was done: try again with the same Idempotency-Key"),
        StorageException => Of(
            StatusCodes.Status503ServiceUnavailable, ApiReason.Unavailable, "the data is not available now: try again, or look at the service's log"),
        UnauthorizedAccessException => Of(
            StatusCodes.Status403Forbidden, ApiReason.NotPermitted, "it belongs to somebody else, or is not open to users"),
        PasswordQueueFullException => Of(StatusCodes.Status503ServiceUnavailable, ApiReason.Busy, failure.Message),
        TimeoutException => Of(
            StatusCodes.Status504GatewayTimeout, ApiReason.TimedOut, "no answer in time; it may still happen: repeat with the same Idempotency-Key"),
        ServiceNotHostedException => Of(StatusCodes.Status503ServiceUnavailable, ApiReason.Unavailable, failure.Message),
        // A client of a cluster that does not know a grain's class yet: the silos that have it have not joined.
        ArgumentException { Source: "Orleans.Core" } =>
            Of(StatusCodes.Status503ServiceUnavailable, ApiReason.Unavailable, "a service that this needs is not at work yet: try again"),
        OrleansMessageRejectionException =>
            Of(StatusCodes.Status503ServiceUnavailable, ApiReason.Unavailable, "the service is starting, stopping or overloaded: try again"),
        _ => null,
    };

    public static ProblemHttpResult Unforeseen() => Of(
        StatusCodes.Status500InternalServerError, ApiReason.InternalError,
        $"the service failed; its log has the cause under trace {Activity.Current?.TraceId.ToString() ?? "-"}");

    private static ProblemHttpResult BadRequest(BadHttpRequestException e) => e.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => Of(e.StatusCode, ApiReason.BodyTooLarge, "the body is too large; expected at most 64 KiB"),
        StatusCodes.Status415UnsupportedMediaType =>
            Of(e.StatusCode, ApiReason.MediaTypeUnsupported, "the Content-Type is another; expected application/json"),
        _ when BindingFailure().Match(e.Message) is { Success: true } failed => Invalid(failed.Groups[2].Value,
            $"{failed.Groups[2].Value} is {ApiException.Quote(failed.Groups[3].Value)}; expected {Expected(failed.Groups[1].Value)}"),
        _ => Of(e.StatusCode, ApiReason.InvalidInput, e.StatusCode == StatusCodes.Status400BadRequest ? "the request cannot be read" : e.Message),
    };

    /// <summary>How the framework says that a value in the path or in the query is not of its parameter's type.</summary>
    [GeneratedRegex("""^Failed to bind parameter "([^" ]+) ([A-Za-z]+)" from "(.*)"\.$""", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex BindingFailure();

    private static ProblemHttpResult Invalid(string field, string detail) =>
        Of(StatusCodes.Status400BadRequest, ApiReason.InvalidInput, detail, new Dictionary<string, string[]> { [field] = [detail] });

    /// <param name="type">As C# or the runtime calls it.</param>
    internal static string Expected(string type) => type switch
    {
        _ when type.Contains("DateTime", StringComparison.Ordinal) => "a time such as 2026-01-31T12:00:00Z",
        _ when type.Contains("int", StringComparison.OrdinalIgnoreCase) || type.Contains("long", StringComparison.Ordinal) => "a whole number",
        _ when type.Contains("decimal", StringComparison.OrdinalIgnoreCase) || type.Contains("double", StringComparison.OrdinalIgnoreCase) => "a number",
        _ => "another kind of value",
    };

    private static string Title(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "The request is not valid",
        StatusCodes.Status401Unauthorized => "Sign-in is needed",
        StatusCodes.Status403Forbidden => "It is not permitted",
        StatusCodes.Status404NotFound => "There is no such thing",
        StatusCodes.Status405MethodNotAllowed => "The method is not allowed",
        StatusCodes.Status409Conflict => "It does not fit what there is",
        StatusCodes.Status410Gone => "It is no more",
        StatusCodes.Status413PayloadTooLarge => "The request is too large",
        StatusCodes.Status415UnsupportedMediaType => "The media type is not supported",
        StatusCodes.Status422UnprocessableEntity => "It was refused",
        StatusCodes.Status423Locked => "The door is closed for a while",
        StatusCodes.Status429TooManyRequests => "Too many requests",
        StatusCodes.Status501NotImplemented => "It is not there yet",
        StatusCodes.Status503ServiceUnavailable => "Not now",
        StatusCodes.Status504GatewayTimeout => "No answer in time",
        _ => "The service failed",
    };
}
