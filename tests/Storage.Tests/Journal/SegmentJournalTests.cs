using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Tests.Journal;

public sealed class SegmentJournalTests
{
    [Fact]
    public async Task What_was_appended_is_read_back_after_a_restart_from_streams_and_in_global_order()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        var options = new JournalOptions { SegmentBytes = 4096, BatchBytes = 4096 };
        string[] streams = ["account/acme/ann/main", "strategy/acme/ann/s1", "account/acme/bob/main"];
        TreeHead head;
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys, options))
        {
            long[] versions = new long[streams.Length];
            for (int i = 0; i < 90; i++)
            {
                int s = i % 3;
                int count = 1 + i % 4;
                var owner = new StreamOwner("acme", s == 2 ? "acme/bob" : "acme/ann");
                Appended appended = await journal.AppendAsync(streams[s], owner, versions[s], Harness.Events(streams[s], versions[s], count));
                versions[s] += count;
                Assert.Equal(versions[s], appended.Version);
                Assert.Equal(journal.DurableSize - 1, appended.LastPosition);
                Assert.Equal(appended.LastPosition - count + 1, appended.FirstPosition);
            }
            head = journal.TreeHead;
        }
        Assert.True(Directory.GetFiles(folder["journal"], "*.log").Length > 5);

        foreach (bool withIndex in new[] { true, false })
        {
            if (!withIndex) foreach (string index in Directory.GetFiles(folder["journal"], "*.index")) File.Delete(index);
            await using SegmentJournal journal = SegmentJournal.Open(folder["journal"], FileKeyProvider.Open(folder["keys"]), options);
            List<RecordedEvent> all = await journal.ReadAllAsync().ListAsync();
            Assert.Equal(head, journal.TreeHead);
            Assert.Equal(head.Size, all.Count);
            Assert.Equal(Enumerable.Range(0, all.Count).Select(i => (long)i), all.Select(one => one.Position));
            Assert.True(withIndex ? journal.Recovery.Scanned < all.Count / 2 : journal.Recovery.Scanned == all.Count);
            foreach (string stream in streams)
            {
                List<RecordedEvent> own = await journal.ReadAsync(stream).ListAsync();
                Assert.Equal(all.Where(one => one.Stream == stream), own, EventComparer.Instance);
                for (int i = 0; i < own.Count; i++)
                {
                    NewEvent written = Harness.Event(stream, i + 1);
                    Assert.Equal(
                        new RecordedEvent(
                            own[i].Position, stream, i + 1, written.Name, 1, written.Time, written.Causation, "acme",
                            stream.Contains("bob") ? "acme/bob" : "acme/ann", written.Payload, Erased: false),
                        own[i], EventComparer.Instance);
                }
                for (int from = 1; from <= own.Count + 1; from++)
                {
                    Assert.Equal(own.Skip(from - 1), await journal.ReadAsync(stream, from).ListAsync(), EventComparer.Instance);
                }
            }
            for (long from = 0; from <= all.Count; from += 7)
            {
                Assert.Equal(all.Skip((int)from), await journal.ReadAllAsync(from).ListAsync(), EventComparer.Instance);
            }
        }
    }

    [Fact]
    public async Task A_writer_may_pipeline_and_another_writer_is_told_of_the_conflict()
    {
        using var folder = new TemporaryFolder();
        await using SegmentJournal journal = SegmentJournal.Open(
            folder["journal"], FileKeyProvider.Open(folder["keys"]), new JournalOptions { OwnThread = false });
        Task<Appended> first = journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 2));
        Task<Appended> second = journal.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1));
        Task<Appended> other = journal.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1));

        JournalConflictException conflict = await Assert.ThrowsAsync<JournalConflictException>(() => other);
        Assert.Equal(("a", 2L, 3L), (conflict.Stream, conflict.Expected, conflict.Actual));
        Assert.False(first.IsCompleted || second.IsCompleted);
        Assert.Equal(0, journal.DurableSize);
        Assert.Empty(await journal.ReadAllAsync().ListAsync());

        journal.CommitPending();
        Assert.Equal(new Appended(0, 1, 2), await first);
        Assert.Equal(new Appended(2, 2, 3), await second);
        Assert.Equal(3, journal.DurableSize);
    }

    [Fact]
    public async Task A_second_journal_on_the_folder_is_refused_and_names_the_holder()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys))
        {
            StorageException refused = Assert.Throws<StorageException>(() => SegmentJournal.Open(folder["journal"], keys));
            Assert.Contains(folder["journal"], refused.Message);
            Assert.Contains($"process {Environment.ProcessId}", refused.Message);
        }
        await using SegmentJournal later = SegmentJournal.Open(folder["journal"], keys);
    }

    [Fact]
    public async Task Payloads_are_nowhere_in_clear_on_disk()
    {
        using var folder = new TemporaryFolder();
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], FileKeyProvider.Open(folder["keys"])))
        {
            await journal.AppendAsync(
                "a", Harness.Owner, 0, new[] { Harness.Event("a", 1) with { Payload = "{\"iban\":\"DE02120300000000202051\"}"u8.ToArray() } });
        }
        foreach (string file in Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf("DE0212"u8));
            if (!OperatingSystem.IsWindows() && !Path.GetFileName(file).StartsWith("lock", StringComparison.Ordinal))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
    }

    [Fact]
    public async Task An_erased_subject_reads_as_erased_and_the_tree_is_unchanged()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys))
        {
            await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 2));
            await journal.AppendAsync("b", new StreamOwner("acme", "acme/bob"), 0, Harness.Events("b", 0, 1));
        }
        TreeHead head;
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys)) head = journal.TreeHead;
        foreach (string index in Directory.GetFiles(folder["journal"], "*.index")) File.Delete(index);
        keys.Destroy("acme/ann");
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys))
        {
            Assert.Equal(head, journal.TreeHead);
            Assert.Equal([true, true, false], (await journal.ReadAllAsync().ListAsync()).Select(one => one.Erased));
            // Nothing more is written for who was erased; for others it goes on.
            await Assert.ThrowsAsync<NotRecordedException>(async () => await journal.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1)));
            await journal.AppendAsync("b", new StreamOwner("acme", "acme/bob"), 1, Harness.Events("b", 1, 1));
        }
        await using SegmentJournal again = SegmentJournal.Open(folder["journal"], FileKeyProvider.Open(folder["keys"]));
        List<RecordedEvent> all = await again.ReadAllAsync().ListAsync();
        Assert.Equal([true, true, false, false], all.Select(one => one.Erased));
        Assert.Equal([0, 0], all.Take(2).Select(one => one.Payload.Length));
        Assert.Equal(Encoding.UTF8.GetString(Harness.Event("b", 2).Payload.Span), all[3].Text());
        Assert.Equal(4, again.TreeHead.Size);
    }

    [Fact]
    public async Task Interval_flush_acknowledges_first_and_flushes_at_the_end()
    {
        var door = new Files.PowerCutDoor();
        JournalOptions options = Harness.Small with { FlushInterval = TimeSpan.FromHours(1) };
        SegmentJournal journal = Harness.Open(door, options);
        Task<Appended> append = journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        journal.CommitPending();
        Assert.Equal(new Appended(0, 0, 1), await append);
        Assert.NotEqual(0, door.UnflushedBytes);
        await journal.DisposeAsync();
        Assert.Equal(0, door.UnflushedBytes);
        await using SegmentJournal again = Harness.Open(door.Survivor(0), options);
        Assert.Equal(1, again.DurableSize);
    }

    [Fact]
    public async Task The_journals_own_thread_flushes_an_interval_later_without_another_append()
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var door = new Files.PowerCutDoor();
        await using SegmentJournal journal = Harness.Open(
            door, Harness.Small with { OwnThread = true, FlushInterval = TimeSpan.FromMilliseconds(5) });
        door.Watch = (what, path) =>
        {
            // The header of a new segment is flushed before the folder knows its name; what is unflushed after that is the record.
            if (what == "flush" && path.EndsWith(".log", StringComparison.Ordinal) && door.UnflushedBytes > 0) flushed.TrySetResult();
        };
        await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        await flushed.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task More_than_the_bound_is_refused_and_leaves_the_stream_as_it_was()
    {
        using var folder = new TemporaryFolder();
        await using SegmentJournal journal = SegmentJournal.Open(
            folder["journal"], FileKeyProvider.Open(folder["keys"]), Harness.Small with { PendingBytes = 8192 });
        NewEvent large = Harness.Event("a", 1) with { Payload = new byte[5000] };
        Task<Appended> first = journal.AppendAsync("a", Harness.Owner, 0, new[] { large });
        NotRecordedException refused = await Assert.ThrowsAsync<NotRecordedException>(
            () => journal.AppendAsync("a", Harness.Owner, 1, new[] { large }));
        Assert.Contains("does not keep up", refused.Message);
        journal.CommitPending();
        await first;
        Task<Appended> again = journal.AppendAsync("a", Harness.Owner, 1, new[] { large });
        journal.CommitPending();
        Assert.Equal(new Appended(1, 1, 2), await again);
    }

    /// <summary>Record equality compares the payload's memory by reference.</summary>
    internal sealed class EventComparer : IEqualityComparer<RecordedEvent>
    {
        public static readonly EventComparer Instance = new();

        public bool Equals(RecordedEvent? x, RecordedEvent? y) => x! with { Payload = default } == y! with { Payload = default }
            && x.Payload.Span.SequenceEqual(y.Payload.Span);

        public int GetHashCode(RecordedEvent one) => one.Position.GetHashCode();
    }
}
