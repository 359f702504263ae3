using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace HybridTrading.Api.Requests;

/// <summary>Begins a sign-in by the external provider.</summary>
public sealed record StartProvider;

public sealed record CompleteProvider : IChecked
{
    [Required, Description("As the provider's redirect has it")]
    public string? Code { get; init; }

    [Required, Description("As the provider's redirect has it")]
    public string? State { get; init; }

    [Description("iss of the provider's redirect, where it has one")]
    public string? Issuer { get; init; }

    [Description("What an invitation's link holds, of somebody who is new here")]
    public string? Invitation { get; init; }

    [Description("Keeps the refresh token in a cookie that no script can read; a program takes it from the answer")]
    public bool Cookie { get; init; } = true;

    public void Check(Faults faults)
    {
        faults.Text("code", Code, 4096);
        faults.Text("state", State, 100);
    }
}

public sealed record ConfirmProvider
{
    [Required, Description("Of the answer that had no session")]
    public string? Ticket { get; init; }

    [Required, Description("Six digits of the authenticator, or a recovery code")]
    public string? Code { get; init; }

    [Description("Keeps the refresh token in a cookie that no script can read; a program takes it from the answer")]
    public bool Cookie { get; init; } = true;
}

public sealed record ProveToLink
{
    [Description("One's password here; null for who has none")]
    public string? Password { get; init; }
}

public sealed record LinkProvider : IChecked
{
    [Required, Description("As the provider's redirect has it")]
    public string? Code { get; init; }

    [Required, Description("As the provider's redirect has it")]
    public string? State { get; init; }

    [Description("iss of the provider's redirect, where it has one")]
    public string? Issuer { get; init; }

    public void Check(Faults faults)
    {
        faults.Text("code", Code, 4096);
        faults.Text("state", State, 100);
    }
}
