using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Streams;

namespace Orleans.Local;

/// <summary>
/// Streams in memory. Publishing completes when every subscription has taken the item into its queue; a full queue (1024 items) makes the
/// publisher wait. A failing observer gets the failure in OnErrorAsync and then the next item: nothing is delivered twice.
/// </summary>
internal sealed partial class MemoryStreamProvider(string name, LocalRuntime runtime, ILogger<MemoryStreamProvider> logger) : IStreamProvider
{
    private readonly ConcurrentDictionary<StreamId, MemoryStream> _streams = new();
    private long _lastSubscription;

    public string Name => name;

    public bool IsRewindable => false;

    public LocalRuntime Runtime => runtime;

    public IAsyncStream<T> GetStream<T>(StreamId streamId) =>
        _streams.GetOrAdd(streamId, static (id, provider) => new MemoryStream<T>(provider, id), this) as MemoryStream<T>
        ?? throw new ArgumentException(
            $"Stream {streamId} of provider '{name}' carries {_streams[streamId].ItemType}, not {typeof(T)}", nameof(streamId));

    /// <summary>Numbered, not random, so that a simulated run repeats.</summary>
    public Guid NewSubscriptionId()
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes[8..], Interlocked.Increment(ref _lastSubscription));
        return new Guid(bytes, bigEndian: true);
    }

    public void OnObserverFailed(StreamId stream, Exception failure) => LogObserverFailed(logger, failure, stream);

    public void OnDropped(StreamId stream, GrainId consumer) => LogDropped(logger, stream, consumer);

    [LoggerMessage(LogLevel.Warning, "An observer of stream {Stream} failed")]
    private static partial void LogObserverFailed(ILogger logger, Exception failure, StreamId stream);

    [LoggerMessage(LogLevel.Debug, "An item of stream {Stream} is dropped: this activation of {Consumer} did not resume its subscription")]
    private static partial void LogDropped(ILogger logger, StreamId stream, GrainId consumer);
}

internal abstract class MemoryStream
{
    public abstract Type ItemType { get; }
}

internal sealed class MemoryStream<T>(MemoryStreamProvider provider, StreamId id) : MemoryStream, IAsyncStream<T>
{
    private readonly Lock _lock = new();
    private ImmutableArray<Subscription<T>> _subscriptions = [];
    private long _lastNumber = -1;

    public MemoryStreamProvider Provider => provider;

    public override Type ItemType => typeof(T);

    public bool IsRewindable => false;

    public string ProviderName => provider.Name;

    public StreamId StreamId => id;

    public Task OnNextAsync(T item, StreamSequenceToken? token = null) => Publish(new Item<T>(ItemKind.Next, item, null));

    public Task OnCompletedAsync() => Publish(new Item<T>(ItemKind.Completed, default, null));

    public Task OnErrorAsync(Exception ex)
    {
        ArgumentNullException.ThrowIfNull(ex);
        return Publish(new Item<T>(ItemKind.Error, default, ex));
    }

    public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncObserver<T> observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        Subscription<T> subscription = new(this, provider.NewSubscriptionId(), RuntimeContext.Current as Activation);
        subscription.Attach(observer);
        lock (_lock) _subscriptions = _subscriptions.Add(subscription);
        return Task.FromResult<StreamSubscriptionHandle<T>>(subscription);
    }

    public Task<IList<StreamSubscriptionHandle<T>>> GetAllSubscriptionHandles()
    {
        GrainId? caller = RuntimeContext.Current?.GrainId;
        lock (_lock) return Task.FromResult<IList<StreamSubscriptionHandle<T>>>([.. _subscriptions.Where(s => s.Consumer == caller)]);
    }

    public void Remove(Subscription<T> subscription)
    {
        lock (_lock) _subscriptions = _subscriptions.Remove(subscription);
    }

    public bool Contains(Subscription<T> subscription)
    {
        lock (_lock) return _subscriptions.Contains(subscription);
    }

    public bool Equals(IAsyncStream<T>? other) => other is not null && StreamId == other.StreamId && ProviderName == other.ProviderName;

    public override bool Equals(object? obj) => Equals(obj as IAsyncStream<T>);

    public override int GetHashCode() => StreamId.GetHashCode();

    private Task Publish(Item<T> item)
    {
        List<Task>? full = null;
        // Numbering and queueing under one lock, so that every subscription sees the same order.
        lock (_lock)
        {
            item = item with { Token = new SequenceToken(++_lastNumber) };
            foreach (Subscription<T> subscription in _subscriptions)
            {
                Task taken = subscription.Enqueue(item);
                if (!taken.IsCompleted) (full ??= []).Add(taken);
            }
        }
        return full is null ? Task.CompletedTask : Task.WhenAll(full);
    }
}

internal enum ItemKind
{
    Next,
    Completed,
    Error,
}

internal readonly record struct Item<T>(ItemKind Kind, T? Value, Exception? Error)
{
    public StreamSequenceToken? Token { get; init; }
}

internal sealed class SequenceToken(long number) : StreamSequenceToken
{
    public override long SequenceNumber { get; protected set; } = number;

    public override int EventIndex { get; protected set; }

    public override bool Equals(StreamSequenceToken? other) => CompareTo(other) == 0;

    public override bool Equals(object? obj) => obj is StreamSequenceToken other && Equals(other);

    public override int GetHashCode() => SequenceNumber.GetHashCode();

    public override int CompareTo(StreamSequenceToken? other)
    {
        if (other is null) return 1;
        int byNumber = SequenceNumber.CompareTo(other.SequenceNumber);
        return byNumber != 0 ? byNumber : EventIndex.CompareTo(other.EventIndex);
    }

    public override string ToString() => $"{SequenceNumber}:{EventIndex}";
}

/// <summary>A subscription and its handle: a queue that delivers one item at a time.</summary>
internal sealed class Subscription<T> : StreamSubscriptionHandle<T>
{
    private const int Bound = 1024;

    private readonly MemoryStream<T> _stream;
    private readonly ClientConsumer? _client;
    private readonly Lock _lock = new();
    private readonly Queue<Item<T>> _items = [];
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private bool _delivering;
    private bool _ended;

    public Subscription(MemoryStream<T> stream, Guid id, Activation? consumer)
    {
        _stream = stream;
        HandleId = id;
        Consumer = consumer?.GrainId;
        if (consumer is null) _client = new ClientConsumer(stream.Provider.Runtime, GrainId.Create("subscriber", id.ToString("N")));
    }

    /// <summary>Null for code outside of grains.</summary>
    public GrainId? Consumer { get; }

    public override StreamId StreamId => _stream.StreamId;

    public override string ProviderName => _stream.ProviderName;

    public override Guid HandleId { get; }

    public override Task UnsubscribeAsync()
    {
        _stream.Remove(this);
        TaskCompletionSource[] waiting;
        lock (_lock)
        {
            _ended = true;
            _items.Clear();
            waiting = [.. _waiting];
            _waiting.Clear();
        }
        foreach (TaskCompletionSource publisher in waiting) publisher.TrySetResult();
        if (RuntimeContext.Current is Activation activation && activation.GrainId == Consumer) activation.Components.Remove(this);
        return Task.CompletedTask;
    }

    public override Task<StreamSubscriptionHandle<T>> ResumeAsync(IAsyncObserver<T> observer, StreamSequenceToken? token = null)
    {
        ArgumentNullException.ThrowIfNull(observer);
        if (token is not null)
        {
            throw new NotSupportedException($"Stream provider '{ProviderName}' keeps no items, so a subscription cannot resume at {token}");
        }
        if (!_stream.Contains(this)) throw new InvalidOperationException($"The subscription of stream {StreamId} has ended");
        if (RuntimeContext.Current?.GrainId != Consumer)
        {
            throw new InvalidOperationException(
                $"The subscription of stream {StreamId} belongs to {Consumer?.ToString() ?? "a client"} and is resumed there");
        }
        Attach(observer);
        return Task.FromResult<StreamSubscriptionHandle<T>>(this);
    }

    public void Attach(IAsyncObserver<T> observer)
    {
        if (_client is not null) _client.Observer = observer;
        else ((Activation)RuntimeContext.Current!).Components[this] = observer;
    }

    /// <returns>Completes when the item is inside the bound of the queue.</returns>
    public Task Enqueue(Item<T> item)
    {
        lock (_lock)
        {
            if (_ended) return Task.CompletedTask;
            _items.Enqueue(item);
            Task taken = Task.CompletedTask;
            if (_items.Count > Bound)
            {
                TaskCompletionSource publisher = new(_stream.Provider.Runtime.Scheduler.CompletionOptions);
                _waiting.Enqueue(publisher);
                taken = publisher.Task;
            }
            if (!_delivering)
            {
                _delivering = true;
                Send(new Delivery(this, _items.Dequeue()));
            }
            return taken;
        }
    }

    public override bool Equals(StreamSubscriptionHandle<T>? other) => ReferenceEquals(this, other);

    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => HandleId.GetHashCode();

    private void Send(Delivery delivery)
    {
        try
        {
            (_client ?? _stream.Provider.Runtime.GetTarget(Consumer!.Value)).Receive(delivery);
        }
        catch (SiloUnavailableException)
        {
            // The silo stops; nobody takes items any more.
        }
    }

    private void DeliverNext()
    {
        lock (_lock)
        {
            if (!_items.TryDequeue(out Item<T> item))
            {
                _delivering = false;
                return;
            }
            if (_waiting.TryDequeue(out TaskCompletionSource? publisher)) publisher.TrySetResult();
            Send(new Delivery(this, item));
        }
    }

    private IAsyncObserver<T>? ObserverIn(TurnTarget target) =>
        target is Activation activation
            ? activation.Components.GetValueOrDefault(this) as IAsyncObserver<T>
            : _client!.Observer;

    /// <summary>The turns in which a subscriber outside of grains gets its items.</summary>
    private sealed class ClientConsumer(LocalRuntime runtime, GrainId id) : TurnTarget(runtime, id)
    {
        public volatile IAsyncObserver<T>? Observer;

        public override object? Instance => Observer;

        public override bool IsGone => false;
    }

    private sealed class Delivery(Subscription<T> subscription, Item<T> item) : Request
    {
        public override Task Invoke(TurnTarget target)
        {
            CallFrame.Current = null;
            if (subscription._ended) return Task.CompletedTask;
            if (subscription.ObserverIn(target) is { } observer) return Deliver(observer);
            subscription._stream.Provider.OnDropped(subscription.StreamId, target.GrainId);
            return Task.CompletedTask;
        }

        public override void OnCompleted(TurnTarget target, Task outcome)
        {
            if (!outcome.IsCompletedSuccessfully) subscription._stream.Provider.OnObserverFailed(subscription.StreamId, Call.FailureOf(outcome));
            subscription.DeliverNext();
        }

        public override void Refuse(Exception reason)
        {
            subscription._stream.Provider.OnObserverFailed(subscription.StreamId, reason);
            subscription.DeliverNext();
        }

        public override void Redirect(LocalRuntime runtime) => subscription.Send(this);

        private async Task Deliver(IAsyncObserver<T> observer)
        {
            switch (item.Kind)
            {
                case ItemKind.Completed:
                    await observer.OnCompletedAsync();
                    break;
                case ItemKind.Error:
                    await observer.OnErrorAsync(item.Error!);
                    break;
                default:
                    try
                    {
                        await observer.OnNextAsync(item.Value!, item.Token);
                    }
                    catch (Exception failure)
                    {
                        subscription._stream.Provider.OnObserverFailed(subscription.StreamId, failure);
                        await observer.OnErrorAsync(failure);
                    }
                    break;
            }
        }
    }
}
