using System.Text.Json.Nodes;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Ports;
using HybridTrading.Grains.Backtesting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace HybridTrading.Api.OpenApi;

/// <summary>The API's own description at <c>/openapi/v1.json</c>, and a page to try it at <c>/swagger</c>.</summary>
internal static class ApiDocument
{
    public const string Path = "/openapi/v1.json";

    /// <summary>Requests of which a form alone says too little.</summary>
    private static readonly ImmutableDictionary<Type, string> Examples = ImmutableDictionary<Type, string>.Empty
        .Add(typeof(BacktestInput), """
            {"name": "Cross on hours", "dataSets": ["market:EURUSD:H1"],
             "strategies": [{"definition": "sma-cross", "parameters": {"fast": 20, "slow": 50, "units": 10000}}],
             "account": {"currency": "USD", "deposit": 100000}, "costs": {"commissionPerLot": 3, "slippagePoints": 1}}
            """)
        .Add(typeof(SearchInput), """
            {"dataSets": ["market:EURUSD:H1"],
             "strategies": [{"rule": "param period = 14 from 2 to 50; enter long when rsi(period) < 30; exit when rsi(period) > 50;"}],
             "vary": {"period": "5..30/5"}, "search": "grid", "objective": "sharpe-daily", "constraints": {"minTrades": 30},
             "walkForward": {"windows": 8, "ratio": 3}}
            """);

    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "HybridTrading",
                Version = "v1",
                Description = "Prices, volumes and money are JSON numbers with exact decimals; times are ISO 8601 in UTC. Failures are RFC 9457 "
                    + "problem details with a reason code. Every change answers with the journal position that contains it (minPosition); "
                    + "give it to a list to wait for it. Quotes, bars and features are read from copies that are behind their market by milliseconds; "
                    + "position says which state of the market they show. What happens is pushed by the SignalR hub " + HybridApi.HubPath
                    + ", which takes WebSockets without negotiation.",
            };
            // Addresses come from the page that asks.
            document.Servers = null;
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            Describe(schema, context.JsonTypeInfo.Type);
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<IdempotentMetadata>().Any()) Describe(operation);
            operation.Deprecated = context.Description.ActionDescriptor.EndpointMetadata.OfType<Deprecation>().Any();
            return Task.CompletedTask;
        });
    });

    public static void MapApiDocument(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenApi("/openapi/{documentName}.json").OnService(ServiceEndpoints.Gateway).RateLimited(5);
        endpoints.MapSwaggerUI("swagger", options =>
        {
            options.SwaggerEndpoint(Path, "HybridTrading v1");
            options.DocumentTitle = "HybridTrading API";
        }).OnService(ServiceEndpoints.Gateway);
    }

    /// <summary>What the types alone do not say.</summary>
    private static void Describe(OpenApiSchema schema, Type type)
    {
        if (type == typeof(ProblemDetails))
        {
            schema.Properties ??= new Dictionary<string, IOpenApiSchema>();
            schema.Properties["reason"] = Text("Reason code: one of the trade's Reason or of the API's own.");
            schema.Properties["field"] = Text("The first field at fault.");
            schema.Properties["errors"] = new OpenApiSchema { Type = JsonSchemaType.Object, Description = "Texts by field." };
            return;
        }
        if (Examples.TryGetValue(type, out string? example)) schema.Examples = [JsonNode.Parse(example)!];
        JsonSchemaType nullable = Nullable.GetUnderlyingType(type) is null ? 0 : JsonSchemaType.Null;
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain == typeof(DateTime)) (schema.Type, schema.Format) = (JsonSchemaType.String | nullable, "date-time");
        // A double would not hold it.
        if (plain == typeof(decimal)) schema.Format = "decimal";
    }

    private static void Describe(OpenApiOperation operation)
    {
        operation.Parameters ??= [];
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = IdempotentEndpoints.KeyHeader,
            In = ParameterLocation.Header,
            Required = true,
            Description = "New for each thing that is to happen once. Repeating a request with the key and body of the first gives its answer again.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[A-Za-z0-9._:-]{1,200}$" },
        });
        if (operation.Responses is null) return;
        foreach ((string status, IOpenApiResponse response) in operation.Responses)
        {
            if (!status.StartsWith('2') || response is not OpenApiResponse answer) continue;
            answer.Headers ??= new Dictionary<string, IOpenApiHeader>();
            answer.Headers[IdempotentEndpoints.PositionHeader] = Header(
                "Journal position that contains the change; as minPosition in the body.", JsonSchemaType.Integer);
            answer.Headers[IdempotentEndpoints.ReplayedHeader] = Header(
                "true when the answer is that of an earlier request with the same key.", JsonSchemaType.String);
        }
    }

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };

    private static OpenApiHeader Header(string description, JsonSchemaType type) =>
        new() { Description = description, Schema = new OpenApiSchema { Type = type } };
}
