namespace HybridTrading.Domain.Risk;

/// <summary>A halt that stands for a tenant or for one of its members: all of their accounts only reduce, none of their strategies runs.</summary>
/// <param name="Number">1 upwards inside the tenant.</param>
/// <param name="Member">tenant/user who is halted; null for everybody of the tenant.</param>
/// <param name="Flatten">Positions are closed, too.</param>
/// <param name="By">tenant/user who halted.</param>
/// <param name="Release">Its release was asked for; null where it was not. One whose time has passed counts for nothing.</param>
[GenerateSerializer, Immutable, Alias("ht.TenantHalt")]
public sealed record TenantHalt(long Number, string? Member, bool Flatten, string By, DateTime At, string Why, ReleaseRequest? Release = null)
{
    /// <param name="person">tenant/user.</param>
    public bool Concerns(string person) => Member is null || Member == person;
}

/// <summary>Somebody asked for the release of a halt; another has to approve.</summary>
/// <param name="By">tenant/user.</param>
/// <param name="Until">When the request ends without an approval.</param>
[GenerateSerializer, Immutable, Alias("ht.ReleaseRequest")]
public sealed record ReleaseRequest(string By, DateTime At, string Why, DateTime Until);

/// <summary>Something that happened to the halts of a tenant.</summary>
public abstract record HaltEvent(DateTime Time, long Number, string By);

public sealed record HaltEngaged(DateTime Time, long Number, string By, string? Member, bool Flatten, string Why) : HaltEvent(Time, Number, By);

public sealed record ReleaseAsked(DateTime Time, long Number, string By, string Why, DateTime Until) : HaltEvent(Time, Number, By);

/// <param name="By">Who approved.</param>
/// <param name="AskedBy">Who asked.</param>
public sealed record HaltReleased(DateTime Time, long Number, string By, string AskedBy) : HaltEvent(Time, Number, By);

/// <summary>Why a step towards a release was refused. The names are part of the public API and never change.</summary>
public enum ReleaseRefusal : byte { None, HaltUnknown, ReleaseNotAsked, ReleaseAlreadyAsked, SecondPersonNeeded, HaltedThemselves }

/// <summary>
/// The halts of a tenant by the four-eyes rule: one person is enough to halt; to release, one asks and another approves in time, and the other is neither who
/// asked nor who halted. A member who is halted has no say in it. Pure: commands give events, <see cref="Apply"/> folds them in.
/// </summary>
public sealed class TenantHalts
{
    private ImmutableSortedDictionary<long, TenantHalt> _standing = ImmutableSortedDictionary<long, TenantHalt>.Empty;
    private long _count;

    /// <summary>In the order in which they were engaged.</summary>
    public ImmutableArray<TenantHalt> Standing => [.. _standing.Values];

    /// <summary>Those that stand for one person.</summary>
    public ImmutableArray<TenantHalt> Concerning(string person) => [.. _standing.Values.Where(halt => halt.Concerns(person))];

    public TenantHalt? Find(long number) => _standing.GetValueOrDefault(number);

    /// <summary>Halts. One of the same extent that stands, and whose release nobody asks for, is enough.</summary>
    /// <returns>The halt that then stands, and the event where it is a new one.</returns>
    public (long Number, HaltEngaged? Engaged) Engage(string by, string? member, bool flatten, string why, DateTime time)
    {
        TenantHalt? same = _standing.Values.FirstOrDefault(halt => halt.Member == member && (halt.Flatten || !flatten) && Pending(halt, time) is null);
        if (same is not null) return (same.Number, null);
        return (_count + 1, new HaltEngaged(time, _count + 1, by, member, flatten, why));
    }

    /// <param name="window">How long the other has to approve.</param>
    public (ReleaseRefusal Refusal, ReleaseAsked? Asked) AskRelease(long number, string by, string why, DateTime time, TimeSpan window)
    {
        if (Find(number) is not { } halt) return (ReleaseRefusal.HaltUnknown, null);
        if (halt.Member == by) return (ReleaseRefusal.HaltedThemselves, null);
        return Pending(halt, time) is { } pending
            ? (pending.By == by ? ReleaseRefusal.None : ReleaseRefusal.ReleaseAlreadyAsked, null)
            : (ReleaseRefusal.None, new ReleaseAsked(time, number, by, why, time + window));
    }

    public (ReleaseRefusal Refusal, HaltReleased? Released) Approve(long number, string by, DateTime time)
    {
        if (Find(number) is not { } halt) return (ReleaseRefusal.HaltUnknown, null);
        if (halt.Member == by) return (ReleaseRefusal.HaltedThemselves, null);
        if (Pending(halt, time) is not { } pending) return (ReleaseRefusal.ReleaseNotAsked, null);
        return by == pending.By || by == halt.By
            ? (ReleaseRefusal.SecondPersonNeeded, null)
            : (ReleaseRefusal.None, new HaltReleased(time, number, by, pending.By));
    }

    public void Apply(HaltEvent happened)
    {
        switch (happened)
        {
            case HaltEngaged e:
                _count = e.Number;
                _standing = _standing.Add(e.Number, new TenantHalt(e.Number, e.Member, e.Flatten, e.By, e.Time, e.Why));
                break;
            case ReleaseAsked e:
                _standing = _standing.SetItem(e.Number, _standing[e.Number] with { Release = new ReleaseRequest(e.By, e.Time, e.Why, e.Until) });
                break;
            case HaltReleased e:
                _standing = _standing.Remove(e.Number);
                break;
        }
    }

    private static ReleaseRequest? Pending(TenantHalt halt, DateTime time) => halt.Release is { } release && time < release.Until ? release : null;
}
