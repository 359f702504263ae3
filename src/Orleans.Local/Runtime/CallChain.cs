using System.Text;
using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>Words for the calls that wait for each other.</summary>
internal static class CallChain
{
    private const int MaxLinks = 32;

    /// <summary>Says what was waited for, by whom and for whom in turn, so that a deadlock can be read off.</summary>
    public static string DescribeTimeout(Call call, OutstandingCalls outstanding)
    {
        List<Call> chain = [];
        for (Call? link = call; link is not null && chain.Count < MaxLinks; link = link.Parent) chain.Insert(0, link);
        while (chain.Count < 2 * MaxLinks && outstanding.ChildOf(chain[^1]) is { } child) chain.Add(child);

        StringBuilder text = new();
        text.Append($"No answer within {call.Timeout} from {Name(call)}. Chain of calls: {chain[0].Source?.GrainId.ToString() ?? "client"}");
        foreach (Call link in chain) text.Append(" -> ").Append(Name(link));

        Call last = chain[^1];
        GrainId stuck = last.Proxy.GrainId;
        Call? cycle = chain.Find(link => !ReferenceEquals(link, last) && link.Proxy.GrainId == stuck);
        if (cycle is not null)
        {
            text.Append($". {stuck} is busy with {Name(cycle)}, which waits for this chain: a deadlock");
        }
        else if (last.Proxy.Target is TurnTarget { Blocking: Call busy } && !ReferenceEquals(busy, last))
        {
            text.Append($". {stuck} is busy with {Name(busy)}");
        }
        return text.Append('.').ToString();
    }

    private static string Name(Call call) => $"{call.Method.Info.DeclaringType!.Name}.{call.Method.Info.Name} of {call.Proxy.GrainId}";
}
