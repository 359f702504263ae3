using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Api.Projections;

/// <summary>What must run after a start although nobody has asked for it: grains wake only when they are called.</summary>
public interface IStartupQueries
{
    /// <summary>Waits until the projections hold everything that is in the journal now.</summary>
    Task CatchUpAsync(CancellationToken cancellation = default);

    /// <summary>Keys of the strategies that were started and not stopped.</summary>
    ImmutableArray<string> RunningStrategies();

    /// <summary>Keys of the accounts with orders at work or with positions.</summary>
    ImmutableArray<string> AccountsToWake();

    /// <summary>Keys of the jobs that have not ended, the oldest first.</summary>
    ImmutableArray<string> UnfinishedJobs();

    /// <summary>Ids of the users whose erasure is planned or has begun, and is not done: what came due while nothing ran is done now.</summary>
    ImmutableArray<string> UnfinishedErasures();
}

public sealed class StartupQueries(ReadSide reads, AccountQueries accounts, StrategyQueries strategies, JobQueries jobs, UserQueries users)
    : IStartupQueries
{
    public Task CatchUpAsync(CancellationToken cancellation = default) => reads.CatchUpAsync(cancellation);

    public ImmutableArray<string> RunningStrategies() => strategies.RunningStrategies();

    public ImmutableArray<string> AccountsToWake() => accounts.AccountsInTheMarket();

    public ImmutableArray<string> UnfinishedJobs() => jobs.Unfinished();

    public ImmutableArray<string> UnfinishedErasures() => users.BeingErased();
}
