using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Alerts;

/// <summary>Somebody who has a position, an order at work or a running strategy in an instrument.</summary>
/// <param name="Person">tenant/user.</param>
public sealed record MarketInterest(string Person, string Symbol);

/// <summary>Who is in which market, by the views of this process.</summary>
public interface IMarketInterests
{
    ImmutableArray<MarketInterest> Read();
}

/// <summary>Looks for prices that have stopped, for those who are in the market. Key: <see cref="Keys.FeedWatch"/>.</summary>
[Shared, Alias("ht.IFeedWatchGrain")]
public interface IFeedWatchGrain : IGrainWithStringKey
{
    [Alias("Start")] Task Start();
}

/// <summary>
/// Looks once a second. What it has told is in its memory; the alerts of a person remember for good which price they were told of. Where past data are
/// played it does nothing: their time is not the clock's.
/// </summary>
[HostedBy("notification-service")]
public sealed partial class FeedWatchGrain(
    IMarketInterests interests, TradingOptions options, TimeProvider clock, ILogger<FeedWatchGrain> log) : Grain, IFeedWatchGrain, IRemindable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly StalePrices _prices = new();
    private readonly Dictionary<string, SettingsReader> _settings = new(StringComparer.Ordinal);
    private IGrainTimer? _timer;

    public async Task Start()
    {
        if (_timer is not null || options.EventStart is not null) return;
        _timer = this.RegisterGrainTimer(static (self, _) => self.LookAsync(), this, new GrainTimerCreationOptions(Interval, Interval) { KeepAlive = true });
        await this.RegisterOrUpdateReminder("alive", TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => Start();

    private async Task LookAsync()
    {
        ImmutableArray<MarketInterest> all = interests.Read();
        DateTime now = clock.GetUtcNow().UtcDateTime;
        foreach (string symbol in all.Select(one => one.Symbol).Distinct(StringComparer.Ordinal))
        {
            if (options.Universe.Find(symbol) is not { } instrument) continue;
            try
            {
                MarketView market = await GrainFactory.GetGrain<IMarketReplicaGrain>(symbol).GetView();
                _prices.Look(symbol, market.Position, instrument.Calendar.IsOpen(now), now);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // A market that cannot be asked gives no new price either: it grows old.
                LogNotSeen(e, symbol);
            }
        }
        foreach (IGrouping<string, MarketInterest> person in all.GroupBy(one => one.Person, StringComparer.Ordinal))
        {
            if (!_settings.TryGetValue(person.Key, out SettingsReader? settings))
            {
                _settings.Add(person.Key, settings = SettingsReader.Of(GrainFactory, clock, person.Key));
            }
            settings.Refresh();
            if (settings.Known is not { } known || !known.AlertKinds.Contains(AlertKind.StaleFeed)) continue;
            foreach (string symbol in person.Select(one => one.Symbol).Distinct(StringComparer.Ordinal))
            {
                if (_prices.News(person.Key, symbol, known.StaleFeed, now) is not { } news) continue;
                try
                {
                    await GrainFactory.GetGrain<IAlertsGrain>(person.Key).TakeStale(symbol, news.Since, news.Position);
                    _prices.Tell(person.Key, symbol);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogNotTold(e, person.Key, symbol);
                }
            }
        }
        foreach (string gone in _settings.Keys.Except(all.Select(one => one.Person), StringComparer.Ordinal).ToArray()) _settings.Remove(gone);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "the market of {Symbol} could not be seen")]
    private partial void LogNotSeen(Exception exception, string symbol);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Person} could not be told that the price of {Symbol} has stopped; it is tried again")]
    private partial void LogNotTold(Exception exception, string person, string symbol);
}
