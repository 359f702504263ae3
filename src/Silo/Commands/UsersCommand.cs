using System.CommandLine;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Silo.Commands;

/// <summary><c>users</c>: who has a user in a data folder, for its operator, where nobody can or should sign in to do it.</summary>
public static class UsersCommand
{
    private const int LongestReason = 200;

    public static Command Create()
    {
        Option<string?> data = DataOption.Create();
        data.Recursive = true;

        var list = new Command("list", "Ids and addresses of all users; also of a running system.");
        list.Handle(async (parsed, cancellation) =>
        {
            using DataFolder folder = DataFolder.Look(DataOption.Path(parsed.GetValue(data)));
            var journal = new JournalReader(folder.Journal, FileKeyProvider.Look(folder.Keys));
            foreach (Found one in await FindAsync(journal.ReadAllAsync(0, cancellation)))
            {
                string planned = one.User.Erasure is { } erasure ? $"  to be erased from {erasure.Due:yyyy-MM-dd HH:mm} UTC on" : "";
                Console.Out.WriteLine($"{one.Id}  {one.User.Email}{planned}");
            }
            return 0;
        });

        var who = new Argument<string>("who") { Description = "id or e-mail address of the user" };
        var reason = new Option<string>("--reason")
        {
            Description = $"why, for the journal, where it stays: no name, no address; at most {LongestReason} characters", Required = true,
        };
        var confirm = new Option<string?>("--yes") { Description = "the user's id, so that it is meant; without it nothing is done" };
        var erase = new Command("erase", """
            Have a user erased by the next start of the system, without a time of grace. It cannot be undone. The system must not be running: beside a
            running one, and in a cluster, an administrator does it on the page or by POST /api/v1/users/ID/erasure.
            What must be settled first (positions, orders at work, running strategies, a tenant without another owner) still holds; the start's
            log says what it waits for, and signing in before it is done keeps the user.

            Example: users erase ann@example.org --reason "asked by letter" --yes u7k2...
            """) { who, reason, confirm };
        erase.Handle(async (parsed, cancellation) =>
        {
            string why = parsed.GetValue(reason)!.Trim();
            if (why.Length is 0 or > LongestReason || why.Any(char.IsControl))
            {
                throw new UsageException($"--reason has {why.Length} characters; expected 1 to {LongestReason} on one line");
            }
            DataFolder.Look(DataOption.Path(parsed.GetValue(data))).Dispose();
            using DataFolder folder = DataFolder.Open(DataOption.Path(parsed.GetValue(data)));
            await using SegmentJournal journal = SegmentJournal.Open(folder.Journal, FileKeyProvider.Look(folder.Keys));
            string name = parsed.GetValue(who)!;
            List<Found> users = await FindAsync(journal.ReadAllAsync(0, cancellation));
            Found found = users.Find(one => one.Id == name || one.User.Email == EmailAddress.Normalise(name))
                ?? throw new UsageException($"who is '{name}'; no such user in {folder.Root}");
            if (parsed.GetValue(confirm) != found.Id)
            {
                throw new UsageException($"nothing is done yet: add --yes {found.Id} to have {found.User.Email} erased");
            }
            DateTime now = DateTime.UtcNow;
            await journal.AppendAsync(Keys.UserStream(found.Id), Keys.UserOwner(found.Id), found.Version,
                new[] { UserEventCatalog.Events.Encode(new ErasureAsked(now, now, "operator", why), now, $"user:{found.Id}") }, cancellation);
            Console.Out.WriteLine($"the next start of the system erases user {found.Id}");
            return 0;
        });

        return new Command("users", """
            Users of a data folder, for its operator.

            Examples:
              users list --data /srv/hybrid
              users erase ann@example.org --reason "asked by letter" --yes ID
            """) { data, list, erase };
    }

    private static async Task<List<Found>> FindAsync(IAsyncEnumerable<RecordedEvent> events)
    {
        var found = new Dictionary<string, Found>(StringComparer.Ordinal);
        string prefix = Keys.UserStream("");
        await foreach (RecordedEvent one in events)
        {
            if (one.Erased || !one.Stream.StartsWith(prefix, StringComparison.Ordinal)) continue;
            string id = one.Stream[prefix.Length..];
            if (!found.TryGetValue(id, out Found? user)) found.Add(id, user = new Found(id));
            user.User.Apply(UserEventCatalog.Events.Decode(one));
            user.Version = one.Version;
        }
        return [.. found.Values.Where(one => one.User.IsRegistered).OrderBy(one => one.User.Created)];
    }

    private sealed class Found(string id)
    {
        public string Id => id;

        public User User { get; } = new();

        public long Version { get; set; }
    }
}
