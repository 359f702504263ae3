using System.Collections.Immutable;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace HybridTrading.Storage.Tests.Sqlite;

public sealed class SqliteGrainStorageTests
{
    public sealed record Profile
    {
        public string Name { get; init; } = "";
        public decimal Balance { get; init; }
        public ImmutableArray<string> Symbols { get; init; } = [];
    }

    [Fact]
    public async Task State_survives_a_restart_and_each_name_and_grain_has_its_own()
    {
        using var folder = new TemporaryFolder();
        GrainId ann = GrainId.Create("user", "acme/ann");
        using (SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]))
        {
            IGrainStorage storage = new SqliteGrainStorage(database);
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
        }
        using SqliteDatabase again = SqliteDatabase.Open(folder["state.db"]);
        IGrainStorage reopened = new SqliteGrainStorage(again);
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
        using var folder = new TemporaryFolder();
        using SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]);
        IGrainStorage storage = new SqliteGrainStorage(database);
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
        using var folder = new TemporaryFolder();
        using SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]);
        IGrainStorage storage = new SqliteGrainStorage(database);
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
}
