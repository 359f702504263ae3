using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Tests.Configuration;

public sealed class ConfigurationCatalogTests
{
    [Fact]
    public void Every_default_is_as_its_own_schema_wants_it_and_the_product_reads_it()
    {
        foreach (ConfigurationSection section in ConfigurationCatalog.Sections)
        {
            Assert.Equal(section.Settings.Length, section.Settings.Select(setting => setting.Name).Distinct().Count());
            foreach (ConfigurationSetting setting in section.Settings.Where(setting => !setting.IsSecret))
            {
                var faults = new List<ConfigurationFault>();
                setting.Shape.Check(setting.Default, setting.Name, faults);
                Assert.Empty(faults);
            }
        }
        EffectiveSettings defaults = EffectiveSettings.Defaults;
        Assert.True(defaults.NewAccountLimits.SameAs(RiskLimits.Default));
        Assert.Equal(Sizing.AsTheStrategySays, defaults.NewFollowerSizing);
        Assert.Equal(0.8m, defaults.NearLimitShare);
        Assert.Equal(TimeSpan.FromSeconds(10), defaults.StaleFeed);
        Assert.Empty(defaults.PausedHours);
        Assert.DoesNotContain(AlertKind.Fill, defaults.AlertKinds);
        Assert.Null(defaults.WebHookUrl ?? defaults.Email ?? defaults.SealedWebHookSecret);
    }

    [Fact]
    public void Every_schema_is_an_object_that_takes_nothing_else()
    {
        foreach (ConfigurationSection section in ConfigurationCatalog.Sections)
        {
            JsonObject schema = section.Schema();
            Assert.Equal("https://json-schema.org/draft/2020-12/schema", (string?)schema["$schema"]);
            Assert.False((bool)schema["additionalProperties"]!);
            Assert.Equal(section.Settings.Select(setting => setting.Name), schema["properties"]!.AsObject().Select(pair => pair.Key));
            Assert.All(section.Settings, setting => Assert.Equal(setting.IsSecret, schema["properties"]![setting.Name]!["writeOnly"] is not null));
        }
    }

    /// <summary>The limits of the schema are those of the type: one without a place in the other could never be set.</summary>
    [Fact]
    public void Every_limit_of_an_account_can_be_set() => Assert.Equal(
        typeof(RiskLimits).GetProperties().Where(property => property.CanWrite && property.DeclaringType == typeof(RiskLimits))
            .Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Order(StringComparer.Ordinal),
        ConfigurationCatalog.Trading.Find("limits")!.Shape.Schema()["properties"]!.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("display", "User", """{"theme":"blue"}""", "theme", "'blue'")]
    [InlineData("display", "User", """{"theme":null}""", "theme", "null")]
    [InlineData("display", "User", """{"colour":1}""", "colour", "unknown")]
    [InlineData("display", "User", """{"locale":"de_CH"}""", "locale", "'de_CH'")]
    [InlineData("display", "User", """{"locale":7}""", "locale", "7")]
    [InlineData("trading", "Strategy", """{"confirmOrders":true}""", "confirmOrders", "set for a strategy")]
    [InlineData("trading", "User", """{"confirmOrders":"yes"}""", "confirmOrders", "'yes'")]
    [InlineData("trading", "User", """{"sizing":{"kind":"Lots","value":1}}""", "sizing.kind", "'Lots'")]
    [InlineData("trading", "User", """{"sizing":{"kind":"FixedUnits"}}""", "sizing.value", "missing")]
    [InlineData("trading", "User", """{"sizing":{"kind":"PercentRisk","value":200000}}""", "sizing", "an object")]
    [InlineData("trading", "User", """{"limits":{"maxExposure":0}}""", "limits.maxExposure", "0")]
    [InlineData("trading", "User", """{"limits":{"maxOpenPositions":1.5}}""", "limits.maxOpenPositions", "1.5")]
    [InlineData("trading", "User", """{"limits":{"lossLimits":[{"period":"Day"}]}}""", "limits", "an object")]
    [InlineData("trading", "User", """{"limits":{"lossLimits":[{"period":"Year","percent":1}]}}""", "limits.lossLimits.0.period", "'Year'")]
    [InlineData("trading", "User", """{"limits":{"submitRate":{"count":1,"window":"2.00:00:00"}}}""", "limits.submitRate.window", "'2.00:00:00'")]
    [InlineData("trading", "User", """{"limits":{"surprise":1}}""", "limits.surprise", "unknown")]
    [InlineData("trading", "User", """{"limits":[]}""", "limits", "a list")]
    [InlineData("notifications", "User", """{"kinds":["Fill","Fill"]}""", "kinds", "a list of 2")]
    [InlineData("notifications", "User", """{"kinds":["Rain"]}""", "kinds.0", "'Rain'")]
    [InlineData("notifications", "User", """{"webHookUrl":"http://example.com/x"}""", "webHookUrl", "'http://example.com/x'")]
    [InlineData("notifications", "User", """{"webHookUrl":"https://user:word@example.com/"}""", "webHookUrl", "'https://user:word@example.com/'")]
    [InlineData("notifications", "User", """{"webHookUrl":"file:///etc/passwd"}""", "webHookUrl", "'file:///etc/passwd'")]
    [InlineData("notifications", "User", """{"webHookSecret":"short"}""", "webHookSecret", "not as it must be")]
    [InlineData("notifications", "User", """{"webHookSecret":12345678901234567890}""", "webHookSecret", "not as it must be")]
    [InlineData("notifications", "User", """{"email":"nobody"}""", "email", "'nobody'")]
    [InlineData("notifications", "User", """{"email":"Ann <a@b.example>"}""", "email", "'Ann <a@b.example>'")]
    [InlineData("notifications", "User", """{"email":"a@b.example\n"}""", "email", "'a@b.example?'")]
    [InlineData("display", "User", """{"locale":"de\n"}""", "locale", "'de?'")]
    [InlineData("notifications", "Tenant", """{"email":"a@b.example"}""", "email", "set for a tenant")]
    [InlineData("risk", "User", """{"nearLimitShare":1.01}""", "nearLimitShare", "1.01")]
    [InlineData("risk", "User", """{"staleFeedSeconds":1.5}""", "staleFeedSeconds", "1.5")]
    [InlineData("risk", "User", """{"staleFeedSeconds":10.0}""", "staleFeedSeconds", "10.0")]
    [InlineData("trading", "User", """{"limits":{"maxOpenPositions":5.0}}""", "limits.maxOpenPositions", "5.0")]
    [InlineData("trading", "User", """{"limits":{"submitRate":{"count":5.0,"window":"00:01:00"}}}""", "limits.submitRate.count", "5.0")]
    [InlineData("trading", "User", """{"limits":{"submitRate":{"count":5,"window":" 0:01:00 "}}}""", "limits.submitRate.window", "' 0:01:00 '")]
    [InlineData("schedule", "Strategy", """{"pausedHours":[{"days":[],"from":"22:00","to":"06:00"}]}""", "pausedHours.0.days", "a list of 0")]
    [InlineData("schedule", "Strategy", """{"pausedHours":[{"days":["Mon"],"from":"24:00","to":"06:00"}]}""", "pausedHours.0.from", "'24:00'")]
    [InlineData("schedule", "Strategy", """{"pausedHours":[{"days":["Mon"],"from":"22:00"}]}""", "pausedHours.0.to", "missing")]
    public void What_is_wrong_is_told_by_field_value_and_expectation(string section, string layer, string values, string field, string value)
    {
        ConfigurationFault fault = Assert.Single(Check(section, Enum.Parse<ConfigurationLayer>(layer), values));
        Assert.Equal((field, value), (fault.Field, fault.Value));
        Assert.NotEmpty(fault.Expectation);
    }

    [Theory]
    [InlineData("display", "User", """{"timeZone":"local","locale":"de-CH","theme":"dark"}""")]
    [InlineData("display", "Tenant", """{"locale":null}""")]
    [InlineData("trading", "User", """{"limits":{},"sizing":{"kind":"PercentRisk","value":0.5},"confirmOrders":false}""")]
    [InlineData("trading", "Tenant",
        """{"limits":{"maxExposure":null,"submitRate":{"count":5,"window":"00:00:01"},"lossLimits":[{"period":"Week","amount":10,"action":"Flatten"}]}}""")]
    [InlineData("trading", "Strategy", """{"sizing":{"kind":"FixedUnits","value":1000}}""")]
    [InlineData("notifications", "User",
        """{"kinds":[],"webHookUrl":"http://127.0.0.1:9999/hook","webHookSecret":"sixteen letters!","email":"a.b+c@d.example"}""")]
    [InlineData("notifications", "User", """{"webHookUrl":"https://example.com/hook?x=1","webHookSecret":null,"email":null}""")]
    [InlineData("schedule", "Strategy", """{"pausedHours":[{"days":["Fri","Sun"],"from":"22:00","to":"00:00"}]}""")]
    public void What_is_right_is_taken(string section, string layer, string values) =>
        Assert.Empty(Check(section, Enum.Parse<ConfigurationLayer>(layer), values));

    [Fact]
    public void The_uppermost_layer_that_says_something_counts_setting_by_setting()
    {
        Gen<(bool Tenant, bool User, bool Strategy)> layers =
            from tenant in Gen.Elements(false, true)
            from user in Gen.Elements(false, true)
            from strategy in Gen.Elements(false, true)
            select (tenant,
                user, strategy);
        Prop.ForAll(layers.ToArbitrary(), on =>
        {
            LayerDocuments tenant = Layer(on.Tenant ? ("trading", """{"sizing":{"kind":"FixedUnits","value":1},"confirmOrders":false}""") : null);
            LayerDocuments user = Layer(on.User ? ("trading", """{"sizing":{"kind":"FixedUnits","value":2}}""") : null,
                on.Strategy ? ("trading@cross", """{"sizing":{"kind":"FixedUnits","value":3},"confirmOrders":true}""") : null,
                ("trading@other", """{"sizing":{"kind":"FixedUnits","value":4}}"""));
            EffectiveSettings effective = EffectiveSettings.Of(tenant, user, "cross"), ofUser = EffectiveSettings.Of(tenant, user, null);
            (ConfigurationLayer, decimal) expectedOfUser = on.User ? (ConfigurationLayer.User, 2) : on.Tenant ? (ConfigurationLayer.Tenant, 1)
                : (ConfigurationLayer.Default, 1);
            (ConfigurationLayer, decimal) expected = on.Strategy ? (ConfigurationLayer.Strategy, 3) : expectedOfUser;
            Assert.Equal(expected, (effective[ConfigurationCatalog.Trading, "sizing"].Source, effective.NewFollowerSizing.Value));
            Assert.Equal(expectedOfUser, (ofUser[ConfigurationCatalog.Trading, "sizing"].Source, ofUser.NewFollowerSizing.Value));
            // What a layer must not say does not count, even if it is there.
            EffectiveSetting confirm = effective[ConfigurationCatalog.Trading, "confirmOrders"];
            Assert.Equal((on.Tenant ? ConfigurationLayer.Tenant : ConfigurationLayer.Default, !on.Tenant),
                (confirm.Source, confirm.Value.GetBoolean()));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_the_product_would_not_take_today_does_not_count()
    {
        LayerDocuments stored = Layer(("risk", """{"nearLimitShare":7,"gone":true,"staleFeedSeconds":30}"""));
        EffectiveSettings effective = EffectiveSettings.Of(LayerDocuments.None, stored, null);
        Assert.Equal((0.8m, TimeSpan.FromSeconds(30)), (effective.NearLimitShare, effective.StaleFeed));
    }

    /// <summary>What a section takes, those who act by it can read: made of pieces that are good or nearly so.</summary>
    [Fact]
    public void Whatever_is_taken_can_be_read()
    {
        Gen<string> scalar = Gen.Elements(
            "null", "true", "0", "1", "5", "5.0", "1e2", "0.5", "-1", "1000001", "1e15", "\"\"", "\"Day\"", "\"Flatten\"", "\"FixedUnits\"", "\"00:01:00\"",
            "\"0:01:00.5\"", "\"-00:01:00\"", "\"1.00:00:00\"", "\"24:00:00\"", "\"22:00\"", "\"9:00\"", "\"Mon\"", "\"de-CH\"", "\"https://a.example/\"", "\"a@b.example\"");
        Gen<string> loss = from period in scalar from amount in scalar select $$"""[{"period":{{period}},"amount":{{amount}}}]""";
        Gen<string> rate = from count in scalar from window in scalar select $$"""{"count":{{count}},"window":{{window}}}""";
        Gen<string> limits = from count in scalar
                             from each in rate
                             from losses in loss
                             from collar in scalar
                             select $$"""{"maxOpenPositions":{{count}},"submitRate":{{each}},"lossLimits":{{losses}},"priceCollarPercent":{{collar}}}""";
        Gen<string> sizing = from kind in scalar from size in scalar select $$"""{"kind":{{kind}},"value":{{size}}}""";
        Gen<string> hours = from day in scalar from begin in scalar from end in scalar select $$"""[{"days":[{{day}}],"from":{{begin}},"to":{{end}}}]""";
        Gen<string> any = Gen.OneOf(scalar, rate, limits, sizing, hours, loss);
        int taken = 0;
        foreach (ConfigurationSection section in ConfigurationCatalog.Sections)
        {
            foreach (ConfigurationSetting setting in section.Settings.Where(setting => !setting.IsSecret))
            {
                Prop.ForAll(any.ToArbitrary(), json =>
                {
                    string values = $$"""{"{{setting.Name}}":{{json}}}""";
                    if (!Check(section.Name, ConfigurationLayer.User, values).IsEmpty) return;
                    taken++;
                    EffectiveSettings effective = EffectiveSettings.Of(LayerDocuments.None, Layer((section.Name, values)), null);
                    Assert.Equal(ConfigurationLayer.User, effective[section, setting.Name].Source);
                    Assert.Null(effective.NewAccountLimits.Fault());
                    Assert.InRange(effective.NearLimitShare, 0.1m, 1m);
                    Assert.True(effective.StaleFeed > TimeSpan.Zero && effective.NewFollowerSizing.Value > 0);
                    Assert.True(effective.AlertKinds.Count + effective.PausedHours.Length >= 0);
                    Assert.NotEqual("", effective.WebHookUrl ?? effective.Email);
                }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithQuietOnSuccess(true));
            }
        }
        Assert.True(taken > 0);
    }

    /// <summary>Against a reckoning minute by minute over two weeks.</summary>
    [Fact]
    public void Paused_hours_are_those_of_the_week_that_were_named()
    {
        Gen<PausedHours> hours =
            from days in Gen.NonEmptyListOf(Gen.Elements(Enum.GetValues<DayOfWeek>()))
            from begin in Gen.Choose(0, 1439)
            from end in Gen.Choose(0, 1439)
            select new PausedHours([.. days.Distinct()], TimeOnly.MinValue.AddMinutes(begin), TimeOnly.MinValue.AddMinutes(end));
        Gen<(PausedHours, int)> cases = from paused in hours from minute in Gen.Choose(0, 7 * 1440 - 1) select (paused, minute);
        var sunday = new DateTime(2026, 1, 4, 0, 0, 0, DateTimeKind.Utc);
        Prop.ForAll(cases.ToArbitrary(), each =>
        {
            (PausedHours paused, int minute) = each;
            int length = (int)((paused.To - paused.From).TotalMinutes);
            if (length == 0) length = 1440;
            bool expected = paused.Days.Any(day =>
                (minute - (int)day * 1440 - (int)paused.From.ToTimeSpan().TotalMinutes + 7 * 1440) % (7 * 1440) < length);
            return paused.Contains(sunday.AddMinutes(minute)) == expected && paused.Contains(sunday.AddMinutes(minute).AddSeconds(59)) == expected;
        }).QuickCheckThrowOnFailure();
    }

    private static ImmutableArray<ConfigurationFault> Check(string section, ConfigurationLayer layer, string values) =>
        ConfigurationCatalog.Find(section)!.Check(layer, JsonElement.Parse(values).EnumerateObject()
            .Select(member => KeyValuePair.Create(member.Name, member.Value)));

    private static LayerDocuments Layer(params (string Id, string Values)?[] documents) =>
        new(documents.OfType<(string Id, string Values)>().ToImmutableSortedDictionary(
        document => document.Id,
        document => new LayerDocument(
            JsonElement.Parse(document.Values).EnumerateObject()
                .ToImmutableSortedDictionary(member => member.Name, member => member.Value.GetRawText(), StringComparer.Ordinal),
            ImmutableSortedDictionary<string, DateTime>.Empty, ImmutableSortedDictionary<string, string>.Empty),
        StringComparer.Ordinal));
}
