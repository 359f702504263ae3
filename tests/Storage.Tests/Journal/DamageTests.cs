using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Tests.Files;

namespace HybridTrading.Storage.Tests.Journal;

/// <summary>Bytes that rot, files that are cut or missing: everything is found, and nothing but a torn tail is ever cut.</summary>
public sealed class DamageTests
{
    private static readonly int[] Counts = [1, 3, 2, 4, 1, 2];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_flipped_byte_is_found(bool closed)
    {
        (PowerCutDoor door, int lastCommit) = await WriteAsync(closed);
        string last = Logs(door)[^1];
        Assert.True(Logs(door).Count >= 3);
        int torn = 0;
        foreach (string path in Logs(door))
        {
            byte[] content = door.Contents[path];
            for (int at = 0; at < content.Length; at++)
            {
                PowerCutDoor damaged = door.Copy();
                byte[] flipped = [.. content];
                flipped[at] ^= (byte)(1 << at % 8);
                damaged.Put(path, flipped);

                bool isTail = path == last && !closed && at >= lastCommit;
                try
                {
                    JournalReport report = Verify(damaged);
                    Assert.True(isTail ? report.Fault is null && report.TornBytes > 0 : report.Fault?.Segment == path, $"{path} at {at}: {report}");
                    if (report.Fault is { } fault) Assert.InRange(fault.Offset, 0, at);
                }
                catch (StorageException newer) when (at is 8 or 9 && newer.Message.Contains(path, StringComparison.Ordinal))
                {
                }

                if (isTail)
                {
                    await using SegmentJournal journal = Harness.Open(damaged);
                    Assert.True(journal.Recovery.CutBytes > 0);
                    torn++;
                }
                else if (path == last || at < SegmentFormat.HeaderSize)
                {
                    StorageException refused = Assert.ThrowsAny<StorageException>(() => Harness.Open(damaged));
                    Assert.Contains(path, refused.Message);
                }
                else if (at % 16 == 0)
                {
                    // A start trusts the index of a full segment; whoever reads the record is told.
                    await using SegmentJournal journal = Harness.Open(damaged);
                    DamagedDataException found = await Assert.ThrowsAsync<DamagedDataException>(() => journal.ReadAllAsync().ListAsync());
                    Assert.Equal(path, found.Path);
                }
            }
        }
        Assert.Equal(!closed, torn > 0);
    }

    [Fact]
    public async Task A_last_segment_cut_anywhere_leaves_a_prefix_of_whole_appends()
    {
        (PowerCutDoor door, _) = await WriteAsync(closed: false);
        string last = Logs(door)[^1];
        byte[] content = door.Contents[last];
        List<long> ends = [0];
        foreach (int count in Enumerable.Range(0, 60).Select(i => Counts[i % Counts.Length])) ends.Add(ends[^1] + count);

        Prop.ForAll(Gen.Choose(0, content.Length).ToArbitrary(), length =>
        {
            PowerCutDoor cut = door.Copy();
            cut.Put(last, content[..length]);
            SegmentJournal journal = Harness.Open(cut);
            long size = journal.DurableSize;
            List<RecordedEvent> all = journal.ReadAllAsync().ListAsync().GetAwaiter().GetResult();
            journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return ends.Contains(size) && all.Count == size && Verify(cut).IsSound && Verify(cut).TornBytes == 0;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public async Task A_closed_journal_that_became_shorter_is_refused()
    {
        (PowerCutDoor door, _) = await WriteAsync(closed: true);
        string last = Logs(door)[^1];
        byte[] content = door.Contents[last];
        for (int length = SegmentFormat.HeaderSize + 1; length < content.Length; length += 7)
        {
            PowerCutDoor cut = door.Copy();
            cut.Put(last, content[..length]);
            Assert.Contains(last, Assert.ThrowsAny<StorageException>(() => Harness.Open(cut)).Message);
            Assert.Equal(last, Verify(cut).Fault!.Segment);
        }
    }

    [Fact]
    public async Task A_missing_or_foreign_segment_is_refused_by_name()
    {
        (PowerCutDoor door, _) = await WriteAsync(closed: true);
        List<string> logs = Logs(door);
        PowerCutDoor missing = door.Copy();
        missing.Delete(logs[1]);
        Assert.Contains("is missing", Assert.Throws<StorageException>(() => Harness.Open(missing)).Message);
        Assert.Contains("is missing", Verify(missing).Fault!.What);

        (PowerCutDoor other, _) = await WriteAsync(closed: true);
        PowerCutDoor mixed = door.Copy();
        mixed.Put(logs[1], other.Contents[logs[1]]);
        Assert.Contains("another journal", Assert.Throws<StorageException>(() => Harness.Open(mixed)).Message);
        Assert.Contains("another journal", Verify(mixed).Fault!.What);
    }

    [Fact]
    public async Task A_newer_format_is_named_and_left_alone()
    {
        (PowerCutDoor door, _) = await WriteAsync(closed: true);
        string last = Logs(door)[^1];
        byte[] content = door.Contents[last];
        content[8] = 7;
        door.Put(last, content);
        StorageException refused = Assert.Throws<StorageException>(() => Harness.Open(door));
        Assert.Contains(last, refused.Message);
        Assert.Contains("journal format 7; this program reads format 1", refused.Message);
        Assert.Equal(content, door.Contents[last]);
    }

    [Fact]
    public async Task A_damaged_index_is_made_anew_from_its_segment()
    {
        (PowerCutDoor door, _) = await WriteAsync(closed: true);
        TreeHead head = Verify(door).Tree;
        foreach (string index in door.Contents.Keys.Where(path => path.EndsWith(".index", StringComparison.Ordinal)).ToList())
        {
            byte[] content = door.Contents[index];
            for (int at = 0; at < content.Length; at += 5)
            {
                PowerCutDoor damaged = door.Copy();
                byte[] flipped = [.. content];
                flipped[at] ^= 0x10;
                damaged.Put(index, flipped);
                await using SegmentJournal journal = Harness.Open(damaged);
                Assert.Equal(head, journal.TreeHead);
                Assert.Equal(head.Size, (await journal.ReadAllAsync().ListAsync()).Count);
            }
        }
    }

    [Fact]
    public async Task A_record_that_was_moved_under_another_header_fails_its_tag()
    {
        var keys = FileKeyProvider.Open("/data/keys", new PowerCutDoor());
        SubjectKey key = keys.GetOrCreate("acme/ann");
        byte[] record = new byte[400];
        int headerSize = RecordCodec.WriteHeader(record, new RecordHeader("a", 1, "n", 1, DateTime.UnixEpoch, "", "acme", "acme/ann", 1));
        key.Encrypt(
            record.AsSpan(headerSize, 12), "{}"u8, record.AsSpan(headerSize + 16, 2), record.AsSpan(headerSize + 18, 16),
            record.AsSpan(0, headerSize));
        record[headerSize + 12] = 2;
        Array.Resize(ref record, headerSize + 34);
        Assert.Equal("{}", new RecordDecoder(keys).Decode(0, record).Text());
        for (int at = 1; at < headerSize; at++)
        {
            byte[] moved = [.. record];
            moved[at] ^= 1;
            // Another subject or key number has no key; every other change fails the tag or the format.
            Assert.ThrowsAny<Exception>(() => new RecordDecoder(keys).Decode(0, moved));
        }
        await Task.CompletedTask;
    }

    private static JournalReport Verify(PowerCutDoor door) =>
        new JournalVerifier(Harness.Folder, FileKeyProvider.Open("/data/keys", door), door).Verify();

    private static List<string> Logs(PowerCutDoor door) =>
        [.. door.Contents.Keys.Where(path => path.EndsWith(".log", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    // Sixty appends in three segments or more; the last commit holds two of them, from the returned byte of the last segment on.
    private static async Task<(PowerCutDoor Door, int LastCommit)> WriteAsync(bool closed)
    {
        var door = new PowerCutDoor();
        SegmentJournal journal = Harness.Open(door, Harness.Small with { SegmentBytes = 8192 });
        var versions = new Dictionary<string, long>();
        int lastCommit = 0;
        for (int i = 0; i < 60; i++)
        {
            string stream = "s" + i % 3;
            long version = versions.GetValueOrDefault(stream);
            int count = Counts[i % Counts.Length];
            Task<Appended> append = journal.AppendAsync(stream, Harness.Owner, version, Harness.Events(stream, version, count));
            versions[stream] = version + count;
            if (i % 2 == 0) continue;
            int before = door.Contents.GetValueOrDefault(Logs(door).LastOrDefault("")!)?.Length ?? 0;
            int files = Logs(door).Count;
            journal.CommitPending();
            await append;
            lastCommit = files == Logs(door).Count ? before : SegmentFormat.HeaderSize;
        }
        PowerCutDoor left = door.Copy();
        if (!closed) return (left, lastCommit);
        await journal.DisposeAsync();
        return (door.Copy(), lastCommit);
    }
}
