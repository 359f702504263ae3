using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Tests.Journal;

/// <summary>Where a kind of journal keeps what it is told: opened, closed and opened again.</summary>
public abstract class JournalHome : IAsyncDisposable
{
    public abstract IKeyProvider Keys { get; }

    /// <summary>Opens the journal; it is closed by disposing it.</summary>
    public abstract Task<IJournal> OpenAsync();

    public abstract Task<TreeHead> TreeAsync(IJournal journal);

    public abstract ValueTask DisposeAsync();
}

/// <summary>What every journal does, wherever it keeps its events.</summary>
public abstract class JournalContract
{
    private static readonly StreamOwner Bob = new("acme", "acme/bob");

    protected abstract Task<JournalHome> HomeAsync();

    [Fact]
    public async Task What_was_appended_is_read_back_after_a_restart_from_streams_and_in_global_order()
    {
        await using JournalHome home = await HomeAsync();
        string[] streams = ["account/acme/ann/main", "strategy/acme/ann/s1", "account/acme/bob/main"];
        var expected = new MerkleFrontier();
        TreeHead head;
        IJournal journal = await home.OpenAsync();
        await using ((IAsyncDisposable)journal)
        {
            Assert.Equal(new TreeHead(0, TreeHash.Empty), await home.TreeAsync(journal));
            long[] versions = new long[streams.Length];
            for (int i = 0; i < 90; i++)
            {
                int s = i % 3;
                int count = 1 + i % 4;
                Appended appended = await journal.AppendAsync(
                    streams[s], s == 2 ? Bob : Harness.Owner, versions[s], Harness.Events(streams[s], versions[s], count));
                versions[s] += count;
                Assert.Equal(versions[s], appended.Version);
                Assert.Equal(journal.DurableSize - 1, appended.LastPosition);
                Assert.Equal(appended.LastPosition - count + 1, appended.FirstPosition);
            }
            head = await home.TreeAsync(journal);
        }

        IJournal again = await home.OpenAsync();
        await using ((IAsyncDisposable)again)
        {
            List<RecordedEvent> all = await again.ReadAllAsync().ListAsync();
            Assert.Equal(head, await home.TreeAsync(again));
            Assert.Equal(head.Size, all.Count);
            Assert.Equal(head.Size, again.DurableSize);
            Assert.Equal(Enumerable.Range(0, all.Count).Select(i => (long)i), all.Select(one => one.Position));
            foreach (string stream in streams)
            {
                List<RecordedEvent> own = await again.ReadAsync(stream).ListAsync();
                Assert.Equal(all.Where(one => one.Stream == stream), own, SegmentJournalTests.EventComparer.Instance);
                for (int i = 0; i < own.Count; i++)
                {
                    NewEvent written = Harness.Event(stream, i + 1);
                    Assert.Equal(
                        new RecordedEvent(
                            own[i].Position, stream, i + 1, written.Name, 1, written.Time, written.Causation, "acme",
                            stream.Contains("bob") ? "acme/bob" : "acme/ann", written.Payload, Erased: false),
                        own[i], SegmentJournalTests.EventComparer.Instance);
                }
                for (int from = 1; from <= own.Count + 1; from += 11)
                {
                    Assert.Equal(own.Skip(from - 1), await again.ReadAsync(stream, from).ListAsync(), SegmentJournalTests.EventComparer.Instance);
                }
            }
            for (long from = 0; from <= all.Count; from += 31)
            {
                Assert.Equal(all.Skip((int)from), await again.ReadAllAsync(from).ListAsync(), SegmentJournalTests.EventComparer.Instance);
            }
            Assert.Empty(await again.ReadAsync("nobody").ListAsync());
        }
    }

    [Fact]
    public async Task A_writer_may_pipeline_and_whoever_expects_another_version_is_told_which_it_is()
    {
        await using JournalHome home = await HomeAsync();
        IJournal journal = await home.OpenAsync();
        await using var closing = (IAsyncDisposable)journal;
        Task<Appended> first = journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 2));
        Task<Appended> second = journal.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1));
        JournalConflictException conflict = await Assert.ThrowsAsync<JournalConflictException>(
            () => journal.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1)));
        Assert.Equal(("a", 2L, 3L), (conflict.Stream, conflict.Expected, conflict.Actual));
        Assert.Equal(new Appended(0, 1, 2), await first);
        Assert.Equal(new Appended(2, 2, 3), await second);

        foreach ((string stream, long expected, long actual) in new[] { ("a", 0L, 3L), ("a", 7L, 3L), ("new", 1L, 0L) })
        {
            conflict = await Assert.ThrowsAsync<JournalConflictException>(
                () => journal.AppendAsync(stream, Harness.Owner, expected, Harness.Events(stream, expected, 1)));
            Assert.Equal((expected, actual), (conflict.Expected, conflict.Actual));
        }
        Assert.Equal(3, (await journal.ReadAllAsync().ListAsync()).Count);
        Assert.Equal(new Appended(3, 3, 4), await journal.AppendAsync("a", Harness.Owner, 3, Harness.Events("a", 3, 1)));
    }

    [Fact]
    public async Task Appends_of_many_writers_at_once_are_all_there_and_each_stream_is_in_order()
    {
        const int writers = 16, each = 100;
        await using JournalHome home = await HomeAsync();
        IJournal journal = await home.OpenAsync();
        await using (((IAsyncDisposable)journal))
        {
            Task<int> follower = CountAsync(journal, writers * each);
            await Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(async () =>
            {
                for (int i = 0; i < each; i++) await journal.AppendAsync("s" + w, Harness.Owner, i, Harness.Events("s" + w, i, 1));
            })));
            Assert.Equal(writers * each, await follower);
        }
        IJournal again = await home.OpenAsync();
        await using var closing = (IAsyncDisposable)again;
        for (int w = 0; w < writers; w++)
        {
            List<RecordedEvent> own = await again.ReadAsync("s" + w).ListAsync();
            Assert.Equal(Enumerable.Range(1, each).Select(i => (long)i), own.Select(one => one.Version));
            Assert.All(own, one => Assert.Equal(Encoding.UTF8.GetString(Harness.Event("s" + w, one.Version).Payload.Span), one.Text()));
        }

        static async Task<int> CountAsync(IJournal journal, int until)
        {
            int count = 0;
            await foreach (RecordedEvent one in journal.SubscribeAsync(0))
            {
                Assert.Equal(count++, one.Position);
                if (count == until) break;
            }
            return count;
        }
    }

    [Fact]
    public async Task A_subscriber_gets_what_is_there_then_what_comes_and_ends_when_asked_or_when_the_journal_closes()
    {
        await using JournalHome home = await HomeAsync();
        IJournal journal = await home.OpenAsync();
        await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 3));
        using var stop = new CancellationTokenSource();
        await using IAsyncEnumerator<RecordedEvent> live = journal.SubscribeAsync(1, stop.Token).GetAsyncEnumerator();
        Assert.True(await live.MoveNextAsync());
        Assert.Equal(1, live.Current.Position);
        Assert.True(await live.MoveNextAsync());
        ValueTask<bool> next = live.MoveNextAsync();
        Assert.False(next.IsCompleted);
        await journal.AppendAsync("b", Harness.Owner, 0, Harness.Events("b", 0, 1));
        Assert.True(await next);
        Assert.Equal("b", live.Current.Stream);

        ValueTask<bool> cancelled = live.MoveNextAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await cancelled);

        await using IAsyncEnumerator<RecordedEvent> closed = journal.SubscribeAsync(4).GetAsyncEnumerator();
        ValueTask<bool> waits = closed.MoveNextAsync();
        await ((IAsyncDisposable)journal).DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await waits);
        await Assert.ThrowsAsync<NotRecordedException>(() => journal.AppendAsync("a", Harness.Owner, 3, Harness.Events("a", 3, 1)));
    }

    [Fact]
    public async Task Bad_input_is_refused_and_changes_nothing()
    {
        await using JournalHome home = await HomeAsync();
        IJournal journal = await home.OpenAsync();
        await using var closing = (IAsyncDisposable)journal;
        NewEvent good = Harness.Event("a", 1);
        await Refused("without events", [], "a");
        await Refused("stream is empty", [good], "");
        await Refused("1025 bytes", [good], new string('x', 1025));
        await Refused("event name", [good with { Name = "" }], "a");
        await Refused("no well-formed Unicode", [good with { Causation = "\ud800" }], "a");
        await Refused("schema version 0", [good with { Schema = 0 }], "a");
        await Refused("expected UTC", [good with { Time = new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Local) }], "a");
        await Refused("expected at most", [good, good with { Payload = new byte[65 << 20] }], "a");
        Assert.Equal(0, journal.DurableSize);
        await journal.AppendAsync("a", Harness.Owner, 0, new[] { good });

        async Task Refused(string expected, NewEvent[] events, string stream)
        {
            ArgumentException refused = await Assert.ThrowsAnyAsync<ArgumentException>(
                () => journal.AppendAsync(stream, Harness.Owner, 0, events));
            Assert.Contains(expected, refused.Message);
        }
    }

    [Fact]
    public async Task An_erased_subject_reads_as_erased_and_the_tree_is_unchanged()
    {
        await using JournalHome home = await HomeAsync();
        IJournal journal = await home.OpenAsync();
        TreeHead head;
        await using ((IAsyncDisposable)journal)
        {
            await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 2));
            await journal.AppendAsync("b", Bob, 0, Harness.Events("b", 0, 1));
            head = await home.TreeAsync(journal);
            home.Keys.Destroy("acme/ann");
            Assert.Equal([true, true, false], (await journal.ReadAllAsync().ListAsync()).Select(one => one.Erased));
        }
        IJournal again = await home.OpenAsync();
        await using var closing = (IAsyncDisposable)again;
        Assert.Equal(head, await home.TreeAsync(again));
        // Nothing more is written for whoever was erased; others go on.
        await Assert.ThrowsAnyAsync<Exception>(() => again.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1)));
        await again.AppendAsync("b", Bob, 1, Harness.Events("b", 1, 1));
        List<RecordedEvent> all = await again.ReadAllAsync().ListAsync();
        Assert.Equal([true, true, false, false], all.Select(one => one.Erased));
        Assert.Equal([0, 0], all.Take(2).Select(one => one.Payload.Length));
        Assert.Equal(Encoding.UTF8.GetString(Harness.Event("b", 2).Payload.Span), all[3].Text());
    }
}

public sealed class SegmentJournalContractTests : JournalContract
{
    protected override Task<JournalHome> HomeAsync() => Task.FromResult<JournalHome>(new Home());

    private sealed class Home : JournalHome
    {
        private readonly TemporaryFolder _folder = new();

        public Home() => Keys = FileKeyProvider.Open(_folder["keys"]);

        public override IKeyProvider Keys { get; }

        public override Task<IJournal> OpenAsync() => Task.FromResult<IJournal>(
            SegmentJournal.Open(_folder["journal"], Keys, new JournalOptions { SegmentBytes = 16 << 10, BatchBytes = 4096 }));

        public override Task<TreeHead> TreeAsync(IJournal journal) => Task.FromResult(((SegmentJournal)journal).TreeHead);

        public override ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
