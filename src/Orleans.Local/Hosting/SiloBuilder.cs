using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Timers;

namespace Orleans.Local;

internal sealed class SiloBuilder(IServiceCollection services, IConfiguration configuration) : ISiloBuilder
{
    public IServiceCollection Services => services;

    public IConfiguration Configuration => configuration;

    /// <summary>The builder of these services; the first one registers the silo.</summary>
    public static SiloBuilder For(IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.FirstOrDefault(s => s.ServiceType == typeof(SiloBuilder))?.ImplementationInstance is SiloBuilder existing) return existing;
        SiloBuilder builder = new(services, configuration);
        services.AddSingleton(builder);
        builder.AddCore();
        return builder;
    }

    private void AddCore()
    {
        services.AddOptions();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<GrainWorkScheduler, ThreadPoolGrainWorkScheduler>();
        services.AddSingleton<ITimerRegistry, TimerRegistry>();
        services.AddSingleton<LocalRuntime>();
        services.AddSingleton<IGrainFactory>(s => s.GetRequiredService<LocalRuntime>());
        services.AddSingleton<IClusterClient>(s => s.GetRequiredService<LocalRuntime>());
        services.AddSingleton<IGrainRuntime>(s => s.GetRequiredService<LocalRuntime>());
        services.AddSingleton<IGrainContextAccessor>(s => s.GetRequiredService<LocalRuntime>());
        services.AddSingleton(s => new LocalSiloStatistics(s.GetRequiredService<LocalRuntime>()));
        services.AddSingleton<LifecycleSubject>();
        services.AddHostedService<SiloHostedService>();
        services.Configure<GrainTypeOptions>(GrainAssemblies.AddTypes);
    }
}

/// <summary>Finds grain classes: in every assembly that the program loads on its own account and that knows this one.</summary>
internal static class GrainAssemblies
{
    public static void AddTypes(GrainTypeOptions options)
    {
        foreach (Assembly assembly in Closure()) AddTypes(options, assembly);
    }

    public static void AddTypes(GrainTypeOptions options, Assembly assembly)
    {
        foreach (Type type in assembly.GetTypes())
        {
            if (GrainTypeMap.IsGrainClass(type)) options.Classes.Add(type);
            else if (GrainTypeMap.IsGrainInterface(type)) options.Interfaces.Add(type);
        }
    }

    // The framework knows no grains.
    private static bool IsFramework(string name) =>
        name.StartsWith("System.", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal);

    private static IEnumerable<Assembly> Closure()
    {
        string ours = typeof(GrainAssemblies).Assembly.GetName().Name!;
        HashSet<string> seen = [];
        Queue<Assembly> open = new(Assembly.GetEntryAssembly() is { } entry ? [entry] : []);
        while (open.TryDequeue(out Assembly? assembly))
        {
            AssemblyName[] references = assembly.GetReferencedAssemblies();
            if (references.Any(reference => reference.Name == ours)) yield return assembly;
            foreach (AssemblyName reference in references)
            {
                if (IsFramework(reference.Name!) || !seen.Add(reference.Name!)) continue;
                try
                {
                    open.Enqueue(Assembly.Load(reference));
                }
                catch (FileNotFoundException)
                {
                    // A reference that was not shipped cannot hold a grain of this program.
                }
            }
        }
    }
}
