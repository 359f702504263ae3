using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Grains;
using HybridTrading.Grains.Market;

namespace HybridTrading.Api.Requests;

/// <summary>Opens a paper account.</summary>
public sealed record OpenAccount : IChecked
{
    [Required, Description("1 to 64 of a-z 0-9 - _ and dots inside; unique among the caller's accounts")]
    public string? Name { get; init; }

    [Description("Currency of balance and results, in capitals")]
    public string Currency { get; init; } = "USD";

    [Description("What it begins with, in its currency")]
    public decimal Deposit { get; init; } = 100_000m;

    [Description("Netting: one net position an instrument; Hedging: each entry is a position of its own")]
    public PositionMode Mode { get; init; } = PositionMode.Netting;

    [Description("Largest notional for one of margin, 1 to 1000; null leaves it to the instrument")]
    public decimal? Leverage { get; init; } = 30m;

    [Description("Decimals to which amounts are booked, 0 to 10; null keeps them exact")]
    public int? MoneyDigits { get; init; } = 2;

    [Description("Commission of a fill as a share of its notional, 0 to 0.1")]
    public decimal CommissionRate { get; init; }

    [Description("Commission of a fill for each lot, in account currency")]
    public decimal CommissionPerLot { get; init; }

    [Description("Least commission of a fill, in account currency")]
    public decimal CommissionMinimum { get; init; }

    [Description("Margin level (equity by used margin, percent) below which positions are closed, 1 to 100; null for never")]
    public decimal? StopOutPercent { get; init; } = 50m;

    [Description("Adverse points on what takes the market")]
    public long SlippagePoints { get; init; }

    [Description("From acceptance to the venue, in milliseconds")]
    public int LatencyMilliseconds { get; init; }

    [Description("How often the equity is recorded while a position is open, in seconds, 1 to 86400; null for never")]
    public int? EquitySampleSeconds { get; init; } = 60;

    [Description("Pre-trade limits; without them what the caller's configuration says (trading.limits)")]
    public RiskLimits? Limits { get; init; }

    public void Check(Faults faults)
    {
        if (!Keys.IsName(Name)) faults.Add("name", ApiException.Quote(Name), "1 to 64 of a-z 0-9 - _ and dots inside");
        if (Currency.Length is < 2 or > 10 || !Currency.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c)))
        {
            faults.Add("currency", ApiException.Quote(Currency), "2 to 10 capitals such as USD");
        }
        faults.Range("deposit", Deposit, 0, 1_000_000_000_000m);
        faults.Range("leverage", Leverage, 1, 1000);
        faults.Range("moneyDigits", MoneyDigits, 0, 10);
        faults.Range("commissionRate", CommissionRate, 0, 0.1m);
        faults.Range("commissionMinimum", CommissionMinimum, 0, 1_000_000m);
        faults.Range("stopOutPercent", StopOutPercent, 1, 100);
        faults.Range("commissionPerLot", CommissionPerLot, 0, 1_000_000m);
        faults.Range("slippagePoints", SlippagePoints, 0, 1_000_000m);
        faults.Range("equitySampleSeconds", EquitySampleSeconds, 1, 86_400);
        faults.Range("latencyMilliseconds", LatencyMilliseconds, 0, 60_000m);
        LimitChecks.Check(Limits, "limits.", faults);
    }

    public AccountSettings Settings() => AccountSettings.Paper(Currency) with
    {
        Mode = Mode,
        Leverage = Leverage,
        MoneyDigits = MoneyDigits,
        MarginCallPercent = StopOutPercent is null ? null : 100m,
        StopOutPercent = StopOutPercent,
        EquitySampling = EquitySampleSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        Execution = new ExecutionModel(TimeSpan.FromMilliseconds(LatencyMilliseconds), SlippagePoints,
            CommissionRate: CommissionRate, CommissionPerLot: CommissionPerLot, CommissionMinimum: CommissionMinimum),
    };
}

/// <summary>Plays past data on, or halts them.</summary>
public sealed record PlayFeed : IChecked
{
    [Required, Description("True plays, false halts")]
    public bool? Running { get; init; }

    [Description("Times real time, 0.01 to 1000000; null for as fast as the system goes")]
    public double? Speed { get; init; }

    public void Check(Faults faults)
    {
        if (Speed is { } speed && speed is not (>= RecordedFeedOptions.Slowest and <= RecordedFeedOptions.Fastest))
        {
            faults.Add("speed", speed.ToString(CultureInfo.InvariantCulture), "0.01 to 1000000, or null");
        }
    }
}

/// <summary>Pays in, or with a negative amount out.</summary>
public sealed record Deposit : IChecked
{
    [Required, Description("Account currency; negative withdraws")]
    public decimal? Amount { get; init; }

    public string Note { get; init; } = "";

    public void Check(Faults faults)
    {
        if (Amount == 0) faults.Add("amount", "0", "more or less than 0");
        faults.Range("amount", Amount, -1_000_000_000_000m, 1_000_000_000_000m);
        faults.Text("note", Note, 200);
    }
}

/// <summary>What the account may do from now on.</summary>
public sealed record SetState
{
    [Required]
    public TradingState? State { get; init; }
}

public sealed record SizingTerms
{
    [Required]
    public SizingKind? Kind { get; init; }

    [Required, Description("Factor, units or percent, as the kind says; more than 0")]
    public decimal? Value { get; init; }
}

/// <summary>How an account follows a strategy.</summary>
public sealed record Follow : IChecked
{
    [Description("How much it trades on the strategy's word; without it what the caller's configuration says (trading.sizing)")]
    public SizingTerms? Sizing { get; init; }

    [Description("No new entries; exits are taken")]
    public bool Paused { get; init; }

    [Description("Cap on the units held for this strategy")]
    public decimal? MaxUnits { get; init; }

    public void Check(Faults faults)
    {
        if (Sizing is { Kind: null }) faults.Add("sizing.kind", null, string.Join(", ", Enum.GetNames<SizingKind>()));
        if (Sizing is { Value: null }) faults.Add("sizing.value", null, "a number");
        if (Sizing?.Value <= 0 || Sizing?.Value > 1_000_000_000_000m)
        {
            faults.Add("sizing.value", Sizing.Value.ToString(), "more than 0, at most 10^12");
        }
        if (MaxUnits <= 0) faults.Add("maxUnits", MaxUnits.ToString(), "more than 0");
    }

    /// <summary>The size that is asked for; null for none.</summary>
    public Sizing? AskedSizing() => Sizing is null ? null : new Sizing(Sizing.Kind!.Value, Sizing.Value!.Value);
}

/// <summary>An order. Prices in price, volume in units of the base.</summary>
public sealed record PlaceOrder : IChecked
{
    [Description("The caller's own id, 1 to 200 of [A-Za-z0-9._:/#-], unique in the account; the Idempotency-Key when it is not given")]
    public string? ClientOrderId { get; init; }

    [Required]
    public string? Symbol { get; init; }

    [Required]
    public Side? Side { get; init; }

    [Required]
    public OrderType? Type { get; init; }

    [Required, Description("Units of the base, more than 0")]
    public decimal? Volume { get; init; }

    [Description("For limit and stop-limit orders")]
    public decimal? LimitPrice { get; init; }

    [Description("For stop and stop-limit orders; for a trailing stop its first level")]
    public decimal? StopPrice { get; init; }

    [Description("For trailing stops: distance from the market, in price")]
    public decimal? TrailDistance { get; init; }

    public TimeInForce TimeInForce { get; init; } = TimeInForce.Gtc;

    [Description("For Gtd orders")]
    public DateTime? GoodTill { get; init; }

    [Description("Never opens or adds")]
    public bool ReduceOnly { get; init; }

    [Description("Price of a protective stop, made on the first fill")]
    public decimal? StopLoss { get; init; }

    [Description("Price of a protective limit, made on the first fill")]
    public decimal? TakeProfit { get; init; }

    [Description("Distance of a protective trailing stop, in price, made on the first fill")]
    public decimal? TrailingStopLoss { get; init; }

    [Description("Orders of one group cancel each other")]
    public string? OcoGroup { get; init; }

    [Description("Hedging accounts: the position to close")]
    public string? PositionId { get; init; }

    public void Check(Faults faults)
    {
        if (Symbol!.Length is 0 or > 64) faults.Add("symbol", ApiException.Quote(Symbol), "the symbol of an instrument");
        if (ClientOrderId?.Length is 0 or > 200)
        {
            faults.Add("clientOrderId", ApiException.Quote(ClientOrderId), "1 to 200 of A-Z a-z 0-9 . _ : / # -");
        }
        if (OcoGroup?.Length is 0) faults.Add("ocoGroup", "''", "a name, or nothing");
        faults.Text("ocoGroup", OcoGroup, 64);
        faults.Text("positionId", PositionId, 200);
    }

    public OrderRequest Order(string clientOrderId) => new(
        clientOrderId, Symbol!, Side!.Value, Type!.Value, Volume!.Value, LimitPrice, StopPrice, TrailDistance, TimeInForce, GoodTill, ReduceOnly,
        StopLoss, TakeProfit, TrailingStopLoss, OcoGroup, PositionId);
}

/// <summary>What a working order is to become; what is not given stays.</summary>
public sealed record ChangeOrder
{
    public decimal? Volume { get; init; }

    public decimal? LimitPrice { get; init; }

    public decimal? StopPrice { get; init; }

    public decimal? TrailDistance { get; init; }

    public OrderChange Change() => new(Volume, LimitPrice, StopPrice, TrailDistance);
}

/// <summary>Makes a strategy of a definition, or of a rule.</summary>
public sealed record CreateStrategy : IChecked
{
    [Required, Description("1 to 64 of a-z 0-9 - _ and dots inside; unique among the caller's strategies")]
    public string? Name { get; init; }

    [Description("Name of a strategy definition; left out for a rule")]
    public string? Definition { get; init; }

    [Description("Text of a rule, in place of a definition: enter long when close > sma(50); exit when close < sma(50);")]
    public string? Rule { get; init; }

    [Description("By name; what is not given takes its default")]
    public Dictionary<string, decimal>? Parameters { get; init; }

    [Required]
    public string? Symbol { get; init; }

    [Required, Description("At the close of which bars it decides: S1..S30, M1..M30, H1..H12, D1, W1, MN1, or tick for every quote")]
    public string? TimeFrame { get; init; }

    [Description("Accounts of the caller that follow it from the start, at the strategy's own size")]
    public string[]? Accounts { get; init; }

    [Description("Start it at once")]
    public bool Start { get; init; }

    public void Check(Faults faults)
    {
        if (!Keys.IsName(Name)) faults.Add("name", ApiException.Quote(Name), "1 to 64 of a-z 0-9 - _ and dots inside");
        if (Rule is not null)
        {
            if (Definition is not (null or RuleLanguage.DefinitionName)) faults.Add("definition", ApiException.Quote(Definition), "none beside a rule");
            foreach (RuleDiagnostic diagnostic in RuleLanguage.Check(Rule).Diagnostics) faults.Say("rule", $"rule: {diagnostic}");
        }
        else if (!StrategyCatalog.All.Any(known => known.Name == Definition))
        {
            faults.Add("definition", ApiException.Quote(Definition), string.Join(", ", StrategyCatalog.All.Select(known => known.Name)));
        }
        if (!Domain.Markets.TimeFrame.TryParse(TimeFrame, out _))
        {
            faults.Add("timeFrame", ApiException.Quote(TimeFrame), "tick, S1..S30, M1..M30, H1..H12, D1, W1 or MN1");
        }
        if (Accounts?.Length > 100) faults.Add("accounts", $"{Accounts.Length} names", "at most 100");
        foreach (string account in Accounts ?? [])
        {
            if (!Keys.IsName(account)) faults.Add("accounts", ApiException.Quote(account), "names of accounts");
        }
        if (Parameters?.Count > 50) faults.Add("parameters", $"{Parameters.Count} values", "at most 50");
    }
}

/// <summary>A rule to be looked at; nothing is made of it.</summary>
public sealed record CheckRule
{
    [Required, Description("Text of the rule")]
    public string? Rule { get; init; }
}

/// <summary>When a strategy is looked at.</summary>
public sealed record ScheduleReview : IChecked
{
    [Description("Hours between two reviews, 1 to 744; null: only when asked")]
    public double? EveryHours { get; init; } = 24;

    [Description("Name of the account whose trades are compared; null: the first that follows")]
    public string? Account { get; init; }

    [Description("Whether other parameters are looked for, too")]
    public bool Proposes { get; init; } = true;

    public void Check(Faults faults)
    {
        if (EveryHours is { } hours && hours is not (>= 1 and <= 744)) faults.Add("everyHours", hours.ToString(CultureInfo.InvariantCulture), "1 to 744, or null");
    }
}

/// <summary>The owner's word on a proposal.</summary>
public sealed record AnswerProposal
{
    [Required, Description("Number of the review that proposes")]
    public long? Number { get; init; }

    [Required, Description("True takes the proposed parameters, false declines them")]
    public bool? Accept { get; init; }
}

/// <summary>Makes a document of configuration.</summary>
public sealed record CreateConfiguration : IChecked
{
    [Required, Description("Name of the section")]
    public string? Section { get; init; }

    [Description("Name of the strategy of which it says something; null for all that is the caller's")]
    public string? Strategy { get; init; }

    [Required, Description("By the setting's name, as the section's JSON schema says")]
    public Dictionary<string, JsonElement>? Values { get; init; }

    [Description("Why")]
    public string Comment { get; init; } = "";

    public void Check(Faults faults)
    {
        if (ConfigurationCatalog.Find(Section!) is null)
        {
            faults.Add("section", ApiException.Quote(Section), string.Join(", ", ConfigurationCatalog.Sections.Select(section => section.Name)));
        }
        if (Strategy is not null && !Keys.IsName(Strategy)) faults.Add("strategy", ApiException.Quote(Strategy), "the name of a strategy");
        faults.Text("comment", Comment, ChangeConfiguration.LongestComment);
    }
}

/// <summary>Puts other values in the place of those of a document.</summary>
public sealed record ChangeConfiguration : IChecked
{
    public const int LongestComment = 500;

    [Required, Description("All that the document is to say; of secrets those that change, null removes one")]
    public Dictionary<string, JsonElement>? Values { get; init; }

    [Description("The version that is changed; If-Match can say it, too")]
    public long? Version { get; init; }

    [Description("Why")]
    public string Comment { get; init; } = "";

    public void Check(Faults faults) => faults.Text("comment", Comment, LongestComment);
}

/// <summary>Puts the values of an earlier version back.</summary>
public sealed record RollBackConfiguration : IChecked
{
    [Required, Description("Number of the version")]
    public long? To { get; init; }

    [Description("The version that is changed; If-Match can say it, too")]
    public long? Version { get; init; }

    [Description("Why")]
    public string Comment { get; init; } = "";

    public void Check(Faults faults) => faults.Text("comment", Comment, ChangeConfiguration.LongestComment);
}

internal static class LimitChecks
{
    /// <summary>What the limits themselves find wrong, in the caller's names.</summary>
    public static void Check(RiskLimits? limits, string prefix, Faults faults)
    {
        if (limits is null) return;
        if (limits.LossLimits.Any(limit => limit is null)) faults.Add(prefix + "lossLimits", "a list with null", "limits");
        if (limits.AllowedInstruments.Any(symbol => symbol is null)) faults.Add(prefix + "allowedInstruments", "a list with null", "symbols");
        if (limits.LossLimits.Length > 10) faults.Add(prefix + "lossLimits", $"{limits.LossLimits.Length} limits", "at most 10");
        if (limits.AllowedInstruments.Length > 1000)
        {
            faults.Add(prefix + "allowedInstruments", $"{limits.AllowedInstruments.Length} symbols", "at most 1000");
        }
        if (limits.SubmitRate?.Window > TimeSpan.FromDays(1))
        {
            faults.Add(prefix + "submitRate.window", limits.SubmitRate.Window.ToString(), "at most a day");
        }
        if (limits.ModifyRate?.Window > TimeSpan.FromDays(1))
        {
            faults.Add(prefix + "modifyRate.window", limits.ModifyRate.Window.ToString(), "at most a day");
        }
        if (faults.Any || limits.Fault() is not { } fault) return;
        int end = fault.AsSpan().IndexOfAny(' ', ':');
        string field = prefix + char.ToLowerInvariant(fault[0]) + fault[1..end];
        int expected = fault.IndexOf("expected ", StringComparison.Ordinal);
        if (expected < 0) faults.Add(field, "incomplete", fault[(end + 1)..].Trim());
        else faults.Add(field, fault[(end + 4)..(expected - 2)].Trim(), fault[(expected + 9)..]);
    }
}
