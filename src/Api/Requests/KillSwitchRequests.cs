using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using HybridTrading.Grains;

namespace HybridTrading.Api.Requests;

/// <summary>Stops one's own strategies and halts one's own accounts, or one of them.</summary>
public sealed record EngageKillSwitch : IChecked
{
    [Description("Close every position at the market, too")]
    public bool Flatten { get; init; }

    [Description("Why, for the record; at most 200 characters")]
    public string Reason { get; init; } = "";

    public void Check(Faults faults) => faults.Text("reason", Reason, 200);
}

/// <summary>Halts the tenant, or one of its members.</summary>
public sealed record EngageTenantHalt : IChecked
{
    [Required, Description("Why, for the record; 1 to 200 characters")]
    public string? Reason { get; init; }

    [Description("The member who is halted; null for everybody of the tenant")]
    public string? Member { get; init; }

    [Description("Close every position at the market, too")]
    public bool Flatten { get; init; }

    public void Check(Faults faults)
    {
        KillSwitchChecks.Reason(Reason, faults);
        if (Member is not null && !Keys.IsName(Member)) faults.Add("member", ApiException.Quote(Member), "the name of a member: 1 to 64 of a-z 0-9 - _ and dots inside");
    }
}

/// <summary>Asks for the release of a halt of the tenant.</summary>
public sealed record AskRelease : IChecked
{
    [Required, Description("Why it may be released; 1 to 200 characters")]
    public string? Reason { get; init; }

    public void Check(Faults faults) => KillSwitchChecks.Reason(Reason, faults);
}

internal static class KillSwitchChecks
{
    public static void Reason(string? reason, Faults faults)
    {
        if (string.IsNullOrWhiteSpace(reason)) faults.Add("reason", ApiException.Quote(reason), "1 to 200 characters");
        faults.Text("reason", reason, 200);
    }
}
