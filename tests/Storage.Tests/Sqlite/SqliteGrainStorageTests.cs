using System.Collections.Immutable;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace HybridTrading.Storage.Tests.Sqlite;

/// <summary>Where a kind of grain storage keeps states: opened as often as a process starts.</summary>
public abstract class GrainStorageHome : IAsyncDisposable
{
    public abstract IGrainStorage Open();

    public abstract ValueTask DisposeAsync();
}

/// <summary>What every grain storage does.</summary>
public abstract class GrainStorageContract
{
    protected abstract Task<GrainStorageHome> HomeAsync();

    public sealed record Profile
    {
        public string Name { get; init; } = "";
        public decimal Balance { get; init; }
        public ImmutableArray<string> Symbols { get; init; } = [];
    }

    [Fact]
    public async Task State_survives_a_restart_and_each_name_and_grain_has_its_own()
    {
        await using GrainStorageHome home = await HomeAsync();
        GrainId ann = GrainId.Create("user", "acme/ann");
        IGrainStorage storage = home.Open();
        var state = new GrainState<Profile>();
        await storage.ReadStateAsync("profile", ann, state);
        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Equal("", state.State!.Name);
        state.State = new Profile { Name = "Ann", Balance = 12.3400m, Symbols = ["EURUSD", "XAUUSD"] };
        await storage.WriteStateAsync("profile", ann, state);
        Assert.True(state.RecordExists);
        string? first = state.ETag;
        await storage.WriteStateAsync("profile", ann, state);
        Assert.NotEqual(first, state.ETag);
        IGrainStorage reopened = home.Open();
        var read = new GrainState<Profile>();
        await reopened.ReadStateAsync("profile", ann, read);
        Assert.True(read.RecordExists);
        Assert.Equal(("Ann", 12.3400m, 2), (read.State!.Name, read.State.Balance, read.State.Symbols.Length));
        (string, GrainId)[] others =
            [("other", ann), ("profile", GrainId.Create("user", "acme/bob")), ("profile", GrainId.Create("tenant", "acme/ann"))];
        foreach ((string name, GrainId grain) in others)
        {
            var none = new GrainState<Profile>();
            await reopened.ReadStateAsync(name, grain, none);
            Assert.False(none.RecordExists);
        }
    }

    [Fact]
    public async Task A_stale_etag_writes_and_clears_nothing_even_after_a_clear()
    {
        await using GrainStorageHome home = await HomeAsync();
        IGrainStorage storage = home.Open();
        GrainId ann = GrainId.Create("user", "acme/ann");
        var mine = new GrainState<Profile>(new Profile { Name = "first" });
        await storage.WriteStateAsync("profile", ann, mine);
        var stale = new GrainState<Profile>(new Profile { Name = "stale" }, mine.ETag);
        mine.State = new Profile { Name = "second" };
        await storage.WriteStateAsync("profile", ann, mine);

        InconsistentStateException conflict = await Assert.ThrowsAsync<InconsistentStateException>(
            () => storage.WriteStateAsync("profile", ann, stale));
        Assert.Equal((mine.ETag, stale.ETag), (conflict.StoredEtag, conflict.CurrentEtag));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("profile", ann, stale));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("profile", ann, new GrainState<Profile>(new Profile())));

        string? cleared = mine.ETag;
        await storage.ClearStateAsync("profile", ann, mine);
        Assert.Equal((null, false, ""), (mine.ETag, mine.RecordExists, mine.State!.Name));
        await storage.WriteStateAsync("profile", ann, mine);
        await Assert.ThrowsAsync<InconsistentStateException>(
            () => storage.WriteStateAsync("profile", ann, new GrainState<Profile>(new Profile { Name = "ghost" }, cleared)));
        var read = new GrainState<Profile>();
        await storage.ReadStateAsync("profile", ann, read);
        Assert.Equal("", read.State!.Name);
    }

    [Fact]
    public async Task Of_many_writers_with_one_etag_exactly_one_wins()
    {
        await using GrainStorageHome home = await HomeAsync();
        IGrainStorage storage = home.Open();
        GrainId ann = GrainId.Create("user", "acme/ann");
        bool[] won = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            try
            {
                await storage.WriteStateAsync("profile", ann, new GrainState<Profile>(new Profile { Name = "writer " + i }));
                return true;
            }
            catch (InconsistentStateException)
            {
                return false;
            }
        })));
        Assert.Single(won, one => one);
    }

    public sealed record OlderProfile
    {
        public string Name { get; init; } = "";
        public int Forgotten { get; init; }
    }

    [Fact]
    public async Task State_that_was_written_by_an_earlier_shape_is_read_and_new_fields_have_their_defaults()
    {
        await using GrainStorageHome home = await HomeAsync();
        GrainId ann = GrainId.Create("user", "acme/ann");
        await home.Open().WriteStateAsync("profile", ann, new GrainState<OlderProfile>(new OlderProfile { Name = "Ann", Forgotten = 7 }));
        var read = new GrainState<Profile>();
        await home.Open().ReadStateAsync("profile", ann, read);
        Assert.Equal(("Ann", 0m, 0), (read.State!.Name, read.State.Balance, read.State.Symbols.Length));
    }
}

public sealed class SqliteGrainStorageTests : GrainStorageContract
{
    protected override Task<GrainStorageHome> HomeAsync() => Task.FromResult<GrainStorageHome>(new Home());

    private sealed class Home : GrainStorageHome
    {
        private readonly TemporaryFolder _folder = new();
        private SqliteDatabase? _database;

        public override IGrainStorage Open()
        {
            _database?.Dispose();
            return new SqliteGrainStorage(_database = SqliteDatabase.Open(_folder["state.db"]));
        }

        public override ValueTask DisposeAsync()
        {
            _database?.Dispose();
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
