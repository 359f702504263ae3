using System.Diagnostics.Metrics;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Grains.Telemetry;

/// <summary>What is traded: counted once it is durable, since before that it did not happen.</summary>
public sealed class TradingMetrics
{
    public const string MeterName = "HybridTrading.Grains";

    private static readonly InstrumentAdvice<double> Buckets = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    };

    private static readonly KeyValuePair<string, object?>[][] Reasons =
        [.. Enum.GetValues<Reason>().Select(reason => new[] { KeyValuePair.Create<string, object?>("reason", reason.ToString()) })];

    private static readonly KeyValuePair<string, object?>[] Manual = [KeyValuePair.Create<string, object?>("origin", "manual")];
    private static readonly KeyValuePair<string, object?>[] ByStrategy = [KeyValuePair.Create<string, object?>("origin", "strategy")];

    private readonly Counter<long> _accepted, _denied, _fills, _decisions;
    private readonly Histogram<double> _orders, _latency;

    public TradingMetrics(IMeterFactory meters)
    {
        Meter meter = meters.Create(MeterName);
        _accepted = meter.CreateCounter<long>("hybridtrading.orders.accepted", "{order}", "Orders that passed risk.");
        _denied = meter.CreateCounter<long>("hybridtrading.orders.denied", "{order}", "Orders that risk refused, by reason.");
        _fills = meter.CreateCounter<long>("hybridtrading.fills", "{fill}", "Executions.");
        _decisions = meter.CreateCounter<long>("hybridtrading.decisions", "{decision}", "Decisions of strategies.");
        _orders = meter.CreateHistogram("hybridtrading.order.duration", "s", "From when an account takes an order until the answer is durable.", null, Buckets);
        _latency = meter.CreateHistogram("hybridtrading.decision.latency", "s", "From when a market takes an event until a strategy's decision on it is durable.", null, Buckets);
        // From zero on, so that the first of each is seen as a rise.
        foreach (KeyValuePair<string, object?>[] origin in (KeyValuePair<string, object?>[][])[Manual, ByStrategy]) _accepted.Add(0, origin);
        foreach (KeyValuePair<string, object?>[] reason in Reasons) _denied.Add(0, reason);
        _fills.Add(0);
        _decisions.Add(0);
    }

    /// <summary>Events of an account that are durable.</summary>
    public void Count(ImmutableArray<AccountEvent> events)
    {
        foreach (AccountEvent happened in events)
        {
            switch (happened)
            {
                case OrderAccepted e:
                    _accepted.Add(1, e.Order.Decision.Length > 0 ? ByStrategy : Manual);
                    break;
                case OrderDenied e:
                    _denied.Add(1, Reasons[(int)e.Denial.Reason]);
                    break;
                case OrderFilled:
                    _fills.Add(1);
                    break;
            }
        }
    }

    /// <summary>An order has its durable answer.</summary>
    public void Answered(TimeSpan duration) => _orders.Record(duration.TotalSeconds);

    /// <summary>A decision is durable.</summary>
    /// <param name="latency">Since the market took the event; null where that is not known.</param>
    public void Decided(TimeSpan? latency)
    {
        _decisions.Add(1);
        if (latency is { } known) _latency.Record(Math.Max(0, known.TotalSeconds));
    }
}
