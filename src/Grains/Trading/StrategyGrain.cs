using System.Diagnostics;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Telemetry;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Trading;

/// <summary>A user's strategy: its stance, its decisions, its followers. Rules are in Domain; here they are recorded and sent.</summary>
[HostedBy("trading-engine")]
public sealed partial class StrategyGrain(
    IJournal journal, TradingOptions options, TimeProvider clock, TradingMetrics metrics, ILogger<StrategyGrain> log) : Grain, IStrategyGrain
{
    /// <summary>A market waits for its strategies, so what its owner has set must be there soon, or what was known last counts.</summary>
    private static readonly TimeSpan SettingsPatience = TimeSpan.FromMilliseconds(250);

    /// <summary>Where nothing was known yet it is worth waiting for: what is not known withholds entries.</summary>
    private static readonly TimeSpan FirstSettingsPatience = TimeSpan.FromSeconds(10);

    private readonly SortedSet<string> _accounts = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, DecisionMade> _open = [];
    private EventStream<StrategyEvent> _stream = null!;
    private StrategySetup? _setup;
    private StrategyStatus _status;
    private StrategyState _state = StrategyState.Initial, _before = StrategyState.Initial;
    private DecisionMade? _lastMade;
    private ImmutableArray<DecisionVerdict> _lastVerdicts = [];
    private decimal _units;
    private SettingsReader _settings = null!;

    private string Key => this.GetPrimaryKeyString();

    private DateTime Now => options.Now(clock, _state.Since);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var owner = new StreamOwner(Keys.TenantOf(Key), Keys.PersonOf(Key));
        _settings = SettingsReader.Of(GrainFactory, clock, owner.Subject, Keys.NameOf(Key));
        _stream = new EventStream<StrategyEvent>(journal, StrategyEventCatalog.Events, Keys.StrategyStream(Key), owner, DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => Apply(happened), cancellationToken);
        // What was decided before the silo went must still reach the accounts, before anything new is decided.
        if (options.IsRun) return;
        // A halt from while it was away: the accounts know of it, and settle what is open by it.
        if (_status == StrategyStatus.Running && !(await JoinKillSwitchAsync()).IsEmpty) Raise(new StrategyStopped(Now));
        await SettleOpenAsync();
    }

    public async Task<CommandResult> Create(StrategySetup setup)
    {
        if (_setup is not null) return await DoneAsync(_setup.Equals(setup) || SameSetup(_setup, setup) ? null : $"strategy '{Key}' exists with another set-up");
        if (options.Universe.Find(setup.Symbol) is null) return new CommandResult(-1, $"symbol is '{setup.Symbol}'; no such instrument here");
        if (options.FrameFault(setup.Symbol, setup.TimeFrame) is { } frame) return new CommandResult(-1, frame);
        if (Bind(setup, setup.Parameters, out StrategySetup? bound) is { } fault) return new CommandResult(-1, fault);
        Raise(new StrategyCreated(Now, bound!));
        return await DoneAsync(null);
    }

    public async Task<CommandResult> SetParameters(ImmutableSortedDictionary<string, decimal> parameters)
    {
        if (_setup is null) return Unknown();
        if (_status == StrategyStatus.Running) return new CommandResult(-1, "the strategy is running; stop it before changing parameters");
        if (Bind(_setup, parameters, out StrategySetup? bound) is { } fault) return new CommandResult(-1, fault);
        if (!bound!.Parameters.SequenceEqual(_setup.Parameters)) Raise(new StrategyParametersChanged(Now, bound.Parameters));
        return await DoneAsync(null);
    }

    public async Task<CommandResult> SetFollower(string account, bool follows)
    {
        if (_setup is null) return Unknown();
        if (Keys.TenantOf(account) != Keys.TenantOf(Key)) return new CommandResult(-1, $"account is '{account}'; expected one of tenant {Keys.TenantOf(Key)}");
        if (_accounts.Contains(account) != follows) Raise(new StrategyFollowerChanged(Now, account, follows));
        return await DoneAsync(null);
    }

    public async Task<CommandResult> Start()
    {
        if (_setup is null) return Unknown();
        if (!(await JoinKillSwitchAsync()).IsEmpty)
        {
            return new CommandResult(-1, $"the tenant's kill switch stands for the owner of strategy '{Key}': nothing starts before its release", Reason.TenantHalted);
        }
        if (_status != StrategyStatus.Running) Raise(new StrategyStarted(Now));
        long position = await _stream.Durable();
        await JoinAsync();
        return new CommandResult(position);
    }

    public async Task<CommandResult> Stop()
    {
        if (_setup is null) return Unknown();
        if (_status == StrategyStatus.Running) Raise(new StrategyStopped(Now));
        long position = await _stream.Durable();
        await Features.Leave(Key);
        return new CommandResult(position);
    }

    public async Task<StrategyState> Decide(Evaluation evaluation)
    {
        if (_setup is null || _status != StrategyStatus.Running) return _state;
        if (evaluation.MarketPosition <= _state.LastPosition)
        {
            // A run that was cut off between deciding and telling comes to the same event again: now the accounts see the prices of then.
            if (options.IsRun && _open.Values.FirstOrDefault(made => made.Decision.MarketPosition == evaluation.MarketPosition) is { } open) await SettleAsync(open);
            return _state;
        }
        if (await AllowedAsync(evaluation) is not { } intent) return _state;
        var decision = new Decision($"{Key}#{_state.Decisions + 1}", Key, evaluation.Symbol, evaluation.TimeFrame, evaluation.Time,
            evaluation.MarketPosition, evaluation.Bar, evaluation.Readings, _state.Stance, intent, _units,
            evaluation.BarNumber);
        var made = new DecisionMade(evaluation.Time, decision, [.. _accounts]);
        using Activity? trace = GrainTracing.Begin("strategy decision");
        Raise(made);
        await _stream.Durable();
        metrics.Decided(EventTime.Elapsed(clock));
        await SettleAsync(made);
        return _state;
    }

    public async Task<StrategyView?> GetView()
    {
        if (_setup is null) return null;
        await _stream.Durable();
        return new StrategyView(Key, _setup, _status, _state, [.. _accounts], _lastMade?.Decision, _lastVerdicts, _stream.Version);
    }

    public Task<StrategyState> GetState() => Task.FromResult(Standing);

    public async Task Wake()
    {
        if (!options.IsRun) await SettleOpenAsync();
        if (_status == StrategyStatus.Running) await JoinAsync();
    }

    public async Task Leave()
    {
        if (_setup is not null) await Features.Leave(Key);
        DeactivateOnIdle();
    }

    /// <summary>Nobody halts a run: it plays what has been.</summary>
    private async Task<ImmutableArray<TenantHalt>> JoinKillSwitchAsync() =>
        options.IsRun ? [] : await GrainFactory.GetGrain<IKillSwitchGrain>(Keys.KillSwitch(Keys.TenantOf(Key))).Join(Keys.StrategyStream(Key));

    /// <summary>What its owner's configuration leaves of what the strategy wants; null for nothing. In a run it is not asked: a run is repeated years later.</summary>
    private async Task<Intent?> AllowedAsync(Evaluation evaluation)
    {
        Intent wanted = evaluation.Intent;
        if (options.IsRun || wanted.Stance == Stance.Flat) return wanted;
        if (await _settings.ReadAsync(_settings.Known is null ? FirstSettingsPatience : SettingsPatience) is not { } settings)
        {
            LogNotConfigured(Key, evaluation.Time);
            return PausedHours.WithoutEntry(wanted, _state.Stance, "the paused hours are not known");
        }
        return settings.PausedHours.Any(hours => hours.Contains(evaluation.Time))
            ? PausedHours.WithoutEntry(wanted, _state.Stance, "paused hours")
            : wanted;
    }

    private async Task SettleOpenAsync()
    {
        foreach (DecisionMade made in _open.Values.ToArray()) await SettleAsync(made);
    }

    /// <summary>Tells the followers what was decided, once that is durable, and records what each made of it.</summary>
    private async Task SettleAsync(DecisionMade made)
    {
        await _stream.Durable();
        DecisionVerdict[] verdicts;
        try
        {
            verdicts = options.InOrder ? await TellInOrderAsync(made) : await Task.WhenAll(made.Accounts.Select(account => Account(account).Receive(made.Decision)));
        }
        catch (Exception e) when (e is not OperationCanceledException && !options.IsRun)
        {
            // It stays open: the outbox has it sent again, and who has answered answers the same.
            LogNotSettled(e, made.Decision.Id);
            return;
        }
        if (_open.ContainsKey(Ordinal(made.Decision.Id))) Raise(new DecisionSettled(made.Time, made.Decision.Id, [.. verdicts]));
    }

    private async Task<DecisionVerdict[]> TellInOrderAsync(DecisionMade made)
    {
        var verdicts = new DecisionVerdict[made.Accounts.Length];
        for (int i = 0; i < verdicts.Length; i++) verdicts[i] = await Account(made.Accounts[i]).Receive(made.Decision);
        return verdicts;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "decision {Decision} did not reach every account; it will be sent again")]
    private partial void LogNotSettled(Exception exception, string decision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "strategy {Strategy} did not enter at {Time}: its configuration cannot be read, so its paused hours are not known")]
    private partial void LogNotConfigured(string strategy, DateTime time);

    /// <summary>What the shard evaluates by. In a run a decision that was not settled when it was cut off is come to once more.</summary>
    private StrategyState Standing => options.IsRun && _open.Count > 0 ? _before : _state;

    private IAccountGrain Account(string key) => GrainFactory.GetGrain<IAccountGrain>(key);

    private IFeaturesGrain Features => GrainFactory.GetGrain<IFeaturesGrain>(Keys.Features(_setup!.Symbol, _setup.TimeFrame));

    private Task JoinAsync() => Features.Join(new ShardMember(Key, _setup!.Definition, _setup.Parameters, Standing, _setup.Rule));

    private void Raise(StrategyEvent happened)
    {
        Apply(happened);
        _stream.Append([happened], e => e.Time, e => e switch
        {
            DecisionMade made => made.Decision.Id,
            DecisionSettled settled => settled.Decision,
            _ => "",
        });
    }

    private void Apply(StrategyEvent happened)
    {
        switch (happened)
        {
            case StrategyCreated e:
                SetUp(e.Setup);
                break;
            case StrategyParametersChanged e:
                SetUp(_setup! with { Parameters = e.Parameters });
                break;
            case StrategyFollowerChanged e:
                if (e.Follows) _accounts.Add(e.Account);
                else _accounts.Remove(e.Account);
                break;
            case StrategyStarted:
                _status = StrategyStatus.Running;
                break;
            case StrategyStopped:
                _status = StrategyStatus.Stopped;
                break;
            case DecisionMade e:
                _before = _state;
                _state = _state.After(e.Decision);
                _lastMade = e;
                _lastVerdicts = [];
                _open[Ordinal(e.Decision.Id)] = e;
                break;
            case DecisionSettled e:
                _open.Remove(Ordinal(e.Decision));
                if (_lastMade?.Decision.Id == e.Decision) _lastVerdicts = e.Verdicts;
                break;
        }
    }

    private void SetUp(StrategySetup setup)
    {
        _setup = setup;
        _units = StrategyDefinition.UnitsOf(setup.Parameters, setup.Rule);
    }

    private static long Ordinal(string decision) => long.Parse(decision.AsSpan(decision.LastIndexOf('#') + 1));

    /// <summary>The set-up with these parameters, checked, the defaults of the others filled in, and a rule in its canonical text.</summary>
    /// <returns>What is wrong; null when nothing is.</returns>
    private static string? Bind(StrategySetup setup, ImmutableSortedDictionary<string, decimal> parameters, out StrategySetup? bound)
    {
        bound = null;
        try
        {
            StrategyDefinition definition = StrategyCatalog.Find(setup.Definition, setup.Rule);
            bound = setup with { Parameters = definition.Bind(parameters).Values, Rule = definition.Rule };
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private static bool SameSetup(StrategySetup mine, StrategySetup other) =>
        Bind(other, other.Parameters, out StrategySetup? bound) is null
        && mine.Definition == bound!.Definition && mine.Rule == bound.Rule && mine.Symbol == bound.Symbol && mine.TimeFrame == bound.TimeFrame
        && bound.Parameters.SequenceEqual(mine.Parameters);

    private CommandResult Unknown() => new(-1, $"strategy '{Key}' does not exist");

    private async Task<CommandResult> DoneAsync(string? fault) => new(await _stream.Durable(), fault);
}
