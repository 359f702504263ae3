using System.Globalization;
using System.Text.Json;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Configuration;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Configuration: what can be set, what users and tenants have set, what counts, and how it came to be.</summary>
internal static class ConfigurationEndpoints
{
    private const string SchemaType = "application/schema+json";

    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder schemas = api.MapGroup("/config-schemas").WithTags("Configuration");
        schemas.MapGet("/", Schemas).WithName("listConfigurationSchemas").WithSummary("What can be set, by section").Query(Permission.Configure);
        schemas.MapGet("/{section}", Schema).WithName("getConfigurationSchema").WithSummary("The JSON schema of a section's values")
            .Produces<JsonElement>(Status200OK, SchemaType).Query(Permission.Configure, Status404NotFound);

        RouteGroupBuilder user = api.MapGroup("/user-config").WithTags("Configuration");
        user.MapGet("/{userId}", GetUserAsync).WithName("getUserConfiguration")
            .WithSummary("All that a user has set, and what counts for them, each value with the layer that says it")
            .WithDescription("Another member's needs the permission ReadTenant, too; private sections are not shown then.")
            .Query(Permission.Configure);
        user.MapPost("/", CreateUserAsync).WithName("createUserConfiguration")
            .WithSummary("Makes a document: the caller's values of a section, or of a section for a strategy")
            .Mutation(Permission.Configure, Status404NotFound, Status409Conflict);
        user.MapPut("/{id}", ReplaceUserAsync).WithName("changeUserConfiguration")
            .WithSummary("Replaces a document's values; the version that is changed must be named")
            .Mutation(Permission.Configure, Status404NotFound, Status409Conflict);
        user.MapDelete("/{id}", RemoveUserAsync).WithName("removeUserConfiguration")
            .WithSummary("Makes a document say nothing any more; its versions stay")
            .Mutation(Permission.Configure, Status404NotFound, Status409Conflict);
        user.MapPost("/{id}/rollback", RollBackUserAsync).WithName("rollBackUserConfiguration")
            .WithSummary("Puts an earlier version's values back, as a new version")
            .Mutation(Permission.Configure, Status404NotFound, Status409Conflict);
        user.MapGet("/{userId}/{id}", GetUserDocumentAsync).WithName("getUserConfigurationDocument").WithSummary("One document")
            .Query(Permission.Configure, Status404NotFound);
        user.MapGet("/{userId}/{id}/versions", ListUserVersionsAsync).WithName("listUserConfigurationVersions")
            .WithSummary("A document's versions, the newest first: who, when, why").Query(Permission.Configure, Status404NotFound);
        user.MapGet("/{userId}/{id}/versions/{number}", GetUserVersionAsync).WithName("getUserConfigurationVersion").WithSummary("One version")
            .Query(Permission.Configure, Status404NotFound);
        user.MapGet("/{userId}/{id}/diff", DiffUserAsync).WithName("diffUserConfiguration").WithSummary("What two versions do not have alike")
            .Query(Permission.Configure, Status404NotFound);

        RouteGroupBuilder tenant = api.MapGroup("/tenant-config").WithTags("Configuration");
        tenant.MapGet("/", GetTenantAsync).WithName("getTenantConfiguration").WithSummary("What the tenant's members begin with")
            .Query(Permission.ConfigureTenant);
        tenant.MapPost("/", CreateTenantAsync).WithName("createTenantConfiguration").WithSummary("Makes a document in the tenant's layer")
            .Mutation(Permission.ConfigureTenant, Status404NotFound, Status409Conflict);
        tenant.MapPut("/{id}", ReplaceTenantAsync).WithName("changeTenantConfiguration").WithSummary("Replaces a document's values")
            .Mutation(Permission.ConfigureTenant, Status404NotFound, Status409Conflict);
        tenant.MapDelete("/{id}", RemoveTenantAsync).WithName("removeTenantConfiguration").WithSummary("Makes a document say nothing any more")
            .Mutation(Permission.ConfigureTenant, Status404NotFound, Status409Conflict);
        tenant.MapPost("/{id}/rollback", RollBackTenantAsync).WithName("rollBackTenantConfiguration")
            .WithSummary("Puts an earlier version's values back")
            .Mutation(Permission.ConfigureTenant, Status404NotFound, Status409Conflict);
        tenant.MapGet("/{id}", GetTenantDocumentAsync).WithName("getTenantConfigurationDocument").WithSummary("One document")
            .Query(Permission.ConfigureTenant, Status404NotFound);
        tenant.MapGet("/{id}/versions", ListTenantVersionsAsync).WithName("listTenantConfigurationVersions")
            .WithSummary("A document's versions, the newest first")
            .Query(Permission.ConfigureTenant, Status404NotFound);
        tenant.MapGet("/{id}/versions/{number}", GetTenantVersionAsync).WithName("getTenantConfigurationVersion").WithSummary("One version")
            .Query(Permission.ConfigureTenant, Status404NotFound);
        tenant.MapGet("/{id}/diff", DiffTenantAsync).WithName("diffTenantConfiguration").WithSummary("What two versions do not have alike")
            .Query(Permission.ConfigureTenant, Status404NotFound);
    }

    private static Ok<IEnumerable<ConfigurationSchemaView>> Schemas() =>
        TypedResults.Ok(ConfigurationCatalog.Sections.Select(ConfigurationSchemaView.Of));

    private static IResult Schema(string section) => ConfigurationCatalog.Find(section) is { } found
        ? TypedResults.Text(found.Schema().ToJsonString(), SchemaType)
        : Unknown("section", section);

    private static async Task<Ok<ConfigurationView>> GetUserAsync(string userId, ICaller caller, IGrainFactory grains, string? strategy = null)
    {
        if (strategy is not null && !Keys.IsName(strategy))
        {
            throw ApiException.Invalid("strategy", $"strategy is {ApiException.Quote(strategy)}; expected the name of a strategy");
        }
        Reading reading = Of(userId, caller, grains);
        Task<ImmutableSortedDictionary<string, DocumentVersion>> documents = reading.Grain.GetDocuments();
        Task<LayerDocuments> tenant = grains.TenantConfiguration(caller).GetLayer(), user = reading.Grain.GetLayer();
        EffectiveSettings effective = EffectiveSettings.Of(await tenant, await user, strategy);
        return TypedResults.Ok(
            new ConfigurationView(userId, strategy, Present(await documents, reading), Shown(effective, ConfigurationLayer.Strategy, reading)));
    }

    private static async Task<Ok<ConfigurationView>> GetTenantAsync(ICaller caller, IGrainFactory grains)
    {
        Reading reading = OfTenant(caller, grains);
        EffectiveSettings effective = EffectiveSettings.Of(await reading.Grain.GetLayer(), LayerDocuments.None, null);
        ImmutableSortedDictionary<string, DocumentVersion> documents = await reading.Grain.GetDocuments();
        return TypedResults.Ok(new ConfigurationView(null, null, Present(documents, reading), Shown(effective, ConfigurationLayer.Tenant, reading)));
    }

    private static async Task<Results<Created<ConfigurationDocumentChanged>, ProblemHttpResult>> CreateUserAsync(
        Body<CreateConfiguration> body, HttpContext context, ICaller caller, IGrainFactory grains)
    {
        if (body.Value.Strategy is { } strategy && await grains.Strategy(caller, strategy).GetView() is null) return Problems.NoStrategy(strategy);
        return await CreateAsync(body.Value, context, caller, grains.Configuration(caller), $"/api/v1/user-config/{caller.User}");
    }

    private static Task<Results<Created<ConfigurationDocumentChanged>, ProblemHttpResult>> CreateTenantAsync(
        Body<CreateConfiguration> body, HttpContext context, ICaller caller, IGrainFactory grains) =>
        body.Value.Strategy is { } strategy
            ? throw ApiException.Invalid("strategy", $"strategy is {ApiException.Quote(strategy)}; expected none in the tenant's layer")
            : CreateAsync(body.Value, context, caller, grains.TenantConfiguration(caller), "/api/v1/tenant-config");

    private static Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> ReplaceUserAsync(
        string id, Body<ChangeConfiguration> body, HttpContext context, ICaller caller, IGrainFactory grains) =>
        ReplaceAsync(id, body.Value, context, caller, grains.Configuration(caller));

    private static Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> ReplaceTenantAsync(
        string id, Body<ChangeConfiguration> body, HttpContext context, ICaller caller, IGrainFactory grains) =>
        ReplaceAsync(id, body.Value, context, caller, grains.TenantConfiguration(caller));

    private static Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> RemoveUserAsync(
        string id, HttpContext context, ICaller caller, IGrainFactory grains, long? version = null, string comment = "") =>
        RemoveAsync(id, version, comment, context, caller, grains.Configuration(caller));

    private static Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> RemoveTenantAsync(
        string id, HttpContext context, ICaller caller, IGrainFactory grains, long? version = null, string comment = "") =>
        RemoveAsync(id, version, comment, context, caller, grains.TenantConfiguration(caller));

    private static Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> RollBackUserAsync(
        string id, Body<RollBackConfiguration> body, HttpContext context, ICaller caller, IGrainFactory grains) =>
        RollBackAsync(id, body.Value, context, caller, grains.Configuration(caller));

    private static Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> RollBackTenantAsync(
        string id, Body<RollBackConfiguration> body, HttpContext context, ICaller caller, IGrainFactory grains) =>
        RollBackAsync(id, body.Value, context, caller, grains.TenantConfiguration(caller));

    private static Task<Results<Ok<ConfigurationDocumentView>, ProblemHttpResult>> GetUserDocumentAsync(
        string userId, string id, HttpContext context, ICaller caller, IGrainFactory grains) =>
        GetDocumentAsync(Of(userId, caller, grains), id, context);

    private static Task<Results<Ok<ConfigurationDocumentView>, ProblemHttpResult>> GetTenantDocumentAsync(
        string id, HttpContext context, ICaller caller, IGrainFactory grains) => GetDocumentAsync(OfTenant(caller, grains), id, context);

    private static Task<Results<Ok<IEnumerable<ConfigurationVersionView>>, ProblemHttpResult>> ListUserVersionsAsync(
        string userId, string id, ICaller caller, IGrainFactory grains) => ListVersionsAsync(Of(userId, caller, grains), id);

    private static Task<Results<Ok<IEnumerable<ConfigurationVersionView>>, ProblemHttpResult>> ListTenantVersionsAsync(
        string id, ICaller caller, IGrainFactory grains) =>
        ListVersionsAsync(OfTenant(caller, grains), id);

    private static Task<Results<Ok<ConfigurationVersionView>, ProblemHttpResult>> GetUserVersionAsync(
        string userId, string id, long number, ICaller caller, IGrainFactory grains) => GetVersionAsync(Of(userId, caller, grains), id, number);

    private static Task<Results<Ok<ConfigurationVersionView>, ProblemHttpResult>> GetTenantVersionAsync(
        string id, long number, ICaller caller, IGrainFactory grains) =>
        GetVersionAsync(OfTenant(caller, grains), id, number);

    private static Task<Results<Ok<IEnumerable<ConfigurationDifferenceView>>, ProblemHttpResult>> DiffUserAsync(
        string userId, string id, long from, long to, ICaller caller, IGrainFactory grains) => DiffAsync(Of(userId, caller, grains), id, from, to);

    private static Task<Results<Ok<IEnumerable<ConfigurationDifferenceView>>, ProblemHttpResult>> DiffTenantAsync(
        string id, long from, long to, ICaller caller, IGrainFactory grains) => DiffAsync(OfTenant(caller, grains), id, from, to);

    private static async Task<Results<Created<ConfigurationDocumentChanged>, ProblemHttpResult>> CreateAsync(
        CreateConfiguration asked, HttpContext context, ICaller caller, IConfigurationGrain grain, string path)
    {
        string id = new DocumentId(asked.Section!, asked.Strategy).ToString();
        ConfigurationResult done = await grain.Create(id, Values(asked.Values!), caller.User, asked.Comment);
        if (Refusal(id, done) is { } refusal) return refusal;
        ConfigurationDocumentChanged changed = Changed(id, done, context);
        return TypedResults.Created($"{path}/{id}", changed);
    }

    private static async Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> ReplaceAsync(
        string id, ChangeConfiguration asked, HttpContext context, ICaller caller, IConfigurationGrain grain)
    {
        long version = VersionOf(context.Request, asked.Version);
        return Answer(id, await grain.Replace(id, Values(asked.Values!), version, caller.User, asked.Comment), context);
    }

    private static async Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> RemoveAsync(
        string id, long? version, string comment, HttpContext context, ICaller caller, IConfigurationGrain grain)
    {
        var faults = new Faults();
        faults.Text("comment", comment, ChangeConfiguration.LongestComment);
        faults.ThrowIfAny();
        return Answer(id, await grain.Remove(id, VersionOf(context.Request, version), caller.User, comment), context);
    }

    private static async Task<Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult>> RollBackAsync(
        string id, RollBackConfiguration asked, HttpContext context, ICaller caller, IConfigurationGrain grain)
    {
        long version = VersionOf(context.Request, asked.Version);
        return Answer(id, await grain.RollBack(id, asked.To!.Value, version, caller.User, asked.Comment), context);
    }

    private static async Task<Results<Ok<ConfigurationDocumentView>, ProblemHttpResult>> GetDocumentAsync(
        Reading reading, string id, HttpContext context)
    {
        ImmutableArray<DocumentVersion> versions = await VersionsAsync(reading, id);
        if (versions.IsEmpty) return Unknown("id", id);
        SetETag(context, versions[^1].Number);
        return TypedResults.Ok(ConfigurationDocumentView.Of(id, versions[^1]));
    }

    private static async Task<Results<Ok<IEnumerable<ConfigurationVersionView>>, ProblemHttpResult>> ListVersionsAsync(Reading reading, string id)
    {
        ImmutableArray<DocumentVersion> versions = await VersionsAsync(reading, id);
        return versions.IsEmpty ? Unknown("id", id) : TypedResults.Ok(versions.Reverse().Select(ConfigurationVersionView.Of));
    }

    private static async Task<Results<Ok<ConfigurationVersionView>, ProblemHttpResult>> GetVersionAsync(Reading reading, string id, long number) =>
        (await VersionsAsync(reading, id)).FirstOrDefault(version => version.Number == number) is { } found
            ? TypedResults.Ok(ConfigurationVersionView.Of(found))
            : NoVersion("number", number);

    private static async Task<Results<Ok<IEnumerable<ConfigurationDifferenceView>>, ProblemHttpResult>> DiffAsync(
        Reading reading, string id, long from, long to)
    {
        ImmutableArray<DocumentVersion> versions = await VersionsAsync(reading, id);
        if (versions.IsEmpty) return Unknown("id", id);
        if (versions.FirstOrDefault(version => version.Number == from) is not { } before) return NoVersion("from", from);
        if (versions.FirstOrDefault(version => version.Number == to) is not { } after) return NoVersion("to", to);
        return TypedResults.Ok(before.DifferencesTo(after).Select(ConfigurationDifferenceView.Of));
    }

    /// <summary>Whose configuration is read, and how much of it the caller may see.</summary>
    private sealed record Reading(IConfigurationGrain Grain, bool IsOwn)
    {
        public bool Sees(ConfigurationSection section) => IsOwn || !section.IsPrivate;

        public bool Sees(string id) => DocumentId.TryParse(id, out DocumentId document) && Sees(ConfigurationCatalog.Find(document.Section)!);
    }

    private static Reading Of(string userId, ICaller caller, IGrainFactory grains)
    {
        if (!Keys.IsName(userId)) throw ApiException.Invalid("userId", $"userId is {ApiException.Quote(userId)}; expected the id of a user");
        if (userId == caller.User) return new Reading(grains.Configuration(caller), IsOwn: true);
        if (!caller.Has(Permission.ReadTenant))
        {
            throw new ApiException(Status403Forbidden, ApiReason.PermissionMissing,
                $"another member's configuration needs the permission {Permission.ReadTenant}, which the caller does not have");
        }
        return new Reading(grains.GetGrain<IConfigurationGrain>($"{caller.Tenant}/{userId}"), IsOwn: false);
    }

    private static Reading OfTenant(ICaller caller, IGrainFactory grains) => new(grains.TenantConfiguration(caller), IsOwn: true);

    /// <returns>None where there is no such document, or none that the caller may see.</returns>
    private static async Task<ImmutableArray<DocumentVersion>> VersionsAsync(Reading reading, string id) =>
        reading.Sees(id) ? await reading.Grain.GetVersions(id) : [];

    private static ImmutableArray<ConfigurationDocumentView> Present(ImmutableSortedDictionary<string, DocumentVersion> documents, Reading reading) =>
    [
        .. documents.Where(pair => !pair.Value.IsRemoved && reading.Sees(pair.Key))
            .Select(pair => ConfigurationDocumentView.Of(pair.Key, pair.Value)),
    ];

    /// <param name="uppermost">Settings of layers above it are not shown.</param>
    private static ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, EffectiveSettingView>> Shown(
        EffectiveSettings effective, ConfigurationLayer uppermost, Reading reading) =>
        ConfigurationCatalog.Sections.Where(section => reading.Sees(section)).ToImmutableSortedDictionary(
            section => section.Name,
            section => section.Settings.Where(setting => setting.Layers.Any(layer => layer <= uppermost)).ToImmutableSortedDictionary(
                setting => setting.Name, setting => EffectiveSettingView.Of(setting, effective[section, setting.Name]), StringComparer.Ordinal),
            StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, string> Values(Dictionary<string, JsonElement> values) =>
        values.ToImmutableSortedDictionary(pair => pair.Key, pair => JsonSerializer.Serialize(pair.Value), StringComparer.Ordinal);

    private static Results<Ok<ConfigurationDocumentChanged>, ProblemHttpResult> Answer(string id, ConfigurationResult done, HttpContext context) =>
        Refusal(id, done) is { } refusal ? refusal : TypedResults.Ok(Changed(id, done, context));

    private static ConfigurationDocumentChanged Changed(string id, ConfigurationResult done, HttpContext context)
    {
        SetETag(context, done.Version!.Number);
        return new ConfigurationDocumentChanged(context.SetMinPosition(done.MinPosition), ConfigurationDocumentView.Of(id, done.Version));
    }

    private static ProblemHttpResult? Refusal(string id, ConfigurationResult done)
    {
        switch (done.Outcome)
        {
            case ConfigurationOutcome.Done:
                return null;
            case ConfigurationOutcome.Invalid:
                var faults = new Faults();
                foreach (ConfigurationFault fault in done.Faults)
                {
                    string field = fault.Field is "to" or "id" ? fault.Field : $"values.{fault.Field}";
                    faults.Add(field, fault.Value, fault.Expectation);
                }
                throw faults.Problem();
            case ConfigurationOutcome.Exists:
                return Problems.Of(Status409Conflict, ApiReason.ConfigurationExists, $"id is '{id}'; that document exists: change it by PUT", null,
                    ("currentVersion", done.CurrentVersion));
            case ConfigurationOutcome.Conflict:
                return Problems.Of(Status409Conflict, ApiReason.VersionConflict, $"'{id}' has version {done.CurrentVersion} by now: read it again",
                    null, ("currentVersion", done.CurrentVersion));
            default:
                return Unknown("id", id);
        }
    }

    /// <summary>The version that a change is made to, by body or query, or by If-Match.</summary>
    private static long VersionOf(HttpRequest request, long? given)
    {
        string header = request.Headers.IfMatch.ToString();
        if (header.Length == 0)
        {
            return given ?? throw ApiException.Invalid("version", "version is missing; expected the version that is changed, here or in If-Match");
        }
        bool matches = header is ['"', .. var digits, '"'] && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long tag)
            && (given ?? tag) == tag;
        return matches ? long.Parse(header.AsSpan(1, header.Length - 2), CultureInfo.InvariantCulture)
            : throw ApiException.Invalid("version",
                $"If-Match is {ApiException.Quote(header)}; expected one version in double quotes, the same as version where both are given");
    }

    private static void SetETag(HttpContext context, long version) =>
        context.Response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    private static ProblemHttpResult Unknown(string field, string value) =>
        Problems.NotFound(ApiReason.ConfigurationUnknown, $"{field} is {ApiException.Quote(value)}; no such configuration");

    private static ProblemHttpResult NoVersion(string field, long number) =>
        Problems.NotFound(ApiReason.ConfigurationUnknown, $"{field} is {number}; no such version is kept");
}
