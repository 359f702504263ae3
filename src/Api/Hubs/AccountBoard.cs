using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Hosting;

namespace HybridTrading.Api.Hubs;

/// <summary>Looks twice a second at the accounts that somebody watches and pushes those that changed.</summary>
public sealed partial class AccountBoard(
    IGrainFactory grains, HubConnections connections, ApiOptions options, TimeProvider clock, ILogger<AccountBoard> log)
    : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    private Dictionary<string, Grains.Trading.AccountView> _shown = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task LookAsync()
    {
        (string Account, ICaller Caller)[] watched = [.. connections.WatchedAccounts()];
        Grains.Trading.AccountView?[] views = await Task.WhenAll(watched.Select(one => ViewAsync(one.Account, one.Caller)));
        var shown = new Dictionary<string, Grains.Trading.AccountView>(StringComparer.Ordinal);
        foreach (((string account, ICaller caller), Grains.Trading.AccountView? view) in watched.Zip(views))
        {
            if (view is null) continue;
            shown[account] = view;
            if (_shown.TryGetValue(account, out Grains.Trading.AccountView? before) && Same(before, view)) continue;
            AccountView push = AccountView.Of(view, caller, options.Universe);
            foreach (HubConnection connection in connections.Subscribed.Where(one => one.Account == account)) connection.Push(push);
        }
        _shown = shown;
    }

    private async Task<Grains.Trading.AccountView?> ViewAsync(string account, ICaller caller)
    {
        try
        {
            using Principal.Scope scope = Principal.Of(caller.Tenant);
            return await grains.GetGrain<IAccountGrain>(account).GetView();
        }
        catch (Exception failed)
        {
            // One account in trouble is no reason to show the others no more.
            LogFailed(failed, account);
            return null;
        }
    }

    /// <summary>Equal in what the journal says and in the marks.</summary>
    private static bool Same(Grains.Trading.AccountView a, Grains.Trading.AccountView b) =>
        a.Version == b.Version && a.Equity == b.Equity && a.UsedMargin == b.UsedMargin && a.Positions.SequenceEqual(b.Positions);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the view of account {Account} was not to be had")]
    private partial void LogFailed(Exception failure, string account);
}
