using System.Collections.Concurrent;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Optimisation;

/// <summary>One trial of a search.</summary>
/// <param name="Number">Its place in the search, from 0.</param>
public sealed record Trial(int Number, StrategyParameters Parameters, TrialStatistics Statistics);

/// <summary>Runs many things at once and keeps the results in order, so that neither threads nor interruptions change what comes out.</summary>
public static class Search
{
    /// <param name="known">Results of an earlier life, which are not made again; null for none.</param>
    /// <param name="finished">Called for each result as it is made, by one thread at a time.</param>
    /// <exception cref="OperationCanceledException">The search was stopped; all that <paramref name="finished"/> was told is whole.</exception>
    public static ImmutableArray<TResult> Run<T, TResult>(
        ImmutableArray<T> items, Func<T, TResult> run, int threads, IReadOnlyDictionary<int, TResult>? known = null, Action<int, TResult>? finished = null,
        CancellationToken cancellation = default)
    {
        if (threads < 1) throw new ArgumentOutOfRangeException(nameof(threads), threads, "expected 1 or more");
        var results = new TResult[items.Length];
        var telling = new Lock();
        void One(int i)
        {
            TResult result = results[i] = run(items[i]);
            if (finished is null) return;
            lock (telling) finished(i, result);
        }
        foreach ((int i, TResult result) in known ?? ImmutableDictionary<int, TResult>.Empty) results[i] = result;
        IEnumerable<int> open = Enumerable.Range(0, items.Length).Where(i => known?.ContainsKey(i) != true);
        try
        {
            Parallel.ForEach(Partitioner.Create(open, EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, One);
        }
        catch (AggregateException e) when (e.InnerExceptions.Any(inner => inner is OperationCanceledException) && cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (AggregateException e)
        {
            // The first of several threads that failed says it as well as all of them.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
        return [.. results];
    }

    /// <summary>The trials that keep to the constraints, the best first; equal ones by their number.</summary>
    public static ImmutableArray<Trial> Rank(IEnumerable<Trial> trials, Objective objective, TrialConstraints constraints) =>
        [.. trials.Where(trial => constraints.Broken(trial.Statistics) is null && objective.Value(trial.Statistics) is not null)
            .OrderByDescending(trial => objective.Value(trial.Statistics)).ThenBy(trial => trial.Number)];
}
