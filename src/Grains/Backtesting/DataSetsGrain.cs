using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Backtesting;

/// <summary>Which data sets a user has. Their contents lie in the blob store; what no set names there is removed when it is an hour old.</summary>
[HostedBy("backtesting-engine")]
public sealed partial class DataSetsGrain(IJournal journal, IBlobStore blobs, BacktestingOptions options, TimeProvider clock, ILogger<DataSetsGrain> log) : Grain, IDataSetsGrain
{
    /// <summary>Front of the ids of uploaded contents: results of jobs have others.</summary>
    public const string Prefix = "data-";

    /// <summary>An upload is stored before it is added; nobody takes so long between the two.</summary>
    private static readonly TimeSpan Orphaned = TimeSpan.FromHours(1);

    private readonly List<DataSet> _sets = [];
    private EventStream<DataSetEvent> _stream = null!;
    private StreamOwner _owner;

    private string Key => this.GetPrimaryKeyString();

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _owner = new StreamOwner(Keys.TenantOf(Key), Keys.PersonOf(Key));
        _stream = new EventStream<DataSetEvent>(journal, DataSetEventCatalog.Events, Keys.DataSetsStream(Key), _owner, DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => Apply(happened), cancellationToken);
        await SweepAsync(cancellationToken);
    }

    public async Task<CommandResult> Add(DataSet set)
    {
        if (_sets.All(known => known.Id != set.Id))
        {
            long bytes = _sets.Sum(known => known.Bytes);
            if (_sets.Count >= options.MaxDataSets) return new CommandResult(-1, $"there are {_sets.Count} data sets; at most {options.MaxDataSets}");
            if (bytes + set.Bytes > options.MaxStoredBytes) return new CommandResult(-1, $"the data sets have {bytes} bytes, with this one {bytes + set.Bytes}; at most {options.MaxStoredBytes}");
            Raise(new DataSetAdded(Now, set));
        }
        return new CommandResult(await _stream.Durable());
    }

    public async Task<CommandResult?> Remove(string id)
    {
        if (_sets.All(known => known.Id != id)) return null;
        Raise(new DataSetRemoved(Now, id));
        long position = await _stream.Durable();
        await blobs.DeleteAsync(_owner, id);
        return new CommandResult(position);
    }

    public async Task<ImmutableArray<DataSet>> List()
    {
        await _stream.Durable();
        return [.. _sets.AsEnumerable().Reverse()];
    }

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            foreach (BlobInfo blob in await blobs.ListAsync(_owner, cancellation))
            {
                if (!blob.Id.StartsWith(Prefix, StringComparison.Ordinal) || Now - blob.StoredAt < Orphaned || _sets.Any(set => set.Id == blob.Id)) continue;
                await blobs.DeleteAsync(_owner, blob.Id, cancellation);
            }
        }
        catch (IOException e)
        {
            // They cost room and nothing else: the next activation tries again.
            LogNotSwept(e, Key);
        }
    }

    private void Raise(DataSetEvent happened)
    {
        Apply(happened);
        _stream.Append([happened], e => e.Time, _ => "");
    }

    private void Apply(DataSetEvent happened)
    {
        if (happened is DataSetAdded added) _sets.Add(added.Set);
        else if (happened is DataSetRemoved removed) _sets.RemoveAll(set => set.Id == removed.Id);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "contents without a data set of {Key} could not be removed")]
    private partial void LogNotSwept(Exception exception, string key);
}
