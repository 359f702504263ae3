namespace HybridTrading.Grains.Operations;

/// <summary>What outlives the silo of the hub: who was there, and what has changed. Figures do not: the next reports bring new ones.</summary>
[GenerateSerializer, Immutable, Alias("ht.CentralHubState")]
public sealed record CentralHubState
{
    [Id(0)] public ImmutableArray<KnownProcess> Processes { get; init; } = [];
    [Id(1)]
    public ImmutableSortedDictionary<string, ImmutableArray<ServiceTransition>> History { get; init; } =
        ImmutableSortedDictionary.Create<string, ImmutableArray<ServiceTransition>>(StringComparer.Ordinal);
}

/// <summary>Keeps what processes report, and notices which do so no more. State is written when a service has changed, not with every report.</summary>
[HostedBy("central-hub")]
public sealed class CentralHubGrain([PersistentState("central-hub")] IPersistentState<CentralHubState> state, TimeProvider clock) : Grain, ICentralHubGrain
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<string, KnownProcess> _processes = new(StringComparer.Ordinal);
    private ImmutableSortedDictionary<string, ImmutableArray<ServiceTransition>> _history = ImmutableSortedDictionary<string, ImmutableArray<ServiceTransition>>.Empty;
    private bool _changed;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _history = state.State.History;
        // Nobody could report while the hub was away: each gets as much time as if it had just done so.
        foreach (KnownProcess known in state.State.Processes) _processes[known.Report.Process] = known.Gone ? known : known with { LastSeen = Now };
        this.RegisterGrainTimer(static (self, _) => self.LookAsync(), this, new GrainTimerCreationOptions(Look, Look));
        return Task.CompletedTask;
    }

    public Task Report(ProcessReport report)
    {
        KnownProcess? before = _processes.GetValueOrDefault(report.Process);
        foreach (ServiceReport now in report.Services)
        {
            ServiceReport? was = before?.Report.Services.FirstOrDefault(each => each.Name == now.Name && each.Port == now.Port);
            if (was is null) Record(now.Name, report.Process, null, now.Status, now.Detail ?? $"{report.Version} started");
            else if (was.Status != now.Status) Record(now.Name, report.Process, was.Status, now.Status, now.Detail);
        }
        _processes[report.Process] = new KnownProcess(Now, report);
        return LookAsync();
    }

    public Task Leave(string process)
    {
        if (_processes.TryGetValue(process, out KnownProcess? known)) Turn(known with { LastSeen = Now }, ServiceStatus.Stopped, null);
        return LookAsync();
    }

    public async Task<ImmutableArray<KnownProcess>> GetProcesses()
    {
        await LookAsync();
        return [.. _processes.Values];
    }

    public async Task<ImmutableArray<ServiceTransition>> GetHistory(string service)
    {
        await LookAsync();
        return _history.TryGetValue(service, out ImmutableArray<ServiceTransition> transitions) ? transitions : [];
    }

    /// <summary>Silent processes become unhealthy, those long gone are taken off, and what has changed is written.</summary>
    private async Task LookAsync()
    {
        DateTime now = Now;
        foreach (KnownProcess known in _processes.Values.ToArray())
        {
            TimeSpan silent = now - known.LastSeen;
            if (silent > CentralHub.Silence && !known.Gone) Turn(known, ServiceStatus.Unhealthy, $"silent since {known.LastSeen:O}");
            else if (silent > CentralHub.Retention) _changed |= _processes.Remove(known.Report.Process);
        }
        foreach (KnownProcess oldest in _processes.Values.OrderBy(each => each.LastSeen).Take(_processes.Count - CentralHub.MostProcesses).ToArray())
        {
            _changed |= _processes.Remove(oldest.Report.Process);
        }
        if (!_changed) return;
        _changed = false;
        state.State = new CentralHubState
        {
            Processes = [.. _processes.Values.Select(known => known with { Report = known.Report with { Grains = null, Storage = null } })], History = _history,
        };
        await state.WriteStateAsync();
    }

    private void Turn(KnownProcess known, ServiceStatus status, string? detail)
    {
        foreach (ServiceReport was in known.Report.Services.Where(each => each.Status != status)) Record(was.Name, known.Report.Process, was.Status, status, detail);
        _processes[known.Report.Process] = known with
        {
            Gone = true,
            Report = known.Report with
            {
                Services = [.. known.Report.Services.Select(each => each with { Status = status, Detail = detail })],
                Grains = null,
                Storage = null,
            },
        };
        _changed = true;
    }

    private void Record(string service, string process, ServiceStatus? from, ServiceStatus to, string? detail)
    {
        ImmutableArray<ServiceTransition> before = _history.TryGetValue(service, out ImmutableArray<ServiceTransition> known) ? known : [];
        _history = _history.SetItem(service, [new ServiceTransition(Now, process, from, to, detail), .. before.Take(CentralHub.MostTransitions - 1)]);
        _changed = true;
    }
}
