using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Configuration;

/// <summary>Loads an owner's documents, has Domain decide, records, answers. Others see a version when it is durable.</summary>
[HostedBy("configuration-service")]
public sealed class ConfigurationGrain(IJournal journal, ISecretBox secrets, TimeProvider clock, IHostApplicationLifetime host)
    : Grain, IConfigurationGrain
{
    private EventStream<ConfigurationChanged> _stream = null!;
    private ViewSource<LayerDocuments> _views = null!;
    private ConfigurationBook _book = null!, _shown = null!;
    private StreamOwner _owner;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        string key = this.GetPrimaryKeyString();
        _owner = new StreamOwner(Keys.TenantOf(key), key);
        _book = ConfigurationBook.Empty(Keys.IsTenantConfiguration(key));
        _stream = new EventStream<ConfigurationChanged>(journal, ConfigurationEventCatalog.Events, Keys.ConfigurationStream(key), _owner,
            DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => _book = _book.With(happened.Change), cancellationToken);
        _shown = _book;
        _views = new ViewSource<LayerDocuments>(() => _shown.Layer, clock, host.ApplicationStopping);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _views?.End();
        return Task.CompletedTask;
    }

    public Task<ConfigurationResult> Create(string id, ImmutableSortedDictionary<string, string> values, string by, string comment) =>
        DoAsync(id, _book.Create(id, values, Author(by, comment), Seal));

    public Task<ConfigurationResult> Replace(string id, ImmutableSortedDictionary<string, string> values, long version, string by, string comment) =>
        DoAsync(id, _book.Replace(id, values, version, Author(by, comment), Seal));

    public Task<ConfigurationResult> Remove(string id, long version, string by, string comment) =>
        DoAsync(id, _book.Remove(id, version, Author(by, comment)));

    public Task<ConfigurationResult> RollBack(string id, long to, long version, string by, string comment) =>
        DoAsync(id, _book.RollBack(id, to, version, Author(by, comment)));

    public Task<ImmutableSortedDictionary<string, DocumentVersion>> GetDocuments() =>
        Task.FromResult(_shown.Documents.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Current, StringComparer.Ordinal));

    public Task<ImmutableArray<DocumentVersion>> GetVersions(string id) => Task.FromResult(_shown.Documents.GetValueOrDefault(id)?.Versions ?? []);

    public Task<LayerDocuments> GetLayer() => Task.FromResult(_shown.Layer);

    public Task<Versioned<LayerDocuments>> GetLayerAfter(ViewVersion known, CancellationToken cancellation) => _views.AfterAsync(known, cancellation);

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private async Task<ConfigurationResult> DoAsync(string id, ConfigurationVerdict verdict)
    {
        if (verdict.Outcome != ConfigurationOutcome.Done)
        {
            return new ConfigurationResult(-1, verdict.Outcome, null, verdict.Faults, verdict.CurrentVersion);
        }
        if (verdict.Change is { } change)
        {
            _book = _book.With(change);
            _stream.Append([new ConfigurationChanged(change.Version.At, change)], happened => happened.Time, _ => "");
        }
        long position = await _stream.Durable();
        if (verdict.Change is not null)
        {
            _shown = _book;
            _views.Change();
        }
        DocumentVersion current = _book.Documents[id].Current;
        return new ConfigurationResult(position, ConfigurationOutcome.Done, current, [], current.Number);
    }

    private Authorship Author(string by, string comment) => new(by, clock.GetUtcNow().UtcDateTime, comment);

    private string Seal(string purpose, string secret) => secrets.Seal(_owner, purpose, secret);
}

/// <summary>It is where those are that act by it.</summary>
[HostedBy("trading-engine"), StatelessWorker(1, removeIdleWorkers: false)]
public sealed class ConfigurationReplicaGrain(TimeProvider clock, ILogger<ConfigurationReplicaGrain> log)
    : ReplicaGrain<LayerDocuments>(clock, log), IConfigurationReplicaGrain
{
    public Task<LayerDocuments> GetLayer() => ReadAsync();

    protected override Task<Versioned<LayerDocuments>> AskAsync(ViewVersion known, CancellationToken cancellation) =>
        GrainFactory.GetGrain<IConfigurationGrain>(this.GetPrimaryKeyString()).GetLayerAfter(known, cancellation);
}
