using System.Globalization;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage.Projections;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Orders and fills of an account.</summary>
internal static class OrderEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder account = api.MapGroup("/accounts/{account}").WithTags("Orders");
        account.MapGet("/orders", ListAsync).WithName("listOrders").Weighs(2).WithSummary("Orders, the latest first")
            .WithDescription("status is open, closed or all; before is the next of the page before.").Query(Permission.ReadTrading, Status404NotFound);
        account.MapPost("/orders", PlaceAsync).WithName("placeOrder").CountsAsOrder().WithSummary("Places an order")
            .WithDescription("Sending the same clientOrderId twice does what sending it once does. Risk may let only the part go that reduces: "
                + "cut says so.")
            .Mutation(Permission.Trade, Status404NotFound, Status409Conflict);
        account.MapPost("/orders/preview", PreviewAsync).WithName("previewOrder").WithSummary("What the account would answer to an order now")
            .WithDescription("The body of an order, judged by the same rules at the same account, with the figures behind the verdict: expected "
                + "price, spread, commission, notional, margin, and what it does to each limit. Nothing is recorded, so there is no "
                + "Idempotency-Key, and it is not counted as an order. It binds nobody: the account decides when the order comes.")
            .Query(Permission.Trade, Status404NotFound, Status413PayloadTooLarge, Status415UnsupportedMediaType);
        account.MapGet("/orders/{clientOrderId}", GetAsync).WithName("getOrder").WithSummary("One order").Query(Permission.ReadTrading, Status404NotFound);
        account.MapPatch("/orders/{clientOrderId}", ChangeAsync).WithName("changeOrder").CountsAsOrder().WithSummary("Changes a working order")
            .Mutation(Permission.Trade, Status404NotFound, Status409Conflict);
        account.MapDelete("/orders/{clientOrderId}", CancelAsync).WithName("cancelOrder").CountsAsOrder().WithSummary("Cancels a working order")
            .WithDescription("Cancelling an order that is cancelled already answers with it.").Mutation(Permission.Trade, Status404NotFound, Status409Conflict);
        account.MapGet("/fills", FillsAsync).WithName("listFills").Weighs(2).WithSummary("Fills, the latest first").Query(Permission.ReadTrading, Status404NotFound);
    }

    private static async Task<Results<Ok<OrderPage>, ProblemHttpResult>> ListAsync(
        string account, ICaller caller, AccountQueries accounts, ReadSide reads, ApiOptions options, CancellationToken cancellation,
        string status = "all", string? symbol = null, int? limit = null, long? before = null, long? minPosition = null)
    {
        OrderFilter filter = status switch
        {
            "all" => OrderFilter.All,
            "open" => OrderFilter.Open,
            "closed" => OrderFilter.Closed,
            _ => throw ApiException.Invalid("status", $"status is {ApiException.Quote(status)}; expected open, closed or all"),
        };
        int size = EndpointConventions.Limit(limit, 100);
        string key = caller.Key(account, "account");
        await reads.WaitForAsync(AccountProjection.ProjectionName, minPosition, cancellation);
        if (accounts.Opening(key) is null) return Problems.NoAccount(account);
        ImmutableArray<OrderRow> rows = accounts.Orders(key, filter, symbol, before, size);
        return TypedResults.Ok(new OrderPage(
            [.. rows.Select(row => OrderView.Of(row, caller, options.Universe))], rows.Length == size ? rows[^1].Ordinal : null));
    }

    private static async Task<Results<Created<OrderChanged>, Ok<OrderChanged>, ProblemHttpResult>> PlaceAsync(
        string account, Body<PlaceOrder> body, HttpContext context, ICaller caller, IGrainFactory grains, AccountQueries accounts, ReadSide reads,
        ApiOptions options)
    {
        PlaceOrder asked = body.Value;
        CheckPrices(asked, options.Universe);
        OrderRequest request = asked.Order(asked.ClientOrderId ?? context.IdempotencyKey());
        OrderAnswer answer = await grains.Account(caller, account).Place(request);
        if (IsNoAccount(answer)) return Problems.NoAccount(account);
        long position = context.SetMinPosition(answer.MinPosition);
        if (answer.Result is { Denial: { } denial, IsAccepted: false }) return Problems.Denied(denial, position);

        OrderView order = await FindAsync(answer.Order, position, caller, account, request.ClientOrderId, accounts, reads, options);
        var changed = new OrderChanged(position, order, answer.Result.Denial is { } cut ? new Cut(cut.Reason, cut.Detail) : null);
        if (!answer.Result.Repeated)
        {
            return TypedResults.Created($"/api/v1/accounts/{account}/orders/{Uri.EscapeDataString(order.ClientOrderId)}", changed);
        }
        if (order.Symbol != request.Symbol || order.Side != request.Side || order.Type != request.Type)
        {
            return Problems.Conflict(ApiReason.ClientOrderIdReused,
                $"clientOrderId is '{request.ClientOrderId}'; that is a {order.Side} {order.Type} order in {order.Symbol} already");
        }
        return TypedResults.Ok(changed);
    }

    private static async Task<Results<Ok<OrderPreviewView>, ProblemHttpResult>> PreviewAsync(
        string account, Body<PlaceOrder> body, ICaller caller, IGrainFactory grains, ApiOptions options)
    {
        PlaceOrder asked = body.Value;
        CheckPrices(asked, options.Universe);
        // An order without an id gets that of its request when it is sent, which is as new as this one.
        OrderPreview? preview = await grains.Account(caller, account).Preview(asked.Order(asked.ClientOrderId ?? Guid.NewGuid().ToString("N")));
        return preview is null ? Problems.NoAccount(account) : TypedResults.Ok(OrderPreviewView.Of(preview));
    }

    private static async Task<Results<Ok<OrderView>, ProblemHttpResult>> GetAsync(
        string account, string clientOrderId, ICaller caller, AccountQueries accounts, ReadSide reads, ApiOptions options,
        CancellationToken cancellation,
        long? minPosition = null)
    {
        string key = caller.Key(account, "account");
        await reads.WaitForAsync(AccountProjection.ProjectionName, minPosition, cancellation);
        if (accounts.Opening(key) is null) return Problems.NoAccount(account);
        return accounts.Order(key, Id(clientOrderId)) is { } row
            ? TypedResults.Ok(OrderView.Of(row, caller, options.Universe))
            : NoOrder(clientOrderId);
    }

    private static async Task<Results<Ok<OrderChanged>, ProblemHttpResult>> ChangeAsync(
        string account, string clientOrderId, Body<ChangeOrder> body, HttpContext context, ICaller caller, IGrainFactory grains,
        AccountQueries accounts,
        ReadSide reads, ApiOptions options)
    {
        string id = Id(clientOrderId);
        ChangeOrder asked = body.Value;
        IAccountGrain grain = grains.Account(caller, account);
        if (await grain.GetView() is not { } view) return Problems.NoAccount(account);
        if (view.WorkingOrders.FirstOrDefault(order => order.ClientOrderId == id) is { } working
            && options.Universe.Find(working.Symbol) is { } instrument)
        {
            CheckPrices(instrument, ("limitPrice", asked.LimitPrice), ("stopPrice", asked.StopPrice), ("trailDistance", asked.TrailDistance));
        }
        OrderAnswer answer = await grain.Change(id, asked.Change());
        long position = context.SetMinPosition(answer.MinPosition);
        if (answer.Result.Denial is { } denial) return Problems.Denied(denial, position);
        return TypedResults.Ok(new OrderChanged(position, await FindAsync(answer.Order, position, caller, account, id, accounts, reads, options)));
    }

    private static async Task<Results<Ok<OrderChanged>, ProblemHttpResult>> CancelAsync(
        string account, string clientOrderId, HttpContext context, ICaller caller, IGrainFactory grains, AccountQueries accounts, ReadSide reads,
        ApiOptions options)
    {
        string id = Id(clientOrderId);
        OrderAnswer answer = await grains.Account(caller, account).Cancel(id);
        if (IsNoAccount(answer)) return Problems.NoAccount(account);
        long position = context.SetMinPosition(answer.MinPosition);
        if (answer.Result.Denial is { Reason: not Reason.OrderNotWorking } denial) return Problems.Denied(denial, position);
        OrderView order = await FindAsync(answer.Order, position, caller, account, id, accounts, reads, options);
        if (answer.Result.Denial is { } ended && order.Status != OrderStatus.Cancelled) return Problems.Denied(ended, position);
        return TypedResults.Ok(new OrderChanged(position, order));
    }

    private static async Task<Results<Ok<FillPage>, ProblemHttpResult>> FillsAsync(
        string account, ICaller caller, AccountQueries accounts, ReadSide reads, ApiOptions options, CancellationToken cancellation,
        int? limit = null, long? before = null, long? minPosition = null)
    {
        int size = EndpointConventions.Limit(limit, 100);
        string key = caller.Key(account, "account");
        await reads.WaitForAsync(AccountProjection.ProjectionName, minPosition, cancellation);
        if (accounts.Opening(key) is null) return Problems.NoAccount(account);
        ImmutableArray<FillRow> rows = accounts.Fills(key, before, size);
        return TypedResults.Ok(new FillPage(
            [.. rows.Select(row => FillView.Of(row, caller, options.Universe))], rows.Length == size ? rows[^1].Position : null));
    }

    /// <summary>An order: the account's own word where it has one, else as the journal's tables have it.</summary>
    private static async Task<OrderView> FindAsync(
        Order? order, long position, ICaller caller, string account, string clientOrderId, AccountQueries accounts, ReadSide reads,
        ApiOptions options)
    {
        if (order is not null) return OrderView.Of(order, caller, options.Universe);
        await reads.WaitForAsync(AccountProjection.ProjectionName, position, CancellationToken.None);
        OrderRow? row = accounts.Order(caller.Key(account, "account"), clientOrderId);
        return row is null
            ? throw new InvalidOperationException($"order '{clientOrderId}' of {account} is known to its account and not to the journal's tables")
            : OrderView.Of(row, caller, options.Universe);
    }

    private static void CheckPrices(PlaceOrder asked, InstrumentUniverse universe)
    {
        if (universe.Find(asked.Symbol!) is not { } instrument) return;
        CheckPrices(instrument, ("limitPrice", asked.LimitPrice), ("stopPrice", asked.StopPrice), ("trailDistance", asked.TrailDistance),
            ("stopLoss", asked.StopLoss), ("takeProfit", asked.TakeProfit), ("trailingStopLoss", asked.TrailingStopLoss));
    }

    /// <summary>A price is whole points below the greatest that the instrument takes in.</summary>
    private static void CheckPrices(Instrument instrument, params ReadOnlySpan<(string Field, decimal? Price)> prices)
    {
        decimal most = instrument.ToPrice(Instrument.MaxPricePoints);
        foreach ((string field, decimal? price) in prices)
        {
            if (price > most)
            {
                throw ApiException.Invalid(field, string.Create(CultureInfo.InvariantCulture, $"{field} is {price}; expected at most {most}"));
            }
        }
    }

    private static bool IsNoAccount(OrderAnswer answer) =>
        answer.MinPosition < 0 && answer.Result is { Ordinal: 0, Denial.Reason: Reason.NotFollowing };

    /// <summary>An escaped slash reaches the route as it was sent.</summary>
    private static string Id(string clientOrderId) => clientOrderId.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static ProblemHttpResult NoOrder(string clientOrderId) =>
        Problems.NotFound(nameof(Reason.OrderUnknown), $"clientOrderId is {ApiException.Quote(clientOrderId)}; no such order");
}
