using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Views;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// What the markets show on screens: one observer an instrument in use for the whole process, handed on to the connections that look at it. The
/// market grain conflates to ten a second; each connection conflates again across instruments.
/// </summary>
public sealed class MarketBoard(
    IGrainFactory grains, HubConnections connections, IBarStore bars, ApiOptions options, TimeProvider clock, ILogger<MarketBoard> log)
    : ObserverBoard<Versioned<MarketView>>(clock, log)
{
    private const int FewClosed = 5;

    private readonly TimeProvider _clock = clock;

    protected override IEnumerable<string> Wanted() => connections.WatchedSymbols();

    protected override Observation<Versioned<MarketView>> Make(
        string key, Func<Versioned<MarketView>?, Versioned<MarketView>, Task> show) => new Observer(key, show, _clock, grains);

    protected override async Task ShowAsync(string key, Versioned<MarketView>? before, Versioned<MarketView> now)
    {
        List<HubConnection> watching = [.. connections.Subscribed.Where(one => one.Sees(key))];
        if (watching.Count == 0 || options.Universe.Find(key) is not { } instrument) return;

        MarketView view = now.View;
        QuoteView? quote = QuoteView.Of(view, instrument, options.Simulated);
        var pushed = new List<BarPush>();
        foreach (LastBar closed in view.Closed)
        {
            if (before is null) break;
            DateTime known = before.View.Closed.FirstOrDefault(one => one.TimeFrame == closed.TimeFrame)?.Bar.OpenTime ?? default;
            if (known == closed.Bar.OpenTime) continue;
            foreach (Bar bar in await ClosedAsync(key, closed, known)) pushed.Add(BarPush.Of(view, closed.TimeFrame, bar, instrument, forming: false));
        }
        pushed.AddRange(view.Frames.Select(one => BarPush.Of(view, one.TimeFrame, one.Forming, instrument, forming: true)));
        foreach (HubConnection connection in watching) connection.Push(quote is null ? null : QuotePush.Of(quote), pushed);
    }

    /// <summary>The bars after the known one, up to this one; of very many the last.</summary>
    private async Task<IEnumerable<Bar>> ClosedAsync(string symbol, LastBar closed, DateTime known)
    {
        ImmutableArray<Bar> past = await bars.ReadLastAsync(symbol, closed.TimeFrame, FewClosed, closed.Bar.OpenTime);
        if (past.Length == FewClosed && past[0].OpenTime > known)
        {
            past = await bars.ReadLastAsync(symbol, closed.TimeFrame, HubConnection.MostClosedBars, closed.Bar.OpenTime);
        }
        return (known == default ? [] : past.Where(bar => bar.OpenTime > known)).Append(closed.Bar);
    }

    private sealed class Observer : Observation<Versioned<MarketView>>, IMarketObserver
    {
        private readonly IGrainFactory _grains;
        private readonly IMarketObserver _reference;

        public Observer(string key, Func<Versioned<MarketView>?, Versioned<MarketView>, Task> show, TimeProvider clock, IGrainFactory grains)
            : base(key, show, clock)
        {
            _grains = grains;
            _reference = grains.CreateObjectReference<IMarketObserver>(this);
        }

        private IMarketGrain Market => _grains.GetGrain<IMarketGrain>(Key);

        public void Show(Versioned<MarketView> market) => Hear(market);

        public override async Task LeaveAsync()
        {
            try
            {
                await Market.Forget(_reference);
            }
            finally
            {
                _grains.DeleteObjectReference<IMarketObserver>(_reference);
            }
        }

        protected override async Task<Versioned<MarketView>?> ObserveAsync() => await Market.Observe(_reference);

        /// <summary>A market that came up elsewhere may be behind what was shown until the feed reaches it.</summary>
        protected override bool IsNews(Versioned<MarketView> view, Versioned<MarketView> known) => view.Version.Activation == known.Version.Activation
            ? view.Version.IsAfter(known.Version)
            : view.View.Position >= known.View.Position;

        protected override bool IsLively(Versioned<MarketView> view) => true;

        protected override long VersionOf(Versioned<MarketView> view) => view.View.Position;
    }
}
