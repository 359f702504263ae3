using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace HybridTrading.Api.WebConsole;

/// <summary>One file of the console.</summary>
/// <param name="IsNamedByContent">Its name changes with its content, so it can be kept for ever.</param>
public sealed record ConsoleFile(string ContentType, byte[] Content, EntityTagHeaderValue Tag, bool IsNamedByContent);

/// <summary>The console's files, embedded in the assembly under <c>wwwroot/</c>.</summary>
public sealed partial class ConsoleFiles
{
    private const string Folder = "wwwroot/";

    public ConsoleFiles(Assembly assembly)
    {
        var types = new FileExtensionContentTypeProvider();
        ByPath = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .ToFrozenDictionary(name => "/" + name[Folder.Length..].Replace('\\', '/'), name => Read(assembly, name, types), StringComparer.Ordinal);
    }

    /// <summary>By path, for example <c>/index.html</c>; empty when the console was not built.</summary>
    public FrozenDictionary<string, ConsoleFile> ByPath { get; }

    private static ConsoleFile Read(Assembly assembly, string name, FileExtensionContentTypeProvider types)
    {
        using Stream resource = assembly.GetManifestResourceStream(name)!;
        byte[] content = new byte[resource.Length];
        resource.ReadExactly(content);
        string type = types.TryGetContentType(name, out string? known) ? known : "application/octet-stream";
        if (type is "text/html" or "text/css" or "text/javascript" or "text/plain") type += "; charset=utf-8";
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16))}\"");
        return new ConsoleFile(type, content, tag, HashedName().IsMatch(name));
    }

    /// <summary>As Vite names what it bundles: assets/index-B3x9_kQz.js.</summary>
    [GeneratedRegex("/assets/[^/]+-[A-Za-z0-9_-]{8}\\.[a-z0-9]+$")]
    private static partial Regex HashedName();
}

internal static class ConsoleEndpoints
{
    /// <summary>What a page may do is said by the page itself; this is what only a header can say.</summary>
    private const string Policy = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'";

    private const string Missing =
        """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>HybridTrading</title></head>
        <body>
        <h1>HybridTrading runs, without its console</h1>
        <p>The console was not built: node was not found when this program was. Install Node.js 20.19 or newer, run <code>dotnet build</code> again
        and start the program anew.</p>
        <p>Everything else works: <a href="/swagger">try the API</a>, or read <a href="/openapi/v1.json">its description</a>.</p>
        </body>
        </html>
        """;

    public static void MapConsole(this IEndpointRouteBuilder endpoints)
    {
        ConsoleFiles files = endpoints.ServiceProvider.GetRequiredService<ConsoleFiles>();
        foreach ((string path, ConsoleFile file) in files.ByPath) Map(endpoints, path, context => Serve(context, file));
        Map(endpoints, "/", files.ByPath.TryGetValue("/index.html", out ConsoleFile? index)
            ? context => Serve(context, index)
            : context =>
            {
                Protect(context.Response, "default-src 'none'; " + Policy);
                context.Response.Headers.CacheControl = "no-store";
                return TypedResults.Content(Missing, "text/html; charset=utf-8");
            });
    }

    private static void Map(IEndpointRouteBuilder endpoints, string path, Func<HttpContext, IResult> serve) =>
        endpoints.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], serve).ExcludeFromDescription().OnService(ServiceEndpoints.Gateway);

    private static IResult Serve(HttpContext context, ConsoleFile file)
    {
        Protect(context.Response, Policy);
        context.Response.Headers.CacheControl = file.IsNamedByContent ? "public, max-age=31536000, immutable" : "no-cache";
        return TypedResults.Bytes(file.Content, file.ContentType, entityTag: file.Tag);
    }

    private static void Protect(HttpResponse response, string policy)
    {
        response.Headers.ContentSecurityPolicy = policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        response.Headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
    }
}
