using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Local;
using Orleans.Runtime;
using Orleans.Timers;

namespace Orleans.Hosting;

public static class SiloBuilderReminderExtensions
{
    /// <summary>Adds reminders; the table that keeps them is a service <see cref="IReminderTable"/> of the caller.</summary>
    public static ISiloBuilder AddReminders(this ISiloBuilder builder)
    {
        builder.Services.AddReminders();
        return builder;
    }

    /// <inheritdoc cref="AddReminders(ISiloBuilder)"/>
    public static void AddReminders(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(LocalReminderService))) return;
        services.AddSingleton<LocalReminderService>();
        services.AddSingleton<IReminderRegistry>(s => s.GetRequiredService<LocalReminderService>());
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(s => s.GetRequiredService<LocalReminderService>());
    }
}

public static class SiloBuilderReminderMemoryExtensions
{
    /// <summary>Adds reminders that are gone when the process ends.</summary>
    public static ISiloBuilder UseInMemoryReminderService(this ISiloBuilder builder)
    {
        builder.AddReminders();
        builder.Services.TryAddSingleton<IReminderTable, InMemoryReminderTable>();
        return builder;
    }
}
