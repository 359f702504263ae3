using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;

namespace HybridTrading.Grains.Telemetry;

/// <summary>Alerts and what becomes of their messages, in the processes that send them.</summary>
public sealed class AlertMetrics
{
    private static readonly AlertChannel[] Channels = Enum.GetValues<AlertChannel>();

    private readonly ConcurrentDictionary<string, DateTime> _open = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private readonly Counter<long> _raised, _settled, _failures;

    public AlertMetrics(IMeterFactory meters, TimeProvider clock)
    {
        _clock = clock;
        Meter meter = meters.Create(TradingMetrics.MeterName);
        _raised = meter.CreateCounter<long>("hybridtrading.alerts.raised", "{alert}", "Alerts by kind, those included that are only counted.");
        _settled = meter.CreateCounter<long>("hybridtrading.alerts.messages", "{message}", "Messages that were delivered, refused or given up, by channel.");
        _failures = meter.CreateCounter<long>("hybridtrading.alerts.failures", "{attempt}", "Attempts to send a message that failed and are made again, by channel.");
        meter.CreateObservableGauge("hybridtrading.alerts.oldest", Oldest, "s", "Since the oldest message that is not settled was made; 0 for none.");
        // From zero on, so that the first of each is seen as a rise.
        foreach (AlertKind kind in Enum.GetValues<AlertKind>()) _raised.Add(0, Tag("kind", kind));
        foreach (AlertChannel channel in Channels)
        {
            _failures.Add(0, Tag("channel", channel));
            foreach (MessageOutcome outcome in Enum.GetValues<MessageOutcome>()) _settled.Add(0, Tag("channel", channel), Tag("outcome", outcome));
        }
    }

    public void Count(AlertEvent happened)
    {
        switch (happened)
        {
            case AlertRaised e:
                _raised.Add(1, Tag("kind", e.Alert.Kind));
                break;
            case AlertsFolded e:
                _raised.Add(e.Count, Tag("kind", e.Kind));
                break;
            case MessageFailed e:
                _failures.Add(1, Tag("channel", e.Channel));
                break;
            case MessageSettled e:
                _settled.Add(1, Tag("channel", e.Channel), Tag("outcome", e.Outcome));
                break;
        }
    }

    /// <summary>The oldest message of a person that is being sent was made then.</summary>
    public void Show(string person, DateTime made) => _open[person] = made;

    /// <summary>The person has none, or somebody else has them.</summary>
    public void Forget(string person) => _open.TryRemove(person, out _);

    private double Oldest()
    {
        DateTime now = _clock.GetUtcNow().UtcDateTime;
        return _open.Values.Select(made => Math.Max(0, (now - made).TotalSeconds)).DefaultIfEmpty(0).Max();
    }

    private static KeyValuePair<string, object?> Tag<T>(string name, T value) where T : struct, Enum => new(name, value.ToString());
}
