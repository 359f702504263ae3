using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Domain.Users;

/// <summary>Something that happened to a tenant and its members.</summary>
public abstract record TenantEvent(DateTime Time);

public sealed record TenantFounded(DateTime Time, string Name, string Owner) : TenantEvent(Time);

public sealed record TenantRenamed(DateTime Time, string Name, string By) : TenantEvent(Time);

/// <param name="Hash">SHA-256 of what the link holds.</param>
/// <param name="By">Id of the member who invites.</param>
public sealed record MemberInvited(DateTime Time, string Id, string Hash, string Email, ImmutableArray<Role> Roles, DateTime Expires, string By) : TenantEvent(Time);

public sealed record InvitationWithdrawn(DateTime Time, string Id, string By) : TenantEvent(Time);

/// <param name="Invitation">Its id.</param>
public sealed record MemberJoined(DateTime Time, string User, ImmutableArray<Role> Roles, string Invitation) : TenantEvent(Time);

public sealed record RolesGiven(DateTime Time, string User, ImmutableArray<Role> Roles, string By) : TenantEvent(Time);

public sealed record MemberRemoved(DateTime Time, string User, string By) : TenantEvent(Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TenantFounded))]
[JsonSerializable(typeof(TenantRenamed))]
[JsonSerializable(typeof(MemberInvited))]
[JsonSerializable(typeof(InvitationWithdrawn))]
[JsonSerializable(typeof(MemberJoined))]
[JsonSerializable(typeof(RolesGiven))]
[JsonSerializable(typeof(MemberRemoved))]
internal sealed partial class TenantJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a tenant's stream.</summary>
public static class TenantEventCatalog
{
    public static readonly EventCatalog<TenantEvent> Events = new EventCatalog<TenantEvent>()
        .Add("tenant-founded", 1, TenantJson.Default.TenantFounded)
        .Add("tenant-renamed", 1, TenantJson.Default.TenantRenamed)
        .Add("member-invited", 1, TenantJson.Default.MemberInvited)
        .Add("invitation-withdrawn", 1, TenantJson.Default.InvitationWithdrawn)
        .Add("member-joined", 1, TenantJson.Default.MemberJoined)
        .Add("roles-given", 1, TenantJson.Default.RolesGiven)
        .Add("member-removed", 1, TenantJson.Default.MemberRemoved);
}

/// <param name="User">Their id.</param>
[GenerateSerializer, Immutable, Alias("ht.Member")]
public sealed record Member(string User, ImmutableArray<Role> Roles, DateTime Since);

/// <param name="By">Id of the member who invites.</param>
[GenerateSerializer, Immutable, Alias("ht.Invitation")]
public sealed record Invitation(string Id, string Email, ImmutableArray<Role> Roles, DateTime Created, DateTime Expires, string By);

/// <summary>A tenant as the events of its stream have made it: who belongs to it as what, and who is invited. Not thread-safe.</summary>
public sealed class Tenant
{
    public const int MostMembers = 1000, MostInvitations = 200;

    public static readonly TimeSpan InvitationLife = TimeSpan.FromDays(7);

    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Invitation Invitation, string Hash)> _invitations = new(StringComparer.Ordinal);

    public string? Name { get; private set; }

    public bool IsFounded => Name is not null;

    public IReadOnlyCollection<Member> Members => _members.Values;

    public Member? Find(string user) => _members.GetValueOrDefault(user);

    public IEnumerable<Invitation> Invitations(DateTime now) => _invitations.Values.Select(one => one.Invitation).Where(one => one.Expires > now);

    public Invitation? InvitationOf(string hash, DateTime now) =>
        _invitations.Values.Where(one => one.Hash == hash && one.Invitation.Expires > now).Select(one => one.Invitation).FirstOrDefault();

    public bool IsLastOwner(string user) => _members.Values.Where(member => member.Roles.Contains(Role.Owner)).All(member => member.User == user);

    /// <summary>What is wrong with roles that a tenant is to give; null when nothing is.</summary>
    public static string? Fault(ImmutableArray<Role> roles)
    {
        string expected = $"expected at least one of {string.Join(", ", Enum.GetNames<Role>().Where(name => name != nameof(Role.Administrator)))}";
        if (roles.IsDefaultOrEmpty) return $"roles is empty; {expected}";
        if (roles.Contains(Role.Administrator)) return $"roles has Administrator, which is no role in a tenant; {expected}";
        return roles.Distinct().Count() < roles.Length ? $"roles names one twice; {expected}" : null;
    }

    public void Apply(TenantEvent happened)
    {
        switch (happened)
        {
            case TenantFounded e:
                Name = e.Name;
                _members[e.Owner] = new Member(e.Owner, [Role.Owner], e.Time);
                break;
            case TenantRenamed e:
                Name = e.Name;
                break;
            case MemberInvited e:
                foreach (string id in _invitations.Values.Where(one => one.Invitation.Expires <= e.Time).Select(one => one.Invitation.Id).ToArray()) _invitations.Remove(id);
                _invitations[e.Id] = (new Invitation(e.Id, e.Email, e.Roles, e.Time, e.Expires, e.By), e.Hash);
                break;
            case InvitationWithdrawn e:
                _invitations.Remove(e.Id);
                break;
            case MemberJoined e:
                _invitations.Remove(e.Invitation);
                _members[e.User] = new Member(e.User, e.Roles, e.Time);
                break;
            case RolesGiven e:
                _members[e.User] = _members[e.User] with { Roles = e.Roles };
                break;
            case MemberRemoved e:
                _members.Remove(e.User);
                break;
            default:
                throw new InvalidOperationException($"unknown event {happened.GetType().Name}");
        }
    }
}
