using HybridTrading.Grains.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HybridTrading.Grains.Alerts;

public static class AlertsHosting
{
    /// <summary>
    /// What sends alerts, and mails at all. A host that has its own <see cref="AlertOptions"/> or <see cref="MailOptions"/> registers them before.
    /// </summary>
    public static IServiceCollection AddAlerts(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton(new MailOptions());
        services.TryAddSingleton(new AlertOptions());
        services.TryAddSingleton<MailSender>();
        services.TryAddSingleton<WebHookSender>();
        services.TryAddSingleton<AlertReader>();
        services.TryAddSingleton<AlertMetrics>();
        return services;
    }
}
