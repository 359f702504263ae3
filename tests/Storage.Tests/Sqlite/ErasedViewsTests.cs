using System.Collections.Immutable;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Storage.Tests.Sqlite;

public sealed class ErasedViewsTests
{
    private const string Secret = "Ann lives in Athens";

    private static readonly StreamOwner Bob = new("acme", "acme/bob");

    [Fact]
    public async Task What_the_lists_say_of_an_erased_person_is_gone_with_the_next_start_and_the_others_stay()
    {
        using var folder = new TemporaryFolder();
        await using (Running running = await Running.StartAsync(folder.Path))
        {
            await running.Journal.AppendAsync("ann", Harness.Owner, 0, new[] { Note(Secret) });
            Appended last = await running.Journal.AppendAsync("bob", Bob, 0, new[] { Note("Bob stays") });
            await running.Projections.WaitForAsync(Notes.ProjectionName, last.LastPosition);
            Assert.Equal([Secret, "Bob stays"], running.Texts());
        }
        Assert.True(IsOnDisk(folder.Path, Secret), "the lists hold plain text");

        // A start without an erasure leaves them as they are.
        await using (Running running = await Running.StartAsync(folder.Path)) Assert.Equal(0, running.Made);

        FileKeyProvider.Open(folder["keys"]).Destroy(Harness.Owner.Subject);
        await using (Running running = await Running.StartAsync(folder.Path))
        {
            await running.Projections.WaitForAsync(Notes.ProjectionName, running.Journal.DurableSize - 1);
            Assert.Equal(["Bob stays"], running.Texts());
        }
        Assert.False(IsOnDisk(folder.Path, Secret), "an erased person's plain text is still in a file");

        // Done once.
        await using (Running running = await Running.StartAsync(folder.Path)) Assert.Equal(0, running.Made);
    }

    [Fact]
    public async Task The_beginning_of_an_erasure_takes_the_rows_out_of_the_file_at_once_and_none_comes_again()
    {
        using var folder = new TemporaryFolder();
        await using (Running running = await Running.StartAsync(folder.Path))
        {
            for (int i = 0; i < 50; i++) await running.Journal.AppendAsync("ann", Harness.Owner, i, new[] { Note($"{Secret} {i}") });
            await running.Journal.AppendAsync("bob", Bob, 0, new[] { Note("Bob stays") });
            var begun = new ErasureBegun(DateTime.UtcNow, "ann", [Harness.Owner.Subject], [Harness.Owner.Subject, "users/ann"], [], "bob", "asked");
            await running.Journal.AppendAsync("erasure/ann", ErasureEventCatalog.Owner, 0, new[] { ErasureEventCatalog.Events.Encode(begun, begun.Time, "") });
            // Whatever is written for her before her key goes.
            Appended last = await running.Journal.AppendAsync("ann", Harness.Owner, 50, new[] { Note($"{Secret} late") });
            await running.Projections.WaitForAsync(Notes.ProjectionName, last.LastPosition);
            Assert.Equal(["Bob stays"], running.Texts());
            for (int look = 0; look < 500 && IsInViews(folder.Path); look++) await Task.Delay(10);
            Assert.False(IsInViews(folder.Path), "the rows are gone and their bytes are not");
        }
        // Her key is still there, and a table that is made anew takes nothing of her.
        foreach (string file in Directory.GetFiles(folder.Path, "views.db*")) File.Delete(file);
        await using (Running running = await Running.StartAsync(folder.Path))
        {
            await running.Projections.WaitForAsync(Notes.ProjectionName, running.Journal.DurableSize - 1);
            Assert.Equal(["Bob stays"], running.Texts());
        }
    }

    [Fact]
    public void A_deletion_that_was_cut_off_is_done_again()
    {
        using var folder = new TemporaryFolder();
        using DataFolder data = DataFolder.Open(folder.Path);
        FileKeyProvider keys = FileKeyProvider.Open(data.Keys);
        keys.GetOrCreate("acme/ann");
        keys.Destroy("acme/ann");
        File.WriteAllText(data.ViewDatabase + "-wal", Secret);

        Assert.False(ErasedViews.RemoveWhereStale(data, keys));
        Assert.False(File.Exists(data.ViewDatabase + "-wal"));
        Assert.Equal("1", File.ReadAllText(data.ViewErasures));
        File.WriteAllText(data.ViewDatabase, "begun after it");
        Assert.False(ErasedViews.RemoveWhereStale(data, keys));
        Assert.True(File.Exists(data.ViewDatabase));
    }

    private static NewEvent Note(string text) => Harness.Events("note", 0, 1)[0] with { Payload = Encoding.UTF8.GetBytes($"\"{text}\"") };

    /// <summary>Beside the process that has them open.</summary>
    private static bool IsInViews(string folder) => Directory.GetFiles(folder, "views.db*").Any(file =>
    {
        using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[open.Length];
        return bytes.AsSpan(0, open.Read(bytes)).IndexOf(Encoding.UTF8.GetBytes(Secret)) >= 0;
    });

    private static bool IsOnDisk(string folder, string text) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .Any(file => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0);

    /// <summary>All of the storage over a folder, as a host starts it, with one list.</summary>
    private sealed class Running(IHost host, DataFolder folder, Notes notes) : IAsyncDisposable
    {
        public IJournal Journal => host.Services.GetRequiredService<IJournal>();

        public ProjectionRunner Projections => host.Services.GetRequiredService<ProjectionRunner>();

        /// <summary>How often the list was made anew.</summary>
        public int Made => notes.Made;

        public static async Task<Running> StartAsync(string path)
        {
            DataFolder folder = DataFolder.Open(path);
            var notes = new Notes();
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Services.AddLogging();
            builder.Services.AddHybridStorage(folder);
            builder.Services.AddSingleton<IProjection>(notes);
            IHost host = builder.Build();
            await host.StartAsync();
            return new Running(host, folder, notes);
        }

        public ImmutableArray<string> Texts() => ProjectionReader.Read(
            host.Services.GetRequiredKeyedService<SqliteDatabase>(HybridStorage.ViewDatabase), "SELECT text FROM note ORDER BY text",
            row => row.GetString(0));

        public async ValueTask DisposeAsync()
        {
            await host.StopAsync();
            await ((IAsyncDisposable)host).DisposeAsync();
            folder.Dispose();
        }
    }

    private sealed class Notes : IProjection
    {
        public const string ProjectionName = "notes";

        public int Made { get; private set; }

        public string Name => ProjectionName;

        public int Version => 1;

        public void Create(ProjectionWriter writer)
        {
            Made++;
            writer.Execute("DROP TABLE IF EXISTS note; CREATE TABLE note (text TEXT NOT NULL, subject TEXT NOT NULL)");
        }

        public void Erase(string subject, ProjectionWriter writer) => writer.Execute("DELETE FROM note WHERE subject = $1", subject);

        public void Apply(RecordedEvent one, ProjectionWriter writer)
        {
            if (!one.Erased && !one.Stream.StartsWith("erasure/", StringComparison.Ordinal)) writer.Execute("INSERT INTO note (text, subject) VALUES ($1, $2)", Encoding.UTF8.GetString(one.Payload.Span).Trim('"'), one.Subject);
        }
    }
}
