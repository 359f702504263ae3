using System.Collections.Concurrent;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Tests;

/// <summary>Jobs, their queues and data sets, over a real journal and real contents.</summary>
public sealed class JobGrainTests
{
    private const string Ann = "acme/ann", Bob = "beta/bob";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private static readonly Instrument EurUsd = InstrumentCatalog.Get("EURUSD");

    private readonly Gate _gate = new();

    [Fact]
    public async Task A_run_is_recorded_from_its_request_to_its_result_and_a_restart_changes_nothing()
    {
        await using TestWorld world = Make(open: true);
        await StartAsync(world);
        await SubmitAsync(world, Ann, "one");
        JobView done = await EndAsync(world, Ann, "one");
        Assert.Equal(JobStatus.Finished, done.Status);
        Assert.Equal((3000, true, 1, 1.0), ((int)done.Summary!.DataPoints, done.HasReport, done.Attempts, done.Progress));
        Assert.InRange(done.Summary.Trades, 1, 1000);
        Assert.Equal(["job-queued", "job-started", "job-finished"], await NamesAsync(world, Ann, "one"));
        Assert.Equal(["one-equity.csv.gz", "one-report.json.gz"], (await world.Blobs.ListAsync(Owner(Ann))).Select(blob => blob.Id));

        await world.RestartAsync(Gated(world));
        JobView again = (await Job(world, Ann, "one").GetView())!;
        Assert.Equal(done.Summary.OrderListHash, again.Summary!.OrderListHash);
        Assert.Equal((done.Version, done.Status, done.EndedAt), (again.Version, again.Status, again.EndedAt));
        // The same request over the same data comes to the same.
        await SubmitAsync(world, Ann, "two");
        Assert.Equal(done.Summary.OrderListHash, (await EndAsync(world, Ann, "two")).Summary!.OrderListHash);

        Assert.Null((await Job(world, Ann, "one").Remove()).Fault);
        Assert.Null(await Job(world, Ann, "one").GetView());
        Assert.Equal(["two-equity.csv.gz", "two-report.json.gz"], (await world.Blobs.ListAsync(Owner(Ann))).Select(blob => blob.Id));
    }

    [Fact]
    public async Task What_a_process_left_running_when_it_died_waits_and_is_run_again()
    {
        await using TestWorld world = TestWorld.Create();
        world.DataSets = _gate;
        await RecordAsync(world, "one", new JobQueued(world.Now, Request()), new JobStarted(world.Now, 1));
        await world.StartAsync();
        Assert.Equal(JobStatus.Queued, (await Job(world, Ann, "one").GetView())!.Status);
        await AddDataAsync(world, Ann);
        _gate.Open();
        await Queue(world, Ann).Wake(["one"]);
        JobView done = await EndAsync(world, Ann, "one");
        Assert.Equal((JobStatus.Finished, 2), (done.Status, done.Attempts));
    }

    [Fact]
    public async Task What_processes_die_of_is_given_up_with_the_reason()
    {
        await using TestWorld world = TestWorld.Create(backtesting: new BacktestingOptions { MaxAttempts = 2 });
        await RecordAsync(world, "one", new JobQueued(world.Now, Request()), new JobStarted(world.Now, 1), new JobStarted(world.Now, 2));
        await world.StartAsync();
        await Queue(world, Ann).Wake(["one"]);
        JobView given = await EndAsync(world, Ann, "one");
        Assert.Equal(JobStatus.Failed, given.Status);
        Assert.Contains("2 times", given.Fault);
        Assert.Empty(await Queue(world, Ann).GetWaiting());
    }

    [Fact]
    public async Task A_process_that_ends_in_order_costs_no_attempt()
    {
        await using TestWorld world = Make(open: false);
        await StartAsync(world);
        await SubmitAsync(world, Ann, "one");
        await ReadingAsync(world, 1);
        await world.RestartAsync(Gated(world));
        Assert.Equal(["job-queued", "job-started", "job-interrupted"], await NamesAsync(world, Ann, "one"));
        Assert.Equal((JobStatus.Queued, 0), ((await Job(world, Ann, "one").GetView())!.Status, (await Job(world, Ann, "one").GetView())!.Attempts));
        _gate.Open();
        await Queue(world, Ann).Wake([]);
        Assert.Equal((JobStatus.Finished, 1), (await EndAsync(world, Ann, "one") is var done ? (done.Status, done.Attempts) : default));
    }

    [Fact]
    public async Task Cancelling_answers_at_once_stops_the_run_and_lets_the_next_one_go()
    {
        await using TestWorld world = Make(open: false);
        await StartAsync(world);
        await SubmitAsync(world, Ann, "one");
        await SubmitAsync(world, Ann, "two");
        await ReadingAsync(world, 1);
        Assert.Equal(JobStatus.Running, (await Job(world, Ann, "one").GetView())!.Status);
        Assert.Equal(["two"], await Queue(world, Ann).GetWaiting());
        Assert.Null((await Job(world, Ann, "one").Cancel()).Fault);
        Assert.Equal(JobStatus.Cancelled, (await Job(world, Ann, "one").GetView())!.Status);
        await ReadingAsync(world, 2);
        Assert.Equal(1, _gate.Stopped);
        // What waits is cancelled without ever running.
        await SubmitAsync(world, Ann, "three");
        await Job(world, Ann, "three").Cancel();
        await world.UntilAsync(async () => (await Queue(world, Ann).GetWaiting()).IsEmpty, Look, "an empty queue");
        Assert.Equal(["job-queued", "job-cancelled"], await NamesAsync(world, Ann, "three"));
        _gate.Open();
        Assert.Equal(JobStatus.Finished, (await EndAsync(world, Ann, "two")).Status);
    }

    [Fact]
    public async Task A_user_runs_one_at_a_time_and_users_take_turns()
    {
        // One thread in every process, and on a cluster two processes: the order within a user holds on both.
        await using TestWorld world = Make(open: false, new BacktestingOptions { Threads = 1, MaxWaiting = 2 });
        await StartAsync(world);
        await AddDataAsync(world, Bob);
        foreach (string id in (string[])["a1", "a2", "a3"]) await SubmitAsync(world, Ann, id);
        foreach (string id in (string[])["b1", "b2"]) await SubmitAsync(world, Bob, id);
        Assert.Contains("2 jobs wait", (await Queue(world, Ann).Submit("a4", Request())).Fault);
        Assert.Null(await Job(world, Ann, "a4").GetView());
        // A repeat of what waits answers as the first time, also where there is no room.
        Assert.Null((await Queue(world, Ann).Submit("a3", Request())).Fault);
        _gate.Open();
        foreach (string id in (string[])["a1", "a2", "a3"]) Assert.Equal(JobStatus.Finished, (await EndAsync(world, Ann, id)).Status);
        foreach (string id in (string[])["b1", "b2"]) Assert.Equal(JobStatus.Finished, (await EndAsync(world, Bob, id)).Status);
        List<string> started = [];
        await foreach (RecordedEvent one in world.Journal.ReadAllAsync())
        {
            if (one.Name == "job-started") started.Add(one.Stream[(one.Stream.LastIndexOf('/') + 1)..]);
        }
        Assert.Equal(["a1", "a2", "a3"], started.Where(id => id[0] == 'a'));
        Assert.Equal(["b1", "b2"], started.Where(id => id[0] == 'b'));
        // Nobody's second run begins before everybody's first.
        Assert.True(started.IndexOf("b1") < started.IndexOf("a3"), string.Join(' ', started));
    }

    [Fact]
    public async Task A_run_whose_begin_or_end_cannot_be_recorded_is_made_again()
    {
        await using TestWorld world = Make(open: true);
        await StartAsync(world);
        using (world.Journal.Refuse((_, happened) => happened.Name is "job-finished"))
        {
            await SubmitAsync(world, Ann, "one");
            await world.UntilAsync(async () => (await NamesAsync(world, Ann, "one")).Contains("job-started") && (await Job(world, Ann, "one").GetView())!.Status == JobStatus.Queued, Look, "the run lost");
        }
        await Queue(world, Ann).Wake([]);
        JobView done = await EndAsync(world, Ann, "one");
        Assert.Equal((JobStatus.Finished, 2), (done.Status, done.Attempts));
    }

    [Fact]
    public async Task Data_that_are_gone_fail_the_job_with_a_word_for_its_owner()
    {
        await using TestWorld world = Make(open: true);
        await StartAsync(world);
        Assert.NotNull(await world.Grains.GetGrain<IDataSetsGrain>(Keys.DataSets(Ann)).Remove("data-1"));
        await SubmitAsync(world, Ann, "one");
        JobView failed = await EndAsync(world, Ann, "one");
        Assert.Equal((JobStatus.Failed, "data set data-1 is not there any more"), (failed.Status, failed.Fault));
    }

    [Fact]
    public async Task Data_sets_are_bounded_survive_and_what_nobody_names_is_swept()
    {
        await using TestWorld world = TestWorld.Create(backtesting: new BacktestingOptions { MaxStoredBytes = 250, MaxDataSets = 2 });
        await world.StartAsync();
        IDataSetsGrain sets = world.Grains.GetGrain<IDataSetsGrain>(Keys.DataSets(Ann));
        Assert.Null((await sets.Add(Set("data-1"))).Fault);
        Assert.Null((await sets.Add(Set("data-1"))).Fault);
        Assert.Null((await sets.Add(Set("data-2"))).Fault);
        Assert.Contains("at most 2", (await sets.Add(Set("data-3"))).Fault);
        await sets.Remove("data-2");
        Assert.Contains("at most 250", (await sets.Add(Set("data-3") with { Bytes = 151 })).Fault);
        foreach (string id in (string[])["data-1", "data-lost", "job-report"]) await world.Blobs.PutAsync(Owner(Ann), id, new MemoryStream([1]), 1);
        world.Time.Advance(TimeSpan.FromHours(2));
        // Files carry the machine's own time.
        await world.RestartAsync(() =>
        {
            world.Time.Advance(DateTime.UtcNow.AddHours(2) - world.Now is var ahead && ahead > TimeSpan.Zero ? ahead : TimeSpan.Zero);
            return Task.CompletedTask;
        });
        Assert.Equal("data-1", Assert.Single(await world.Grains.GetGrain<IDataSetsGrain>(Keys.DataSets(Ann)).List()).Id);
        Assert.Equal(["data-1", "job-report"], (await world.Blobs.ListAsync(Owner(Ann))).Select(blob => blob.Id));
    }

    [Fact]
    public async Task An_observer_sees_a_job_go_forward_only()
    {
        await using TestWorld world = Make(open: false);
        await StartAsync(world);
        var seen = new Seen();
        IJobObserver reference = world.Grains.CreateObjectReference<IJobObserver>(seen);
        await SubmitAsync(world, Ann, "one");
        Assert.NotNull(await Job(world, Ann, "one").Observe(reference));
        Assert.Null(await Job(world, Ann, "none").Observe(reference));
        await ReadingAsync(world, 1);
        _gate.Open();
        await EndAsync(world, Ann, "one");
        await world.UntilAsync(() => Task.FromResult(seen.Views.Any(view => view.Status == JobStatus.Finished)), Look, "the end to be shown");
        (long, double)[] told = [.. seen.Views.Select(view => (view.Version, view.Progress))];
        Assert.Equal(told.Order(), told);
        await Job(world, Ann, "one").Forget(reference);
    }

    private static IJobGrain Job(TestWorld world, string person, string id) => world.Grains.GetGrain<IJobGrain>($"{person}/{id}");

    private static IJobQueueGrain Queue(TestWorld world, string person) => world.Grains.GetGrain<IJobQueueGrain>(Keys.JobQueue(person));

    private static StreamOwner Owner(string person) => new(person[..person.IndexOf('/')], person);

    private static DataSet Set(string id) => new(id, id, "eurusd_h1.csv", EurUsd, TimeFrame.H1, Gate.Start, Gate.Start.AddHours(3000), 3000, 100, default, Gate.Start, "");

    private static JobRequest Request() => JobRequest.Of(new BacktestInput
    {
        DataSets = ["data-1"],
        Strategies = [new RunStrategy { Definition = "sma-cross", Parameters = ImmutableSortedDictionary<string, decimal>.Empty.Add("fast", 5).Add("slow", 20) }],
        Account = new RunAccount { StopOutPercent = null },
    });

    /// <summary>Synchronous, so that the host's principal stays with the test.</summary>
    private TestWorld Make(bool open, BacktestingOptions? options = null)
    {
        TestWorld world = TestWorld.Create(backtesting: options);
        world.DataSets = _gate;
        if (open) _gate.Open();
        return world;
    }

    private static async Task StartAsync(TestWorld world)
    {
        await world.StartAsync();
        await AddDataAsync(world, Ann);
    }

    private Func<Task> Gated(TestWorld world) => () =>
    {
        world.DataSets = _gate;
        return Task.CompletedTask;
    };

    private static async Task AddDataAsync(TestWorld world, string person) =>
        Assert.Null((await world.Grains.GetGrain<IDataSetsGrain>(Keys.DataSets(person)).Add(Set("data-1"))).Fault);

    private static async Task SubmitAsync(TestWorld world, string person, string id)
    {
        CommandResult done = await Queue(world, person).Submit(id, Request());
        Assert.Null(done.Fault);
        Assert.True(done.MinPosition >= 0);
    }

    private static async Task<JobView> EndAsync(TestWorld world, string person, string id)
    {
        JobView? view = null;
        await world.UntilAsync(async () => (view = await Job(world, person, id).GetView()) is { HasEnded: true }, Look, $"an end of {person}/{id}");
        return view!;
    }

    private Task ReadingAsync(TestWorld world, int count) => world.UntilAsync(() => Task.FromResult(_gate.Begun >= count), Look, $"{count} runs begun");

    /// <summary>What was recorded of it. How often its progress was is a matter of the time that passes meanwhile, and left out.</summary>
    private static async Task<List<string>> NamesAsync(TestWorld world, string person, string id)
    {
        List<string> names = [];
        await foreach (RecordedEvent one in world.Journal.ReadAsync(Keys.JobStream($"{person}/{id}")))
        {
            if (one.Name != "job-progressed") names.Add(one.Name);
        }
        return names;
    }

    private static Task RecordAsync(TestWorld world, string id, params JobEvent[] events) => world.Journal.AppendAsync(
        Keys.JobStream($"{Ann}/{id}"), Owner(Ann), 0, events.Select(one => JobEventCatalog.Events.Encode(one, one.Time, "")).ToArray());

    private sealed class Seen : IJobObserver
    {
        public ConcurrentQueue<JobView> Views { get; } = new();

        public void Show(JobView job) => Views.Enqueue(job);
    }

    /// <summary>Data of which nobody gets any before it is opened.</summary>
    private sealed class Gate : IDataSetReader
    {
        public static readonly DateTime Start = new(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc);

        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _begun, _stopped;

        public int Begun => Volatile.Read(ref _begun);

        public int Stopped => Volatile.Read(ref _stopped);

        public void Open() => _open.TrySetResult();

        public async Task<MarketSeries> ReadAsync(StreamOwner owner, DataSet set, CancellationToken cancellation = default)
        {
            Interlocked.Increment(ref _begun);
            try
            {
                await _open.Task.WaitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref _stopped);
                throw;
            }
            Bar[] bars = [.. Enumerable.Range(0, 3000).Select(i =>
            {
                long price = 110_000 + (long)(800 * Math.Sin(i / 30.0));
                return new Bar(Start.AddHours(i), new Ohlc(price, price + 5, price - 5, price), new Ohlc(price, price + 5, price - 5, price), 1);
            })];
            return MarketSeries.OfBars(EurUsd, TimeFrame.H1, bars);
        }
    }
}
