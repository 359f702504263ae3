using HybridTrading.Storage.Sqlite;
using HybridTrading.Storage.Tests.Journal;
using Orleans;
using Orleans.Runtime;

namespace HybridTrading.Storage.Tests.Sqlite;

public sealed class SqliteReminderTableTests
{
    private static readonly DateTime Start = new(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    [Fact]
    public async Task Reminders_survive_a_restart_are_replaced_and_removed_by_etag()
    {
        using var folder = new TemporaryFolder();
        GrainId ann = GrainId.Create("user", "acme/ann");
        string? first;
        using (SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]))
        {
            IReminderTable table = new SqliteReminderTable(database);
            await table.StartAsync();
            Assert.Null(await table.ReadRow(ann, "daily"));
            first = await table.UpsertRow(Entry(ann, "daily", 1));
            await table.UpsertRow(Entry(ann, "hourly", 2));
            await table.UpsertRow(Entry(GrainId.Create("user", "acme/bob"), "daily", 3));
        }
        using SqliteDatabase again = SqliteDatabase.Open(folder["state.db"]);
        IReminderTable reopened = new SqliteReminderTable(again);
        ReminderEntry row = (await reopened.ReadRow(ann, "daily"))!;
        Assert.Equal(
            (ann, "daily", Start.AddHours(1), TimeSpan.FromHours(1), first),
            (row.GrainId, row.ReminderName, row.StartAt, row.Period, row.ETag));
        Assert.Equal(DateTimeKind.Utc, row.StartAt.Kind);
        Assert.Equal(["daily", "hourly"], (await reopened.ReadRows(ann)).Reminders.Select(one => one.ReminderName));

        string? second = await reopened.UpsertRow(Entry(ann, "daily", 9));
        Assert.NotEqual(first, second);
        Assert.Equal(TimeSpan.FromHours(9), (await reopened.ReadRow(ann, "daily"))!.Period);
        Assert.False(await reopened.RemoveRow(ann, "daily", first!));
        Assert.False(await reopened.RemoveRow(ann, "daily", "no number"));
        Assert.True(await reopened.RemoveRow(ann, "daily", second!));
        Assert.False(await reopened.RemoveRow(ann, "daily", second!));
        Assert.Null(await reopened.ReadRow(ann, "daily"));
    }

    [Fact]
    public async Task Every_range_of_the_ring_and_its_complement_hold_all_reminders_once()
    {
        using var folder = new TemporaryFolder();
        using SqliteDatabase database = SqliteDatabase.Open(folder["state.db"]);
        IReminderTable table = new SqliteReminderTable(database);
        List<GrainId> grains = [.. Enumerable.Range(0, 50).Select(i => GrainId.Create("user", "acme/" + i))];
        foreach (GrainId grain in grains) await table.UpsertRow(Entry(grain, "daily", 1));
        List<uint> marks = [0, 1u << 31, uint.MaxValue, .. grains.Take(5).Select(grain => grain.GetUniformHashCode())];
        foreach (uint begin in marks)
        {
            Assert.Equal(50, (await table.ReadRows(begin, begin)).Reminders.Count);
            foreach (uint end in marks.Where(end => end != begin))
            {
                List<GrainId> inside = [.. (await table.ReadRows(begin, end)).Reminders.Select(one => one.GrainId)];
                List<GrainId> outside = [.. (await table.ReadRows(end, begin)).Reminders.Select(one => one.GrainId)];
                Assert.Equal(grains.Order(), inside.Concat(outside).Order());
                if (begin < end) Assert.All(inside, grain => Assert.InRange(grain.GetUniformHashCode(), begin + 1, end));
            }
        }
        await table.TestOnlyClearTable();
        Assert.Empty((await table.ReadRows(0, 0)).Reminders);
    }

    private static ReminderEntry Entry(GrainId grain, string name, int hours) =>
        new() { GrainId = grain, ReminderName = name, StartAt = Start.AddHours(hours), Period = TimeSpan.FromHours(hours) };
}
