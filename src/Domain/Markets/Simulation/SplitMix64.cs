namespace HybridTrading.Domain.Markets.Simulation;

/// <summary>
/// The SplitMix64 generator (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"): 64 bits of state, period 2^64, the same
/// sequence on every machine and runtime. Its variates use only operations that IEEE 754 fixes. Not for secrets.
/// </summary>
public struct SplitMix64(ulong state)
{
    /// <summary>All there is to keep.</summary>
    public ulong State { get; private set; } = state;

    public ulong Next()
    {
        State += 0x9E3779B97F4A7C15;
        ulong z = State;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1), in steps of 2^-53.</summary>
    public double NextUniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Exponential with mean 1, by von Neumann's comparison method (1951): no logarithm.</summary>
    public double NextExponential()
    {
        for (double whole = 0; ; whole++)
        {
            double first = NextUniform();
            double last = first;
            bool isOdd = true;
            while (true)
            {
                double next = NextUniform();
                if (next >= last) break;
                last = next;
                isOdd = !isOdd;
            }
            if (isOdd) return whole + first;
        }
    }

    /// <summary>
    /// Bell-shaped with mean 0, variance 1, within +-3.47: the sum of four 16-bit uniforms (Irwin-Hall). Fat tails are the model's business.
    /// </summary>
    public double NextBell()
    {
        ulong bits = Next();
        long sum = (long)(bits & 0xFFFF) + (long)((bits >> 16) & 0xFFFF) + (long)((bits >> 32) & 0xFFFF) + (long)(bits >> 48);

        // The four add up to 131,070 on average, with variance 4 (2^32 - 1) / 12.
        return (sum - 131_070) * (1 / 37_837.227);
    }
}
