using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Sqlite;

/// <summary>
/// A table that queries read, made of the journal and of nothing else, so that it can be thrown away and made again.
/// </summary>
public interface IProjection
{
    /// <summary>Stable and unique; the projection's place in the journal is kept under it.</summary>
    string Name { get; }

    /// <summary>Raised whenever the tables or their meaning change: they are then dropped and built from the first event.</summary>
    int Version { get; }

    /// <summary>Makes the tables anew, dropping what is there (<c>DROP TABLE IF EXISTS ...; CREATE TABLE ...</c>).</summary>
    void Create(ProjectionWriter writer);

    /// <summary>Takes in one event; the same event never comes twice. Events of other kinds, and erased ones, come as well.</summary>
    void Apply(RecordedEvent one, ProjectionWriter writer);

    /// <summary>A person is being erased: drops every row that holds more of them than ids and positions.</summary>
    /// <param name="subject">As the events say whose they are. Whatever of it comes later comes as erased.</param>
    void Erase(string subject, ProjectionWriter writer);
}

/// <summary>The writing side of a projection: statements are prepared once and run inside the batch's transaction.</summary>
public sealed class ProjectionWriter
{
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

    internal ProjectionWriter(SqliteConnection connection) => Connection = connection;

    /// <summary>For what <see cref="Execute"/> does not do; use with <see cref="Transaction"/>.</summary>
    public SqliteConnection Connection { get; }

    public SqliteTransaction Transaction { get; internal set; } = null!;

    /// <summary>Runs a statement with the values of its parameters <c>$1</c>, <c>$2</c>, ...; null is NULL.</summary>
    /// <returns>Count of rows changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => Bind(sql, values).ExecuteNonQuery();

    /// <summary>Reads one value, null where there is no row.</summary>
    public object? Scalar(string sql, params ReadOnlySpan<object?> values) =>
        Bind(sql, values).ExecuteScalar() is { } value and not DBNull ? value : null;

    internal void Release()
    {
        foreach (SqliteCommand command in _commands.Values) command.Dispose();
        _commands.Clear();
    }

    private SqliteCommand Bind(string sql, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out SqliteCommand? command))
        {
            _commands.Add(sql, command = Connection.CreateCommand());
            command.CommandText = sql;
            for (int i = 1; i <= values.Length; i++) command.Parameters.Add(new SqliteParameter("$" + i, null));
        }
        if (command.Parameters.Count != values.Length)
        {
            throw new ArgumentException($"{values.Length} values for a statement that had {command.Parameters.Count} before: {sql}");
        }
        for (int i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i] ?? DBNull.Value;
        command.Transaction = Transaction;
        return command;
    }
}

/// <summary>
/// Follows the journal for all projections in one loop: a batch is one transaction with the positions in it, so that after any crash each
/// goes on exactly where its tables are. A projection that throws is set aside with its error; the others go on.
/// </summary>
public sealed class ProjectionRunner : IAsyncDisposable
{
    private const int MaxBatch = 2000;

    private readonly IJournal _journal;
    private readonly SqliteDatabase _database;
    private readonly Dictionary<string, State> _states = new(StringComparer.Ordinal);

    // Of whom nothing may be in the tables, although their keys may not be destroyed yet. Touched by one flow of control.
    private readonly HashSet<string> _erased = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private bool _unclean = true;
    private Task? _running;
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <exception cref="ArgumentException">Two projections of one name.</exception>
    public ProjectionRunner(IJournal journal, SqliteDatabase database, IEnumerable<IProjection> projections)
    {
        _journal = journal;
        _database = database;
        foreach (IProjection projection in projections)
        {
            if (!_states.TryAdd(projection.Name, new State(projection))) throw new ArgumentException($"two projections are named {projection.Name}");
        }
    }

    /// <summary>Makes new or changed projections' tables and begins to follow.</summary>
    /// <exception cref="StorageException">The database refused.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        if (_running is not null) throw new InvalidOperationException("the projections are running");
        await _database.WriteAsync(Prepare, cancellation).ConfigureAwait(false);
        await CleanAsync(cancellation).ConfigureAwait(false);
        _running = Task.Run(FollowAsync, CancellationToken.None);
    }

    /// <summary>The position after the last event that a projection holds.</summary>
    public long Position(string projection)
    {
        lock (_gate) return Find(projection).Position;
    }

    /// <summary>Waits until a projection holds the event at a position: what a mutation returned as <c>minPosition</c>.</summary>
    /// <exception cref="StorageException">The projection failed, and will not get there.</exception>
    public async Task WaitForAsync(string projection, long minPosition, CancellationToken cancellation = default)
    {
        while (true)
        {
            Task moved;
            lock (_gate)
            {
                State state = Find(projection);
                if (state.Position > minPosition) return;
                if (state.Failure is { } failure) throw new StorageException(failure.Message, failure);
                moved = _moved.Task;
            }
            await moved.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_running is not null) await _running.ConfigureAwait(false);
        Fail("the projections are stopped", null);
        _stop.Dispose();
    }

    private State Find(string projection) => _states.TryGetValue(projection, out State? state)
        ? state
        : throw new ArgumentException($"there is no projection {projection}; there are {string.Join(", ", _states.Keys)}");

    private void Prepare(SqliteConnection connection, SqliteTransaction transaction)
    {
        var writer = new ProjectionWriter(connection) { Transaction = transaction };
        writer.Execute("CREATE TABLE IF NOT EXISTS erased (subject TEXT PRIMARY KEY) WITHOUT ROWID");
        writer.Execute("CREATE TABLE IF NOT EXISTS unclean (reason TEXT PRIMARY KEY) WITHOUT ROWID");
        using (SqliteCommand command = connection.CreateCommand())
        {
            (command.Transaction, command.CommandText) = (transaction, "SELECT subject FROM erased");
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read()) _erased.Add(row.GetString(0));
        }
        foreach (State state in _states.Values)
        {
            (int Version, long Position)? saved = SqlitePositionStore.Load(connection, transaction, state.Key);
            // Ahead of the journal: the tables came with another one, for example a backup's.
            bool usable = saved is { } known && known.Version == state.Projection.Version && known.Position <= _journal.DurableSize;
            state.Position = usable ? saved!.Value.Position : 0;
            if (usable) continue;
            state.Projection.Create(writer);
            SqlitePositionStore.Save(connection, transaction, state.Key, state.Projection.Version, 0);
        }
        writer.Release();
    }

    private async Task FollowAsync()
    {
        try
        {
            while (_states.Values.Any(state => state.Failure is null))
            {
                // From the slowest again whenever one was set aside, since its batch was rolled back for all.
                await FollowUntilFailureAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (ObjectDisposedException closed)
        {
            Fail("the journal was closed", closed);
        }
        catch (Exception failed)
        {
            Fail($"the projections have stopped: {failed.Message}", failed);
        }
    }

    private async Task FollowUntilFailureAsync()
    {
        long from = _states.Values.Where(state => state.Failure is null).Min(state => state.Position);
        var batch = new List<RecordedEvent>(MaxBatch);
        await using IAsyncEnumerator<RecordedEvent> events = _journal.SubscribeAsync(from, _stop.Token).GetAsyncEnumerator();
        while (await events.MoveNextAsync().ConfigureAwait(false))
        {
            batch.Clear();
            Add(events.Current, batch);
            while (batch.Count < MaxBatch && batch[^1].Position + 1 < _journal.DurableSize && await events.MoveNextAsync().ConfigureAwait(false))
            {
                Add(events.Current, batch);
            }
            if (!await ApplyAsync(batch).ConfigureAwait(false)) return;
            _unclean |= batch.Exists(one => BegunErasure(one) is not null);
            if (_unclean) await CleanAsync(_stop.Token).ConfigureAwait(false);
        }
    }

    private void Add(RecordedEvent one, List<RecordedEvent> batch)
    {
        if (BegunErasure(one) is { } begun) _erased.UnionWith(begun.Subjects);
        batch.Add(!one.Erased && _erased.Contains(one.Subject) ? one with { Payload = default, Erased = true } : one);
    }

    private static ErasureBegun? BegunErasure(RecordedEvent one) =>
        !one.Erased && one.Stream.StartsWith(ErasureEventCatalog.StreamPrefix, StringComparison.Ordinal)
            ? ErasureEventCatalog.Events.Decode(one) as ErasureBegun
            : null;

    /// <summary>
    /// Where rows of an erased person were dropped, nothing of them is to be left in the file: also when a process was cut off before it came to it.
    /// </summary>
    private async Task CleanAsync(CancellationToken cancellation)
    {
        try
        {
            long left = _database.Read(connection =>
            {
                using SqliteCommand command = connection.CreateCommand();
                command.CommandText = "SELECT count(*) FROM unclean";
                return (long)command.ExecuteScalar()!;
            });
            if (left > 0)
            {
                await _database.ScrubAsync(cancellation).ConfigureAwait(false);
                await _database.WriteAsync(
                    (connection, transaction) => SqliteDatabase.Execute(connection, "DELETE FROM unclean", transaction),
                    cancellation).ConfigureAwait(false);
            }
            _unclean = false;
        }
        catch (StorageException)
        {
            // The rows are gone all the same. It is tried again with the next events, and by the next start.
        }
    }

    // False when a projection was set aside and nothing was applied.
    private async Task<bool> ApplyAsync(List<RecordedEvent> batch)
    {
        long next = batch[^1].Position + 1;
        List<State> behind = [.. _states.Values.Where(state => state.Failure is null && state.Position < next)];
        try
        {
            await _database.WriteAsync(
                (connection, transaction) => Apply(batch, behind, next, connection, transaction),
                _stop.Token).ConfigureAwait(false);
        }
        catch (ProjectionFailedException failed)
        {
            lock (_gate) failed.State.Failure = new StorageException(failed.Message, failed.InnerException);
            SignalMoved();
            return false;
        }
        lock (_gate)
        {
            foreach (State state in behind) state.Position = next;
        }
        SignalMoved();
        return true;
    }

    private static void Apply(
        List<RecordedEvent> batch, List<State> behind, long next, SqliteConnection connection, SqliteTransaction transaction)
    {
        var writer = new ProjectionWriter(connection) { Transaction = transaction };
        try
        {
            foreach (State state in behind)
            {
                foreach (RecordedEvent one in batch)
                {
                    if (one.Position < state.Position) continue;
                    try
                    {
                        state.Projection.Apply(one, writer);
                        if (BegunErasure(one) is { } begun) Erase(begun, state.Projection, writer);
                    }
                    catch (Exception failed) when (!IsDiskTrouble(failed))
                    {
                        throw new ProjectionFailedException(
                            state,
                            $"projection {state.Projection.Name} failed at position {one.Position} ({one.Name} of {one.Stream}): {failed.Message}",
                            failed);
                    }
                }
                SqlitePositionStore.Save(connection, transaction, state.Key, state.Projection.Version, next);
            }
        }
        finally
        {
            writer.Release();
        }
    }

    private static void Erase(ErasureBegun begun, IProjection projection, ProjectionWriter writer)
    {
        foreach (string subject in begun.Subjects)
        {
            projection.Erase(subject, writer);
            writer.Execute("INSERT OR IGNORE INTO erased (subject) VALUES ($1)", subject);
        }
        writer.Execute("INSERT OR IGNORE INTO unclean (reason) VALUES ('erasure')");
    }

    // Full, read-only, I/O error, damaged: not the projection's fault.
    private static bool IsDiskTrouble(Exception failed) => failed is SqliteException { SqliteErrorCode: 8 or 10 or 11 or 13 };

    private void Fail(string message, Exception? cause)
    {
        lock (_gate)
        {
            foreach (State state in _states.Values) state.Failure ??= new StorageException(message, cause);
        }
        SignalMoved();
    }

    private void SignalMoved()
    {
        TaskCompletionSource moved;
        lock (_gate)
        {
            moved = _moved;
            _moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        moved.SetResult();
    }

    private sealed class State(IProjection projection)
    {
        public IProjection Projection => projection;
        public string Key => "projection/" + projection.Name;
        public long Position { get; set; }
        public StorageException? Failure { get; set; }
    }

    private sealed class ProjectionFailedException(State state, string message, Exception inner) : Exception(message, inner)
    {
        public State State => state;
    }
}
