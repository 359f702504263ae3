using System.Collections.Immutable;

namespace Orleans.Local;

/// <summary>What the silo is doing, for a System page.</summary>
public sealed class LocalSiloStatistics
{
    private readonly LocalRuntime _runtime;

    internal LocalSiloStatistics(LocalRuntime runtime) => _runtime = runtime;

    /// <summary>Calls whose callers wait now.</summary>
    public int OutstandingCalls => _runtime.Outstanding.Count;

    /// <summary>Every grain class of the silo, ordered by grain type. Counters are read while grains run, so they are near, not exact.</summary>
    public ImmutableArray<GrainTypeStatistics> GrainTypes
    {
        get
        {
            Dictionary<GrainClass, long> living = [];
            foreach (Activation activation in _runtime.Activations)
            {
                living[activation.GrainClass] = living.GetValueOrDefault(activation.GrainClass) + activation.Finished;
            }
            return
            [
                .. _runtime.Types.Classes
                    .Select(c => new GrainTypeStatistics(
                        c.GrainType.ToString(), c.Type.FullName!, c.Activations, c.Activated, c.RetiredRequests + living.GetValueOrDefault(c)))
                    .OrderBy(s => s.GrainType, StringComparer.Ordinal),
            ];
        }
    }
}

/// <summary>One grain class.</summary>
/// <param name="GrainType">The type part of its grain ids.</param>
/// <param name="ClassName">Full name of the class.</param>
/// <param name="Activations">In memory now.</param>
/// <param name="Activated">Ever since the start.</param>
/// <param name="Requests">Calls, timer ticks, reminders and stream deliveries finished since the start.</param>
public sealed record GrainTypeStatistics(string GrainType, string ClassName, long Activations, long Activated, long Requests);
