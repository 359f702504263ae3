using System.Collections.Concurrent;
using HybridTrading.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;
using Orleans.Local;

namespace HybridTrading.LocalOrleans.Tests;

/// <summary>What grains and tests tell each other: gates that a grain waits at and a log of what happened.</summary>
public sealed class Probe
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
    private readonly ConcurrentQueue<string> _log = new();

    public string[] Log => [.. _log];

    public void Note(string what) => _log.Enqueue(what);

    /// <summary>A task that completes when somebody opens the gate.</summary>
    public Task Gate(string name) => Get(name).Task;

    public void Open(string name) => Get(name).TrySetResult();

    private TaskCompletionSource Get(string name) =>
        _gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}

/// <summary>A silo of its own for one test.</summary>
public sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost _host;
    private bool _stopped;

    private TestSilo(IHost host, FakeTimeProvider time)
    {
        _host = host;
        Time = time;
    }

    public FakeTimeProvider Time { get; }

    public IServiceProvider Services => _host.Services;

    public IClusterClient Client => Services.GetRequiredService<IClusterClient>();

    public Probe Probe => Services.GetRequiredService<Probe>();

    public LocalSiloStatistics Statistics => Services.GetRequiredService<LocalSiloStatistics>();

    public static async Task<TestSilo> StartAsync(Action<ISiloBuilder>? configure = null, FakeTimeProvider? time = null, Probe? probe = null)
    {
        time ??= new FakeTimeProvider();
        TestSilo silo = new(Build(configure, time, probe ?? new Probe()), time);
        await silo._host.StartAsync();
        return silo;
    }

    public static IHost Build(Action<ISiloBuilder>? configure, TimeProvider time, Probe probe)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(probe);
        builder.UseOrleans(silo =>
        {
            silo.AddMemoryGrainStorageAsDefault().AddMemoryGrainStorage("other").UseInMemoryReminderService();
            configure?.Invoke(silo);
        });
        return builder.Build();
    }

    public T Grain<T>(string key = "a") where T : IGrainWithStringKey => Client.GetGrain<T>(key);

    public async Task StopAsync(CancellationToken cancellation = default)
    {
        _stopped = true;
        await _host.StopAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        // A test that cares for a graceful stop asks for it; otherwise nobody waits, least of all for a clock that stands.
        if (!_stopped) await StopAsync(new CancellationToken(canceled: true));
        _host.Dispose();
    }
}
