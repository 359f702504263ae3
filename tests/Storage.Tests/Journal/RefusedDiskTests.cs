using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Tests.Files;

namespace HybridTrading.Storage.Tests.Journal;

/// <summary>Disks that are full or refuse: one clear line, no retry, nothing acknowledged lost.</summary>
public sealed class RefusedDiskTests
{
    private const int NoSpace = 28;

    public static TheoryData<string> Operations => new("write", "flush");

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task After_a_failed_write_or_flush_nothing_is_written_any_more(string failing)
    {
        var door = new PowerCutDoor();
        SegmentJournal journal = Harness.Open(door);
        Task<Appended> before = journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 2));
        journal.CommitPending();
        await before;

        int attempts = 0;
        door.Watch = (what, path) =>
        {
            if (what != failing || !path.EndsWith(".log", StringComparison.Ordinal)) return;
            attempts++;
            throw new IOException("No space left on device", NoSpace);
        };
        Task<Appended> pending = journal.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1));
        Task<Appended> behind = journal.AppendAsync("b", Harness.Owner, 0, Harness.Events("b", 0, 1));
        journal.CommitPending();
        foreach (Task<Appended> refused in new[] { pending, behind })
        {
            NotRecordedException why = await Assert.ThrowsAsync<NotRecordedException>(() => refused);
            Assert.Contains("the disk is full", why.Message);
            Assert.Contains(".log", why.Message);
        }

        // The disk has room again, but what it did with the refused flush nobody knows: only a new start may write.
        door.Watch = null;
        await Assert.ThrowsAsync<NotRecordedException>(() => journal.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1)));
        journal.CommitPending();
        Assert.Equal(1, attempts);
        Assert.Equal(2, (await journal.ReadAllAsync().ListAsync()).Count);
        Assert.Equal(2, (await journal.ReadAsync("a").ListAsync()).Count);
        await journal.DisposeAsync();

        await using SegmentJournal again = Harness.Open(door);
        Assert.Equal(2, again.DurableSize);
        Task<Appended> now = again.AppendAsync("a", Harness.Owner, 2, Harness.Events("a", 2, 1));
        again.CommitPending();
        Assert.Equal(new Appended(2, 2, 3), await now);
    }

    [Fact]
    public void A_folder_that_may_not_be_written_gives_one_clear_line()
    {
        var door = new PowerCutDoor { Refusal = new UnauthorizedAccessException("Access to the path is denied.") };
        StorageException refused = Assert.Throws<StorageException>(() => Harness.Open(door));
        Assert.Contains("permission denied", refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_gives_one_clear_line()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a folder in which nobody can make one");
        StorageException refused = Assert.Throws<StorageException>(() => FileKeyProvider.Open("/proc/hybrid-trading/keys"));
        Assert.Contains("/proc/hybrid-trading/keys", refused.Message);
    }

    [Fact]
    public async Task A_key_that_cannot_be_made_refuses_the_append_and_leaves_the_journal_writing()
    {
        var door = new PowerCutDoor();
        await using SegmentJournal journal = Harness.Open(door);
        door.Watch = (_, path) =>
        {
            if (path.Contains("subjects", StringComparison.Ordinal)) throw new IOException("No space left on device", NoSpace);
        };
        NotRecordedException refused = await Assert.ThrowsAsync<NotRecordedException>(
            () => journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1)));
        Assert.Contains("the disk is full", refused.Message);
        door.Watch = null;
        Task<Appended> append = journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        journal.CommitPending();
        Assert.Equal(new Appended(0, 0, 1), await append);
    }
}
