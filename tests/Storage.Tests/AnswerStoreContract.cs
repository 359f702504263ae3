using System.Collections.Immutable;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Storage.Tests.Postgres;

namespace HybridTrading.Storage.Tests;

/// <summary>What every store of answers keeps.</summary>
public abstract class AnswerStoreContract
{
    private static readonly TimeSpan Retention = TimeSpan.FromDays(7);

    private readonly ManualTime _time = new();

    [Fact]
    public async Task An_answer_comes_back_as_it_was_in_another_process_too()
    {
        (Func<TimeProvider, TimeSpan, IAnswerStore> open, Func<ValueTask> dispose) = await PlaceAsync();
        StoredAnswer answer = Answer(201, "{\"order\":1}"u8.ToArray());
        await open(_time, Retention).StoreAsync("ann POST /orders key-1", answer);
        IAnswerStore other = open(_time, Retention);
        StoredAnswer found = Assert.IsType<StoredAnswer>(await other.FindAsync("ann POST /orders key-1"));
        Assert.Equal((answer.Status, answer.BodyHash, answer.Body), (found.Status, found.BodyHash, found.Body), new ByContent());
        Assert.Equal(answer.Headers.OrderBy(pair => pair.Key), found.Headers.OrderBy(pair => pair.Key));
        Assert.Null(await other.FindAsync("bob POST /orders key-1"));
        await dispose();
    }

    [Fact]
    public async Task A_later_answer_takes_the_place_of_an_earlier_one()
    {
        (Func<TimeProvider, TimeSpan, IAnswerStore> open, Func<ValueTask> dispose) = await PlaceAsync();
        IAnswerStore store = open(_time, Retention);
        await store.StoreAsync("scope", Answer(201, [1]));
        await store.StoreAsync("scope", Answer(422, [2]));
        Assert.Equal(422, (await store.FindAsync("scope"))!.Status);
        await dispose();
    }

    [Fact]
    public async Task Only_what_is_older_than_the_retention_is_dropped()
    {
        (Func<TimeProvider, TimeSpan, IAnswerStore> open, Func<ValueTask> dispose) = await PlaceAsync();
        await open(_time, Retention).StoreAsync("old", Answer(201, [1]));
        _time.Advance(Retention - TimeSpan.FromHours(1));
        await open(_time, Retention).StoreAsync("young", Answer(201, [2]));
        _time.Advance(TimeSpan.FromHours(2));
        // A store that was just opened sweeps with its first answer.
        IAnswerStore store = open(_time, Retention);
        await store.StoreAsync("new", Answer(201, [3]));
        Assert.Null(await store.FindAsync("old"));
        Assert.NotNull(await store.FindAsync("young"));
        Assert.NotNull(await store.FindAsync("new"));
        await dispose();
    }

    [Fact]
    public async Task Of_an_erased_person_no_answer_is_kept_by_them_or_about_them()
    {
        (Func<TimeProvider, TimeSpan, IAnswerStore> open, Func<ValueTask> dispose) = await PlaceAsync();
        IAnswerStore store = open(_time, Retention);
        await store.StoreAsync("acme/ann POST /orders 1", Answer(201, [1]));
        await store.StoreAsync("acme/anna POST /orders 1", Answer(201, [2]));
        await store.StoreAsync("acme/bob POST /members 1", Answer(201, "{\"email\":\"ann@example.org\"}"u8.ToArray()));
        await store.StoreAsync("acme/bob POST /members 2", Answer(201, "{\"email\":\"anna@example.org\"}"u8.ToArray()));
        await store.ForgetAsync(["acme/ann"], ["ann@example.org"u8.ToArray()]);
        Assert.Null(await store.FindAsync("acme/ann POST /orders 1"));
        Assert.NotNull(await store.FindAsync("acme/anna POST /orders 1"));
        Assert.Null(await store.FindAsync("acme/bob POST /members 1"));
        Assert.NotNull(await store.FindAsync("acme/bob POST /members 2"));
        await dispose();
    }

    protected abstract Task<(Func<TimeProvider, TimeSpan, IAnswerStore> Open, Func<ValueTask> Dispose)> PlaceAsync();

    private static StoredAnswer Answer(int status, byte[] body) => new(
        [.. Enumerable.Range(0, 32).Select(number => (byte)number)], status,
        ImmutableDictionary<string, string>.Empty.Add("Content-Type", "application/json").Add("Location", "/api/v1/orders/\u00e9"), body);

    private sealed class ByContent : IEqualityComparer<(int Status, byte[] Hash, byte[] Body)>
    {
        public bool Equals((int Status, byte[] Hash, byte[] Body) one, (int Status, byte[] Hash, byte[] Body) other) =>
            one.Status == other.Status && one.Hash.AsSpan().SequenceEqual(other.Hash) && one.Body.AsSpan().SequenceEqual(other.Body);

        public int GetHashCode((int Status, byte[] Hash, byte[] Body) one) => one.Status;
    }
}

public sealed class SqliteAnswerStoreTests : AnswerStoreContract
{
    protected override Task<(Func<TimeProvider, TimeSpan, IAnswerStore> Open, Func<ValueTask> Dispose)> PlaceAsync()
    {
        var folder = new TemporaryFolder();
        SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]);
        return Task.FromResult<(Func<TimeProvider, TimeSpan, IAnswerStore>, Func<ValueTask>)>((
            (time, retention) => new SqliteAnswerStore(database, retention, time),
            () =>
            {
                database.Dispose();
                folder.Dispose();
                return ValueTask.CompletedTask;
            }
        ));
    }
}

public sealed class PostgresAnswerStoreTests(PostgresFixture postgres) : AnswerStoreContract
{
    protected override async Task<(Func<TimeProvider, TimeSpan, IAnswerStore> Open, Func<ValueTask> Dispose)> PlaceAsync()
    {
        PostgresDatabase database = PostgresDatabase.Create(await postgres.DatabaseAsync());
        return ((time, retention) => new PostgresAnswerStore(database, retention, time), database.DisposeAsync);
    }
}
