using System.Diagnostics;
using HybridTrading.Domain.Accounts;

namespace HybridTrading.Grains.Telemetry;

/// <summary>
/// The traces in which an account's working orders were placed, so that a fill, which a quote brings much later, belongs to the trace of its order. Kept in memory
/// alone: an order that outlives its activation is traced no further.
/// </summary>
internal sealed class OrderTraces
{
    private const int Most = 1000;

    private readonly Dictionary<long, ActivityContext> _byOrdinal = [];

    /// <summary>Begins the span of the first fill of a traced order among the events; null where there is none.</summary>
    public Activity? StartFill(IReadOnlyList<AccountEvent> events)
    {
        if (_byOrdinal.Count == 0) return null;
        foreach (AccountEvent happened in events)
        {
            if (happened is not OrderFilled fill || !_byOrdinal.TryGetValue(fill.Ordinal, out ActivityContext placed)) continue;
            Activity? span = GrainTracing.Source.StartActivity("paper fill", ActivityKind.Internal, placed);
            return span?.SetTag("hybridtrading.order.ordinal", fill.Ordinal).SetTag("hybridtrading.fill.maker", fill.Maker);
        }
        return null;
    }

    /// <summary>Remembers orders that the present span placed, and forgets those that ended.</summary>
    public void See(ImmutableArray<AccountEvent> events, Func<long, bool> isWorking)
    {
        bool traced = Activity.Current is { Recorded: true };
        if (!traced && _byOrdinal.Count == 0) return;
        foreach (AccountEvent happened in events)
        {
            switch (happened)
            {
                case OrderAccepted e when traced && _byOrdinal.Count < Most:
                    _byOrdinal.TryAdd(e.Order.Ordinal, Activity.Current!.Context);
                    break;
                case OrderFilled e when !isWorking(e.Ordinal):
                    _byOrdinal.Remove(e.Ordinal);
                    break;
                case OrderEnded e:
                    _byOrdinal.Remove(e.Ordinal);
                    break;
            }
        }
    }
}
