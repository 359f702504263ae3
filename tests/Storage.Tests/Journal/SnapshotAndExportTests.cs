using System.Text;
using System.Text.Json;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Tests.Files;

namespace HybridTrading.Storage.Tests.Journal;

public sealed class SnapshotAndExportTests
{
    [Fact]
    public async Task A_snapshot_comes_back_and_anything_wrong_with_it_makes_it_absent()
    {
        var door = new PowerCutDoor();
        FileKeyProvider keys = FileKeyProvider.Open("/data/keys", door);
        long durable = 100;
        var store = new FileSnapshotStore("/data/snapshots", keys, _ => durable, door);
        Assert.Null(await store.LoadAsync("a"));
        await store.SaveAsync("a", Harness.Owner, 5, 2, "old"u8.ToArray());
        await store.SaveAsync("a", Harness.Owner, 9, 3, "balance 17"u8.ToArray());
        Snapshot loaded = (await store.LoadAsync("a"))!;
        Assert.Equal((9L, 3, "balance 17"), (loaded.Version, loaded.Shape, Encoding.UTF8.GetString(loaded.Payload.Span)));
        Assert.Null(await store.LoadAsync("b"));

        durable = 8;
        Assert.Null(await store.LoadAsync("a"));
        durable = 9;
        string path = Assert.Single(door.Contents.Keys, name => name.EndsWith(".snapshot", StringComparison.Ordinal));
        byte[] content = door.Contents[path];
        Assert.Equal(-1, content.AsSpan().IndexOf("balance"u8));
        for (int at = 0; at < content.Length; at++)
        {
            PowerCutDoor damaged = door.Copy();
            byte[] flipped = [.. content];
            flipped[at] ^= 0x20;
            damaged.Put(path, flipped);
            Assert.Null(await new FileSnapshotStore("/data/snapshots", keys, _ => durable, damaged).LoadAsync("a"));
            damaged.Put(path, content[..at]);
            Assert.Null(await new FileSnapshotStore("/data/snapshots", keys, _ => durable, damaged).LoadAsync("a"));
        }

        keys.Destroy("acme/ann");
        Assert.Null(await store.LoadAsync("a"));
    }

    [Fact]
    public async Task Export_writes_one_json_object_a_line_with_the_payload_as_it_was()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        await using SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys);
        NewEvent odd = Harness.Event("a", 1) with { Payload = "{\n \"price\": 1.2300, \"note\": \"Grüße \\u0022\"\n}"u8.ToArray() };
        await journal.AppendAsync("a", Harness.Owner, 0, new[] { odd, Harness.Event("a", 2) with { Payload = new byte[] { 1, 2 } } });
        await journal.AppendAsync("b", new StreamOwner("", "gone"), 0, new[] { Harness.Event("b", 1) });
        keys.Destroy("gone");

        var text = new StringWriter { NewLine = "\n" };
        Assert.Equal(3, await JournalExporter.ExportAsync(journal.ReadAllAsync(), text));
        string[] lines = text.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal(
            "{\"position\":0,\"stream\":\"a\",\"version\":1,\"name\":\"order-accepted\",\"schema\":1,\"time\":\"2024-01-02T03:04:06Z\","
            + "\"causation\":\"order-1\",\"tenant\":\"acme\",\"subject\":\"acme/ann\",\"payload\":{\"price\":1.2300,\"note\":\"Grüße \\\"\"}}",
            lines[0]);
        Assert.Contains("\"payloadBase64\":\"AQI=\"", lines[1]);
        using JsonDocument erased = JsonDocument.Parse(lines[2]);
        Assert.True(erased.RootElement.GetProperty("erased").GetBoolean());
        Assert.False(erased.RootElement.TryGetProperty("payload", out _));
    }

    [Fact]
    public async Task Verify_counts_what_it_read_and_gives_the_journals_own_root_while_it_is_open()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        await using SegmentJournal journal = SegmentJournal.Open(
            folder["journal"], keys, new JournalOptions { SegmentBytes = 4096, BatchBytes = 4096 });
        for (int i = 0; i < 50; i++) await journal.AppendAsync("a", Harness.Owner, i, Harness.Events("a", i, 1));
        await journal.AppendAsync("b", new StreamOwner("acme", "acme/bob"), 0, Harness.Events("b", 0, 3));
        keys.Destroy("acme/bob");
        var reported = new List<StorageProgress>();
        JournalReport report = new JournalVerifier(folder["journal"], keys).Verify(new Immediate(reported.Add));
        Assert.True(report.IsSound);
        Assert.Equal((53L, 2L, 3L, 0L), (report.Events, report.Streams, report.Erased, report.TornBytes));
        Assert.Equal(journal.TreeHead, report.Tree);
        Assert.Equal(report.Segments, reported.Count);
        Assert.Equal(new StorageProgress(report.Bytes, report.Bytes), reported[^1]);
    }

    private sealed class Immediate(Action<StorageProgress> report) : IProgress<StorageProgress>
    {
        public void Report(StorageProgress value) => report(value);
    }
}
