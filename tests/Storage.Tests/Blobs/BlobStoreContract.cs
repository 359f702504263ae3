using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Tests.Postgres;
using HybridTrading.Tests;

namespace HybridTrading.Storage.Tests.Blobs;

/// <summary>What every store of contents keeps.</summary>
public abstract class BlobStoreContract
{
    private const int Chunk = 1 << 18;
    private static readonly StreamOwner Ann = new("acme", "acme/ann"), Bob = new("acme", "acme/bob");

    private readonly ManualTime _time = new();

    /// <summary>A place, and what opens it again and again.</summary>
    private protected interface IPlace : IAsyncDisposable
    {
        IKeyProvider Keys { get; }

        IBlobStore Open(TimeProvider time);

        /// <summary>How many pieces of contents lie there, finished or not.</summary>
        Task<long> PiecesAsync();

        /// <summary>Changes one byte of the only content, somewhere in its middle.</summary>
        Task DamageAsync();
    }

    private protected abstract Task<IPlace> PlaceAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData(3 * Chunk)]
    public async Task A_content_comes_back_as_it_was_in_another_process_too(int length)
    {
        await using IPlace place = await PlaceAsync();
        byte[] content = Content(length);
        BlobInfo put = await place.Open(_time).PutAsync(Ann, "data-1", new Trickle(content), length);
        Assert.Equal(("data-1", length), (put.Id, (int)put.Length));
        IBlobStore other = place.Open(_time);
        Assert.Equal(content, await ReadAsync(other, Ann, "data-1"));
        Assert.Equal(("data-1", (long)length), Assert.Single(await other.ListAsync(Ann)) is var listed ? (listed.Id, listed.Length) : default);
    }

    [Fact]
    public async Task A_later_content_takes_the_place_of_an_earlier_one_and_owners_are_apart()
    {
        await using IPlace place = await PlaceAsync();
        IBlobStore store = place.Open(_time);
        await store.PutAsync(Ann, "a", new MemoryStream(Content(2 * Chunk)), long.MaxValue);
        await store.PutAsync(Bob, "a", new MemoryStream([7]), long.MaxValue);
        await store.PutAsync(Ann, "a", new MemoryStream([1, 2]), long.MaxValue);
        Assert.Equal([1, 2], await ReadAsync(store, Ann, "a"));
        Assert.Equal([7], await ReadAsync(store, Bob, "a"));
        Assert.Null(await store.OpenAsync(Ann, "b"));
        Assert.True(await store.DeleteAsync(Ann, "a"));
        Assert.False(await store.DeleteAsync(Ann, "a"));
        Assert.Null(await store.OpenAsync(Ann, "a"));
        Assert.Equal([7], await ReadAsync(store, Bob, "a"));
        Assert.Empty(await store.ListAsync(Ann));
        Assert.Equal(1, await place.PiecesAsync());
    }

    [Fact]
    public async Task What_is_too_large_or_breaks_off_leaves_nothing()
    {
        await using IPlace place = await PlaceAsync();
        IBlobStore store = place.Open(_time);
        BlobTooLargeException large = await Assert.ThrowsAsync<BlobTooLargeException>(() => store.PutAsync(Ann, "a", new MemoryStream(Content(2 * Chunk + 1)), 2 * Chunk));
        Assert.Equal(2 * Chunk, large.Most);
        await Assert.ThrowsAnyAsync<IOException>(() => store.PutAsync(Ann, "a", new Trickle(Content(3 * Chunk), breaksAfter: 2 * Chunk + 5), long.MaxValue));
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.PutAsync(Ann, "a", new Trickle(Content(3 * Chunk), breaksAfter: 2 * Chunk + 5, stop), long.MaxValue, stop.Token));
        Assert.Null(await store.OpenAsync(Ann, "a"));
        Assert.Empty(await store.ListAsync(Ann));
        Assert.Equal(0, await place.PiecesAsync());
        // A content that was there stays what it was.
        await store.PutAsync(Ann, "a", new MemoryStream([1]), 1);
        await Assert.ThrowsAsync<BlobTooLargeException>(() => store.PutAsync(Ann, "a", new MemoryStream([1, 2]), 1));
        Assert.Equal([1], await ReadAsync(store, Ann, "a"));
    }

    [Fact]
    public async Task Erasing_a_person_destroys_their_contents_and_nobody_elses()
    {
        await using IPlace place = await PlaceAsync();
        IBlobStore store = place.Open(_time);
        await store.PutAsync(Ann, "a", new MemoryStream(Content(Chunk + 1)), long.MaxValue);
        await store.PutAsync(Bob, "a", new MemoryStream([7]), long.MaxValue);
        place.Keys.Destroy(Ann.Subject);
        Assert.Null(await place.Open(_time).OpenAsync(Ann, "a"));
        Assert.Equal([7], await ReadAsync(store, Bob, "a"));
        await Assert.ThrowsAsync<SubjectErasedException>(() => store.PutAsync(Ann, "b", new MemoryStream([9]), long.MaxValue));
        Assert.Null(await store.OpenAsync(Ann, "b"));
    }

    [Fact]
    public async Task What_was_changed_is_never_read_as_if_it_had_not_been()
    {
        await using IPlace place = await PlaceAsync();
        IBlobStore store = place.Open(_time);
        await store.PutAsync(Ann, "a", new MemoryStream(Content(Chunk)), long.MaxValue);
        await place.DamageAsync();
        Assert.Contains("damaged", (await Assert.ThrowsAsync<StorageException>(() => ReadAsync(place.Open(_time), Ann, "a"))).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../a")]
    [InlineData("A")]
    [InlineData(".hidden")]
    public async Task An_id_is_no_path(string id)
    {
        await using IPlace place = await PlaceAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => place.Open(_time).PutAsync(Ann, id, new MemoryStream([1]), 1));
    }

    private protected static byte[] Content(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    private static async Task<byte[]?> ReadAsync(IBlobStore store, StreamOwner owner, string id)
    {
        await using Stream? content = await store.OpenAsync(owner, id);
        if (content is null) return null;
        using var whole = new MemoryStream();
        await content.CopyToAsync(whole);
        return whole.ToArray();
    }

    /// <summary>A content that comes in small pieces, and may break off.</summary>
    private sealed class Trickle(byte[] content, int breaksAfter = int.MaxValue, CancellationTokenSource? stop = null) : MemoryStream(content)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (Position >= breaksAfter)
            {
                if (stop is null) throw new IOException("the connection broke");
                await stop.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }
            return await base.ReadAsync(buffer[..Math.Min(buffer.Length, 10_007)], cancellationToken);
        }
    }
}

public sealed class FileBlobStoreTests : BlobStoreContract
{
    private protected override Task<IPlace> PlaceAsync() => Task.FromResult<IPlace>(new Place());

    [Fact]
    public async Task What_a_crash_left_half_written_is_removed_by_the_next_start()
    {
        await using var place = new Place();
        await place.Open(TimeProvider.System).PutAsync(new StreamOwner("acme", "acme/ann"), "a", new MemoryStream([1]), 1);
        string left = Directory.GetFiles(place.Folder, "*.blob", SearchOption.AllDirectories).Single() + ".0123.tmp";
        await File.WriteAllTextAsync(left, "half", TestContext.Current.CancellationToken);
        place.Open(TimeProvider.System);
        Assert.False(File.Exists(left));
        Assert.Equal(1, await place.PiecesAsync());
    }

    private sealed class Place : IPlace
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ht-blobs-");

        public Place() => Keys = FileKeyProvider.Open(Path.Combine(_folder.FullName, "keys"));

        public IKeyProvider Keys { get; }

        public string Folder => Path.Combine(_folder.FullName, "blobs");

        public IBlobStore Open(TimeProvider time) => new FileBlobStore(Folder, Keys, time);

        public Task<long> PiecesAsync() => Task.FromResult(Directory.Exists(Folder) ? Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).LongCount() : 0);

        public async Task DamageAsync()
        {
            string file = Directory.GetFiles(Folder, "*.blob", SearchOption.AllDirectories).Single();
            byte[] content = await File.ReadAllBytesAsync(file);
            content[content.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, content);
        }

        public ValueTask DisposeAsync()
        {
            _folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}

public sealed class PostgresBlobStoreTests(PostgresFixture postgres) : BlobStoreContract
{
    private protected override async Task<IPlace> PlaceAsync() => new Place(PostgresDatabase.Create(await postgres.DatabaseAsync()));

    [Fact]
    public async Task Chunks_that_never_became_a_content_are_swept_after_a_day()
    {
        await using var place = new Place(PostgresDatabase.Create(await postgres.DatabaseAsync()));
        var time = new ManualTime();
        await place.ExecuteAsync("INSERT INTO blob_chunk (content, number, sealed, stored) VALUES (gen_random_uuid(), 0, 'x', $1)", time.GetUtcNow().UtcDateTime);
        var ann = new StreamOwner("acme", "acme/ann");
        await place.Open(time).PutAsync(ann, "a", new MemoryStream([1]), 1);
        Assert.Equal(2, await place.PiecesAsync());
        time.Advance(TimeSpan.FromHours(25));
        await place.Open(time).PutAsync(ann, "b", new MemoryStream([1]), 1);
        Assert.Equal(2, await place.PiecesAsync());
    }

    private sealed class Place : IPlace
    {
        private readonly PostgresDatabase _database;
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ht-blobs-");

        public Place(PostgresDatabase database)
        {
            _database = database;
            FileKeyProvider.Open(_folder.FullName);
            Keys = PostgresKeyProvider.Open(database, Path.Combine(_folder.FullName, "master.key"), TimeProvider.System);
        }

        public IKeyProvider Keys { get; }

        public IBlobStore Open(TimeProvider time) => new PostgresBlobStore(_database, Keys, time);

        public Task<long> PiecesAsync() => _database.RepeatableAsync("count", (connection, token) => connection.ScalarAsync<long>("SELECT count(*) FROM blob_chunk", [], token));

        public Task DamageAsync() => ExecuteAsync("UPDATE blob_chunk SET sealed = set_byte(sealed, length(sealed) / 2, get_byte(sealed, length(sealed) / 2) # 1)");

        public Task ExecuteAsync(string sql, params object?[] values) => _database.RepeatableAsync("test", (connection, token) => connection.ExecuteAsync(sql, values, token));

        public async ValueTask DisposeAsync()
        {
            await _database.DisposeAsync();
            _folder.Delete(recursive: true);
        }
    }
}
