using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace HybridTrading.Api.Gateway;

/// <summary>
/// ETags of answers that follow from their content: a client that sends the tag it has back as If-None-Match gets 304 and no body while nothing has changed. The
/// tags are weak (RFC 9110, 8.8.1), since the same answer goes out compressed and not.
/// </summary>
public static class EntityTags
{
    public static TBuilder CacheableByContent<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder =>
        {
            RequestDelegate inner = builder.RequestDelegate!;
            builder.RequestDelegate = context => RunAsync(context, inner);
        });
        return endpoint;
    }

    private static async Task RunAsync(HttpContext context, RequestDelegate execute)
    {
        IHttpResponseBodyFeature connection = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var answered = new MemoryStream();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answered));
        try
        {
            await execute(context);
            await context.Response.BodyWriter.FlushAsync();
        }
        finally
        {
            context.Features.Set(connection);
        }
        HttpResponse response = context.Response;
        ReadOnlyMemory<byte> content = answered.GetBuffer().AsMemory(0, (int)answered.Length);
        if (response.StatusCode == StatusCodes.Status200OK)
        {
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content.Span).AsSpan(0, 16))}\"", isWeak: true);
            response.Headers.ETag = tag.ToString();
            // Kept by the one who asked alone, and asked for again each time.
            response.Headers.CacheControl = "private, no-cache";
            if (Has(context.Request, tag))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                response.Headers.ContentType = default;
                response.Headers.ContentLength = null;
                return;
            }
        }
        if (content.Length > 0) await response.Body.WriteAsync(content, context.RequestAborted);
    }

    private static bool Has(HttpRequest request, EntityTagHeaderValue tag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out IList<EntityTagHeaderValue>? known)
        && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false));
}
