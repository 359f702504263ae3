namespace Orleans.Local;

/// <summary>
/// The calls that somebody waits for, so that a sweep once a second finds those whose time is up. Linked lists by the caller's thread keep
/// adding and removing cheap and almost never contended.
/// </summary>
internal sealed class OutstandingCalls
{
    private const int StripeCount = 16;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new Stripe())];

    /// <summary>How many there are now.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Count);

    public void Add(Call call)
    {
        int index = Environment.CurrentManagedThreadId % StripeCount;
        Stripe stripe = _stripes[index];
        lock (stripe.Lock)
        {
            call.Stripe = index;
            call.Earlier = stripe.Latest;
            if (stripe.Latest is not null) stripe.Latest.Later = call;
            stripe.Latest = call;
            stripe.Count++;
        }
    }

    public void Remove(Call call)
    {
        int index = call.Stripe;
        if (index < 0) return;
        Stripe stripe = _stripes[index];
        lock (stripe.Lock)
        {
            if (call.Stripe < 0) return;
            call.Stripe = -1;
            if (call.Later is null) stripe.Latest = call.Earlier;
            else call.Later.Earlier = call.Earlier;
            if (call.Earlier is not null) call.Earlier.Later = call.Later;
            call.Earlier = call.Later = null;
            stripe.Count--;
        }
    }

    /// <summary>Answers every call whose deadline has passed, oldest first.</summary>
    public void Sweep(long now)
    {
        List<Call> expired = Where(call => call.Deadline <= now);
        expired.Sort((a, b) => a.Deadline.CompareTo(b.Deadline));
        // All messages first: an answered call leaves the chains of the others.
        string[] messages = [.. expired.Select(call => CallChain.DescribeTimeout(call, this))];
        for (int i = 0; i < expired.Count; i++) expired[i].TimeOut(messages[i]);
    }

    /// <summary>A call that <paramref name="call"/> waits for; null where there is none.</summary>
    public Call? ChildOf(Call call) => Where(other => ReferenceEquals(other.Parent, call)).FirstOrDefault();

    private List<Call> Where(Predicate<Call> predicate)
    {
        List<Call> found = [];
        foreach (Stripe stripe in _stripes)
        {
            lock (stripe.Lock)
            {
                for (Call? call = stripe.Latest; call is not null; call = call.Earlier)
                {
                    if (predicate(call)) found.Add(call);
                }
            }
        }
        return found;
    }

    private sealed class Stripe
    {
        public readonly Lock Lock = new();
        public Call? Latest;
        public int Count;
    }
}
