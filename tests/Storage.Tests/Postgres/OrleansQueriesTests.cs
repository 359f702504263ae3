using System.Data;
using HybridTrading.Storage.Postgres;
using Npgsql;

namespace HybridTrading.Storage.Tests.Postgres;

/// <summary>
/// The named queries that Orleans' ADO.NET providers load and call, called as they do it: by DbType, with the parameters' names, reading columns by
/// name. A provider refuses to start where a name is missing; here a test does.
/// </summary>
public sealed class OrleansQueriesTests(PostgresFixture postgres)
{
    private static readonly DateTime Now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private static readonly (string Name, object? Value, DbType Type)[] Silo =
        [Text("DeploymentId", "c1"), Ansi("Address", "10.0.0.1"), Number("Port", 11111), Number("Generation", 7)];

    private static readonly (string Name, object? Value, DbType Type)[] State =
    [
        Number("GrainIdHash", -5), Long("GrainIdN0", 0), Long("GrainIdN1", long.MaxValue), Number("GrainTypeHash", 9),
        Text("GrainTypeString", "market"), Text("GrainIdExtensionString", "EURUSD"), Text("ServiceId", "s"),
    ];

    /// <summary>Each query: its parameters as the provider adds them, and the columns that it reads by name ("" = by place).</summary>
    private static readonly Dictionary<string, (string[] Parameters, string[] Columns)> Contract = new()
    {
        ["InsertMembershipVersionKey"] = (["DeploymentId"], [""]),
        ["InsertMembershipKey"] = (
            ["DeploymentId", "IAmAliveTime", "SiloName", "HostName", "Address", "Port", "Generation", "StartTime", "Status", "ProxyPort", "Version"], [""]),
        ["UpdateMembershipKey"] = (["DeploymentId", "Address", "Port", "Generation", "IAmAliveTime", "Status", "SuspectTimes", "Version"], [""]),
        ["UpdateIAmAlivetimeKey"] = (["DeploymentId", "Address", "Port", "Generation", "IAmAliveTime"], []),
        ["MembershipReadRowKey"] = (["DeploymentId", "Address", "Port", "Generation"], MembershipColumns),
        ["MembershipReadAllKey"] = (["DeploymentId"], MembershipColumns),
        ["GatewaysQueryKey"] = (["DeploymentId", "Status"], ["Address", "ProxyPort", "Generation"]),
        ["DeleteMembershipTableEntriesKey"] = (["DeploymentId"], []),
        ["CleanupDefunctSiloEntriesKey"] = (["DeploymentId", "IAmAliveTime"], []),
        ["UpsertReminderRowKey"] = (["ServiceId", "GrainHash", "GrainId", "ReminderName", "StartTime", "Period"], ["Version"]),
        ["ReadReminderRowsKey"] = (["ServiceId", "GrainId"], ReminderColumns),
        ["ReadReminderRowKey"] = (["ServiceId", "GrainId", "ReminderName"], ReminderColumns),
        ["ReadRangeRows1Key"] = (["ServiceId", "BeginHash", "EndHash"], ReminderColumns),
        ["ReadRangeRows2Key"] = (["ServiceId", "BeginHash", "EndHash"], ReminderColumns),
        ["DeleteReminderRowKey"] = (["ServiceId", "GrainId", "ReminderName", "Version"], [""]),
        ["DeleteReminderRowsKey"] = (["ServiceId"], []),
        ["ReadFromStorageKey"] = (StateParameters, ["PayloadBinary", "Version"]),
        ["WriteToStorageKey"] = ([.. StateParameters, "GrainStateVersion", "PayloadBinary"], ["NewGrainStateVersion"]),
        ["ClearStorageKey"] = ([.. StateParameters, "GrainStateVersion"], [""]),
        ["DeleteStorageKey"] = ([.. StateParameters, "GrainStateVersion"], [""]),
    };

    public static TheoryData<string> Names { get; } = [.. Contract.Keys];

    private static string[] MembershipColumns =>
        ["Version", "Address", "Port", "Generation", "SiloName", "HostName", "Status", "ProxyPort", "SuspectTimes", "StartTime", "IAmAliveTime"];

    private static string[] ReminderColumns => ["GrainId", "ReminderName", "StartTime", "Period", "Version"];

    private static string[] StateParameters =>
        ["GrainIdHash", "GrainIdN0", "GrainIdN1", "GrainTypeHash", "GrainTypeString", "GrainIdExtensionString", "ServiceId"];

    [Fact]
    public async Task The_queries_that_the_providers_load_are_there_and_no_others()
    {
        await using OrleansDatabase database = await OpenAsync();
        Assert.Equal(Contract.Keys.Order(StringComparer.Ordinal), database.Queries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(20, Contract.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Each_query_takes_the_providers_parameters_and_gives_the_columns_that_they_read(string name)
    {
        await using OrleansDatabase database = await OpenAsync();
        (string[] parameters, string[] columns) = Contract[name];
        // The text uses what is given and nothing else.
        Assert.Equal(parameters.Order(), System.Text.RegularExpressions.Regex.Matches(database.Queries[name], "@([A-Za-z0-9]+)")
            .Select(match => match.Groups[1].Value).Distinct().Order());
        await using NpgsqlCommand command = database.Command(name, [.. parameters.Select(Any)]);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync();
        if (columns is [""]) Assert.Equal(1, row.FieldCount);
        else foreach (string column in columns) Assert.InRange(row.GetOrdinal(column), 0, row.FieldCount - 1);
        if (columns.Length == 0) Assert.Equal(0, row.FieldCount);
    }

    [Fact]
    public async Task A_change_of_members_needs_the_version_that_it_saw()
    {
        await using OrleansDatabase database = await OpenAsync();
        Assert.True(await database.SingleAsync<bool>("InsertMembershipVersionKey", Text("DeploymentId", "c1")));
        Assert.False(await database.SingleAsync<bool>("InsertMembershipVersionKey", Text("DeploymentId", "c1")));
        Dictionary<string, object?> empty = Assert.Single(await database.ReadAsync("MembershipReadAllKey", Text("DeploymentId", "c1")));
        Assert.Equal((0, null), (empty["version"], empty["starttime"]));

        Assert.False(await InsertAsync(Silo, version: 1));
        Assert.True(await InsertAsync(Silo, version: 0));
        Assert.False(await InsertAsync(Silo, version: 1));
        (string Name, object? Value, DbType Type)[] second = [Silo[0], Ansi("Address", "10.0.0.2"), Silo[2], Silo[3]];
        Assert.False(await InsertAsync(second, version: 0));
        bool[] race = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => InsertAsync(
            [Silo[0], Ansi("Address", $"10.0.1.{i}"), Silo[2], Silo[3]], version: 1))));
        Assert.Single(race, won => won);
        List<Dictionary<string, object?>> all = await database.ReadAsync("MembershipReadAllKey", Text("DeploymentId", "c1"));
        Assert.Equal(2, all.Count);
        Assert.All(all, row => Assert.Equal(2, row["version"]));

        Dictionary<string, object?> row = Assert.Single(await database.ReadAsync("MembershipReadRowKey", Silo));
        Assert.Equal(
            ("10.0.0.1", 11111, 7, "silo-1", "host", 2, 30000, null, Now, Now.AddSeconds(1)),
            (row["address"], row["port"], row["generation"], row["siloname"], row["hostname"], row["status"], row["proxyport"], row["suspecttimes"],
                row["starttime"], row["iamalivetime"]));
        Assert.Empty(await GatewaysAsync());
        Assert.False(await UpdateAsync(Silo, 3, null, version: 1));
        Assert.True(await UpdateAsync(Silo, 3, "10.0.0.2:1@2,2026-01-02 03:04:05.000 GMT", version: 2));
        Assert.False(await UpdateAsync([Silo[0], Silo[1], Silo[2], Number("Generation", 8)], 3, null, version: 3));
        Dictionary<string, object?> gateway = Assert.Single(await GatewaysAsync());
        Assert.Equal(("10.0.0.1", 30000, 7), (gateway["address"], gateway["proxyport"], gateway["generation"]));

        // Signs of life leave the version alone; what is gone and silent is cleaned up, what is active is not.
        await database.ExecuteAsync("UpdateIAmAlivetimeKey", [.. Silo, Time("IAmAliveTime", Now.AddHours(1))]);
        row = Assert.Single(await database.ReadAsync("MembershipReadRowKey", Silo));
        Assert.Equal((3, Now.AddHours(1), "10.0.0.2:1@2,2026-01-02 03:04:05.000 GMT"), (row["version"], row["iamalivetime"], row["suspecttimes"]));
        await database.ExecuteAsync("CleanupDefunctSiloEntriesKey", Text("DeploymentId", "c1"), Time("IAmAliveTime", Now.AddHours(2)));
        Assert.Equal(3, Assert.Single(await database.ReadAsync("MembershipReadAllKey", Text("DeploymentId", "c1")))["status"]);
        // Another cluster in the same tables is left alone.
        await database.SingleAsync<bool>("InsertMembershipVersionKey", Text("DeploymentId", "c2"));
        await database.ExecuteAsync("DeleteMembershipTableEntriesKey", Text("DeploymentId", "c1"));
        Assert.Empty(await database.ReadAsync("MembershipReadAllKey", Text("DeploymentId", "c1")));
        Assert.Single(await database.ReadAsync("MembershipReadAllKey", Text("DeploymentId", "c2")));

        Task<bool> InsertAsync((string, object?, DbType)[] silo, int version) => database.SingleAsync<bool>("InsertMembershipKey",
            [.. silo, Time("IAmAliveTime", Now.AddSeconds(1)), Text("SiloName", "silo-1"), Text("HostName", "host"), Time("StartTime", Now), Number("Status", 2),
                Number("ProxyPort", 30000), Number("Version", version)]);

        Task<bool> UpdateAsync((string, object?, DbType)[] silo, int status, string? suspects, int version) => database.SingleAsync<bool>(
            "UpdateMembershipKey",
            [.. silo, Time("IAmAliveTime", Now), Number("Status", status), Text("SuspectTimes", suspects), Number("Version", version)]);

        Task<List<Dictionary<string, object?>>> GatewaysAsync() =>
            database.ReadAsync("GatewaysQueryKey", Text("DeploymentId", "c1"), Number("Status", 3));
    }

    [Fact]
    public async Task Reminders_are_kept_by_grain_and_name_and_found_by_their_place_on_the_ring()
    {
        await using OrleansDatabase database = await OpenAsync();
        Assert.Equal(0, await UpsertAsync("g1", "daily", -100, Number("Period", 60_000)));
        Assert.Equal(1, await UpsertAsync("g1", "daily", -100, Number("Period", 90_000)));
        Assert.Equal(0, await UpsertAsync("g1", "weekly", -100, Long("Period", 7L * 24 * 3600 * 1000 * 60)));
        Assert.Equal(0, await UpsertAsync("g2", "daily", 100, Number("Period", 60_000)));

        Assert.Equal(2, (await database.ReadAsync("ReadReminderRowsKey", Text("ServiceId", "s"), Ansi("GrainId", "g1"))).Count);
        Dictionary<string, object?> row = Assert.Single(
            await database.ReadAsync("ReadReminderRowKey", Text("ServiceId", "s"), Ansi("GrainId", "g1"), Text("ReminderName", "daily")));
        Assert.Equal(("g1", "daily", Now, 90_000L, 1), (row["grainid"], row["remindername"], row["starttime"], row["period"], row["version"]));
        Assert.Equal(["g1", "g1"], await RangeAsync("ReadRangeRows1Key", -101, -100));
        Assert.Equal(["g2"], await RangeAsync("ReadRangeRows1Key", -100, 100));
        Assert.Equal(["g1", "g1"], await RangeAsync("ReadRangeRows2Key", 100, -100));
        Assert.Equal(["g1", "g1", "g2"], await RangeAsync("ReadRangeRows2Key", 7, 7));

        Assert.False(await DeleteAsync(version: 0));
        Assert.True(await DeleteAsync(version: 1));
        Assert.False(await DeleteAsync(version: 1));
        await database.ExecuteAsync("DeleteReminderRowsKey", Text("ServiceId", "other"));
        Assert.Equal(2, (await RangeAsync("ReadRangeRows2Key", 0, 0)).Count);
        await database.ExecuteAsync("DeleteReminderRowsKey", Text("ServiceId", "s"));
        Assert.Empty(await RangeAsync("ReadRangeRows2Key", 0, 0));

        Task<int> UpsertAsync(string grain, string name, int hash, (string, object?, DbType) period) => database.SingleAsync<int>("UpsertReminderRowKey",
            Text("ServiceId", "s"), Number("GrainHash", hash), Ansi("GrainId", grain), Text("ReminderName", name), Time("StartTime", Now), period);

        Task<bool> DeleteAsync(int version) => database.SingleAsync<bool>("DeleteReminderRowKey",
            Text("ServiceId", "s"), Ansi("GrainId", "g1"), Text("ReminderName", "daily"), Number("Version", version));

        async Task<List<object?>> RangeAsync(string query, int begin, int end) =>
            [.. (await database.ReadAsync(query, Text("ServiceId", "s"), Number("BeginHash", begin), Number("EndHash", end))).Select(one => one["grainid"]).Order()];
    }

    [Fact]
    public async Task Grain_state_is_written_only_over_the_version_that_was_read()
    {
        await using OrleansDatabase database = await OpenAsync();
        Assert.Empty(await database.ReadAsync("ReadFromStorageKey", State));
        // The first write has no version; of several at once one succeeds, and the others get nothing back.
        int?[] first = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => WriteAsync(State, null, [1, 2]))));
        Assert.Equal(1, Assert.Single(first, version => version is not null));
        Assert.Equal(2, await WriteAsync(State, 1, [3]));
        Assert.Equal(1, await WriteAsync(State, 1, [4]));
        Dictionary<string, object?> row = Assert.Single(await database.ReadAsync("ReadFromStorageKey", State));
        Assert.Equal(2, row["version"]);
        Assert.Equal([3], Assert.IsType<byte[]>(row["payloadbinary"]));

        // Neighbours by one part of the key are other states; no extension is none.
        foreach (int part in new[] { 1, 2, 4, 5, 6 })
        {
            (string Name, object? Value, DbType Type)[] other = [.. State];
            other[part].Value = other[part].Value is long ? 17L : other[part].Name == "GrainIdExtensionString" ? null : "x";
            Assert.Empty(await database.ReadAsync("ReadFromStorageKey", other));
            Assert.Equal(1, await WriteAsync(other, null, [(byte)part]));
            Assert.Equal([(byte)part], Assert.IsType<byte[]>(Assert.Single(await database.ReadAsync("ReadFromStorageKey", other))["payloadbinary"]));
        }

        Assert.Equal(1, await database.SingleAsync<int?>("ClearStorageKey", [.. State, Number("GrainStateVersion", 1)]));
        Assert.Equal(3, await database.SingleAsync<int?>("ClearStorageKey", [.. State, Number("GrainStateVersion", 2)]));
        row = Assert.Single(await database.ReadAsync("ReadFromStorageKey", State));
        Assert.Equal((3, null), (row["version"], row["payloadbinary"]));
        Assert.Null(await WriteAsync(State, null, [5]));
        Assert.Equal(4, await WriteAsync(State, 3, [5]));
        Assert.Equal(3, await database.SingleAsync<int?>("DeleteStorageKey", [.. State, Number("GrainStateVersion", 3)]));
        Assert.Equal(5, await database.SingleAsync<int?>("DeleteStorageKey", [.. State, Number("GrainStateVersion", 4)]));
        Assert.Empty(await database.ReadAsync("ReadFromStorageKey", State));
        Assert.Equal(1, await WriteAsync(State, null, [6]));

        Task<int?> WriteAsync((string, object?, DbType)[] key, int? version, byte[] payload) => database.SingleAsync<int?>("WriteToStorageKey",
            [.. key, ("GrainStateVersion", version, DbType.Int32), ("PayloadBinary", payload, DbType.Binary)]);
    }

    private async Task<OrleansDatabase> OpenAsync() => await OrleansDatabase.OpenAsync(await postgres.DatabaseAsync());

    private static (string, object?, DbType) Text(string name, string? value) => (name, value, DbType.String);

    private static (string, object?, DbType) Ansi(string name, string value) => (name, value, DbType.AnsiString);

    private static (string, object?, DbType) Number(string name, int value) => (name, value, DbType.Int32);

    private static (string, object?, DbType) Long(string name, long value) => (name, value, DbType.Int64);

    private static (string, object?, DbType) Time(string name, DateTime value) => (name, value, DbType.DateTime);

    private static (string, object?, DbType) Any(string name) => name switch
    {
        "Address" or "GrainId" => Ansi(name, "x"),
        "DeploymentId" or "SiloName" or "HostName" or "SuspectTimes" or "ServiceId" or "ReminderName" or "GrainTypeString" or "GrainIdExtensionString" =>
            Text(name, "x"),
        "IAmAliveTime" or "StartTime" => Time(name, Now),
        "GrainIdN0" or "GrainIdN1" => Long(name, 1),
        "PayloadBinary" => (name, new byte[] { 1 }, DbType.Binary),
        _ => Number(name, 1),
    };

    private sealed class OrleansDatabase : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _source;

        private OrleansDatabase(NpgsqlDataSource source) => _source = source;

        public Dictionary<string, string> Queries { get; } = [];

        public static async Task<OrleansDatabase> OpenAsync(string connection)
        {
            var database = new OrleansDatabase(NpgsqlDataSource.Create(connection));
            await using NpgsqlCommand command = database._source.CreateCommand("SELECT QueryKey, QueryText FROM OrleansQuery");
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync();
            while (await row.ReadAsync()) database.Queries.Add((string)row["QueryKey"], (string)row["QueryText"]);
            return database;
        }

        public NpgsqlCommand Command(string query, (string Name, object? Value, DbType Type)[] parameters)
        {
            NpgsqlCommand command = _source.CreateCommand(Queries[query]);
            foreach ((string name, object? value, DbType type) in parameters)
            {
                command.Parameters.Add(new NpgsqlParameter { ParameterName = name, Value = value ?? DBNull.Value, DbType = type });
            }
            return command;
        }

        public async Task<List<Dictionary<string, object?>>> ReadAsync(string query, params (string, object?, DbType)[] parameters)
        {
            await using NpgsqlCommand command = Command(query, parameters);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync();
            List<Dictionary<string, object?>> rows = [];
            while (await row.ReadAsync())
            {
                rows.Add(Enumerable.Range(0, row.FieldCount).ToDictionary(i => row.GetName(i), i => row.IsDBNull(i) ? null : row.GetValue(i)));
            }
            return rows;
        }

        public async Task<T?> SingleAsync<T>(string query, params (string, object?, DbType)[] parameters) =>
            (T?)Assert.Single(Assert.Single(await ReadAsync(query, parameters))).Value;

        public async Task ExecuteAsync(string query, params (string, object?, DbType)[] parameters)
        {
            await using NpgsqlCommand command = Command(query, parameters);
            await command.ExecuteNonQueryAsync();
        }

        public ValueTask DisposeAsync() => _source.DisposeAsync();
    }
}
