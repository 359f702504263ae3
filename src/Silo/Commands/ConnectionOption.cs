using System.CommandLine;
using HybridTrading.Api.Ports;
using HybridTrading.Storage.Postgres;

namespace HybridTrading.Silo.Commands;

/// <summary><c>--connection</c>: the database of a cluster. It may hold a password, so the environment is the better place for it.</summary>
public static class ConnectionOption
{
    private const string Setting = EnvironmentConfiguration.DatabaseVariable;

    public static Option<string?> Create() => new("--connection", "-c")
    {
        Description = $"PostgreSQL, as postgresql://user:password@host:port/database or Host=...;Database=...; default: DATABASE_URL or {Setting} of the environment",
        Recursive = true,
    };

    /// <returns>Null where nobody names a database.</returns>
    public static string? Find(string? given) => new[] { given, Environment.GetEnvironmentVariable(Setting), Environment.GetEnvironmentVariable("DATABASE_URL") }
        .FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));

    /// <exception cref="UsageException">Nobody names a database.</exception>
    public static PostgresDatabase Open(string? given) => PostgresDatabase.Create(
        Find(given) ?? throw new UsageException($"no database is named; expected --connection, or DATABASE_URL or {Setting} in the environment"));
}
