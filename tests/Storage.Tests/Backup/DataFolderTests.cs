using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Storage.Tests.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace HybridTrading.Storage.Tests.Backup;

public sealed class DataFolderTests
{
    [Fact]
    public void A_data_folder_is_private_stamped_and_held_by_one()
    {
        using var folder = new TemporaryFolder();
        string root = folder["a/b/data"];
        using (DataFolder data = DataFolder.Open(root))
        {
            Assert.Equal("hybrid-trading data 1\n", File.ReadAllText(Path.Combine(root, "version")));
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root));
            }
            StorageException inUse = Assert.Throws<StorageException>(() => DataFolder.Open(root));
            Assert.Contains($"{root} is in use by process {Environment.ProcessId}", inUse.Message);
            Assert.Equal(root, DataFolder.Look(root).Root);
            Assert.Equal(Path.Combine(root, "runs", "r-1"), data.Run("r-1"));
            foreach (string bad in new[] { "", "..", "../x", "a/b", ".hidden", new string('a', 65) })
            {
                Assert.Throws<ArgumentException>(() => data.Run(bad));
                Assert.Throws<ArgumentException>(() => data.Feed(bad));
            }
            using DataFolder run = DataFolder.Open(data.Run("r-1"));
            Assert.Equal(["r-1"], data.Runs());
        }
        using DataFolder later = DataFolder.Open(root);
    }

    [Fact]
    public void Folders_of_others_and_of_newer_programs_are_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("holds no data", Assert.Throws<StorageException>(() => DataFolder.Look(folder["none"])).Message);
        Directory.CreateDirectory(folder["other"]);
        File.WriteAllText(folder["other/photo.jpg"], "");
        Assert.Contains("is not empty", Assert.Throws<StorageException>(() => DataFolder.Open(folder["other"])).Message);
        DataFolder.Open(folder["data"]).Dispose();
        File.WriteAllText(folder["data/version"], "hybrid-trading data 7\n");
        StorageException newer = Assert.Throws<StorageException>(() => DataFolder.Open(folder["data"]));
        Assert.Contains("data format 7; this program reads format 1", newer.Message);
        File.WriteAllText(folder["data/version"], "nonsense");
        Assert.Contains("nonsense", Assert.Throws<StorageException>(() => DataFolder.Look(folder["data"])).Message);
    }

    [Fact]
    public async Task A_backup_taken_while_everything_is_written_restores_to_a_sound_prefix()
    {
        using var folder = new TemporaryFolder();
        BackupManifest manifest;
        long acknowledgedBefore;
        using (DataFolder data = DataFolder.Open(folder["data"]))
        await using (ServiceProvider provider = Services(data))
        {
            IHostedService start = Assert.Single(provider.GetServices<IHostedService>());
            await start.StartAsync(default);
            SegmentJournal journal = provider.GetRequiredService<SegmentJournal>();
            SegmentMarketLog market = provider.GetRequiredService<MarketLogs>().Get("main");
            var positions = provider.GetRequiredService<IPositionStore>();
            using var stop = new CancellationTokenSource();
            var enough = new TaskCompletionSource();
            Task<long>[] writers = [.. Enumerable.Range(0, 4).Select(w => Task.Run(() => WriteAsync(w)))];
            await enough.Task;
            acknowledgedBefore = journal.DurableSize;
            manifest = DataBackup.Run(DataFolder.Look(data.Root), folder["backup"], TimeProvider.System);
            await stop.CancelAsync();
            await Task.WhenAll(writers);
            Assert.Empty(await provider.GetRequiredService<IBarStore>().ReadLastAsync("X", TimeFrame.M1, 5, DateTime.MaxValue));

            async Task<long> WriteAsync(int w)
            {
                string stream = "s" + w;
                long version = 0;
                while (!stop.IsCancellationRequested)
                {
                    await market.AppendAsync(
                        new[] { new MarketEvent(0, DateTime.UnixEpoch.AddSeconds(version), "", MarketEventKind.Clock, default, default, default) });
                    Appended appended = await journal.AppendAsync(
                        stream, new StreamOwner("acme", "acme/" + w), version, Harness.Events(stream, version, 2));
                    version = appended.Version;
                    if (w == 0) await positions.SaveAsync("outbox", appended.LastPosition + 1);
                    if (version == 200) enough.TrySetResult();
                }
                return version;
            }
        }
        Assert.True(manifest.JournalSize >= acknowledgedBefore);

        DataRestore.Run(folder["backup"], folder["restored"]);
        using DataFolder restored = DataFolder.Open(folder["restored"]);
        await using ServiceProvider again = Services(restored);
        SegmentJournal journalAgain = again.GetRequiredService<SegmentJournal>();
        Assert.Equal((manifest.JournalSize, manifest.JournalRoot), (journalAgain.DurableSize, journalAgain.TreeHead.Root.ToString()));
        Assert.Equal(0, journalAgain.Recovery.CutBytes);
        Assert.DoesNotContain(await journalAgain.ReadAllAsync().ListAsync(), one => one.Erased);
        Assert.InRange(await again.GetRequiredService<IPositionStore>().LoadAsync("outbox"), 1, journalAgain.DurableSize);
        // Every writer logs a market event before its two journal events.
        Assert.True(again.GetRequiredService<MarketLogs>().Get("main").NextPosition >= journalAgain.DurableSize / 2);
    }

    [Fact]
    public async Task Restore_refuses_changed_missing_and_foreign_files_and_a_target_in_use()
    {
        using var folder = new TemporaryFolder();
        using (DataFolder data = DataFolder.Open(folder["data"]))
        await using (ServiceProvider provider = Services(data))
        {
            await provider.GetRequiredService<IJournal>().AppendAsync("a", Harness.Owner, 0, Harness.Events("a", 0, 3));
            await provider.GetRequiredService<IPositionStore>().SaveAsync("outbox", 3);
            await provider.GetRequiredService<IBlobStore>().PutAsync(Harness.Owner, "data-1", new MemoryStream([1, 2, 3]), 3);
            DataBackup.Run(data, folder["backup"], TimeProvider.System);
            Assert.Contains(
                "is not empty", Assert.Throws<StorageException>(() => DataBackup.Run(data, folder["backup"], TimeProvider.System)).Message);
        }
        BackupManifest manifest = DataRestore.Check(folder["backup"]);
        Assert.Equal(3, manifest.JournalSize);
        Assert.Contains(manifest.Files, file => file.Path == "state.db");
        foreach (BackupFile file in manifest.Files)
        {
            string path = Path.Combine(folder["backup"], file.Path);
            byte[] content = File.ReadAllBytes(path);
            File.WriteAllBytes(path, [.. content, 0]);
            Assert.Contains(path, Refused());
            if (content.Length > 0)
            {
                File.WriteAllBytes(path, [.. content[..^1], (byte)(content[^1] ^ 1)]);
                Assert.Contains("SHA-256", Refused());
            }
            File.Delete(path);
            Assert.Contains("is missing", Refused());
            File.WriteAllBytes(path, content);
            Assert.False(Directory.Exists(folder["restored"]));
        }
        string manifestPath = folder["backup/backup.json"];
        string json = File.ReadAllText(manifestPath);
        File.WriteAllText(manifestPath, json.Replace("\"state.db\"", "\"../state.db\"", StringComparison.Ordinal));
        Assert.Contains("outside of itself", Refused());
        File.WriteAllText(manifestPath, json.Replace("\"format\": 1", "\"format\": 5", StringComparison.Ordinal));
        Assert.Contains("format 5", Refused());
        File.WriteAllText(manifestPath, "{");
        Assert.Contains("no backup manifest", Refused());
        File.WriteAllText(manifestPath, json);
        Assert.Contains("is not empty", Assert.Throws<StorageException>(() => DataRestore.Run(folder["backup"], folder["data"])).Message);
        DataRestore.Run(folder["backup"], folder["restored"]);
        using (DataFolder restored = DataFolder.Open(folder["restored"]))
        await using (ServiceProvider again = Services(restored))
        {
            await using Stream content = (await again.GetRequiredService<IBlobStore>().OpenAsync(Harness.Owner, "data-1"))!;
            Assert.Equal([1, 2, 3], new[] { content.ReadByte(), content.ReadByte(), content.ReadByte() });
        }

        string Refused() => Assert.Throws<StorageException>(() => DataRestore.Run(folder["backup"], folder["restored"])).Message;
    }

    [Fact]
    public async Task A_damaged_journal_gives_no_backup()
    {
        using var folder = new TemporaryFolder();
        using DataFolder data = DataFolder.Open(folder["data"]);
        await using (ServiceProvider provider = Services(data))
        {
            for (int i = 0; i < 3; i++) await provider.GetRequiredService<IJournal>().AppendAsync("a", Harness.Owner, i, Harness.Events("a", i, 1));
        }
        string segment = Assert.Single(Directory.GetFiles(data.Journal, "*.log"));
        byte[] content = File.ReadAllBytes(segment);
        content[200] ^= 1;
        File.WriteAllBytes(segment, content);
        StorageException refused = Assert.Throws<StorageException>(() => DataBackup.Run(data, folder["backup"], TimeProvider.System));
        Assert.Contains("the journal is damaged", refused.Message);
        Assert.False(File.Exists(folder["backup/backup.json"]));
    }

    private static ServiceProvider Services(DataFolder data) => new ServiceCollection()
        .AddSingleton(typeof(Microsoft.Extensions.Logging.ILogger<>), typeof(NullLogger<>))
        .AddSingleton<IProjection>(new SqliteTests.CountByStream(1))
        .AddHybridStorage(data, new StorageOptions
        {
            Journal = new JournalOptions { SegmentBytes = 16 << 10, BatchBytes = 8192 },
            MarketLog = new MarketLogOptions { SegmentBytes = 4096 },
        })
        .BuildServiceProvider();
}
