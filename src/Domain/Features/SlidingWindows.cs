using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace HybridTrading.Domain.Features;

/// <summary>
/// The sum of the last n doubles in constant amortised time without ever subtracting, so that it cannot drift: the window is the running sum
/// of the current block of n plus the suffix sums of the block before (the scheme of van Herk and Gil-Werman, with + for max).
/// The order of additions is fixed by position alone.
/// </summary>
internal struct SlidingSum(int length)
{
    // At and after _next: suffix sums of the block before. Before _next: the values of the current block.
    private readonly double[] _slots = new double[length];
    private int _next;
    private double _front;
    private bool _full;

    public readonly bool IsFull => _full;

    /// <summary>Adds a value and gives the sum of the last n, or of all while there are fewer.</summary>
    public double Add(double value)
    {
        double[] slots = _slots;
        int next = _next;
        slots[next] = value;
        _front += value;
        _next = ++next;
        if (next < slots.Length) return slots[next] + _front;

        double sum = _front;
        for (int i = slots.Length - 2; i >= 0; i--) slots[i] += slots[i + 1];
        _next = 0;
        _front = 0;
        _full = true;
        return sum;
    }

    public void Transfer(StateTransfer state)
    {
        state.Of(_slots);
        state.Of(ref _next);
        state.Of(ref _front);
        state.Of(ref _full);
    }
}

/// <summary>The greatest of the last n in constant amortised time (van Herk 1992, Gil and Werman 1993), exact.</summary>
/// <typeparam name="T">Of eight bytes; no NaN is ever added.</typeparam>
internal struct SlidingMax<T> where T : struct, INumber<T>, IMinMaxValue<T>
{
    // Slots as in SlidingSum.
    private readonly T[] _slots;
    private int _next;
    private T _front = T.MinValue;
    private bool _full;

    public SlidingMax(int length)
    {
        _slots = new T[length];
        Array.Fill(_slots, T.MinValue);
    }

    public readonly bool IsFull => _full;

    public readonly int Length => _slots.Length;

    /// <summary>Adds a value and gives the greatest of the last n, or of all while there are fewer.</summary>
    public T Add(T value)
    {
        T[] slots = _slots;
        int next = _next;
        slots[next] = value;
        T front = T.Max(_front, value);
        _next = ++next;
        if (next < slots.Length)
        {
            _front = front;
            return T.Max(slots[next], front);
        }
        for (int i = slots.Length - 2; i >= 0; i--) slots[i] = T.Max(slots[i], slots[i + 1]);
        _next = 0;
        _front = T.MinValue;
        _full = true;
        return front;
    }

    /// <summary>Forgets all that was added.</summary>
    public void Clear()
    {
        Array.Fill(_slots, T.MinValue);
        (_next, _front, _full) = (0, T.MinValue, false);
    }

    public void Transfer(StateTransfer state)
    {
        state.Of(MemoryMarshal.Cast<T, long>(_slots.AsSpan()));
        state.Of(ref _next);
        state.Of(ref Unsafe.As<T, long>(ref _front));
        state.Of(ref _full);
    }
}

/// <summary>
/// Mean and population variance of the last n prices, kept as exact integers: S = sum x and N = n sum x^2 - S^2, so that variance = N / n^2
/// and a flat window has N = 0 exactly.
/// </summary>
internal struct SlidingMoments(int length)
{
    private readonly long[] _window = new long[length];
    private int _next;
    private bool _full;
    private long _sum;
    private Int128 _spread;

    public readonly bool IsFull => _full;

    /// <summary>S, the sum of the window.</summary>
    public readonly long Sum => _sum;

    /// <summary>The population standard deviation, in points (times the source's divisor).</summary>
    public readonly double Deviation
    {
        get
        {
            long narrow = (long)_spread;
            return Math.Sqrt(narrow == _spread ? narrow : (double)_spread) / _window.Length;
        }
    }

    public void Add(long price)
    {
        long[] window = _window;
        int next = _next;
        long oldest = window[next];
        window[next] = price;
        long newSum = _sum + (price - oldest);
        if (_full)
        {
            // N' - N = n (x'^2 - x^2) - (S'^2 - S^2), where S' - S = x' - x.
            _spread += Math.BigMul(price - oldest, (window.Length * (price + oldest)) - (_sum + newSum));
        }
        _sum = newSum;
        if (++next == window.Length)
        {
            next = 0;
            if (!_full) BecomeFull();
        }
        _next = next;
    }

    private void BecomeFull()
    {
        _full = true;
        Int128 squares = 0;
        foreach (long price in _window) squares += Math.BigMul(price, price);
        _spread = (_window.Length * squares) - Math.BigMul(_sum, _sum);
    }

    public void Transfer(StateTransfer state)
    {
        state.Of(_window);
        state.Of(ref _next);
        state.Of(ref _full);
        state.Of(ref _sum);
        state.Of(ref _spread);
    }
}
