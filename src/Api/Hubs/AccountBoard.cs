using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Trading;
using GrainView = HybridTrading.Grains.Trading.AccountView;

namespace HybridTrading.Api.Hubs;

/// <summary>Shows the accounts that somebody looks at: each pushes its view when it changed, ten times a second at most.</summary>
public sealed class AccountBoard(
    IGrainFactory grains, HubConnections connections, ApiOptions options, TimeProvider clock, ILogger<AccountBoard> log)
    : ObserverBoard<GrainView>(clock, log)
{
    private readonly TimeProvider _clock = clock;

    protected override IEnumerable<string> Wanted() => connections.WatchedAccounts();

    protected override Observation<GrainView> Make(string key, Func<GrainView?, GrainView, Task> show) => new Observer(key, show, _clock, grains);

    protected override Task ShowAsync(string key, GrainView? before, GrainView now)
    {
        foreach (HubConnection connection in connections.Subscribed.Where(one => one.Account == key))
        {
            connection.Push(AccountView.Of(now, connection.Caller, options.Universe));
        }
        return Task.CompletedTask;
    }

    private sealed class Observer : Observation<GrainView>, IAccountObserver
    {
        private readonly IGrainFactory _grains;
        private readonly IAccountObserver _reference;

        public Observer(string key, Func<GrainView?, GrainView, Task> show, TimeProvider clock, IGrainFactory grains) : base(key, show, clock)
        {
            _grains = grains;
            _reference = grains.CreateObjectReference<IAccountObserver>(this);
        }

        private IAccountGrain Account => _grains.GetGrain<IAccountGrain>(Key);

        public void Show(GrainView account) => Hear(account);

        public override async Task LeaveAsync()
        {
            using Principal.Scope scope = Principal.Of(Grains.Keys.TenantOf(Key));
            try
            {
                await Account.Forget(_reference);
            }
            finally
            {
                _grains.DeleteObjectReference<IAccountObserver>(_reference);
            }
        }

        /// <remarks>The key is one that its owner asked for: a connection watches what its caller's own name makes of it.</remarks>
        protected override async Task<GrainView?> ObserveAsync()
        {
            using Principal.Scope scope = Principal.Of(Grains.Keys.TenantOf(Key));
            return await Account.Observe(_reference);
        }

        protected override bool IsNews(GrainView view, GrainView known) =>
            view.Version >= known.Version && view.Time >= known.Time && !view.ShowsTheSameAs(known);

        /// <summary>Prices change what it is worth; an account without either changes by events, of which the journal tells.</summary>
        protected override bool IsLively(GrainView view) => !view.Positions.IsEmpty || !view.WorkingOrders.IsEmpty;

        protected override long VersionOf(GrainView view) => view.Version;
    }
}
