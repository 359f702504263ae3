using System.Collections.Concurrent;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Market;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;
using Orleans.Streams;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// What the markets show on screens: one subscription an instrument for the whole process, handed on to the connections that look at it. The
/// market grain conflates to ten a second; each connection conflates again across instruments.
/// </summary>
public sealed partial class MarketBoard(
    IClusterClient cluster, HubConnections connections, IBarStore bars, ApiOptions options, IHostApplicationLifetime lifetime,
    ILogger<MarketBoard> log)
    : BackgroundService
{
    private const int MostClosedAtOnce = 10;

    private readonly ConcurrentDictionary<string, MarketView> _views = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when every instrument is subscribed to.</summary>
    public Task Subscribed => _subscribed.Task;

    /// <summary>The latest event shown, of any instrument: its place in the market log (-1 before the first) and its time.</summary>
    public (long Position, DateTime? Time) Latest =>
        _views.Values.MaxBy(view => view.Position) is { Position: >= 0 } latest ? (latest.Position, latest.Quote.Time) : (-1, null);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var handles = new List<StreamSubscriptionHandle<MarketView>>();
        try
        {
            // Streams are there when the silo is, and the silo is when the host has started.
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration registered = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task.WaitAsync(stoppingToken);
            IStreamProvider screens = cluster.GetStreamProvider(MarketGrain.Screens);
            foreach (Instrument instrument in options.Universe.Instruments)
            {
                IAsyncStream<MarketView> stream = screens.GetStream<MarketView>(StreamId.Create(MarketGrain.Screens, instrument.Symbol));
                handles.Add(await stream.SubscribeAsync((view, _) => ShowAsync(instrument, view)));
            }
            _subscribed.TrySetResult();
            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        foreach (StreamSubscriptionHandle<MarketView> handle in handles)
        {
            try
            {
                await handle.UnsubscribeAsync();
            }
            catch (Exception gone)
            {
                // The silo may have left first; the streams end with it.
                LogUnsubscribeFailed(gone);
            }
        }
    }

    private async Task ShowAsync(Instrument instrument, MarketView view)
    {
        MarketView? before = _views.GetValueOrDefault(view.Symbol);
        if (before is not null && view.Position < before.Position) return;
        _views[view.Symbol] = view;
        List<HubConnection> watching = [.. connections.Subscribed.Where(one => one.Sees(view.Symbol))];
        if (watching.Count == 0) return;

        QuoteView? quote = QuoteView.Of(view, instrument, options.Simulated);
        var pushed = new List<BarPush>();
        foreach (FrameView old in before?.Frames ?? [])
        {
            FrameView? now = view.Frames.FirstOrDefault(one => one.TimeFrame == old.TimeFrame);
            if (now?.Forming.OpenTime == old.Forming.OpenTime) continue;
            // It closed, perhaps with ticks that no screen saw: the store has it whole.
            DateTime end = now?.Forming.OpenTime ?? DateTime.MaxValue;
            foreach (Bar bar in await bars.ReadLastAsync(view.Symbol, old.TimeFrame, MostClosedAtOnce, end))
            {
                if (bar.OpenTime >= old.Forming.OpenTime) pushed.Add(BarPush.Of(view.Symbol, old.TimeFrame, bar, instrument, forming: false));
            }
        }
        pushed.AddRange(view.Frames.Select(one => BarPush.Of(view.Symbol, one.TimeFrame, one.Forming, instrument, forming: true)));
        foreach (HubConnection connection in watching) connection.Push(quote is null ? null : QuotePush.Of(quote), pushed);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "a screen stream was gone before it was left")]
    private partial void LogUnsubscribeFailed(Exception failure);
}
