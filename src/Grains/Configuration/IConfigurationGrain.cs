using HybridTrading.Domain.Configuration;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Views;

namespace HybridTrading.Grains.Configuration;

/// <summary>The answer to a change of configuration.</summary>
/// <param name="MinPosition">Journal position that contains it; -1 when nothing was recorded.</param>
/// <param name="Version">The document's version now; null unless <see cref="ConfigurationOutcome.Done"/>.</param>
/// <param name="Faults">What is wrong, when that is why.</param>
/// <param name="CurrentVersion">Of the document now; 0 where there never was one.</param>
[GenerateSerializer, Immutable, Alias("ht.ConfigurationResult")]
public sealed record ConfigurationResult(
    long MinPosition, ConfigurationOutcome Outcome, DocumentVersion? Version, ImmutableArray<ConfigurationFault> Faults, long CurrentVersion);

/// <summary>
/// What one owner has set: its documents with their versions. It knows nothing of other layers; who reads lays them on one another
/// (<see cref="EffectiveSettings"/>). Key: tenant/user, or <see cref="Keys.TenantConfiguration"/>.
/// </summary>
[Alias("ht.IConfigurationGrain")]
public interface IConfigurationGrain : IGrainWithStringKey
{
    /// <param name="id">A <see cref="DocumentId"/>.</param>
    /// <param name="values">JSON by the setting's name.</param>
    /// <param name="by">The user who does it.</param>
    [Alias("Create")] Task<ConfigurationResult> Create(string id, ImmutableSortedDictionary<string, string> values, string by, string comment);

    /// <param name="version">The version that it is done to.</param>
    [Alias("Replace")]
    Task<ConfigurationResult> Replace(string id, ImmutableSortedDictionary<string, string> values, long version, string by, string comment);

    [Alias("Remove")] Task<ConfigurationResult> Remove(string id, long version, string by, string comment);

    /// <param name="to">The version whose values are put back.</param>
    [Alias("RollBack")] Task<ConfigurationResult> RollBack(string id, long to, long version, string by, string comment);

    /// <summary>The latest version of each document, of removed ones, too.</summary>
    [AlwaysInterleave, Alias("GetDocuments")] Task<ImmutableSortedDictionary<string, DocumentVersion>> GetDocuments();

    /// <summary>A document's versions, the oldest first; none where there never was one.</summary>
    [AlwaysInterleave, Alias("GetVersions")] Task<ImmutableArray<DocumentVersion>> GetVersions(string id);

    /// <summary>Its owner is being erased: lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("Leave")] Task Leave();

    /// <summary>All that is set now.</summary>
    [AlwaysInterleave, Alias("GetLayer")] Task<LayerDocuments> GetLayer();

    /// <summary>The same as soon as it is another than the known one, or as it is after a bounded wait: for replicas.</summary>
    [AlwaysInterleave, LongPoll, Alias("GetLayerAfter")] Task<Versioned<LayerDocuments>> GetLayerAfter(ViewVersion known, CancellationToken cancellation);
}

/// <summary>What one owner has set, for the grains of a silo that act by it: behind by milliseconds. Its key is that of the configuration.</summary>
[Alias("ht.IConfigurationReplicaGrain")]
public interface IConfigurationReplicaGrain : IGrainWithStringKey
{
    [AlwaysInterleave, Alias("GetLayer")] Task<LayerDocuments> GetLayer();
}
