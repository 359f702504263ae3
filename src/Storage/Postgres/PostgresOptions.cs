using System.Globalization;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>How PostgreSQL is used. The defaults fit one silo beside others on a server of 100 connections.</summary>
public sealed record PostgresOptions
{
    /// <summary>Most connections that this process opens, 2 to 1000. The journal writes with one, integrates with one and listens with one.</summary>
    public int MaxConnections { get; init; } = 20;

    /// <summary>How long making a connection, or waiting for a free one, may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long one statement may take.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the circuit stays open after the server failed: what needs it is refused at once meanwhile. 0.5 s to 1 min.</summary>
    public TimeSpan BreakDuration { get; init; } = TimeSpan.FromSeconds(1);

    internal void Check()
    {
        if (MaxConnections is < 2 or > 1000) throw new ArgumentException($"MaxConnections is {MaxConnections}; expected 2 to 1000");
        CheckSpan(ConnectTimeout, nameof(ConnectTimeout), TimeSpan.FromSeconds(1));
        CheckSpan(CommandTimeout, nameof(CommandTimeout), TimeSpan.FromSeconds(1));
        CheckSpan(BreakDuration, nameof(BreakDuration), TimeSpan.FromSeconds(0.5));
    }

    private static void CheckSpan(TimeSpan span, string name, TimeSpan least)
    {
        if (span < least || span > TimeSpan.FromMinutes(1)) throw new ArgumentException($"{name} is {span}; expected {least} to 00:01:00");
    }
}

/// <summary>Where the database is, as an operator writes it.</summary>
public static class PostgresAddress
{
    private const string Form = "expected postgresql://user:password@host:port/database, or Host=...;Username=...;Password=...;Database=...";

    /// <summary>Reads an address (<c>postgresql://</c>) or the keywords of a connection string.</summary>
    /// <exception cref="ArgumentException">Neither; the message does not repeat the text, which may hold a password.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        NpgsqlConnectionStringBuilder address = text.Contains("://", StringComparison.Ordinal) ? OfUrl(text) : OfKeywords(text);
        if (string.IsNullOrEmpty(address.Host)) throw new ArgumentException($"the connection names no host; {Form}");
        if (string.IsNullOrEmpty(address.Database)) throw new ArgumentException($"the connection names no database; {Form}");
        return address;
    }

    /// <summary><c>host:port/database</c>: all that may be shown.</summary>
    public static string Describe(NpgsqlConnectionStringBuilder address) =>
        string.Create(CultureInfo.InvariantCulture, $"{address.Host}:{address.Port}/{address.Database}");

    private static NpgsqlConnectionStringBuilder OfKeywords(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new ArgumentException($"the connection is no connection string; {Form}");
        }
    }

    private static NpgsqlConnectionStringBuilder OfUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("postgresql" or "postgres") || url.Fragment.Length > 0
            || url.AbsolutePath.Trim('/').Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException($"the connection is no PostgreSQL address; {Form}");
        }
        var address = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host.Trim('[', ']'),
            Port = url.Port > 0 ? url.Port : NpgsqlConnection.DefaultPort,
            Database = Uri.UnescapeDataString(url.AbsolutePath.Trim('/')),
        };
        string[] user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0) address.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length == 2) address.Password = Uri.UnescapeDataString(user[1]);
        foreach (string pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            // What libpq calls sslmode; everything else is better said with keywords.
            string[] parts = pair.Split('=', 2);
            if (parts[0] != "sslmode" || parts.Length != 2
                || !Enum.TryParse(parts[1].Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out SslMode mode))
            {
                throw new ArgumentException($"the connection's parameter '{parts[0]}' is not known; expected sslmode, or keywords instead of an address");
            }
            address.SslMode = mode;
        }
        return address;
    }
}
