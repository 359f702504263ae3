using System.Collections.Immutable;
using HybridTrading.Grains.Messages;
using Orleans;
using Orleans.Runtime;

namespace HybridTrading.Grains.Tests.Messages;

public enum Side
{
    Buy,
    Sell,
}

[GenerateSerializer, Immutable, Alias("test.leg")]
public readonly record struct Leg(string Symbol, decimal Volume);

[GenerateSerializer, Immutable, Alias("test.order")]
public sealed record Order(
    Guid Id, Side Side, Leg First, Leg? Second, ImmutableArray<Leg> Legs, ImmutableDictionary<string, Order?> Linked, DateTime Time, TimeSpan? Expiry)
{
    [Id(100)]
    public ImmutableList<ImmutableHashSet<long>> Marks { get; init; } = [];

    /// <summary>Computed, so it holds nothing.</summary>
    public int Count => Legs.Length;
}

[GenerateSerializer, Immutable, Alias("test.outcome")]
public abstract record Outcome(string Account);

[GenerateSerializer, Immutable, Alias("test.accepted")]
public sealed record Accepted(string Account, long Position) : Outcome(Account);

[GenerateSerializer, Immutable, Alias("test.denied")]
public sealed record Denied(string Account, Side Reason) : Outcome(Account);

[GenerateSerializer, Immutable, Alias("test.page")]
public sealed record Page<T>(ImmutableArray<T> Items, int Total);

public interface IGoodObserver : IGrainObserver
{
    void On(Order order);
}

public interface IGoodGrain : IGrainWithStringKey
{
    Task<Outcome> Submit(Order order, CancellationToken cancellation);

    ValueTask<Page<Order>> List(DateOnly from, TimeOnly at, DateTimeOffset to, char code, double ratio);

    Task Follow(IGoodObserver observer, IGoodGrain other, GrainId grain);

    ValueTask Nothing();

    Task<ImmutableDictionary<Guid, ImmutableArray<decimal>>?> Table(int? number, Leg? leg);
}

public sealed class MessageCheckTests
{
    [Fact]
    public void What_cannot_change_may_travel() => Assert.Empty(MessageCheck.FindFaults([typeof(IGoodGrain), typeof(IGoodObserver)]));

    [Fact]
    public void The_grains_of_this_system_pass() => MessageCheck.Run(typeof(MessageCheck).Assembly);
}
