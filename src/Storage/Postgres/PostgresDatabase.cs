using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// One database and the way to it: a bounded pool, time-outs, a circuit breaker. What only reads, or comes to the same when done twice, is tried
/// again when the connection failed; everything else fails at once, and the next call finds the server again by itself.
/// </summary>
public sealed class PostgresDatabase : IAsyncDisposable
{
    private const int Retries = 3;

    private readonly ResiliencePipeline _once;
    private readonly ResiliencePipeline _repeatable;

    private PostgresDatabase(NpgsqlDataSource source, PostgresOptions options, string name)
    {
        Source = source;
        Options = options;
        Name = name;
        var breaker = new CircuitBreakerStrategyOptions
        {
            // Two failures and more of them than successes within the window: one broken connection of the pool does not open it.
            ShouldHandle = new PredicateBuilder().Handle<Exception>(IsAway),
            FailureRatio = 0.6,
            MinimumThroughput = 4,
            SamplingDuration = TimeSpan.FromSeconds(2),
            BreakDuration = options.BreakDuration,
        };
        _once = new ResiliencePipelineBuilder().AddCircuitBreaker(breaker).Build();
        _repeatable = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<Exception>(refused => IsAway(refused) || IsCollision(refused)),
            MaxRetryAttempts = Retries,
            Delay = TimeSpan.FromMilliseconds(50),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        }).AddPipeline(_once).Build();
    }

    /// <summary><c>host:port/database</c>, for messages.</summary>
    public string Name { get; }

    internal NpgsqlDataSource Source { get; }

    internal PostgresOptions Options { get; }

    /// <summary>For what must tell apart itself how it failed.</summary>
    internal ResiliencePipeline Breaker => _once;

    /// <summary>Prepares the pool; connects to nothing yet.</summary>
    /// <param name="connection">See <see cref="PostgresAddress"/>.</param>
    /// <exception cref="ArgumentException">The connection or an option is not usable.</exception>
    public static PostgresDatabase Create(string connection, PostgresOptions? options = null, ILoggerFactory? log = null)
    {
        options ??= new PostgresOptions();
        options.Check();
        NpgsqlConnectionStringBuilder address = PostgresAddress.Parse(connection);
        address.Pooling = true;
        address.MaxPoolSize = options.MaxConnections;
        address.MinPoolSize = 0;
        address.Timeout = (int)options.ConnectTimeout.TotalSeconds;
        address.CommandTimeout = (int)options.CommandTimeout.TotalSeconds;
        address.CancellationTimeout = 500;
        address.MaxAutoPrepare = 100;
        address.AutoPrepareMinUsages = 2;
        address.TcpKeepAlive = true;
        address.ApplicationName ??= "HybridTrading";
        // A commit that was answered is on the medium, whatever the server's default; and no transaction that we left hanging holds up
        // the giving of positions.
        address.Options = $"-c synchronous_commit=on -c idle_in_transaction_session_timeout={(int)(4 * options.CommandTimeout).TotalMilliseconds}"
            + " -c default_transaction_isolation=read\\ committed -c timezone=UTC";
        var builder = new NpgsqlDataSourceBuilder(address.ConnectionString);
        if (log is not null) builder.UseLoggerFactory(log);
        return new PostgresDatabase(builder.Build(), options, PostgresAddress.Describe(address));
    }

    /// <summary>Runs work that may be done twice, on a connection of its own.</summary>
    /// <exception cref="StorageException">The database refused, or is away.</exception>
    public Task<T> RepeatableAsync<T>(string action, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation = default) =>
        RunAsync(_repeatable, action, work, cancellation);

    /// <summary>Runs work that must not be done twice, on a connection of its own.</summary>
    /// <inheritdoc cref="RepeatableAsync"/>
    public Task<T> OnceAsync<T>(string action, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation = default) =>
        RunAsync(_once, action, work, cancellation);

    /// <summary>For callers that cannot wait asynchronously. Repeats as <see cref="RepeatableAsync"/>.</summary>
    public T Repeatable<T>(string action, Func<NpgsqlConnection, T> work)
    {
        try
        {
            return _repeatable.Execute(() =>
            {
                using NpgsqlConnection connection = Source.OpenConnection();
                return work(connection);
            });
        }
        catch (Exception refused) when (Refused(refused, action) is { } told)
        {
            throw told;
        }
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    /// <summary>The server was not reached, broke off, or is going down or coming up: not the fault of what was asked.</summary>
    internal static bool IsAway(Exception refused) => refused switch
    {
        PostgresException server => server.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections
            || server.SqlState.StartsWith("08", StringComparison.Ordinal),
        NpgsqlException or SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>Two transactions met; the server rolled this one back whole, so it may be tried again.</summary>
    internal static bool IsCollision(Exception refused) =>
        refused is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>One line for the operator; null for what is no trouble of the database.</summary>
    internal StorageException? Refused(Exception refused, string action) => refused switch
    {
        BrokenCircuitException => new StorageException($"cannot {action}: the database {Name} is away", refused),
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn } => new StorageException(
            $"cannot {action}: the database {Name} lacks a table or column; run 'db migrate' on it", refused),
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => new StorageException(
            $"cannot {action}: the disk of the database {Name} is full; free space, nothing acknowledged is lost", refused),
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
            new StorageException($"cannot {action}: the database {Name} does not accept the user or its password", refused),
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => new StorageException(
            $"cannot {action}: there is no database {Name}; make it with createdb", refused),
        PostgresException server => new StorageException($"cannot {action} in the database {Name}: {server.MessageText}", refused),
        NpgsqlException or SocketException or TimeoutException => new StorageException(
            $"cannot {action}: the database {Name} is away: {(refused.InnerException ?? refused).Message}", refused),
        _ => null,
    };

    private async Task<T> RunAsync<T>(
        ResiliencePipeline pipeline, string action, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            return await pipeline.ExecuteAsync(async token =>
            {
                await using NpgsqlConnection connection = await Source.OpenConnectionAsync(token).ConfigureAwait(false);
                return await work(connection, token).ConfigureAwait(false);
            }, cancellation).ConfigureAwait(false);
        }
        catch (Exception refused) when (Refused(refused, action) is { } told)
        {
            throw told;
        }
    }
}

/// <summary>Short ways to write commands with positional parameters.</summary>
internal static class PostgresCommands
{
    /// <param name="values">Of <c>$1</c>, <c>$2</c>, ...; null is NULL, and needs a cast in the statement. A single array of references is cast to
    /// object, lest it be taken for the list.</param>
    public static NpgsqlCommand Command(this NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (object? value in values) command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }

    public static async Task<int> ExecuteAsync(
        this NpgsqlConnection connection, string sql, object?[] values, CancellationToken cancellation = default)
    {
        await using NpgsqlCommand command = connection.Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>For what takes as long as there are data.</summary>
    public static async Task ExecuteLongAsync(this NpgsqlConnection connection, string sql, object?[] values, CancellationToken cancellation = default)
    {
        await using NpgsqlCommand command = connection.Command(sql, values);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    public static async Task<T?> ScalarAsync<T>(
        this NpgsqlConnection connection, string sql, object?[] values, CancellationToken cancellation = default)
    {
        await using NpgsqlCommand command = connection.Command(sql, values);
        return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is { } value and not DBNull ? (T)value : default;
    }
}
