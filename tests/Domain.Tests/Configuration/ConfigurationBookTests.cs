using System.Collections.Immutable;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Configuration;

namespace HybridTrading.Domain.Tests.Configuration;

public sealed class ConfigurationBookTests
{
    private static readonly DateTime Begin = new(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Authorship Ann = new("ann", Begin, "because");

    [Fact]
    public void A_document_is_made_changed_removed_and_made_anew_in_one_row_of_versions()
    {
        ConfigurationBook book = ConfigurationBook.Empty(ofTenant: false);
        book = Done(book, book.Create("display", Values(("theme", "\"dark\"")), Ann, Seal));
        Assert.Equal(ConfigurationOutcome.Exists, book.Create("display", Values(), Ann, Seal).Outcome);
        book = Done(book, book.Replace("display", Values(("theme", "\"light\""), ("timeZone", "\"local\"")), 1, Ann, Seal));
        book = Done(book, book.Remove("display", 2, Ann));
        Assert.Empty(book.Layer.Documents);
        Assert.Equal(ConfigurationOutcome.Unknown, book.Replace("display", Values(), 3, Ann, Seal).Outcome);
        Assert.Equal(ConfigurationOutcome.Unknown, book.Remove("display", 3, Ann).Outcome);
        book = Done(book, book.Create("display", Values(), Ann, Seal));
        book = Done(book, book.RollBack("display", 2, 4, Ann));

        ImmutableArray<DocumentVersion> versions = book.Documents["display"].Versions;
        Assert.Equal([1L, 2, 3, 4, 5], versions.Select(version => version.Number));
        Assert.Equal([VersionAction.Created, VersionAction.Changed, VersionAction.Removed, VersionAction.Created, VersionAction.RolledBack], versions
            .Select(version => version.Action));
        Assert.Equal(2, versions[4].Restores);
        Assert.Equal("\"light\"", book.Layer.Documents["display"].Values["theme"]);
        Assert.All(versions, version => Assert.Equal(("ann", "because", Begin), (version.By, version.Comment, version.At)));
    }

    [Fact]
    public void A_change_to_another_version_is_refused_with_the_one_that_there_is()
    {
        ConfigurationBook book = ConfigurationBook.Empty(ofTenant: false);
        book = Done(book, book.Create("risk", Values(("nearLimitShare", "0.5")), Ann, Seal));
        book = Done(book, book.Replace("risk", Values(("nearLimitShare", "0.6")), 1, Ann, Seal));
        foreach (ConfigurationVerdict refused in (ConfigurationVerdict[])
        [
            book.Replace("risk", Values(("nearLimitShare", "0.7")), 1, Ann, Seal), book.Replace("risk", Values(), 3, Ann, Seal),
            book.Remove("risk", 1, Ann), book.RollBack("risk", 1, 1, Ann),
        ])
        {
            Assert.Equal((ConfigurationOutcome.Conflict, 2L), (refused.Outcome, refused.CurrentVersion));
            Assert.Null(refused.Change);
        }
    }

    [Fact]
    public void Values_that_say_the_same_make_no_version()
    {
        ConfigurationBook book = ConfigurationBook.Empty(ofTenant: false);
        book = Done(book, book.Create("risk", Values(("nearLimitShare", "0.5")), Ann, Seal));
        ConfigurationVerdict same = book.Replace("risk", Values(("nearLimitShare", "0.50")), 1, Ann, Seal);
        Assert.Equal(ConfigurationOutcome.Done, same.Outcome);
        Assert.Null(same.Change);
        Assert.NotNull(book.Replace("risk", Values(), 1, Ann, Seal).Change);
    }

    [Fact]
    public void A_secret_is_sealed_kept_when_left_out_removed_by_null_and_never_in_a_version()
    {
        const string Secret = "0123456789abcdef", Other = "fedcba9876543210";
        ConfigurationBook book = ConfigurationBook.Empty(ofTenant: false);
        book = Done(book, book.Create("notifications", Values(("webHookSecret", $"\"{Secret}\""), ("email", "\"a@b.example\"")), Ann, Seal));
        Assert.Equal("configuration/notifications/webHookSecret|" + Secret, book.Documents["notifications"].Sealed["webHookSecret"]);
        book = Done(book, book.Replace("notifications", Values(), 1, Ann with { At = Begin.AddDays(1) }, Seal));
        Assert.EndsWith(Secret, book.Documents["notifications"].Sealed["webHookSecret"]);
        Assert.Equal(Begin, book.Documents["notifications"].Current.Secrets["webHookSecret"]);
        // The same secret again is a change: nobody can tell whether it is.
        book = Done(book, book.Replace("notifications", Values(("webHookSecret", $"\"{Other}\"")), 2, Ann with { At = Begin.AddDays(2) }, Seal));
        // Rolled back are the values; the secret that was replaced does not come back.
        book = Done(book, book.RollBack("notifications", 1, 3, Ann));
        Assert.EndsWith(Other, book.Documents["notifications"].Sealed["webHookSecret"]);
        Assert.Equal("\"a@b.example\"", book.Layer.Documents["notifications"].Values["email"]);
        SettingDifference difference = Assert.Single(
            book.Documents["notifications"].Find(2)!.DifferencesTo(book.Documents["notifications"].Find(3)!));
        Assert.Equal(("webHookSecret", true, true),
            (difference.Setting, difference.From!.Contains("2026-01-05"), difference.To!.Contains("2026-01-07")));
        book = Done(book, book.Replace("notifications", Values(("webHookSecret", "null")), 4, Ann, Seal));
        Assert.Empty(book.Documents["notifications"].Sealed);
        Assert.Empty(book.Documents["notifications"].Current.Secrets);
        Assert.DoesNotContain(book.Documents["notifications"].Versions, version =>
            JsonSerializer.Serialize(version) is var json && (json.Contains(Secret) || json.Contains(Other)));
    }

    [Fact]
    public void Removing_a_document_removes_its_secrets()
    {
        ConfigurationBook book = ConfigurationBook.Empty(ofTenant: false);
        book = Done(book, book.Create("notifications", Values(("webHookSecret", "\"0123456789abcdef\""), ("email", "\"a@b.example\"")), Ann, Seal));
        book = Done(book, book.Remove("notifications", 1, Ann));
        Assert.Empty(book.Documents["notifications"].Sealed);
        book = Done(book, book.RollBack("notifications", 1, 2, Ann));
        Assert.Empty(book.Documents["notifications"].Sealed);
        Assert.Empty(book.Layer.Documents["notifications"].Secrets);
        Assert.Equal("\"a@b.example\"", book.Layer.Documents["notifications"].Values["email"]);
    }

    [Theory]
    [InlineData(false, "nothing")]
    [InlineData(false, "display@cross")]
    [InlineData(false, "trading@")]
    [InlineData(true, "trading@cross")]
    [InlineData(true, "display@")]
    public void There_are_no_documents_but_of_sections_and_layers(bool ofTenant, string id)
    {
        ConfigurationBook book = ConfigurationBook.Empty(ofTenant);
        Assert.Equal(ConfigurationOutcome.Unknown, book.Create(id, Values(), Ann, Seal).Outcome);
        Assert.Equal(ConfigurationOutcome.Unknown, book.RollBack(id, 1, 1, Ann).Outcome);
    }

    [Fact]
    public void Only_versions_that_are_kept_and_have_values_are_rolled_back_to()
    {
        ConfigurationBook book = ConfigurationBook.Empty(ofTenant: false);
        book = Done(book, book.Create("risk", Values(("staleFeedSeconds", "1")), Ann, Seal));
        book = Done(book, book.Remove("risk", 1, Ann));
        Assert.Equal("to", Assert.Single(book.RollBack("risk", 2, 2, Ann).Faults).Field);
        Assert.Equal("to", Assert.Single(book.RollBack("risk", 3, 2, Ann).Faults).Field);
        book = Done(book, book.RollBack("risk", 1, 2, Ann));
        for (int i = 0; i < ConfigurationBook.MostVersions; i++)
        {
            book = Done(book, book.Replace("risk", Values(("staleFeedSeconds", $"{i + 2}")), book.Documents["risk"].Current.Number, Ann, Seal));
        }
        Assert.Equal(ConfigurationBook.MostVersions, book.Documents["risk"].Versions.Length);
        Assert.Equal(3 + ConfigurationBook.MostVersions, book.Documents["risk"].Current.Number);
        Assert.Equal(ConfigurationOutcome.Invalid, book.RollBack("risk", 1, book.Documents["risk"].Current.Number, Ann).Outcome);
    }

    /// <summary>Whatever is asked in whatever order: versions have no holes, and rolling back brings exactly the values that there were.</summary>
    [Fact]
    public void Any_row_of_requests_leaves_a_sound_history()
    {
        Gen<(int What, int Share, int Version, int To)> request =
            from what in Gen.Choose(0, 3)
            from share in Gen.Choose(1, 9)
            from version in Gen.Choose(-1, 1)
            from to in Gen.Choose(1, 6)
            select (what, share, version, to);
        Prop.ForAll(Gen.ListOf(request).ToArbitrary(), requests =>
        {
            ConfigurationBook book = ConfigurationBook.Empty(ofTenant: true);
            foreach ((int what, int share, int off, int to) in requests)
            {
                long current = book.Documents.GetValueOrDefault("risk")?.Current.Number ?? 0;
                ConfigurationVerdict verdict = what switch
                {
                    0 => book.Create("risk", Values(("nearLimitShare", $"0.{share}")), Ann, Seal),
                    1 => book.Replace("risk", Values(("nearLimitShare", $"0.{share}")), current + off, Ann, Seal),
                    2 => book.Remove("risk", current + off, Ann),
                    _ => book.RollBack("risk", to, current + off, Ann),
                };
                if (verdict.Change is not { } change) continue;
                Assert.True(what == 0 || off == 0);
                Assert.Equal(current + 1, change.Version.Number);
                book = book.With(change);
                if (what == 3) Assert.Equal(book.Documents["risk"].Find(to)!.Values.AsEnumerable(),
                    book.Layer.Documents["risk"].Values.AsEnumerable());
            }
            return book.Documents.Values.All(history => history.Versions.Select((version, index) => version.Number == index + 1).All(isSo => isSo));
        }).QuickCheckThrowOnFailure();
    }

    private static ConfigurationBook Done(ConfigurationBook book, ConfigurationVerdict verdict)
    {
        Assert.Equal(ConfigurationOutcome.Done, verdict.Outcome);
        return book.With(verdict.Change!);
    }

    private static string Seal(string purpose, string secret) => $"{purpose}|{secret}";

    private static Dictionary<string, string> Values(params (string Name, string Json)[] values) =>
        values.ToDictionary(each => each.Name, each => each.Json);
}
