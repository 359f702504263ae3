using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;
using HybridTrading.Storage;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Postgres;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;

namespace HybridTrading.Tests;

/// <summary>The erasure of a user on the real API, real grains and real storage, of both kinds.</summary>
public sealed class ErasureApiTests
{
    private const string Email = "annabelle.zweig@example.org", Name = "Annabelle Zweig-Oberland", Account = "nestegg-of-annabelle", Tuned = "zweigs-own-cross";

    [Theory, InlineData(false), InlineData(true)]
    public async Task NothingOfAnErasedUserCanBeReadAndTheJournalIsStillProven(bool postgres)
    {
        await using PostgresServer? server = postgres ? await PostgresServer.StartNewAsync() : null;
        string? database = server is null ? null : await DatabaseAsync(server);
        await using ApiHost host = await ApiHost.StartAsync(signIn: true, database: database);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor ann = await LiveAsync(host, owner);
        string person = $"local/{ann.Id}", account = $"{person}/{Account}";
        await using HubClient hub = await HubClient.ConnectAsync(host.Address, ann.Token);
        await hub.SubscribeAsync(["EURUSD"], Account);
        (await ann.PostAsync("me/api-keys", new { name = "bot", scopes = new[] { "ReadTrading" }, expiresDays = 30 })).Expect(201);
        Assert.NotEmpty(host.MailsTo(Email));

        // Everything there is of her is alive, in memory and on disk, when it begins.
        await EraseAsync(host, owner, ann.Id);
        await hub.Closed;
        (await ann.GetAsync("me")).ExpectProblem(401, "TokenInvalid");
        using var again = new Visitor(host);
        Answer refused = (await again.SignInAsync(Email)).ExpectProblem(401, "SignInFailed");
        Assert.Equal((await again.SignInAsync("nobody@example.org")).Detail, refused.Detail);
        await NothingIsShownAsync(host, owner, ann.Id);
        Assert.Empty(host.MailsTo(Email));

        // Nothing writes for her any more, whoever is asked.
        IGrainFactory grains = host.Services.GetRequiredService<IGrainFactory>();
        using (Principal.Of("local"))
        {
            Assert.Null(await grains.GetGrain<IAccountGrain>(account).GetView());
            Assert.Null(await grains.GetGrain<IStrategyGrain>($"{person}/{Tuned}").GetView());
            Assert.Empty(await grains.GetGrain<IConfigurationGrain>(person).GetDocuments());
            await Assert.ThrowsAsync<StreamErasedException>(() => grains.GetGrain<IConfigurationGrain>(person).Create(
                "display", ImmutableSortedDictionary<string, string>.Empty.Add("theme", "\"dark\""), ann.Id, ""));
        }
        using (Principal.OfGateway())
        {
            UserAnswer made = await grains.GetGrain<IUserGrain>(ann.Id).Register(new Registration(Email, Name, new Secret(Visitor.Password), EmailVerified: true));
            Assert.Equal(UserFault.Exists, made.Fault);
        }

        await host.RestartAsync(folder => Scan(folder, database));
        // All that a start wakes, it finds.
        var startup = host.Services.GetRequiredService<IStartupQueries>();
        await startup.CatchUpAsync(TestContext.Current.CancellationToken);
        Assert.Empty(startup.UnfinishedErasures());
        Assert.Empty(startup.AccountsToWake());
        Assert.Empty(startup.RunningStrategies());
        using var later = new Visitor(host);
        (await later.SignInAsync("owner@example.org")).Expect(200);
        await NothingIsShownAsync(host, later, ann.Id);
        Answer journal = (await later.GetAsync($"journal?user={ann.Id}&limit=1000")).Expect(200);
        Assert.DoesNotContain(Email, journal.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(journal["entries"].EnumerateArray(), one => one.GetProperty("payload").ValueKind == JsonValueKind.Null);

        // The address is free: whoever comes by it is somebody else.
        using Visitor successor = await later.InviteAsync(Email.Split('@')[0], "Trader");
        Assert.NotEqual(ann.Id, successor.Id);
        (await successor.GetAsync("accounts")).Expect(200);
    }

    [Fact]
    public async Task AUserIsErasedAfterTheTimeOfGraceUnlessTheySignIn()
    {
        var clock = new MovedTime();
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor ann = await owner.InviteAsync("ann", "Trader");
        object asked = new { password = Visitor.Password, confirm = "ann@example.org" };
        (await ann.PostAsync("me/erasure", new { password = "not the password", confirm = "ann@example.org" })).ExpectProblem(403, "PasswordWrong");
        (await ann.PostAsync("me/erasure", new { password = Visitor.Password, confirm = "bob@example.org" })).ExpectProblem(400, "InvalidInput", "confirm");
        Answer outlook = (await ann.GetAsync("me/erasure")).Expect(200);
        Assert.Equal((0, 7, true), (outlook["hindrances"].GetArrayLength(), outlook["graceDays"].GetInt32(), outlook["kept"].GetArrayLength() > 2));

        // Every session ends, and signing in keeps the user.
        (await ann.PostAsync("me/erasure", asked)).Expect(202);
        await UntilAsync(async () => (await ann.GetAsync("me")).Status == 401);
        Assert.Contains(host.MailsTo("ann@example.org"), mail => mail.Contains("your user is erased", StringComparison.Ordinal));
        JsonElement listed = (await owner.GetAsync("users")).Expect(200).Json.EnumerateArray().Single(user => user.GetProperty("id").GetString() == ann.Id);
        Assert.InRange(listed.GetProperty("erasureDue").GetDateTime() - DateTime.UtcNow, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7));
        (await ann.SignInAsync("ann@example.org")).Expect(200);
        Assert.Contains(host.MailsTo("ann@example.org"), mail => mail.Contains("signed in as you", StringComparison.Ordinal));
        clock.Moved = TimeSpan.FromDays(8);
        await WakeAsync(host, ann.Id);
        await StageAsync(host, ann.Id, ErasureStage.None);
        (await ann.SignInAsync("ann@example.org")).Expect(200);

        // An administrator can keep one, too, and nobody else's plan is cut short by a later one.
        (await owner.SignInAsync("owner@example.org")).Expect(200);
        (await owner.PostAsync($"users/{ann.Id}/erasure", new { confirm = ann.Id, reason = "asked by letter" })).Expect(202);
        (await owner.DeleteAsync($"users/{ann.Id}/erasure")).Expect(204);
        (await owner.DeleteAsync($"users/{ann.Id}/erasure")).ExpectProblem(404, "UserUnknown");
        (await ann.SignInAsync("ann@example.org")).Expect(200);

        // Nobody signs in, and the process was away when it came due.
        (await ann.PostAsync("me/erasure", asked)).Expect(202);
        await WakeAsync(host, ann.Id);
        await StageAsync(host, ann.Id, ErasureStage.Planned);
        clock.Moved = TimeSpan.FromDays(16);
        var startup = host.Services.GetRequiredService<IStartupQueries>();
        await startup.CatchUpAsync(TestContext.Current.CancellationToken);
        Assert.Equal([ann.Id], startup.UnfinishedErasures());
        await host.RestartAsync();
        await WakeAsync(host, ann.Id);
        await StageAsync(host, ann.Id, ErasureStage.Done);
        using var later = new Visitor(host);
        (await later.SignInAsync("ann@example.org")).ExpectProblem(401, "SignInFailed");
    }

    [Fact]
    public async Task WhatMustBeSettledFirstIsSaid()
    {
        await using ApiHost host = await ApiHost.StartAsync(signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await owner.PostAsync("accounts", new { name = "main", currency = "USD" })).Expect(201);
        (await owner.PostAsync("accounts/main/orders", OrderApiTests.Market(1000))).Expect(201);
        (await owner.PostAsync("accounts/main/orders", OrderApiTests.Limit("low", 0.9m))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await owner.PostAsync("strategies", StrategyApiTests.Cross(start: true, accounts: ["main"]))).Expect(201);
        using Visitor ann = await owner.InviteAsync("ann", "Trader");
        object asked = new { password = Visitor.Password, confirm = "owner@example.org" };
        await BlockedAsync("LastAdministrator", "LastOwner", "OrderWorking", "PositionOpen", "StrategyRunning");
        Assert.Contains("main holds a position", (await owner.PostAsync("me/erasure", asked)).ExpectProblem(409, "ErasureBlocked").Detail);

        (await owner.PostAsync("strategies/cross/stop", null)).Expect(200);
        (await owner.PostAsync("accounts/main/flatten", new { })).Expect(200);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        await BlockedAsync("LastAdministrator", "LastOwner");
        (await owner.PutAsync($"users/{ann.Id}", new { administrator = true })).Expect(200);
        await BlockedAsync("LastOwner");
        (await owner.PutAsync($"members/{ann.Id}/roles", new { roles = new[] { "Owner" } })).Expect(200);
        await BlockedAsync();
        (await owner.PostAsync("me/erasure", asked)).Expect(202);

        async Task BlockedAsync(params string[] expected) => Assert.Equal(
            expected, (await owner.GetAsync("me/erasure")).Expect(200)["hindrances"].EnumerateArray().Select(one => one.GetProperty("obstacle").GetString()!).Order(StringComparer.Ordinal));
    }

    /// <summary>Cut off after every fourth of its steps, an erasure goes on when it is woken; in between nobody sees the user.</summary>
    [Fact]
    public async Task AnErasureThatIsCutOffAnywhereGoesOn()
    {
        for (int steps = 1; ; steps += 4)
        {
            var fault = new StepFault { Left = steps };
            await using ApiHost host = await ApiHost.StartAsync(services =>
            {
                ServiceDescriptor real = services.Last(one => one.ServiceType == typeof(IPersonalData));
                services.AddSingleton<IPersonalData>(provider => new CutOff((IPersonalData)real.ImplementationFactory!(provider), fault));
            }, signIn: true);
            using Visitor owner = await Visitor.OwnerAsync(host);
            using Visitor ann = await LiveAsync(host, owner);
            // Looking for what stands in the way comes before anything has begun.
            fault.Armed = true;
            Answer answer = await owner.PostAsync($"users/{ann.Id}/erasure", new { confirm = ann.Id, reason = "asked by letter", immediately = true });
            if (answer.Status == 202) await UntilAsync(async () => fault.Left <= 0 || await StageAsync(host, ann.Id) == ErasureStage.Done);
            bool wasCutOff = fault.Left <= 0;
            if (await StageAsync(host, ann.Id) == ErasureStage.Begun) await NothingIsShownAsync(host, owner, ann.Id);
            fault.Armed = false;
            await host.RestartAsync();
            using var later = new Visitor(host);
            (await later.SignInAsync("owner@example.org")).Expect(200);
            var startup = host.Services.GetRequiredService<IStartupQueries>();
            await startup.CatchUpAsync(TestContext.Current.CancellationToken);
            if (startup.UnfinishedErasures().IsEmpty && await StageAsync(host, ann.Id) == ErasureStage.None)
            {
                // It never came to a plan.
                Assert.Equal(503, answer.Status);
                continue;
            }
            foreach (string user in startup.UnfinishedErasures()) await WakeAsync(host, user);
            await StageAsync(host, ann.Id, ErasureStage.Done);
            await NothingIsShownAsync(host, later, ann.Id);
            await host.RestartAsync(folder => Scan(folder, null));
            if (!wasCutOff) break;
            Assert.InRange(steps, 1, 40);
        }
    }

    /// <summary>A member with an account, orders, fills, a strategy, a document, a data set, and mails.</summary>
    private static async Task<Visitor> LiveAsync(ApiHost host, Visitor owner)
    {
        Visitor ann = await owner.InviteAsync(Email.Split('@')[0], "Trader");
        (await ann.SendAsync(HttpMethod.Patch, "me", new { name = Name })).Expect(200);
        (await owner.PutAsync($"members/{ann.Id}/roles", new { roles = new[] { "Trader", "Viewer" } })).Expect(200);
        (await ann.SignInAsync(Email)).Expect(200);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await ann.PostAsync("accounts", new { name = Account, currency = "USD" })).Expect(201);
        (await ann.PostAsync($"accounts/{Account}/orders", OrderApiTests.Market(1000, "first-of-annabelle"))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await ann.PostAsync($"accounts/{Account}/flatten", new { })).Expect(200);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await ann.PostAsync("strategies", new
        {
            name = Tuned, definition = "sma-cross", parameters = new { fast = 2, slow = 3, units = 1000 }, symbol = "EURUSD", timeFrame = "M1", accounts = new[] { Account }, start = true,
        })).Expect(201);
        (await ann.PostAsync($"strategies/{Tuned}/stop", null)).Expect(200);
        (await ann.PostAsync("user-config", new { section = "display", values = new { theme = "dark" }, comment = $"as {Name} likes it" })).Expect(201);
        (await ann.SendAsync(HttpMethod.Post, "data-sets?name=eurusd_h1.csv", null, request =>
            request.Content = new ByteArrayContent(BacktestApiTests.Csv(200)) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } })).Expect(201);
        await host.Services.GetRequiredService<ReadSide>().CatchUpAsync(TestContext.Current.CancellationToken);
        Assert.Single((await owner.GetAsync($"accounts?user={ann.Id}")).Expect(200).Json.EnumerateArray());
        return ann;
    }

    private static async Task EraseAsync(ApiHost host, Visitor owner, string user)
    {
        object asked = new { confirm = user, reason = "asked by letter", immediately = true };
        (await owner.PostAsync($"users/{user}/erasure", new { confirm = "x", reason = "asked by letter" })).ExpectProblem(400, "InvalidInput", "confirm");
        (await owner.PostAsync($"users/{user}/erasure", asked)).Expect(202);
        await StageAsync(host, user, ErasureStage.Done);
        (await owner.PostAsync($"users/{user}/erasure", asked)).ExpectProblem(404, "UserUnknown");
    }

    private static async Task NothingIsShownAsync(ApiHost host, Visitor owner, string user)
    {
        await host.Services.GetRequiredService<ReadSide>().CatchUpAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(user, (await owner.GetAsync("users")).Expect(200).Text);
        Assert.DoesNotContain(user, (await owner.GetAsync("members")).Expect(200).Text);
        foreach (string path in (string[])["accounts", "strategies", "decisions", "backtests", "data-sets", $"accounts/{Account}", $"strategies/{Tuned}"])
        {
            (await owner.GetAsync($"{path}?user={user}")).ExpectProblem(404, "MemberUnknown");
        }
        (await owner.PutAsync($"users/{user}", new { locked = true })).ExpectProblem(404, "UserUnknown");
        (await owner.PostAsync("kill-switch/tenant", new { reason = "x", member = user })).ExpectProblem(404, "MemberUnknown");
    }

    /// <summary>Looks into every file and every table for what was hers, and proves the journal.</summary>
    private static void Scan(string folder, string? database)
    {
        string[] gone = [Email, "annabelle.zweig", Name], inTheFrame = [Account, Tuned, "first-of-annabelle"];
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(file);
            foreach (string word in gone) Assert.False(Holds(bytes, word), $"{file} holds '{word}'");
            // The names of streams and the ids of orders are part of what the tree is taken over: they stay, as docs/security.md says.
            bool isJournal = Path.GetFileName(Path.GetDirectoryName(file)) == "journal";
            foreach (string word in inTheFrame) Assert.False(!isJournal && Holds(bytes, word), $"{file} holds '{word}'");
        }
        if (database is null)
        {
            using DataFolder data = DataFolder.Look(folder);
            JournalReport report = new JournalVerifier(data.Journal, FileKeyProvider.Look(data.Keys)).Verify();
            Assert.Null(report.Fault);
            Assert.True(report.Erased > 10, $"{report.Erased} events are erased");
            return;
        }
        ScanDatabaseAsync(database, gone, inTheFrame).GetAwaiter().GetResult();
    }

    private static async Task ScanDatabaseAsync(string database, string[] gone, string[] inTheFrame)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        List<string> tables = [];
        await using (var list = new NpgsqlCommand("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", connection))
        {
            await using NpgsqlDataReader row = await list.ExecuteReaderAsync();
            while (await row.ReadAsync()) tables.Add(row.GetString(0));
        }
        Assert.Contains("grain_state", tables);
        foreach (string table in tables)
        {
            string[] words = table.StartsWith("journal_event", StringComparison.Ordinal) || table == "stream_head" ? gone : [.. gone, .. inTheFrame];
            foreach (string word in words)
            {
                // Bytes are shown as hexadecimal digits.
                await using var search = new NpgsqlCommand(
                    $"SELECT count(*) FROM \"{table}\" t WHERE position(lower($1) IN lower(t::text)) > 0 OR position($2 IN t::text) > 0", connection);
                search.Parameters.Add(new NpgsqlParameter { Value = word });
                search.Parameters.Add(new NpgsqlParameter { Value = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(word)) });
                Assert.True((long)(await search.ExecuteScalarAsync())! == 0, $"{table} holds '{word}'");
            }
        }
    }

    private static bool Holds(ReadOnlySpan<byte> bytes, string word) =>
        bytes.IndexOf(Encoding.UTF8.GetBytes(word)) >= 0 || bytes.IndexOf(Encoding.Unicode.GetBytes(word)) >= 0;

    private static async Task<string> DatabaseAsync(PostgresServer server)
    {
        string connection = server.ConnectionString(await server.CreateDatabaseAsync());
        await using PostgresDatabase database = PostgresDatabase.Create(connection);
        await new PostgresMigrations(database).MigrateAsync();
        return connection;
    }

    private static async Task WakeAsync(ApiHost host, string user)
    {
        using Principal.Scope scope = Principal.OfHost();
        await host.Services.GetRequiredService<IGrainFactory>().GetGrain<IErasureGrain>(user).Wake();
    }

    private static async Task<ErasureStage> StageAsync(ApiHost host, string user)
    {
        using Principal.Scope scope = Principal.OfGateway();
        return await host.Services.GetRequiredService<IGrainFactory>().GetGrain<IErasureGrain>(user).GetStage();
    }

    private static Task StageAsync(ApiHost host, string user, ErasureStage expected) => UntilAsync(async () => await StageAsync(host, user) == expected);

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (int look = 0; look < 2000; look++)
        {
            if (await isSo()) return;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Fail("it never came to be");
    }

    private sealed class StepFault
    {
        public bool Armed { get; set; }

        /// <summary>Steps that still work.</summary>
        public int Left { get; set; }

        public void Step()
        {
            if (Armed && --Left <= 0) throw new StorageException("the process ends here");
        }
    }

    /// <summary>The storage, until it is cut off.</summary>
    private sealed class CutOff(IPersonalData data, StepFault fault) : IPersonalData
    {
        public TimeSpan Spread => data.Spread;

        public async Task<ImmutableArray<string>> StreamsOfAsync(string person, CancellationToken cancellation = default)
        {
            fault.Step();
            return await data.StreamsOfAsync(person, cancellation);
        }

        public async Task DestroyKeyAsync(string subject, CancellationToken cancellation = default)
        {
            fault.Step();
            await data.DestroyKeyAsync(subject, cancellation);
        }

        public async Task RemoveAsync(Remains remains, CancellationToken cancellation = default)
        {
            fault.Step();
            await data.RemoveAsync(remains, cancellation);
        }
    }
}
