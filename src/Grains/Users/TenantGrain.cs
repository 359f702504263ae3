using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Journal;

namespace HybridTrading.Grains.Users;

/// <summary>A tenant's members and invitations, in its own stream.</summary>
[HostedBy("user-service")]
public sealed class TenantGrain(IJournal journal, SecretSource secrets, TimeProvider clock) : Grain, ITenantGrain
{
    private const int LongestName = 100;

    private readonly Tenant _tenant = new();
    private EventStream<TenantEvent> _stream = null!;

    private string Id => Keys.TenantOf(this.GetPrimaryKeyString());

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stream = new EventStream<TenantEvent>(
            journal, TenantEventCatalog.Events, Keys.TenantStream(Id), new StreamOwner(Id, this.GetPrimaryKeyString()), DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => _tenant.Apply(happened), cancellationToken);
    }

    public async Task Found(string name, string owner)
    {
        if (!_tenant.IsFounded) Raise(new TenantFounded(Now, name, owner));
        await _stream.Durable();
    }

    public async Task<Member?> GetMember(string user)
    {
        await _stream.Durable();
        return _tenant.Find(user);
    }

    public Task<string?> GetName() => Task.FromResult(_tenant.Name);

    public Task<Invitation?> FindInvitation(Secret link) => Task.FromResult(_tenant.InvitationOf(Sessions.HashOf(link.Value), Now));

    public async Task<UserAnswer> Accept(Secret link, string user)
    {
        if (_tenant.InvitationOf(Sessions.HashOf(link.Value), Now) is not { } invitation) return new UserAnswer(UserFault.LinkInvalid, "the invitation is used up, too old, or withdrawn");
        ImmutableArray<Role> roles = _tenant.Find(user) is { } member ? [.. member.Roles.Union(invitation.Roles).Order()] : invitation.Roles;
        Raise(new MemberJoined(Now, user, roles, invitation.Id));
        return await DoneAsync();
    }

    public async Task<TenantView?> GetView()
    {
        await _stream.Durable();
        return _tenant.Name is { } name
            ? new TenantView(Id, name, [.. _tenant.Members.OrderBy(member => member.Since)], [.. _tenant.Invitations(Now).OrderBy(one => one.Created)])
            : null;
    }

    public async Task<InvitationAnswer> Invite(string email, ImmutableArray<Role> roles, string by)
    {
        if ((EmailAddress.Fault(email) ?? Tenant.Fault(roles)) is { } fault) return new InvitationAnswer(UserFault.InvalidInput, fault);
        if (_tenant.Members.Count >= Tenant.MostMembers) return new InvitationAnswer(UserFault.TooMany, $"there are {_tenant.Members.Count} members; expected fewer than {Tenant.MostMembers}");
        if (_tenant.Invitations(Now).Count() >= Tenant.MostInvitations) return new InvitationAnswer(UserFault.TooMany, $"{Tenant.MostInvitations} invitations are out: withdraw some");
        string token = secrets.Token();
        var invited = new MemberInvited(
            Now, secrets.Name('i'), Sessions.HashOf(token), EmailAddress.Normalise(email), [.. roles.Order()], Now + Tenant.InvitationLife, by);
        Raise(invited);
        await _stream.Durable();
        return new InvitationAnswer(
            UserFault.None, Invitation: new Invitation(invited.Id, invited.Email, invited.Roles, invited.Time, invited.Expires, by), Link: new Secret($"{Id}.{token}"));
    }

    public async Task<UserAnswer> Withdraw(string invitation, string by)
    {
        if (!_tenant.Invitations(Now).Any(one => one.Id == invitation)) return new UserAnswer(UserFault.Unknown, "no such invitation");
        Raise(new InvitationWithdrawn(Now, invitation, by));
        return await DoneAsync();
    }

    public async Task<UserAnswer> SetRoles(string user, ImmutableArray<Role> roles, string by)
    {
        if (_tenant.Find(user) is not { } member) return new UserAnswer(UserFault.Unknown, "no such member");
        if (Tenant.Fault(roles) is { } fault) return new UserAnswer(UserFault.InvalidInput, fault);
        if (!roles.Contains(Role.Owner) && _tenant.IsLastOwner(user)) return new UserAnswer(UserFault.InvalidInput, "roles leaves the tenant without an owner; expected Owner among them");
        ImmutableArray<Role> next = [.. roles.Order()];
        if (!next.SequenceEqual(member.Roles)) Raise(new RolesGiven(Now, user, next, by));
        return await DoneAsync();
    }

    public async Task<UserAnswer> Remove(string user, string by)
    {
        if (_tenant.Find(user) is null) return new UserAnswer(UserFault.Unknown, "no such member");
        if (_tenant.IsLastOwner(user)) return new UserAnswer(UserFault.InvalidInput, "user is the last owner; expected another owner first");
        Raise(new MemberRemoved(Now, user, by));
        return await DoneAsync();
    }

    public async Task<UserAnswer> Rename(string name, string by)
    {
        if (name.Trim() is not { Length: >= 1 and <= LongestName } trimmed || trimmed.Any(char.IsControl)) return new UserAnswer(UserFault.InvalidInput, $"name; expected 1 to {LongestName} characters");
        if (trimmed != _tenant.Name) Raise(new TenantRenamed(Now, trimmed, by));
        return await DoneAsync();
    }

    public Task<Departure> GetDeparture(string user) => Task.FromResult(_tenant.Find(user) is null ? Departure.GoesOn
        : _tenant.Members.Count == 1 ? Departure.Ends
        : _tenant.IsLastOwner(user) ? Departure.NeedsOwner
        : Departure.GoesOn);

    public async Task<Departure> Depart(string user, ImmutableArray<string> emails, ImmutableArray<string> names)
    {
        Departure departure = await GetDeparture(user);
        if (departure != Departure.GoesOn) return departure;
        foreach (Invitation invitation in _tenant.Invitations(Now).Where(one => emails.Contains(one.Email)).ToArray())
        {
            Raise(new InvitationWithdrawn(Now, invitation.Id, user));
        }
        if (_tenant.Name is { } name && names.Any(theirs => IsNamedAfter(name, theirs))) Raise(new TenantRenamed(Now, "Desk", user));
        if (_tenant.Find(user) is not null) Raise(new MemberRemoved(Now, user, user));
        await _stream.Durable();
        return departure;
    }

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    /// <summary>Does the name stand in it as a word of its own?</summary>
    private static bool IsNamedAfter(string tenant, string name)
    {
        for (int at = 0; (at = tenant.IndexOf(name, at, StringComparison.OrdinalIgnoreCase)) >= 0; at++)
        {
            int end = at + name.Length;
            if ((at == 0 || !char.IsLetterOrDigit(tenant[at - 1])) && (end == tenant.Length || !char.IsLetterOrDigit(tenant[end]))) return true;
        }
        return false;
    }

    private async Task<UserAnswer> DoneAsync()
    {
        await _stream.Durable();
        return new UserAnswer();
    }

    private void Raise(TenantEvent happened)
    {
        _tenant.Apply(happened);
        _stream.Append([happened], e => e.Time, _ => $"tenant:{Id}");
    }
}
