using HybridTrading.Api.Limits;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HybridTrading.Api.Gateway;

/// <summary>What stands between the network and the API.</summary>
public static class GatewayHosting
{
    /// <summary>
    /// Makes the web server listen on every hosted service's port, on loopback, the gateway's and the compliance services' beyond it as <paramref name="access"/> says, refuses callers
    /// from elsewhere than that (<see cref="HostAccess"/>) and keeps endpoints to their ports.
    /// </summary>
    public static WebApplicationBuilder AddServiceEndpoints(this WebApplicationBuilder builder, ServiceEndpoints plan, GatewayAccess? access = null)
    {
        access ??= GatewayAccess.LoopbackOnly;
        if (access.Certificate is not null || access.Compliance.Certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => GatewayPorts.Listen(kestrel, plan, access));
        builder.Services.AddSingleton(access);
        builder.Services.TryAddSingleton<IPublicAccess, ClosedToOthers>();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, RequestIdentity>());
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, HostAccess>());
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ComplianceGuard>());
        builder.Services.AddServicePorts(plan);
        return builder;
    }

    internal static IServiceCollection AddGateway(this IServiceCollection services)
    {
        services.TryAddSingleton(GatewayAccess.LoopbackOnly);
        services.TryAddSingleton(provider => RateLimitOptions.Read(provider.GetRequiredService<IConfiguration>()));
        services.TryAddSingleton<RateLimiter>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, RequestIdentity>());
        services.AddCors();
        services.AddResponseCompression(options =>
        {
            options.EnableForHttps = true;
            options.MimeTypes = [.. ResponseCompressionDefaults.MimeTypes, "application/problem+json", "text/csv", "image/svg+xml"];
        });
        services.AddSingleton<IResponseCompressionProvider, Compression>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, GatewayPipeline>());
        return services;
    }
}

/// <summary>What every answer of the gateway passes on its way out.</summary>
internal sealed class GatewayPipeline(GatewayAccess access) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        if (!access.CorsOrigins.IsEmpty)
        {
            app.UseCors(policy => policy.WithOrigins([.. access.CorsOrigins]).AllowAnyMethod().WithHeaders("Authorization", "Content-Type", "Idempotency-Key",
                "If-None-Match", "If-Match", RequestIdentity.RequestHeader, "traceparent", "tracestate").WithExposedHeaders(
                "ETag", "Link", "Location", "Retry-After", "Deprecation", "Sunset", "Idempotency-Replayed", "X-Min-Position", RequestIdentity.RequestHeader,
                RequestIdentity.TraceHeader, RateLimiting.WeightUsedHeader, RateLimiting.WeightLimitHeader, RateLimiting.OrdersUsedHeader,
                RateLimiting.OrdersLimitHeader).SetPreflightMaxAge(TimeSpan.FromHours(1)));
        }
        app.UseResponseCompression();
        next(app);
    };
}

/// <summary>Metadata of an endpoint whose answer holds a secret: it is never compressed, since its length would tell of it (BREACH).</summary>
public sealed class SecretAnswer
{
    public static readonly SecretAnswer Instance = new();
}

public static class SecretAnswers
{
    /// <summary>The answer holds a secret (a token, a key, a recovery code).</summary>
    public static TBuilder AnswersSecret<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(SecretAnswer.Instance);
}

/// <summary>Compresses as the framework does, but for answers that hold a secret.</summary>
internal sealed class Compression(IServiceProvider services, Microsoft.Extensions.Options.IOptions<ResponseCompressionOptions> options)
    : ResponseCompressionProvider(services, options)
{
    public override bool ShouldCompressResponse(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<SecretAnswer>() is null && base.ShouldCompressResponse(context);
}
