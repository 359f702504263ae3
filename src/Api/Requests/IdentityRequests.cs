using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using HybridTrading.Domain.Users;

namespace HybridTrading.Api.Requests;

/// <summary>Makes the first owner.</summary>
public sealed record SetUp
{
    [Required, Description("What the link holds that the program has printed")]
    public string? Token { get; init; }

    [Required]
    public string? Email { get; init; }

    [Required, Description("As one wants to be called, 1 to 100 characters")]
    public string? Name { get; init; }

    [Required, Description("12 to 128 characters")]
    public string? Password { get; init; }

    [Description("Keeps the refresh token in a cookie that no script can read; a program takes it from the answer")]
    public bool Cookie { get; init; } = true;
}

public sealed record SignIn
{
    [Required]
    public string? Email { get; init; }

    [Required]
    public string? Password { get; init; }

    [Description("Six digits of the authenticator, or a recovery code, once they were asked for")]
    public string? Code { get; init; }

    [Description("Keeps the refresh token in a cookie that no script can read; a program takes it from the answer")]
    public bool Cookie { get; init; } = true;
}

public sealed record RefreshSession
{
    [Description("Of a program; a page's is in its cookie")]
    public string? RefreshToken { get; init; }
}

public sealed record SignUp
{
    [Required]
    public string? Email { get; init; }

    [Required, Description("1 to 100 characters")]
    public string? Name { get; init; }

    [Required, Description("12 to 128 characters")]
    public string? Password { get; init; }
}

public sealed record UseLink
{
    [Required, Description("What the link holds")]
    public string? Token { get; init; }
}

public sealed record ForgotPassword
{
    [Required]
    public string? Email { get; init; }
}

public sealed record ResetPassword
{
    [Required, Description("What the link holds")]
    public string? Token { get; init; }

    [Required, Description("12 to 128 characters")]
    public string? Password { get; init; }
}

public sealed record AcceptInvitation
{
    [Description("Of a new user; one who has signed in gives none")]
    public string? Name { get; init; }

    [Description("Of a new user")]
    public string? Password { get; init; }

    public bool Cookie { get; init; } = true;
}

public sealed record ChangeProfile
{
    [Required, Description("1 to 100 characters")]
    public string? Name { get; init; }
}

public sealed record ChangeEmail
{
    [Required, Description("The new address")]
    public string? Email { get; init; }

    [Required]
    public string? Password { get; init; }

    [Description("Of the second factor, where there is one")]
    public string? Code { get; init; }
}

public sealed record EraseMe
{
    [Required]
    public string? Password { get; init; }

    [Description("Of the second factor, where there is one")]
    public string? Code { get; init; }

    [Required, Description("One's own address, so that it is meant")]
    public string? Confirm { get; init; }
}

public sealed record EraseUser
{
    [Required, Description("The user's id once more, so that it is meant")]
    public string? Confirm { get; init; }

    [Required, Description("For the journal, where it stays: 1 to 200 characters, no name and no address")]
    public string? Reason { get; init; }

    [Description("Leaves out the time of grace: for who has asked for it in another way and is known to be who they are")]
    public bool Immediately { get; init; }
}

public sealed record ChangePassword
{
    [Required]
    public string? Current { get; init; }

    [Required, Description("12 to 128 characters")]
    public string? Password { get; init; }
}

public sealed record ProvePassword
{
    [Required]
    public string? Password { get; init; }
}

public sealed record ProveCode
{
    [Required, Description("Six digits of the authenticator")]
    public string? Code { get; init; }
}

public sealed record RemoveSecondFactor
{
    [Required]
    public string? Password { get; init; }

    [Required, Description("Six digits of the authenticator, or a recovery code")]
    public string? Code { get; init; }
}

public sealed record EnterTenant
{
    [Required, Description("Id of a tenant that one belongs to")]
    public string? Tenant { get; init; }

    public bool Cookie { get; init; } = true;
}

public sealed record AddApiKey : IChecked
{
    [Required, Description("1 to 100 characters")]
    public string? Name { get; init; }

    public ApiKeyKind Kind { get; init; } = ApiKeyKind.Hmac;

    [Description("Of ECDSA: SubjectPublicKeyInfo on P-256, PEM or base 64")]
    public string? PublicKey { get; init; }

    [Required, Description("What it may do, of what its user may do")]
    public Permission[]? Scopes { get; init; }

    [Required, Description("1 to 366")]
    public int? ExpiresDays { get; init; }

    public void Check(Faults faults)
    {
        if (Scopes!.Length is 0 or > 50) faults.Add("scopes", $"{Scopes.Length} names", "1 to 50");
        // A key that can make keys, or let people in, would outlive its own end.
        foreach (Permission scope in Scopes.Where(one => one is Permission.ManageKeys or Permission.ManageProfile or Permission.ManageMembers
            or Permission.ManageClients or Permission.Administer))
        {
            faults.Add("scopes", scope.ToString(), "none that manages keys, profiles, members or users");
        }
    }
}

public sealed record InviteMember : IChecked
{
    [Required]
    public string? Email { get; init; }

    [Required, Description("What they are to be; not Administrator")]
    public Role[]? Roles { get; init; }

    public void Check(Faults faults)
    {
        if (EmailAddress.Fault(Email) is { } fault) faults.Say("email", fault);
        if (Domain.Users.Tenant.Fault([.. Roles!]) is { } wrong) faults.Say("roles", wrong);
    }
}

public sealed record ChangeUser : IChecked
{
    [Description("Keeps the user out; null leaves it")]
    public bool? Locked { get; init; }

    [Description("Makes the user an administrator of the installation, or no longer one; null leaves it")]
    public bool? Administrator { get; init; }

    public void Check(Faults faults)
    {
        if (Locked is null && Administrator is null) faults.Add("locked", null, "locked, administrator, or both");
    }
}

public sealed record GiveRoles : IChecked
{
    [Required, Description("All that they are from now on; not Administrator")]
    public Role[]? Roles { get; init; }

    public void Check(Faults faults)
    {
        if (Domain.Users.Tenant.Fault([.. Roles!]) is { } wrong) faults.Say("roles", wrong);
    }
}
