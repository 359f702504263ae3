using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Tests.Journal;

public sealed class JournalReaderTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(29)]
    [InlineData(30)]
    public async Task It_reads_beside_an_open_journal_what_the_journal_itself_reads(long from)
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        await using SegmentJournal journal = SegmentJournal.Open(
            folder["journal"], keys, new JournalOptions { SegmentBytes = 4096, BatchBytes = 4096 });
        for (int i = 0; i < 10; i++) await journal.AppendAsync("a", Harness.Owner, 3 * i, Harness.Events("a", 3 * i, 3));
        Assert.True(Directory.GetFiles(folder["journal"], "*.log").Length > 1);

        string[] own = await Texts(journal.ReadAllAsync(from)), files = await Texts(new JournalReader(folder["journal"], keys).ReadAllAsync(from));
        Assert.Equal(30 - from, own.Length);
        Assert.Equal(own, files);

        // The journal goes on, and reading again shows what came since.
        await journal.AppendAsync("b", Harness.Owner, 0, Harness.Events("b", 0, 2));
        var reader = new JournalReader(folder["journal"], FileKeyProvider.Look(folder["keys"]));
        Assert.Equal(own.Length + 2, (await Texts(reader.ReadAllAsync(from))).Length);
    }

    [Fact]
    public async Task A_torn_tail_is_left_out_and_left_alone_and_damage_before_it_is_named()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        string copy = folder["copy"];
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], keys))
        {
            for (int i = 0; i < 5; i++) await journal.AppendAsync("a", Harness.Owner, 2 * i, Harness.Events("a", 2 * i, 2));
            // As it lies while it is open: a clean end would say that nothing can be torn.
            Directory.CreateDirectory(copy);
            foreach (string file in Directory.GetFiles(folder["journal"], "*.log")) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }
        string segment = Assert.Single(Directory.GetFiles(copy, "*.log"));
        byte[] whole = File.ReadAllBytes(segment);
        var reader = new JournalReader(copy, keys);

        File.WriteAllBytes(segment, whole[..^3]);
        Assert.Equal(8, (await Texts(reader.ReadAllAsync())).Length);
        Assert.Equal(whole.Length - 3, new FileInfo(segment).Length);

        byte[] damaged = [.. whole];
        damaged[200] ^= 1;
        File.WriteAllBytes(segment, damaged);
        DamagedDataException found = await Assert.ThrowsAsync<DamagedDataException>(() => Texts(reader.ReadAllAsync()));
        Assert.Equal(segment, found.Path);
    }

    [Fact]
    public async Task Nothing_is_made_where_keys_are_missing()
    {
        using var folder = new TemporaryFolder();
        await using (SegmentJournal journal = SegmentJournal.Open(folder["journal"], FileKeyProvider.Open(folder["keys"])))
        {
            await journal.AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 1));
        }
        Directory.Delete(folder["keys"], recursive: true);
        StorageException missing = Assert.Throws<StorageException>(() => FileKeyProvider.Look(folder["keys"]));
        Assert.Contains("master.key is missing", missing.Message);
        Assert.False(Directory.Exists(folder["keys"]));
    }

    private static async Task<string[]> Texts(IAsyncEnumerable<RecordedEvent> events)
    {
        List<string> texts = [];
        await foreach (RecordedEvent one in events) texts.Add($"{one.Position} {one.Stream} {one.Version} {Convert.ToHexString(one.Payload.Span)}");
        return [.. texts];
    }
}
