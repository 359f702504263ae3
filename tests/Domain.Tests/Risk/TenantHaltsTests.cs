using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Tests.Risk;

public sealed class TenantHaltsTests
{
    private static readonly DateTime Start = new(2026, 1, 5, 10, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    private readonly TenantHalts _halts = new();

    private long Engage(string by, string? member = null, bool flatten = false, DateTime? time = null)
    {
        (long number, HaltEngaged? engaged) = _halts.Engage(by, member, flatten, "because", time ?? Start);
        if (engaged is not null) _halts.Apply(engaged);
        return number;
    }

    private ReleaseRefusal Ask(long number, string by, DateTime time)
    {
        (ReleaseRefusal refusal, ReleaseAsked? asked) = _halts.AskRelease(number, by, "done", time, Window);
        if (asked is not null) _halts.Apply(asked);
        return refusal;
    }

    private ReleaseRefusal Approve(long number, string by, DateTime time)
    {
        (ReleaseRefusal refusal, HaltReleased? released) = _halts.Approve(number, by, time);
        if (released is not null) _halts.Apply(released);
        return refusal;
    }

    [Fact]
    public void A_request_for_release_ends_with_its_time()
    {
        long number = Engage("acme/ann");
        Assert.Equal(ReleaseRefusal.None, Ask(number, "acme/bob", Start));
        Assert.Equal(ReleaseRefusal.ReleaseNotAsked, Approve(number, "acme/cat", Start + Window));
        Assert.Equal(ReleaseRefusal.None, Ask(number, "acme/cat", Start + Window));
        Assert.Equal(ReleaseRefusal.None, Approve(number, "acme/bob", Start + 2 * Window - TimeSpan.FromTicks(1)));
        Assert.Empty(_halts.Standing);
    }

    [Fact]
    public void Who_halted_may_ask_but_not_approve()
    {
        long number = Engage("acme/ann");
        Assert.Equal(ReleaseRefusal.None, Ask(number, "acme/ann", Start));
        Assert.Equal(ReleaseRefusal.None, Ask(number, "acme/ann", Start));
        Assert.Equal(ReleaseRefusal.SecondPersonNeeded, Approve(number, "acme/ann", Start));
        Assert.Equal(ReleaseRefusal.None, Approve(number, "acme/bob", Start));
    }

    [Fact]
    public void Halting_while_a_release_is_asked_for_is_a_halt_of_its_own()
    {
        long first = Engage("acme/ann");
        Assert.Equal(first, Engage("acme/bob"));
        Ask(first, "acme/bob", Start);
        long second = Engage("acme/ann");
        Assert.NotEqual(first, second);
        Assert.Equal(ReleaseRefusal.None, Approve(first, "acme/cat", Start));
        Assert.Equal([second], _halts.Standing.Select(halt => halt.Number));
    }

    [Fact]
    public void A_wish_to_flatten_is_more_than_a_halt_without()
    {
        long plain = Engage("acme/ann");
        long flatten = Engage("acme/ann", flatten: true);
        Assert.NotEqual(plain, flatten);
        Assert.Equal(2, _halts.Concerning("acme/zoe").Length);
    }

    [Fact]
    public void A_halt_of_a_member_is_nobody_elses()
    {
        long number = Engage("acme/ann", member: "acme/bob");
        Assert.Equal(number, Assert.Single(_halts.Concerning("acme/bob")).Number);
        Assert.Empty(_halts.Concerning("acme/ann"));
        Assert.Equal(ReleaseRefusal.HaltedThemselves, Ask(number, "acme/bob", Start));
        Ask(number, "acme/cat", Start);
        Assert.Equal(ReleaseRefusal.HaltedThemselves, Approve(number, "acme/bob", Start));
        Assert.Equal(ReleaseRefusal.HaltUnknown, Approve(number + 1, "acme/bob", Start));
    }

    /// <summary>Whatever is tried in whatever order: nothing is released by fewer than two people, nor by who halted.</summary>
    [Fact]
    public void No_order_of_steps_gets_round_the_second_person()
    {
        string[] people = ["acme/a", "acme/b", "acme/c"];
        foreach (string by in people)
        {
            foreach (string asks in people)
            {
                foreach (string approves in people)
                {
                    var halts = new TenantHalts();
                    halts.Apply(halts.Engage(by, null, false, "x", Start).Engaged!);
                    halts.Apply(halts.AskRelease(1, asks, "y", Start, Window).Asked!);
                    HaltReleased? released = halts.Approve(1, approves, Start).Released;
                    Assert.Equal(approves != asks && approves != by, released is not null);
                }
            }
        }
    }
}
