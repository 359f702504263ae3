using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Tests.Files;

namespace HybridTrading.Storage.Tests.Journal;

/// <summary>The power goes in the middle of every operation, and the write under way is torn at every byte.</summary>
public sealed class PowerCutTests
{
    private sealed record Step(string Stream, int Count, bool Commits);

    // Long enough to fill three segments, with appends of several events, several appends in one batch, and a late second subject.
    private static readonly Step[] Workload =
    [
        .. Enumerable.Range(0, 30).Select(i => new Step("stream-" + i % 3, 1 + i % 4, i % 2 == 1)),
    ];

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_no_append_survives_in_part()
    {
        int operations = (await RunAsync(new PowerCutDoor())).Door.Operations;
        Assert.True(operations > 50);
        int survivors = 0;
        for (int cut = 1; cut <= operations; cut++)
        {
            Life life = await RunAsync(new PowerCutDoor { CutAt = cut });
            for (int torn = 0; torn <= life.Door.UnflushedBytes; torn++)
            {
                Assert.Null(await FaultAsync(life, life.Door.Survivor(torn), $"cut {cut}, {torn} bytes of the unflushed written"));
                survivors++;
            }
        }
        Assert.True(survivors > 5000);
    }

    [Fact]
    public async Task Sectors_of_the_unflushed_may_survive_in_any_order()
    {
        var random = new Random(20240102);
        int operations = (await RunAsync(new PowerCutDoor())).Door.Operations;
        for (int cut = 1; cut <= operations; cut++)
        {
            Life life = await RunAsync(new PowerCutDoor { CutAt = cut });
            for (int i = 0; i < 10; i++)
            {
                Assert.Null(await FaultAsync(life, life.Door.Survivor(random), $"cut {cut}, sectors {i}"));
            }
        }
    }

    [Fact]
    public async Task A_journal_that_does_not_flush_loses_what_it_acknowledged()
    {
        int operations = (await RunAsync(new PowerCutDoor())).Door.Operations;
        int lost = 0;
        for (int cut = operations / 2; cut <= operations; cut++)
        {
            Life life = await RunAsync(new PowerCutDoor { CutAt = cut, Flushes = false });
            if (await FaultAsync(life, life.Door.Survivor(0), "without flush") is not null) lost++;
        }
        Assert.True(lost > operations / 4, $"the power cut must be seen by a journal that does not flush; seen {lost} times of {operations / 2}");
    }

    [Fact]
    public async Task A_journal_goes_on_where_it_was_after_the_cut()
    {
        int operations = (await RunAsync(new PowerCutDoor())).Door.Operations;
        for (int cut = 5; cut <= operations; cut += 3)
        {
            PowerCutDoor door = (await RunAsync(new PowerCutDoor { CutAt = cut })).Door.Survivor(cut * 7 % 900);
            long size;
            TreeHead head;
            await using (SegmentJournal journal = Harness.Open(door))
            {
                for (int i = 0; i < 40; i++)
                {
                    long version = journal.DurableVersion("stream-1");
                    Task<Appended> append = journal.AppendAsync("stream-1", Harness.Owner, version, Harness.Events("stream-1", version, 2));
                    journal.CommitPending();
                    await append;
                }
                size = journal.DurableSize;
                head = journal.TreeHead;
            }
            await using SegmentJournal again = Harness.Open(door.Survivor(0));
            Assert.Equal(size, again.DurableSize);
            Assert.Equal(head, again.TreeHead);
            Assert.Equal(0, again.Recovery.CutBytes);
            List<RecordedEvent> stream = await again.ReadAsync("stream-1").ListAsync();
            Assert.All(
                stream, (one, i) => Assert.Equal(System.Text.Encoding.UTF8.GetString(Harness.Event("stream-1", i + 1).Payload.Span), one.Text()));
        }
    }

    private sealed record Life(PowerCutDoor Door, List<(string Stream, long First, int Count)> Appends, int Acknowledged);

    // Runs the workload until the power goes; what was acknowledged is a prefix of what was enqueued.
    private static async Task<Life> RunAsync(PowerCutDoor door)
    {
        List<(string, long, int)> appends = [];
        List<Task<Appended>> tasks = [];
        try
        {
            SegmentJournal journal = Harness.Open(door);
            var versions = new Dictionary<string, long>();
            foreach (Step step in Workload)
            {
                long version = versions.GetValueOrDefault(step.Stream);
                Task<Appended> task = journal.AppendAsync(step.Stream, Harness.Owner, version, Harness.Events(step.Stream, version, step.Count));
                if (task.IsFaulted && task.Exception.InnerException is NotRecordedException) break;
                appends.Add((step.Stream, version, step.Count));
                tasks.Add(task);
                versions[step.Stream] = version + step.Count;
                if (step.Commits) journal.CommitPending();
            }
            await journal.DisposeAsync();
        }
        catch (StorageException cut) when (cut.InnerException is PowerCutException)
        {
        }
        int acknowledged = tasks.TakeWhile(task => task.IsCompletedSuccessfully).Count();
        Assert.DoesNotContain(tasks.Skip(acknowledged), task => task.IsCompletedSuccessfully);
        foreach (Task<Appended> task in tasks.Skip(acknowledged)) await Assert.ThrowsAsync<NotRecordedException>(() => task);
        return new Life(door, appends, acknowledged);
    }

    // Null when what survived is a prefix of the appends, whole ones only, that holds all that was acknowledged.
    private static async Task<string?> FaultAsync(Life life, PowerCutDoor survivor, string when)
    {
        try
        {
            await using SegmentJournal journal = Harness.Open(survivor);
            List<RecordedEvent> all = await journal.ReadAllAsync().ListAsync();
            int at = 0;
            int append = 0;
            for (; append < life.Appends.Count && at < all.Count; append++)
            {
                (string stream, long first, int count) = life.Appends[append];
                for (int i = 1; i <= count; i++, at++)
                {
                    if (at == all.Count) return $"{when}: append {append} survived in part";
                    NewEvent expected = Harness.Event(stream, first + i);
                    bool same = all[at].Stream == stream && all[at].Version == first + i && all[at].Position == at
                        && !all[at].Erased && all[at].Payload.Span.SequenceEqual(expected.Payload.Span);
                    if (!same) return $"{when}: position {at} is {all[at]}";
                }
            }
            if (at != all.Count) return $"{when}: more events than were appended";
            return append < life.Acknowledged ? $"{when}: {life.Acknowledged} appends were acknowledged, {append} survived" : null;
        }
        catch (StorageException refused)
        {
            return $"{when}: {refused.Message}";
        }
    }
}
