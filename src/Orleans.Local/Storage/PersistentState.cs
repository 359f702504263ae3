using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Providers;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Local;

/// <summary>State of one grain under one name, read when the grain activates.</summary>
internal sealed class PersistentState<TState> : IPersistentState<TState>, ILifecycleObserver
{
    private readonly string _name;
    private readonly GrainId _grainId;
    private readonly IGrainStorage _storage;
    private GrainState<TState> _state = Empty();

    public PersistentState(Activation activation, string name, string? storageName)
    {
        _name = name;
        _grainId = activation.GrainId;
        storageName ??= ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME;
        _storage = activation.ActivationServices.GetKeyedService<IGrainStorage>(storageName)
            ?? throw new BadProviderConfigException(
                $"{activation.GrainClass.Type} keeps '{name}' in storage provider '{storageName}', which is not registered");
        activation.ObservableLifecycle.Subscribe(name, GrainLifecycleStage.SetupState, this);
    }

    public TState State
    {
        get => _state.State!;
        set => _state.State = value;
    }

    public string? Etag => _state.ETag;

    public bool RecordExists => _state.RecordExists;

    public Task ReadStateAsync() => ReadStateAsync(CancellationToken.None);

    public Task WriteStateAsync() => WriteStateAsync(CancellationToken.None);

    public Task ClearStateAsync() => ClearStateAsync(CancellationToken.None);

    public async Task ReadStateAsync(CancellationToken cancellationToken)
    {
        GrainState<TState> read = new();
        await _storage.ReadStateAsync(_name, _grainId, read, cancellationToken);
        if (!read.RecordExists || read.State is null) read.State = NewState();
        _state = read;
    }

    public Task WriteStateAsync(CancellationToken cancellationToken) => _storage.WriteStateAsync(_name, _grainId, _state, cancellationToken);

    public async Task ClearStateAsync(CancellationToken cancellationToken)
    {
        await _storage.ClearStateAsync(_name, _grainId, _state, cancellationToken);
        _state.State = NewState();
        _state.RecordExists = false;
    }

    public Task OnStart(CancellationToken cancellationToken = default) => ReadStateAsync(cancellationToken);

    public Task OnStop(CancellationToken cancellationToken = default) => Task.CompletedTask;

    private static GrainState<TState> Empty() => new(NewState());

    private static TState NewState()
    {
        Type type = typeof(TState);
        if (type.IsValueType || type == typeof(string)) return default!;
        return type.GetConstructor(Type.EmptyTypes) is not null
            ? Activator.CreateInstance<TState>()
            : (TState)RuntimeHelpers.GetUninitializedObject(type);
    }
}
