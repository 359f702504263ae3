using System.Collections.Concurrent;
using HybridTrading.Api.Hubs;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Logging.Abstractions;

namespace HybridTrading.Tests;

public sealed class ObserverBoardTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly Board _board;

    public ObserverBoardTests() => _board = new Board(_clock);

    public async ValueTask InitializeAsync()
    {
        await _board.StartAsync(CancellationToken.None);
        await _clock.WhenTimersAsync(1);
    }

    public async ValueTask DisposeAsync()
    {
        await _board.StopAsync(CancellationToken.None);
        _board.Dispose();
    }

    [Fact]
    public async Task AllWhoLookAtOneThingShareOneObserver()
    {
        View?[] views = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _board.WatchAsync("a")));
        Assert.All(views, view => Assert.Equal(1, view!.Version));
        Assert.Equal(1, _board.Grain("a").Renewals);
        Assert.Null(await _board.WatchAsync("nobody"));
    }

    [Fact]
    public async Task ItIsRenewedInTimeAsLongAsSomebodyLooks()
    {
        _board.Looked["a"] = true;
        await _board.WatchAsync("a");
        Grain grain = _board.Grain("a");
        await PassAsync(Observing.Renewal - Second);
        Assert.Equal(1, grain.Renewals);
        foreach (int renewals in (int[])[2, 3, 4]) await UntilAsync(() => grain.Renewals == renewals);
        Assert.False(grain.IsLeft);

        _board.Looked.Clear();
        await UntilAsync(() => grain.IsLeft);
        int last = grain.Renewals;
        await PassAsync(Observing.Expiration);
        Assert.Equal(last, grain.Renewals);
    }

    [Fact]
    public async Task AGrainThatCannotBeReachedIsAskedAgainAtOnce()
    {
        _board.Looked["a"] = true;
        Grain grain = _board.Grain("a");
        grain.IsAway = true;
        await Assert.ThrowsAsync<TimeoutException>(() => _board.WatchAsync("a"));
        await UntilAsync(() => grain.Renewals == 3);
        grain.IsAway = false;
        await UntilAsync(() => _board.Shown.Any(shown => shown.Key == "a"));
        int renewals = grain.Renewals;
        await PassAsync(Second * 10);
        Assert.Equal(renewals, grain.Renewals);
    }

    [Fact]
    public async Task AGrainThatShouldBeHeardAndIsNotIsObservedAnew()
    {
        _board.Looked["lively"] = true;
        _board.Looked["quiet"] = true;
        await _board.WatchAsync("lively");
        await _board.WatchAsync("quiet");
        // It came up elsewhere, and knows nobody there.
        _board.Grain("lively").Version = 7;
        await UntilAsync(() => _board.Shown.Contains(("lively", 7)));
        Assert.Equal(1, _board.Grain("quiet").Renewals);

        // The quiet one had an event that is known, and did not show it.
        _board.Grain("quiet").Version = 3;
        _board.Expect("quiet", 3);
        await UntilAsync(() => _board.Shown.Contains(("quiet", 3)));
        Assert.Equal(2, _board.Grain("quiet").Renewals);
        _board.Expect("quiet", 3);
        await PassAsync(Observation<View>.Overdue * 2);
        Assert.Equal(2, _board.Grain("quiet").Renewals);
    }

    [Fact]
    public async Task ViewsAreShownInOrderAndOfThoseThatWaitTheLatest()
    {
        await _board.WatchAsync("a");
        await UntilAsync(() => _board.Shown.Contains(("a", 1)));
        _board.Showing = new TaskCompletionSource();
        Grain grain = _board.Grain("a");
        grain.Show(2);
        for (int version = 3; version <= 50; version++) grain.Show(version);
        grain.Show(10);
        _board.Showing.SetResult();
        await UntilAsync(() => _board.Shown.Contains(("a", 50)));
        Assert.Equal([1, 2, 50], _board.Shown.Select(shown => shown.Version));
    }

    private async Task PassAsync(TimeSpan time)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += Second)
        {
            long rounds = _board.Rounds;
            _clock.Advance(Second);
            while (_board.Rounds == rounds) await Task.Yield();
        }
    }

    /// <summary>Lets time pass, second by second, until it is so.</summary>
    private async Task UntilAsync(Func<bool> isSo)
    {
        for (int second = 0; second < 300 && !isSo(); second++)
        {
            await PassAsync(Second);
            await Task.Delay(1);
        }
        Assert.True(isSo());
    }

    private sealed record View(long Version);

    /// <summary>What the grain of a key would say, and what was asked of it.</summary>
    private sealed class Grain
    {
        private int _renewals;

        public int Renewals => Volatile.Read(ref _renewals);

        public bool IsAway { get; set; }

        public bool IsLeft { get; set; }

        public long Version { get; set; } = 1;

        public Action<View>? Hears { get; set; }

        public void Show(long version) => Hears!(new View(version));

        public View? Observe(string key)
        {
            Interlocked.Increment(ref _renewals);
            if (IsAway) throw new TimeoutException("the silo does not answer");
            return key == "nobody" ? null : new View(Version);
        }
    }

    private sealed class Board(FakeTimeProvider clock) : ObserverBoard<View>(clock, NullLogger.Instance)
    {
        private readonly ConcurrentDictionary<string, Grain> _grains = new();

        public ConcurrentDictionary<string, bool> Looked { get; } = new();

        public ConcurrentQueue<(string Key, long Version)> Shown { get; } = [];

        public TaskCompletionSource? Showing { get; set; }

        public long Rounds { get; private set; }

        public Grain Grain(string key) => _grains.GetOrAdd(key, _ => new Grain());

        protected override IEnumerable<string> Wanted()
        {
            Rounds++;
            return Looked.Keys;
        }

        protected override Observation<View> Make(string key, Func<View?, View, Task> show) => new Observer(key, show, clock, Grain(key));

        protected override Task ShowAsync(string key, View? before, View now)
        {
            Shown.Enqueue((key, now.Version));
            return Showing?.Task ?? Task.CompletedTask;
        }
    }

    private sealed class Observer : Observation<View>
    {
        private readonly Grain _grain;

        public Observer(string key, Func<View?, View, Task> show, TimeProvider clock, Grain grain) : base(key, show, clock)
        {
            _grain = grain;
            grain.Hears = Hear;
        }

        public override Task LeaveAsync()
        {
            _grain.IsLeft = true;
            return Task.CompletedTask;
        }

        protected override Task<View?> ObserveAsync() => Task.FromResult(_grain.Observe(Key));

        protected override bool IsNews(View view, View known) => view.Version > known.Version;

        protected override bool IsLively(View view) => Key == "lively";

        protected override long VersionOf(View view) => view.Version;
    }
}
