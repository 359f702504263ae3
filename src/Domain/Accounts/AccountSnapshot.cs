using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Accounts;

/// <summary>The state of an account at one version of its stream: stored as its snapshot.</summary>
[GenerateSerializer, Immutable, Alias("ht.AccountSnapshot")]
public sealed record AccountSnapshot
{
    /// <summary>Bumped when the shape changes; a snapshot of another shape is ignored and the stream read from the start.</summary>
    public const int Shape = 3;

    [Id(0)] public required AccountSettings Settings { get; init; }
    [Id(1)] public required RiskLimits Limits { get; init; }
    [Id(2)] public TradingState TradingState { get; init; }
    [Id(3)] public Reason StateReason { get; init; }
    [Id(4)] public decimal Balance { get; init; }
    [Id(5)] public decimal Deposits { get; init; }
    [Id(6)] public decimal Realised { get; init; }
    [Id(7)] public decimal Commissions { get; init; }
    [Id(8)] public decimal Swaps { get; init; }
    [Id(9)] public decimal Equity { get; init; }
    [Id(10)] public decimal UsedMargin { get; init; }
    [Id(11)] public DateTime Now { get; init; }
    [Id(12)] public long NextOrdinal { get; init; }
    [Id(13)] public DateTime NextDayTurn { get; init; }
    [Id(14)] public DateTime NextEquitySample { get; init; }
    [Id(15)] public decimal HighWater { get; init; }
    [Id(16)] public decimal DayStart { get; init; }
    [Id(17)] public decimal WeekStart { get; init; }
    [Id(18)] public decimal MonthStart { get; init; }
    [Id(19)] public bool MarginCalled { get; init; }
    [Id(20)] public ImmutableArray<BookSnapshot> Books { get; init; } = [];
    [Id(21)] public ImmutableDictionary<string, FollowTerms> Follows { get; init; } = ImmutableDictionary<string, FollowTerms>.Empty;
    [Id(22)] public ImmutableDictionary<string, long> ClientOrders { get; init; } = ImmutableDictionary<string, long>.Empty;
    [Id(23)] public ImmutableDictionary<long, Denial> Denials { get; init; } = ImmutableDictionary<long, Denial>.Empty;
    [Id(24)] public ImmutableDictionary<string, DecisionVerdict> Verdicts { get; init; } = ImmutableDictionary<string, DecisionVerdict>.Empty;
    [Id(25)] public ImmutableArray<string> Requests { get; init; } = [];
    [Id(26)] public ImmutableArray<DateTime> Submits { get; init; } = [];
    [Id(27)] public ImmutableArray<DateTime> Modifies { get; init; } = [];
    [Id(28)] public DateTime DayTurned { get; init; }
    [Id(29)] public long LastPosition { get; init; } = -1;
    [Id(30)] public ImmutableArray<long> TenantHalts { get; init; } = [];
    [Id(31)] public ImmutableArray<string> NearLimits { get; init; } = [];
    [Id(32)] public decimal DayOpen { get; init; }
    [Id(33)] public decimal DayPayments { get; init; }
}

/// <summary>One instrument inside an account.</summary>
/// <param name="Mark">The last quote that the account saw.</param>
/// <param name="MarkPosition">Its place in the market log.</param>
/// <param name="Position">The last event that the account acted on.</param>
/// <param name="OpenResult">Unrealised, in account currency.</param>
[GenerateSerializer, Immutable, Alias("ht.BookSnapshot")]
public sealed record BookSnapshot(
    string Symbol, Quote Mark, long MarkPosition, long Position, DateTime NextSwap, ImmutableArray<Holding> Holdings, ImmutableArray<Order> Orders, decimal OpenResult);
