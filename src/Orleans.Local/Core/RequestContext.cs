using Orleans.Local;

namespace Orleans.Runtime;

/// <summary>
/// Values that travel with a call to everything it calls. They flow by value: what the callee sets, the caller never sees.
/// </summary>
public static class RequestContext
{
    /// <returns>Null where the key is not set.</returns>
    public static object? Get(string key) => CallFrame.Current?.Values?.GetValueOrDefault(key);

    public static void Set(string key, object value)
    {
        // A published dictionary is never changed, so frames may share it.
        Dictionary<string, object> values = CallFrame.Current?.Values is { } old ? new(old) : new(1);
        values[key] = value;
        Replace(values);
    }

    /// <returns>Whether the key was set.</returns>
    public static bool Remove(string key)
    {
        if (CallFrame.Current?.Values is not { } old || !old.ContainsKey(key)) return false;
        Dictionary<string, object> values = new(old);
        values.Remove(key);
        Replace(values.Count > 0 ? values : null);
        return true;
    }

    public static void Clear()
    {
        if (CallFrame.Current?.Values is not null) Replace(null);
    }

    public static IEnumerable<string> Keys => CallFrame.Current?.Values?.Keys ?? Enumerable.Empty<string>();

    public static IEnumerable<KeyValuePair<string, object>> Entries => CallFrame.Current?.Values ?? Enumerable.Empty<KeyValuePair<string, object>>();

    private static void Replace(Dictionary<string, object>? values) => CallFrame.Current = new CallFrame(CallFrame.Current?.Call, values);
}
