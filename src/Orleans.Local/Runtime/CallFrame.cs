namespace Orleans.Local;

/// <summary>What flows along the awaits of a call: the call itself (for the chain of calls) and the values of its request context.</summary>
internal sealed class CallFrame(Call? call, Dictionary<string, object>? values)
{
    private static readonly AsyncLocal<CallFrame?> Local = new();

    public static CallFrame? Current
    {
        get => Local.Value;
        set => Local.Value = value;
    }

    public Call? Call => call;

    /// <summary>Never changed once it is here.</summary>
    public Dictionary<string, object>? Values => values;
}
