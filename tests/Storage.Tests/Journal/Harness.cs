using System.Globalization;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Tests.Files;

namespace HybridTrading.Storage.Tests.Journal;

/// <summary>Short ways to write and read journals in tests.</summary>
internal static class Harness
{
    public const string Folder = "/data/journal";
    public static readonly StreamOwner Owner = new("acme", "acme/ann");
    private static readonly DateTime Start = new(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    public static JournalOptions Small { get; } = new() { SegmentBytes = 4096, BatchBytes = 4096, OwnThread = false };

    public static SegmentJournal Open(PowerCutDoor door, JournalOptions? options = null) =>
        SegmentJournal.Open(Folder, FileKeyProvider.Open("/data/keys", door), options ?? Small, door);

    public static NewEvent[] Events(string stream, long version, int count) =>
        [.. Enumerable.Range(1, count).Select(i => Event(stream, version + i))];

    public static NewEvent Event(string stream, long version) => new(
        "order-accepted", 1, Start.AddSeconds(version), "order-" + version,
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"stream\":\"{stream}\",\"version\":{version}}}")));

    public static async Task<List<RecordedEvent>> ListAsync(this IAsyncEnumerable<RecordedEvent> events)
    {
        List<RecordedEvent> list = [];
        await foreach (RecordedEvent one in events) list.Add(one);
        return list;
    }

    /// <summary>The first events of a sequence that need not end.</summary>
    public static async Task<List<RecordedEvent>> FirstAsync(this IAsyncEnumerable<RecordedEvent> events, int count)
    {
        List<RecordedEvent> list = [];
        await foreach (RecordedEvent one in events)
        {
            list.Add(one);
            if (list.Count == count) break;
        }
        return list;
    }

    public static string Text(this RecordedEvent one) => Encoding.UTF8.GetString(one.Payload.Span);
}

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("ht-storage-").FullName;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
