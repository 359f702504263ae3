using System.Collections.Immutable;
using System.Reflection;
using HybridTrading.Grains.Messages;
using Orleans;

namespace HybridTrading.Grains.Tests.Messages;

public sealed class Mutable
{
    public int Value { get; set; }
}

[GenerateSerializer, Immutable, Alias("test.careless")]
public sealed record Careless(
    object Anything, int[] Numbers, List<string> Names, Dictionary<string, int> Table, Mutable Thing, IReadOnlyList<int> Behind)
{
    public int Late { get; set; }

    public string Forgotten { get; init; } = "";

    [Id(50)]
    public CancellationToken Token { get; init; }
}

public sealed record Unmarked(int Value);

[GenerateSerializer, Immutable]
public sealed record WithoutAlias(int Value);

[GenerateSerializer, Immutable, Alias("test.open")]
public record Unsealed(int Value);

[GenerateSerializer, Immutable, Alias("test.empty")]
public abstract record EmptyUnion;

[GenerateSerializer, Immutable, Alias("test.loose")]
public abstract record LooseUnion;

[GenerateSerializer, Immutable, Alias("test.loose.case")]
public record LooseCase(HashSet<int> Set) : LooseUnion;

[GenerateSerializer, Immutable, Alias("test.loose.hidden")]
public sealed record HiddenCase(HashSet<int> Set) : LooseUnion;

[GenerateSerializer, Immutable, Alias("test.leg")]
public sealed record SameAlias(int Value);

[GenerateSerializer, Immutable, Alias("test.struct")]
public record struct MutableStruct(int Value);

public interface IBadGrain : IGrainWithStringKey
{
    Task<Careless> Everything();

    Task Marks(Unmarked unmarked, WithoutAlias withoutAlias, Unsealed unsealed);

    Task Unions(EmptyUnion empty, LooseUnion loose);

    Task Aliases(Leg leg, SameAlias same);

    Task Shapes((int A, int B) tuple, Action action, MutableStruct structure, nint pointer);

    Task<T> Open<T>(T value);

    int Now();

    IAsyncEnumerable<int> Flow();

    Task<ImmutableArray<int[]>> Nested();

    [Alias("Twice")]
    Task Once();

    [Alias("Twice")]
    Task Again();
}

/// <summary>
/// Interfaces that must not be. Genuine Orleans does not compile some of them, and a silo of it does not start where the others are, so this file
/// belongs to the Local build; the check itself is the same on both hosts.
/// </summary>
public sealed class MessageFaultTests
{
    [Theory]
    [InlineData("Careless.Anything: type is Object: anything could be in it")]
    [InlineData("Careless.Numbers: type is Int32[]: an array can be changed by both sides; use ImmutableArray<Int32>")]
    [InlineData("Careless.Names: type is List<String>: a list can be changed by both sides; use ImmutableArray<String>")]
    [InlineData("Careless.Table: type is Dictionary<String, Int32>: a dictionary")]
    [InlineData("Careless.Thing: type is Mutable: expected a simple value")]
    [InlineData("Careless.Behind: type is IReadOnlyList<Int32>: anything could be behind it")]
    [InlineData("Careless.Late: can be set after construction")]
    [InlineData("Careless.Late: is neither a primary constructor parameter nor has [Id]")]
    [InlineData("Careless.Forgotten: is neither a primary constructor parameter nor has [Id]")]
    [InlineData("Careless.Token: type is CancellationToken: a token travels only as a parameter")]
    [InlineData("Unmarked: is not marked [GenerateSerializer, Immutable, Alias]")]
    [InlineData("WithoutAlias: is not marked [Alias]")]
    [InlineData("Unsealed: a record that travels is sealed, or abstract with sealed cases")]
    [InlineData("EmptyUnion: an abstract record without a case")]
    [InlineData("LooseCase: a case of LooseUnion must be sealed")]
    [InlineData("HiddenCase.Set: type is HashSet<Int32>: a set can be changed by both sides")]
    [InlineData("SameAlias: has the alias 'test.leg' of Leg")]
    [InlineData("IBadGrain.Shapes: parameter tuple is ValueTuple<Int32, Int32>: a tuple has no names")]
    [InlineData("IBadGrain.Shapes: parameter action is Action: code cannot travel")]
    [InlineData("IBadGrain.Shapes: parameter structure is MutableStruct: expected a simple value")]
    [InlineData("IBadGrain.Shapes: parameter pointer is IntPtr: expected a simple value")]
    [InlineData("IBadGrain.Open: parameter value is T: an open type")]
    [InlineData("IBadGrain.Open: result is T: an open type")]
    [InlineData("IBadGrain.Now: returns Int32, expected Task")]
    [InlineData("IBadGrain.Flow: returns IAsyncEnumerable<Int32>, expected Task")]
    [InlineData("IBadGrain.Nested: result is Int32[]: an array")]
    [InlineData("IBadGrain.Again: has the alias 'Twice' of another method")]
    public void Every_fault_is_named(string fault) =>
        Assert.Contains(MessageCheck.FindFaults([typeof(IBadGrain)]), found => found.StartsWith(fault, StringComparison.Ordinal));

    [Fact]
    public void Nothing_else_is_refused() => Assert.Equal(27, MessageCheck.FindFaults([typeof(IBadGrain)]).Length);

    [Fact]
    public void A_run_throws_all_faults_at_once()
    {
        MessageCheckException refused = Assert.Throws<MessageCheckException>(() => MessageCheck.Run(Assembly.GetExecutingAssembly()));
        Assert.Equal(MessageCheck.FindFaults([typeof(IBadGrain)]), refused.Faults);
        Assert.All(refused.Faults, fault => Assert.Contains(fault, refused.Message));
    }
}
