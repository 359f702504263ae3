using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;
using Orleans.Runtime;

namespace HybridTrading.Grains.Tests;

/// <summary>State that an earlier program has written, in the shape that it had then; and what that program makes of state written now.</summary>
public sealed class GrainStateVersionTests
{
    private static readonly GrainId Grain = GrainId.Create("feed", "feed");

    /// <summary>Before past data could be played.</summary>
    private sealed record FeedStateBefore(long Position, DateTime Time, SimulationState? Simulation);

    /// <summary>Before bars were counted and strategies could be rules.</summary>
    private sealed record FeaturesStateBefore(ImmutableArray<ShardEntryBefore> Shards, long Position);

    private sealed record ShardEntryBefore(int Number, ImmutableSortedDictionary<string, ShardMemberBefore> Members);

    private sealed record ShardMemberBefore(string Strategy, string Definition, ImmutableSortedDictionary<string, decimal> Parameters, StateBefore State);

    private sealed record StateBefore(Stance Stance, long Decisions, long LastPosition, long EntryPoints, DateTime Since);

    [Fact]
    public async Task A_feed_goes_on_from_state_without_a_recording()
    {
        await using TestWorld world = TestWorld.Create();
        SimulationState simulation = new SimulatedMarket(7, world.Now).Capture();
        FeedState read = await TurnAsync<FeedStateBefore, FeedState>(world, new(41, world.Now, simulation));
        Assert.Equal((41L, world.Now, (RecordingState?)null), (read.Position, read.Time, read.Recording));
        Assert.Equal(simulation.Instruments.ToArray(), read.Simulation!.Instruments.ToArray());
    }

    [Fact]
    public async Task Features_go_on_from_state_without_bar_numbers_and_rules()
    {
        await using TestWorld world = TestWorld.Create();
        var member = new ShardMemberBefore("acme/ann/cross", "sma-cross", ImmutableSortedDictionary<string, decimal>.Empty.Add("fast", 3),
            new StateBefore(Stance.Long, 5, 17, 110_000, world.Now));
        var members = ImmutableSortedDictionary.Create<string, ShardMemberBefore>(StringComparer.Ordinal).Add(member.Strategy, member);
        FeaturesState read = await TurnAsync<FeaturesStateBefore, FeaturesState>(world, new([new ShardEntryBefore(0, members)], 17));
        ShardMember now = Assert.Single(Assert.Single(read.Shards).Members).Value;
        Assert.Equal(("sma-cross", 3m, Stance.Long, 17L, 5L), (now.Definition, now.Parameters["fast"], now.State.Stance, now.State.LastPosition, now.State.Decisions));
        Assert.True(string.IsNullOrEmpty(now.Rule));
        Assert.NotNull(now.Make());
    }

    [Fact]
    public async Task An_earlier_program_reads_what_it_knows_of_state_written_now()
    {
        await using TestWorld world = TestWorld.Create();
        FeedStateBefore read = await TurnAsync<FeedState, FeedStateBefore>(
            world, new FeedState { Position = 9, Time = world.Now, Recording = new RecordingState("EURUSD tick", 3, true, null) });
        Assert.Equal(new FeedStateBefore(9, world.Now, null), read);
    }

    private static async Task<TRead> TurnAsync<TWritten, TRead>(TestWorld world, TWritten written)
    {
        await world.GrainStorage.WriteStateAsync("state", Grain, new GrainState<TWritten> { State = written });
        GrainState<TRead> read = new();
        await world.GrainStorage.ReadStateAsync("state", Grain, read);
        Assert.True(read.RecordExists);
        return read.State!;
    }
}
