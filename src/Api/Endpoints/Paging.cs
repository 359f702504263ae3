using System.Globalization;

namespace HybridTrading.Api.Endpoints;

/// <summary>
/// Pages of lists that are sorted by a name: <c>limit</c> says how many, <c>after</c> the last name of the page before, and a Link header (RFC 8288) where the next
/// page is. Without <c>limit</c> a page is as long as pages get.
/// </summary>
internal static class Paging
{
    public const int Longest = 1000;

    /// <param name="sorted">All keys, in ordinal order.</param>
    /// <param name="after">A key of that order; null begins at the front. It need not be there any more.</param>
    /// <param name="nameOf">What a key is called in the address of the next page.</param>
    public static ImmutableArray<string> Page(HttpContext context, ImmutableArray<string> sorted, int? limit, string? after, Func<string, string> nameOf)
    {
        int size = EndpointConventions.Limit(limit, Longest);
        int from = after is null ? 0 : sorted.BinarySearch(after, StringComparer.Ordinal) is var at && at >= 0 ? at + 1 : ~at;
        ImmutableArray<string> page = sorted[from..Math.Min(sorted.Length, from + size)];
        if (from + size < sorted.Length)
        {
            string next = string.Create(CultureInfo.InvariantCulture, $"{context.Request.Path}?limit={size}&after={Uri.EscapeDataString(nameOf(page[^1]))}");
            context.Response.Headers.Append("Link", $"<{next}>; rel=\"next\"");
        }
        return page;
    }
}
