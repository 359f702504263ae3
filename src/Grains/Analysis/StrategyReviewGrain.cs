using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Analysis;

/// <summary>Reviews of one strategy: when, what they found, and what its owner said to it. The review itself is in Domain.</summary>
[HostedBy("strategy-analysis")]
public sealed partial class StrategyReviewGrain(
    IJournal journal, LiveStrategyReader lives, JobSlots slots, TradingOptions options, TimeProvider clock, ILogger<StrategyReviewGrain> log)
    : Grain, IStrategyReviewGrain, IRemindable
{
    private const string Reminder = "review";
    private const int MostLines = 100;

    private readonly List<ReviewLine> _lines = [];
    private EventStream<ReviewEvent> _stream = null!;
    private ReviewSchedule? _schedule;
    private StrategyReview? _last;
    private DateTime _latest;
    private long _count, _lastNumber;
    private CancellationTokenSource? _running;
    private double _progress;

    private string Key => this.GetPrimaryKeyString();

    private DateTime Now => options.Now(clock, _latest);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var owner = new StreamOwner(Keys.TenantOf(Key), Keys.PersonOf(Key));
        _stream = new EventStream<ReviewEvent>(journal, ReviewEventCatalog.Events, Keys.ReviewStream(Key), owner, DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => Apply(happened), cancellationToken);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _running?.Cancel();
        return Task.CompletedTask;
    }

    public async Task<CommandResult> SetSchedule(ReviewSchedule schedule)
    {
        if (schedule.Fault() is { } fault) return new CommandResult(-1, fault);
        if (schedule.Account is { } account && Keys.TenantOf(account) != Keys.TenantOf(Key))
        {
            return new CommandResult(-1, $"account is '{account}'; expected one of tenant {Keys.TenantOf(Key)}");
        }
        if (await Strategy.GetView() is null) return Unknown();
        if (schedule != _schedule) Raise(new ReviewScheduled(Now, schedule));
        await RemindAsync();
        return new CommandResult(await _stream.Durable());
    }

    public async Task Keep()
    {
        if (_schedule is null) await SetSchedule(ReviewSchedule.Daily);
        // Set anew, it would be put off by every start.
        else if (await this.GetReminder(Reminder) is null) await RemindAsync();
    }

    public async Task<CommandResult> Begin()
    {
        if (await Strategy.GetView() is not { } view) return Unknown();
        if (_running is null)
        {
            _running = new CancellationTokenSource();
            _progress = 0;
            // Hours of work at most: until it ends, the grain is needed.
            DelayDeactivation(TimeSpan.FromHours(6));
            _ = ReviewAsync(view, _running);
        }
        return new CommandResult(await _stream.Durable());
    }

    public async Task<CommandResult> Answer(long number, bool accept)
    {
        if (number != _lastNumber || _last?.Proposal is not { } proposal) return new CommandResult(-1, $"number is {number}; no review of that number proposes anything now");
        if (Proposal != ProposalState.Open) return new CommandResult(-1, $"number is {number}; that proposal is {Proposal.ToString().ToLowerInvariant()}");
        if (await Strategy.GetView() is not { } view) return Unknown();
        if (accept)
        {
            if (!view.Setup.Parameters.SequenceEqual(proposal.From)) return new CommandResult(-1, $"number is {number}; the strategy's parameters have changed since, ask for another review");
            bool running = view.Status == StrategyStatus.Running;
            // What fails half-way leaves a stopped strategy and an open proposal: accepting again goes on from there.
            if (running && (await Strategy.Stop()).Fault is { } stop) return new CommandResult(-1, stop);
            if ((await Strategy.SetParameters(proposal.To)).Fault is { } set) return new CommandResult(-1, set);
            if (running && (await Strategy.Start()).Fault is { } start) return new CommandResult(-1, start);
        }
        Raise(new ProposalAnswered(Now, number, accept));
        return new CommandResult(await _stream.Durable());
    }

    public async Task<ReviewView> GetView()
    {
        await _stream.Durable();
        return new ReviewView(Key, _schedule ?? new ReviewSchedule(null), _running is null ? null : Volatile.Read(ref _progress), _last, _lastNumber, Proposal, [.. Enumerable.Reverse(_lines)]);
    }

    public async Task Leave()
    {
        _running?.Cancel();
        if (await this.GetReminder(Reminder) is { } reminder) await this.UnregisterReminder(reminder);
        DeactivateOnIdle();
    }

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (await Strategy.GetView() is { Status: StrategyStatus.Running }) await Begin();
    }

    private IStrategyGrain Strategy => GrainFactory.GetGrain<IStrategyGrain>(Key);

    private ProposalState Proposal => _lines.Find(line => line.Number == _lastNumber)?.Proposal ?? ProposalState.None;

    private async Task ReviewAsync(StrategyView view, CancellationTokenSource running)
    {
        CancellationToken cancellation = running.Token;
        ReviewEvent came;
        try
        {
            LiveStrategy live = await lives.ReadAsync(view, _schedule?.Account, cancellation);
            using JobSlots.Lease lease = await slots.EnterAsync(1, cancellation);
            var ways = new ReviewOptions(Windows: _schedule?.Proposes == false ? 0 : new ReviewOptions().Windows);
            // The run takes minutes and awaits nothing: it must not hold the grain's turn.
            StrategyReview review = await Task.Run(() => StrategyReviewer.Review(
                live.Plan, live.Data, live.From, live.Days, ways, lease.Threads, share => Volatile.Write(ref _progress, share), cancellation), cancellation);
            // Where past data are played the market's time is further than this grain knows.
            came = new ReviewMade(review.Made > Now ? review.Made : Now, live.Account, review);
        }
        catch (OperationCanceledException)
        {
            // The silo stops: the next reminder, or its owner, asks again.
            return;
        }
        catch (ReviewImpossibleException e)
        {
            came = new ReviewFailed(Now, e.Message);
        }
        catch (Exception e)
        {
            LogFailed(e, Key);
            came = new ReviewFailed(Now, $"the review failed: {e.Message}");
        }
        finally
        {
            _running = null;
            running.Dispose();
            DelayDeactivation(TimeSpan.Zero);
        }
        Raise(came);
    }

    private async Task RemindAsync()
    {
        if (_schedule?.Every is { } every)
        {
            // Spread over the period, so that not all strategies of the world are looked at when the silo starts.
            double share = (uint)StableHash(Key) / (double)uint.MaxValue;
            await this.RegisterOrUpdateReminder(Reminder, TimeSpan.FromMinutes(1) + (every - TimeSpan.FromMinutes(1)) * share, every);
        }
        else if (await this.GetReminder(Reminder) is { } reminder)
        {
            await this.UnregisterReminder(reminder);
        }
    }

    /// <summary>FNV-1a: the same in every process.</summary>
    private static int StableHash(string text)
    {
        uint hash = 2166136261;
        foreach (char letter in text) hash = (hash ^ letter) * 16777619;
        return (int)hash;
    }

    private void Raise(ReviewEvent happened)
    {
        Apply(happened);
        _stream.Append([happened], e => e.Time, _ => "");
    }

    private void Apply(ReviewEvent happened)
    {
        _latest = happened.Time;
        switch (happened)
        {
            case ReviewScheduled e:
                _schedule = e.Schedule;
                break;
            case ReviewMade e:
                Outdate();
                _last = e.Review;
                _lastNumber = ++_count;
                Add(new ReviewLine(_count, e.Time, e.Review.Live.Finding, e.Review.Live.Text, e.Review.Proposal is null ? ProposalState.None : ProposalState.Open, null));
                break;
            case ReviewFailed e:
                Add(new ReviewLine(++_count, e.Time, null, null, ProposalState.None, e.Fault));
                break;
            case ProposalAnswered e:
                Answered(e.Number, e.Accepted ? ProposalState.Accepted : ProposalState.Declined);
                break;
        }
    }

    private void Outdate()
    {
        if (Proposal == ProposalState.Open) Answered(_lastNumber, ProposalState.Outdated);
    }

    private void Answered(long number, ProposalState state)
    {
        int at = _lines.FindIndex(line => line.Number == number);
        if (at >= 0) _lines[at] = _lines[at] with { Proposal = state };
    }

    private void Add(ReviewLine line)
    {
        _lines.Add(line);
        if (_lines.Count > MostLines) _lines.RemoveAt(0);
    }

    private CommandResult Unknown() => new(-1, $"strategy '{Key}' does not exist");

    [LoggerMessage(Level = LogLevel.Error, Message = "the review of strategy {Strategy} failed")]
    private partial void LogFailed(Exception exception, string strategy);
}
