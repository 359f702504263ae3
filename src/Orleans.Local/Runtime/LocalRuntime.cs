using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Timers;

namespace Orleans.Local;

/// <summary>The silo: knows every activation, sends every call and watches the clock.</summary>
internal sealed partial class LocalRuntime : IClusterClient, IGrainRuntime, IGrainContextAccessor, IDisposable
{
    private const string ObserverType = "observer";

    private static readonly GrainType ObserverGrainType = GrainType.Create(ObserverType);

    /// <summary>The name under which code outside of grains calls.</summary>
    public static readonly GrainId ClientId = GrainId.Create("sys.client", "hosted-local");

    private readonly ConcurrentDictionary<GrainId, CallTarget> _targets = new();
    private readonly ILogger<LocalRuntime> _logger;
    private readonly Lazy<GrainTypeMap> _types;
    private readonly Lazy<IIncomingGrainCallFilter[]> _incomingFilters;
    private readonly Lazy<IOutgoingGrainCallFilter[]> _outgoingFilters;
    private readonly double _ticksPerSecond;
    private readonly List<ITimer> _timers = [];
    private long _lastObserver;
    private long _lastActivation;
    private bool _stopped;

    public LocalRuntime(
        IServiceProvider services, GrainWorkScheduler scheduler, ITimerRegistry timers, ILogger<LocalRuntime> logger,
        IOptions<GrainTypeOptions> types, IOptions<SiloMessagingOptions> messaging, IOptions<GrainCollectionOptions> collection)
    {
        Services = services;
        Scheduler = scheduler;
        TimerRegistry = timers;
        CollectionOptions = collection.Value;
        _logger = logger;
        _types = new(() => new GrainTypeMap(types.Value, CollectionOptions));
        // Filters may themselves ask for the grain factory, so they are made when the first call needs them.
        _incomingFilters = new(() => [.. services.GetServices<IIncomingGrainCallFilter>()]);
        _outgoingFilters = new(() => [.. services.GetServices<IOutgoingGrainCallFilter>()]);
        _ticksPerSecond = scheduler.TimeProvider.TimestampFrequency;
        ResponseTimeout = messaging.Value.ResponseTimeout;
    }

    public IServiceProvider Services { get; }

    public GrainWorkScheduler Scheduler { get; }

    public ITimerRegistry TimerRegistry { get; }

    public GrainCollectionOptions CollectionOptions { get; }

    public OutstandingCalls Outstanding { get; } = new();

    public TimeSpan ResponseTimeout { get; }

    public IIncomingGrainCallFilter[] IncomingFilters => _incomingFilters.Value;

    public IOutgoingGrainCallFilter[] OutgoingFilters => _outgoingFilters.Value;

    public GrainTypeMap Types => _types.Value;

    public string SiloIdentity => "local";

    public IGrainFactory GrainFactory => this;

    public TimeProvider TimeProvider => Scheduler.TimeProvider;

    IServiceProvider IGrainRuntime.ServiceProvider => Services;

    IServiceProvider IClusterClient.ServiceProvider => Services;

    IGrainContext IGrainContextAccessor.GrainContext => RuntimeContext.Current!;

    public IEnumerable<Activation> Activations => _targets.Values.SelectMany(
        target => target switch
        {
            Activation activation => [activation],
            StatelessWorkers workers => workers.Workers,
            _ => Array.Empty<Activation>(),
        });

    public long Now() => Scheduler.TimeProvider.GetTimestamp();

    public long ToTicks(TimeSpan time) => (long)(time.TotalSeconds * _ticksPerSecond);

    /// <summary>Begins to watch time-outs and idle activations.</summary>
    public Task Start()
    {
        _ = Types;
        TimeSpan sweep = TimeSpan.FromSeconds(1);
        if (ResponseTimeout > TimeSpan.Zero && ResponseTimeout < sweep) sweep = ResponseTimeout;
        _timers.Add(Scheduler.CreateTimer(static runtime => ((LocalRuntime)runtime!).SweepTimeouts(), this, sweep, sweep));
        TimeSpan quantum = CollectionOptions.CollectionQuantum;
        _timers.Add(Scheduler.CreateTimer(static runtime => ((LocalRuntime)runtime!).CollectIdle(), this, quantum, quantum));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Deactivates everything and then refuses calls. Grains that say good-bye may call others, which may wake up again; so it goes in rounds.
    /// </summary>
    /// <param name="cancellation">Ends the waiting; what is still active then is abandoned.</param>
    public async Task StopAsync(CancellationToken cancellation)
    {
        using CancellationTokenSource bound = new(CollectionOptions.DeactivationTimeout, Scheduler.TimeProvider);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, bound.Token);
        try
        {
            const int Rounds = 8;
            for (int round = 0; round < Rounds; round++)
            {
                Activation[] living = [.. Activations];
                if (living.Length == 0) break;
                DeactivationReason reason = new(DeactivationReasonCode.ShuttingDown, "The silo stops.");
                foreach (Activation activation in living) activation.Deactivate(reason, either.Token);
                await Task.WhenAll(living.Select(activation => activation.Deactivated)).WaitAsync(either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            LogAbandoned(_logger, string.Join(", ", Activations.Select(a => a.GrainId.ToString()).Order(StringComparer.Ordinal)));
        }
        finally
        {
            Volatile.Write(ref _stopped, true);
            Dispose();
        }
    }

    public void Dispose()
    {
        foreach (ITimer timer in _timers) timer.Dispose();
    }

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey =>
        (TGrainInterface)CreateProxy(
            typeof(TGrainInterface), GrainId.Create(Types.Find(typeof(TGrainInterface), grainClassNamePrefix).GrainType, primaryKey));

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) =>
        (IGrain)CreateProxy(grainInterfaceType, GrainId.Create(Types.Find(grainInterfaceType, null).GrainType, grainPrimaryKey));

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId) where TGrainInterface : IAddressable =>
        (TGrainInterface)CreateProxy(typeof(TGrainInterface), grainId);

    public IAddressable GetGrain(GrainId grainId) => new GrainReference(this, grainId);

    public TGrainObserverInterface CreateObjectReference<TGrainObserverInterface>(IGrainObserver obj) where TGrainObserverInterface : IGrainObserver
    {
        ArgumentNullException.ThrowIfNull(obj);
        if (obj is GrainReference or GrainProxy) throw new ArgumentException("A reference cannot be made into a reference again", nameof(obj));
        if (obj is IGrainBase) throw new ArgumentException($"{obj.GetType()} is a grain; a grain is called through its own reference", nameof(obj));
        if (obj is not TGrainObserverInterface)
        {
            throw new ArgumentException($"{obj.GetType()} does not implement {typeof(TGrainObserverInterface)}", nameof(obj));
        }

        long number = Interlocked.Increment(ref _lastObserver);
        GrainId id = GrainId.Create(ObserverGrainType, number.ToString(CultureInfo.InvariantCulture));
        _targets[id] = new ObserverTarget(this, id, obj);
        return (TGrainObserverInterface)CreateProxy(typeof(TGrainObserverInterface), id);
    }

    public void DeleteObjectReference<TGrainObserverInterface>(IGrainObserver obj) where TGrainObserverInterface : IGrainObserver
    {
        if (obj is not GrainProxy proxy)
        {
            throw new ArgumentException($"{obj?.GetType()} is not a reference that {nameof(CreateObjectReference)} made", nameof(obj));
        }
        if (_targets.TryRemove(proxy.GrainId, out CallTarget? target)) (target as ObserverTarget)?.Delete();
    }

    public object CreateProxy(Type interfaceType, GrainId grainId) => GrainInterface.Of(interfaceType).CreateProxy(this, grainId);

    /// <summary>Where calls of a grain id go now.</summary>
    public CallTarget GetTarget(GrainId grainId)
    {
        if (_targets.TryGetValue(grainId, out CallTarget? target)) return target;
        if (Volatile.Read(ref _stopped)) throw new SiloUnavailableException();
        if (grainId.Type == ObserverGrainType) return new MissingObserver(grainId);
        GrainClass grainClass = Types.Find(grainId.Type)
            ?? throw new ArgumentException($"No grain class of type '{grainId.Type}' is in this silo, asked for {grainId}", nameof(grainId));
        CallTarget made = grainClass.MaxWorkers > 0 ? new StatelessWorkers(this, grainId, grainClass) : CreateActivation(grainId, grainClass, null);
        return _targets.GetOrAdd(grainId, made);
    }

    public Activation CreateActivation(GrainId grainId, GrainClass grainClass, StatelessWorkers? workers) => new(this, grainId, grainClass, workers);

    public void Remove(Activation activation) => _targets.TryRemove(KeyValuePair.Create<GrainId, CallTarget>(activation.GrainId, activation));

    /// <summary>Numbered, not random, so that a simulated run repeats.</summary>
    public ActivationId NewActivationId()
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes[8..], Interlocked.Increment(ref _lastActivation));
        return new ActivationId(new Guid(bytes, bigEndian: true));
    }

    public void DeactivateOnIdle(IGrainContext grainContext) =>
        grainContext.Deactivate(new(DeactivationReasonCode.ApplicationRequested, $"{nameof(DeactivateOnIdle)} was called."));

    public void DelayDeactivation(IGrainContext grainContext, TimeSpan timeSpan) => ((Activation)grainContext).DelayDeactivation(timeSpan);

    public void OnFault(GrainId grainId, Exception fault) => LogFault(_logger, fault, grainId);

    public void OnOneWayFailed(Call call, Exception failure) => LogOneWayFailed(_logger, failure, call.Method.Info.Name, call.Proxy.GrainId);

    public void OnActivationFailed(GrainId grainId, Exception failure) => LogActivationFailed(_logger, failure, grainId);

    public void OnDeactivationFailed(GrainId grainId, Exception failure) => LogDeactivationFailed(_logger, failure, grainId);

    public void OnTimerFailed(GrainId grainId, Exception failure) => LogTimerFailed(_logger, failure, grainId);

    private void SweepTimeouts() => Outstanding.Sweep(Now());

    private void CollectIdle()
    {
        long now = Now();
        foreach (Activation activation in Activations) activation.CollectIfIdle(now);
        foreach (var (id, target) in _targets)
        {
            if (target is ObserverTarget { Instance: null }) _targets.TryRemove(KeyValuePair.Create(id, target));
        }
    }

    [LoggerMessage(LogLevel.Critical, "The runtime failed in a turn of {GrainId}")]
    private static partial void LogFault(ILogger logger, Exception fault, GrainId grainId);

    [LoggerMessage(LogLevel.Error, "One-way call {Method} of {GrainId} failed")]
    private static partial void LogOneWayFailed(ILogger logger, Exception failure, string method, GrainId grainId);

    [LoggerMessage(LogLevel.Error, "{GrainId} could not activate")]
    private static partial void LogActivationFailed(ILogger logger, Exception failure, GrainId grainId);

    [LoggerMessage(LogLevel.Error, "{GrainId} failed while it deactivated")]
    private static partial void LogDeactivationFailed(ILogger logger, Exception failure, GrainId grainId);

    [LoggerMessage(LogLevel.Warning, "A timer callback of {GrainId} failed")]
    private static partial void LogTimerFailed(ILogger logger, Exception failure, GrainId grainId);

    [LoggerMessage(LogLevel.Warning, "The silo stops without waiting longer for {GrainIds}")]
    private static partial void LogAbandoned(ILogger logger, string grainIds);
}
