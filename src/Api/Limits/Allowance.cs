namespace HybridTrading.Api.Limits;

/// <summary>What the limits say of one request.</summary>
/// <param name="Used">Of the budget of the request's class in the window that runs, this request included where it was admitted.</param>
/// <param name="RetryAfter">When it makes sense to ask again; zero where it was admitted.</param>
/// <param name="IsBanned">The caller went on after refusals.</param>
public readonly record struct Admission(RouteClass Class, bool IsAdmitted, int Used, int Limit, TimeSpan RetryAfter, bool IsBanned);

/// <summary>
/// The counters of one caller: fixed windows that begin with the clock's minutes and tens of seconds, so that a program can compute when the next begins.
/// Safe for concurrent use.
/// </summary>
internal sealed class Allowance
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1), TenSeconds = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private Window _weight = new(Minute), _orders = new(TenSeconds), _safety = new(Minute), _refusals = new(Minute);
    private DateTime _seen, _bannedUntil;
    private int _bans;

    public Admission Admit(RouteCost cost, Budget budget, RateLimitOptions options, DateTime now)
    {
        lock (_lock)
        {
            _seen = now;
            ref Window window = ref Of(cost.Class);
            int limit = budget.Of(cost.Class);
            bool banned = now < _bannedUntil && cost.Class != RouteClass.Safety;
            if (!banned && window.TryTake(cost.Weight, limit, now)) return new Admission(cost.Class, true, window.Used, limit, TimeSpan.Zero, false);
            // Who is banned is told so; only who goes on without it comes to a longer one.
            if (!banned && cost.Class != RouteClass.Safety && !_refusals.TryTake(1, options.RefusalsBeforeBan - 1, now)) banned = Ban(options, now);
            return new Admission(cost.Class, false, window.UsedAt(now), limit, banned ? _bannedUntil - now : window.EndsIn(now), banned);
        }
    }

    /// <summary>Nothing that it remembers matters any more.</summary>
    public bool IsIdle(RateLimitOptions options, DateTime now)
    {
        lock (_lock) return now - _seen > Minute && now > _bannedUntil && (_bans == 0 || now - _bannedUntil > options.LongestBan);
    }

    private bool Ban(RateLimitOptions options, DateTime now)
    {
        if (_bans > 0 && now - _bannedUntil > options.LongestBan) _bans = 0;
        double seconds = Math.Min(options.LongestBan.TotalSeconds, options.FirstBan.TotalSeconds * Math.Pow(2, Math.Min(_bans, 30)));
        _bans++;
        _bannedUntil = now + TimeSpan.FromSeconds(seconds);
        _refusals = new Window(Minute);
        return true;
    }

    private ref Window Of(RouteClass routes)
    {
        if (routes == RouteClass.Order) return ref _orders;
        if (routes == RouteClass.Safety) return ref _safety;
        return ref _weight;
    }

    private struct Window(TimeSpan length)
    {
        private long _number;

        public int Used { get; private set; }

        public int UsedAt(DateTime now) => now.Ticks / length.Ticks == _number ? Used : 0;

        public bool TryTake(int weight, int limit, DateTime now)
        {
            int used = UsedAt(now);
            if (used + weight > limit) return false;
            (_number, Used) = (now.Ticks / length.Ticks, used + weight);
            return true;
        }

        public readonly TimeSpan EndsIn(DateTime now) => TimeSpan.FromTicks(length.Ticks - now.Ticks % length.Ticks);
    }
}
