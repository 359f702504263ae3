using System.Collections.Immutable;
using System.Data.Common;
using System.Globalization;
using HybridTrading.Storage.Postgres;

namespace HybridTrading.Api.Ports;

/// <summary>A word about one environment variable; it never holds a secret's value.</summary>
public sealed record EnvironmentNote(string Variable, string Text);

/// <summary>What the documents' environment variables say.</summary>
/// <param name="HttpPorts">HTTP port by the service's name under the map, before the offset.</param>
/// <param name="WebSocketPorts">WebSocket port by the service's name under the map, before the offset.</param>
/// <param name="Settings">Configuration key and value; see <see cref="EnvironmentConfiguration"/>.</param>
/// <param name="Ignored">Variables that mean nothing here, and why.</param>
/// <param name="Warnings">Variables that were understood but should be changed.</param>
/// <param name="Errors">Variables that cannot be used; with one of these nothing starts.</param>
public sealed record EnvironmentReading(
    ImmutableSortedDictionary<string, int> HttpPorts,
    ImmutableSortedDictionary<string, int> WebSocketPorts,
    ImmutableSortedDictionary<string, string> Settings,
    ImmutableArray<EnvironmentNote> Ignored,
    ImmutableArray<EnvironmentNote> Warnings,
    ImmutableArray<EnvironmentNote> Errors);

/// <summary>
/// The one place where the environment variables that the source documents name become configuration (docs/ports.md lists them).
/// <list type="table">
/// <item><term><c>GATEWAY_PORT</c></term><description>HTTP port of api-gateway (the first such entry of the map).</description></item>
/// <item><term><c>HTTP_PORT</c>, <c>PORT</c>, <c>WS_PORT</c></term><description>HTTP and WebSocket port of the one service that the process
/// hosts; with several services they are ambiguous and ignored with a warning.</description></item>
/// <item><term><c>&lt;SERVICE&gt;_PORT</c>, <c>&lt;SERVICE&gt;_WS_PORT</c></term><description>The same for a service by name.</description></item>
/// <item><term><c>&lt;SERVICE&gt;_URL</c></term><description><c>Services:&lt;service&gt;:Url</c>, where another process hosts
/// it.</description></item>
/// <item><term><c>DATABASE_URL</c></term><description><c>Database:ConnectionString</c>, used by <c>OrleansHost=Cluster</c>.</description></item>
/// <item><term><c>Database__ConnectionString</c></term><description>The same with all that a connection string can say; it goes
/// before.</description></item>
/// <item><term><c>JWT_SECRET</c>, <c>REDIS_URL</c>, <c>NATS_URL</c>, <c>GRPC_PORT</c>, ports of infrastructure and of the user's PC</term><description>Known and
/// ignored, with the reason.</description></item>
/// </list>
/// </summary>
public static class EnvironmentConfiguration
{
    public const string DatabaseKey = "Database:ConnectionString";

    /// <summary>The variable of <see cref="DatabaseKey"/> itself; it goes before <c>DATABASE_URL</c>.</summary>
    public const string DatabaseVariable = "Database__ConnectionString";

    // Printed in a public document, so everybody knows it. It is here only to be refused.
    private const string PublishedDatabasePassword = "deltran_secure_pass_2024";

    private const string GatewayService = "api-gateway";

    /// <summary>The configuration key for the address of a service that another process hosts.</summary>
    /// <param name="service">Our service's name.</param>
    public static string UrlKey(string service) => $"Services:{service}:Url";

    /// <param name="variables">The process environment; empty values count as not set.</param>
    /// <param name="map">The chosen map.</param>
    /// <param name="hosted">Names, under the map, of the services that this process hosts.</param>
    public static EnvironmentReading Read(IReadOnlyDictionary<string, string> variables, PortMap map, IReadOnlyCollection<string> hosted) =>
        new Reader(variables, map, hosted).Read();

    private sealed class Reader(IReadOnlyDictionary<string, string> variables, PortMap map, IReadOnlyCollection<string> hosted)
    {
        private readonly SortedDictionary<string, (int Port, string Variable)> _http = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, (int Port, string Variable)> _webSocket = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, (string Value, string Variable)> _settings = new(StringComparer.Ordinal);
        private readonly List<EnvironmentNote> _ignored = [];
        private readonly List<EnvironmentNote> _warnings = [];
        private readonly List<EnvironmentNote> _errors = [];

        public EnvironmentReading Read()
        {
            ServicePort? gateway = map.Services.FirstOrDefault(s => s.Service == GatewayService);
            if (gateway is not null) OnPort("GATEWAY_PORT", port => Assign(_http, gateway.Name, "GATEWAY_PORT", port));
            else Ignore("GATEWAY_PORT", $"the map '{map.Name}' has no {GatewayService}");
            OfTheOneService("HTTP_PORT", _http);
            OfTheOneService("PORT", _http);
            OfTheOneService("WS_PORT", _webSocket);
            Ignore("GRPC_PORT", "there is no gRPC transport; the same calls are REST on the HTTP port");
            foreach (ServicePort s in map.Services) OfService(s);
            foreach ((string variable, string service) in Urls()) Url(variable, service);
            Database();
            Ignore("JWT_SECRET", "access tokens are signed with a key pair of the installation's own; a secret that is handed round could forge them");
            Ignore("REDIS_URL", "no cache server is used; hot state lives in grains");
            Ignore("NATS_URL", "no message broker is used; events travel by the journal and its outbox");
            foreach (ServicePort c in PortMap.Default.Clients)
            {
                Ignore($"{PortMapExport.VariableName(c.Name)}_PORT", "the program on the user's PC reads its own configuration");
                Ignore($"{PortMapExport.VariableName(c.Name)}_URL", "nothing here calls the user's PC; it calls us");
            }
            foreach (string variable in InfrastructureVariables()) Ignore(variable, "the program is not part of this system");
            return new EnvironmentReading(
                _http.ToImmutableSortedDictionary(p => p.Key, p => p.Value.Port, StringComparer.Ordinal),
                _webSocket.ToImmutableSortedDictionary(p => p.Key, p => p.Value.Port, StringComparer.Ordinal),
                _settings.ToImmutableSortedDictionary(p => p.Key, p => p.Value.Value, StringComparer.Ordinal),
                [.. _ignored],
                [.. _warnings],
                [.. _errors]);
        }

        private void OfTheOneService(string variable, SortedDictionary<string, (int Port, string Variable)> ports)
        {
            if (hosted.Count == 1)
            {
                OnPort(variable, port => Assign(ports, hosted.First(), variable, port));
            }
            else if (Value(variable) is not null)
            {
                _warnings.Add(new EnvironmentNote(variable, string.Create(
                    CultureInfo.InvariantCulture,
                    $"is ignored: this process hosts {hosted.Count} services; name one by --services, or use <SERVICE>_PORT")));
            }
        }

        private void OfService(ServicePort s)
        {
            string name = PortMapExport.VariableName(s.Name);
            // The gateway entry of one document is called 'gateway', so that its own variable is GATEWAY_PORT.
            if (name != "GATEWAY") OnPort($"{name}_PORT", port => Assign(_http, s.Name, $"{name}_PORT", port));
            if (s.WebSocketPort is not null) OnPort($"{name}_WS_PORT", port => Assign(_webSocket, s.Name, $"{name}_WS_PORT", port));
            Ignore($"{name}_GRPC_PORT", "there is no gRPC transport; the same calls are REST on the HTTP port");
            Ignore($"{name}_METRICS_PORT", "metrics are pushed or read on the HTTP port");
        }

        /// <summary>A service can be named as the chosen map, the default map or any document's own variables name it.</summary>
        private Dictionary<string, string> Urls()
        {
            Dictionary<string, string> urls = new(StringComparer.Ordinal);
            foreach (ServicePort s in map.Services.Concat(PortMap.Default.Services)) urls.TryAdd(Variable(s), s.Service);
            foreach (PortMap other in PortMap.Names.Select(PortMap.Load))
            {
                HashSet<string> named = [.. other.Services.SelectMany(s => s.Environment)];
                foreach (ServicePort s in other.Services.Where(s => named.Contains(Variable(s)))) urls.TryAdd(Variable(s), s.Service);
            }
            return urls;

            static string Variable(ServicePort s) => $"{PortMapExport.VariableName(s.Name)}_URL";
        }

        private void Url(string variable, string service)
        {
            if (Value(variable) is not { } value) return;
            if (Uri.TryCreate(value, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0)
            {
                Set(UrlKey(service), variable, url.GetLeftPart(UriPartial.Path).TrimEnd('/'));
            }
            else
            {
                _errors.Add(new EnvironmentNote(variable, "is not an address, expected http://host:port or https://host:port without a user name"));
            }
        }

        private void Database()
        {
            const string Variable = "DATABASE_URL", Form = "expected postgresql://user:password@host:port/database";
            if (Value(DatabaseVariable) is { } connectionString)
            {
                Database(connectionString);
                return;
            }
            if (Value(Variable) is not { } value) return;
            if (!Uri.TryCreate(value, UriKind.Absolute, out Uri? url) || url.Scheme is not ("postgresql" or "postgres") || url.Host.Length == 0
                || url.AbsolutePath.Trim('/') is not { Length: > 0 } database || database.Contains('/', StringComparison.Ordinal))
            {
                _errors.Add(new EnvironmentNote(Variable, $"is not a PostgreSQL address, {Form}"));
                return;
            }
            if (url.Query.Length > 0 || url.Fragment.Length > 0)
            {
                _errors.Add(new EnvironmentNote(Variable, $"has parameters after the database, {Form}; set {DatabaseKey} for anything else"));
                return;
            }
            string[] user = url.UserInfo.Split(':', 2);
            DbConnectionStringBuilder connection = new()
            {
                ["Host"] = url.Host.Trim('[', ']'),
                ["Port"] = url.Port > 0 ? url.Port : 5432,
                ["Database"] = Uri.UnescapeDataString(database),
            };
            if (user[0].Length > 0) connection["Username"] = Uri.UnescapeDataString(user[0]);
            if (user.Length == 2) connection["Password"] = Uri.UnescapeDataString(user[1]);
            if (user.Length == 2 && Uri.UnescapeDataString(user[1]) == PublishedDatabasePassword)
            {
                if (!url.IsLoopback)
                {
                    _errors.Add(new EnvironmentNote(Variable, "has the password that a public document prints, expected one that only you know"));
                    return;
                }
                _warnings.Add(new EnvironmentNote(
                    Variable, "has the password that a public document prints; change it before others can reach the database"));
            }
            Set(DatabaseKey, Variable, connection.ConnectionString);
        }

        /// <summary>All that a connection string can say, for example a password file or the server's certificate.</summary>
        private void Database(string text)
        {
            try
            {
                var address = PostgresAddress.Parse(text);
                if (address.Password == PublishedDatabasePassword)
                {
                    _errors.Add(new EnvironmentNote(DatabaseVariable, "has the password that a public document prints, expected one that only you know"));
                    return;
                }
                Set(DatabaseKey, DatabaseVariable, address.ConnectionString);
            }
            catch (ArgumentException wrong)
            {
                _errors.Add(new EnvironmentNote(DatabaseVariable, $"cannot be used: {wrong.Message}"));
            }
        }

        private IEnumerable<string> InfrastructureVariables() =>
            map.Infrastructure.Concat(PortMap.Default.Infrastructure)
                .SelectMany(i => i.Ports.Select(p => PortMapExport.InfrastructureVariable(i, p)))
                .Distinct(StringComparer.Ordinal);

        private void OnPort(string variable, Action<int> use)
        {
            if (Value(variable) is not { } value) return;
            if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is >= 1 and <= PortMap.MaxPort)
            {
                use(port);
            }
            else if (value.StartsWith("tcp://", StringComparison.Ordinal))
            {
                _ignored.Add(new EnvironmentNote(variable, "a container platform's link to another container, not a port to listen on"));
            }
            else
            {
                _errors.Add(new EnvironmentNote(variable, $"is '{value}', expected a whole number from 1 to 65535"));
            }
        }

        private void Assign(SortedDictionary<string, (int Port, string Variable)> ports, string service, string variable, int port)
        {
            if (ports.TryGetValue(service, out (int Port, string Variable) earlier) && earlier.Port != port)
            {
                _errors.Add(new EnvironmentNote(variable, string.Create(
                    CultureInfo.InvariantCulture, $"is {port} while {earlier.Variable} is {earlier.Port}, expected one port for {service}")));
            }
            ports[service] = (port, variable);
        }

        private void Set(string key, string variable, string value)
        {
            // Two names of a map can mean one service; either address reaches it.
            if (_settings.TryAdd(key, (value, variable)) || _settings[key].Value == value) return;
            _warnings.Add(new EnvironmentNote(variable, $"is ignored: {_settings[key].Variable} already gives {key}"));
        }

        private void Ignore(string variable, string why)
        {
            if (Value(variable) is not null && !_ignored.Any(n => n.Variable == variable)) _ignored.Add(new EnvironmentNote(variable, why));
        }

        private string? Value(string variable) => variables.TryGetValue(variable, out string? value) && value.Length > 0 ? value : null;
    }
}
