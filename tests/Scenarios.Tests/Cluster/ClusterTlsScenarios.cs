using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using HybridTrading.Api.Ports;
using HybridTrading.Silo.Hosting.Tls;
using HybridTrading.Storage.Keys;
using Npgsql;

namespace HybridTrading.Scenarios.Tests.Cluster;

/// <summary>
/// Two silos and an API process beyond loopback, as containers run them: told by the environment, the password in a file, one silo's certificates behind
/// links that are exchanged. They meet by mutual TLS; nobody else gets a word out of a silo's or a gateway's port.
/// </summary>
public sealed class ClusterTlsScenarios(ITestOutputHelper output) : IAsyncDisposable
{
    private const string Name = "hybrid.test", Services = "data-bridge,feature-engineering,trading-engine,database-service,user-service,configuration-service,central-hub,notification-service";
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3), Answer = TimeSpan.FromMinutes(1), Moment = TimeSpan.FromSeconds(1);

    private readonly TempFolder _folder = new();
    private readonly List<HybridProgram> _programs = [];
    private readonly IPAddress _address = OwnAddress();
    private PortBlock[] _ports = [];
    private PostgresServer? _server;

    [Fact]
    public async Task Silos_meet_by_their_authority_and_nobody_else_comes_in()
    {
        _ports = await PortBlock.TakeAsync(3);
        _server = await PostgresServer.StartNewAsync();
        string database = await _server.CreateDatabaseAsync();
        FileKeyProvider.CreateMaster(_folder["master.key"]);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        ClusterAuthority authority = ClusterAuthority.Create(_folder["ca"], Name, TimeSpan.FromDays(365), now - TimeSpan.FromDays(30));
        foreach (string process in (string[])["one", "api"]) authority.Issue(_folder[process], process, Name, TimeSpan.FromDays(1), now);
        Mount(authority, "two", now);

        await RunAsync(database, "one", "db", "migrate");
        await StartAsync(database, "one", 0, Services);
        await StartAsync(database, "two", 1, Services);
        Assert.Equal(2, await ActiveAsync(database));
        HybridProgram api = await StartAsync(database, "api", 2, "api-gateway");
        await OpenAccountAsync();

        authority.Issue(_folder["expired"], "expired", Name, TimeSpan.FromDays(1), now - TimeSpan.FromDays(3));
        authority.Issue(_folder["elsewhere"], "elsewhere", "other.test", TimeSpan.FromDays(1), now);
        ClusterAuthority.Create(_folder["other"], Name, TimeSpan.FromDays(365), now).Issue(_folder["stranger"], "stranger", Name, TimeSpan.FromDays(1), now);
        ServicePort first = PortMap.Default.Services.Single(service => service.Name == "data-bridge");
        foreach (int port in (int[])[first.SiloPort + _ports[0].Offset, first.GatewayPort + _ports[0].Offset])
        {
            Assert.True(await PlainIsRefusedAsync(port), $"plain TCP gets an answer on port {port}");
            Assert.Equal(Meeting.Refused, (await MeetAsync(port, null)).Outcome);
            foreach ((string who, string why) in ((string, string)[])[("stranger", ""), ("expired", "NotTimeValid"), ("elsewhere", $"does not carry the cluster's name '{Name}'")])
            {
                using X509Certificate2 certificate = Load(who);
                Assert.True((await MeetAsync(port, certificate)).Outcome == Meeting.Refused, $"{who} is admitted on port {port}");
                await SaysAsync(_programs[0], $"(CN={who})", why);
            }
            using X509Certificate2 member = Load("api");
            Assert.Equal(Meeting.Admitted, (await MeetAsync(port, member, Moment)).Outcome);
        }

        // Replaced files are used from the next handshake on, plain ones as well as links.
        authority.Issue(_folder["one"], "one", Name, TimeSpan.FromDays(2), now);
        Mount(authority, "two", now);
        foreach ((string process, int number) in ((string, int)[])[("one", 0), ("two", 1)])
        {
            using X509Certificate2 member = Load("api"), replaced = Load(process);
            Assert.Equal((Meeting.Admitted, replaced.Thumbprint), await MeetAsync(first.SiloPort + _ports[number].Offset, member, Moment));
            Assert.Equal((Meeting.Admitted, replaced.Thumbprint), await MeetAsync(first.GatewayPort + _ports[number].Offset, member, Moment));
        }
        Assert.Equal(2, await ActiveAsync(database));
        Assert.False(api.HasExited);
        foreach (HybridProgram program in _programs.AsEnumerable().Reverse())
        {
            long asked = Stopwatch.GetTimestamp();
            (await program.TerminateAsync()).Succeeded();
            output.WriteLine($"stopped in {Stopwatch.GetElapsedTime(asked).TotalSeconds:N1} s");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HybridProgram program in _programs) await program.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        foreach (PortBlock block in _ports) block.Dispose();
        _folder.Dispose();
    }

    private enum Meeting
    {
        Refused,
        Admitted,
    }

    /// <summary>An address of this machine beyond loopback; where it has none, one of loopback that is not the usual one.</summary>
    private static IPAddress OwnAddress() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(each => each.OperationalStatus == OperationalStatus.Up)
        .SelectMany(each => each.GetIPProperties().UnicastAddresses)
        .Select(each => each.Address)
        .FirstOrDefault(each => each.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(each)) ?? IPAddress.Parse("127.0.0.2");

    /// <summary>Files as a container platform mounts them: links through <c>..data</c>, which is exchanged for another folder.</summary>
    private void Mount(ClusterAuthority authority, string process, DateTimeOffset now)
    {
        string version = $"..{Guid.NewGuid():N}", folder = _folder[process];
        authority.Issue(Path.Combine(folder, version), process, Name, TimeSpan.FromDays(1), now);
        string data = Path.Combine(folder, "..data");
        File.Delete(data);
        File.CreateSymbolicLink(data, version);
        foreach (string file in (string[])[$"{process}.crt", $"{process}.key"])
        {
            if (!File.Exists(Path.Combine(folder, file))) File.CreateSymbolicLink(Path.Combine(folder, file), Path.Combine("..data", file));
        }
    }

    private Dictionary<string, string> EnvironmentOf(string database, string process)
    {
        var connection = new NpgsqlConnectionStringBuilder(_server!.ConnectionString(database));
        string passfile = _folder.Write("pgpass", $"*:*:*:{connection.Username}:{connection.Password}\n");
        connection.Password = null;
        connection.Passfile = passfile;
        return new()
        {
            [EnvironmentConfiguration.DatabaseVariable] = connection.ConnectionString,
            ["HYBRID_DATA"] = _folder[$"data-{process}"],
            ["HYBRID_MASTER_KEY"] = _folder["master.key"],
            ["HYBRID_CLUSTER_NAME"] = Name,
            ["HYBRID_CLUSTER_LISTEN"] = $"{_address}",
            ["HYBRID_TLS_AUTHORITY"] = _folder[Path.Combine("ca", ClusterAuthority.CertificateFile)],
            ["HYBRID_TLS_CERTIFICATE"] = _folder[Path.Combine(process, $"{process}.crt")],
            ["HYBRID_TLS_KEY"] = _folder[Path.Combine(process, $"{process}.key")],
            ["HYBRID_NO_DASHBOARD"] = "true",
        };
    }

    private async Task RunAsync(string database, string process, params string[] arguments)
    {
        await using HybridProgram program = HybridProgram.Start(EnvironmentOf(database, process), arguments);
        (await program.WaitAsync()).Succeeded();
    }

    private async Task<HybridProgram> StartAsync(string database, string process, int number, string services)
    {
        Dictionary<string, string> environment = EnvironmentOf(database, process);
        environment["HYBRID_SERVICES"] = services;
        environment["HYBRID_PORT_OFFSET"] = $"{_ports[number].Offset}";
        HybridProgram program = HybridProgram.Start(environment, "run");
        _programs.Add(program);
        await UntilAsync(() =>
        {
            Assert.False(program.HasExited, $"{process} ended: {program.Output}\n{program.Error}");
            return program.Output.Contains("Ctrl+C stops.", StringComparison.Ordinal);
        }, () => $"{process} is not up: {program.Output}\n{program.Error}");
        await using HybridProgram health = HybridProgram.Start(environment, "health", "--ready", "--timeout", "60");
        ProgramResult ready = await health.WaitAsync();
        Assert.True(ready.ExitCode == 0, $"{ready}\n{process}: {program.Output}\n{program.Error}\n{string.Join("\n----\n", _programs.Select(p => p.Output))}");
        return program;
    }

    private Task SaysAsync(HybridProgram program, params string[] words) => UntilAsync(
        () => program.Output.Split('\n').Any(line => line.Contains("is refused", StringComparison.Ordinal) && words.All(word => line.Contains(word, StringComparison.Ordinal))),
        () => $"no line says {string.Join(", ", words)}: {program.Output}");

    private static async Task UntilAsync(Func<bool> condition, Func<string> otherwise)
    {
        DateTime limit = DateTime.UtcNow + Longest;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < limit, otherwise());
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Members of the cluster that are at work, by Orleans' own table.</summary>
    private async Task<long> ActiveAsync(string database)
    {
        await using var connection = new NpgsqlConnection(_server!.ConnectionString(database));
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("SELECT count(*) FROM OrleansMembershipTable WHERE Status = 3 AND Address = @address", connection);
        command.Parameters.AddWithValue("address", $"{_address}");
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    /// <summary>From the API process through a gateway to a grain.</summary>
    private async Task OpenAccountAsync()
    {
        int gateway = PortMap.Default.Services.Single(service => service.Name == ServiceEndpoints.Gateway).Port;
        var owner = new OwnerSession(() => string.Concat(_programs.Select(program => program.Output)));
        using HttpClient client = owner.Client(TimeSpan.FromSeconds(30), new Uri($"http://127.0.0.1:{gateway + _ports[2].Offset}"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/accounts")
        {
            Content = JsonContent.Create(new { name = "by-tls", currency = "USD", deposit = 1000, limits = new { } }),
        };
        request.Headers.Add("Idempotency-Key", "open");
        using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private X509Certificate2 Load(string name)
    {
        using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(_folder[Path.Combine(name, $"{name}.crt")], _folder[Path.Combine(name, $"{name}.key")]);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null);
    }

    private async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_address, port, TestContext.Current.CancellationToken);
        return socket;
    }

    /// <returns>Whether the silo closed the connection with nothing but, at most, a TLS alert.</returns>
    private async Task<bool> PlainIsRefusedAsync(int port)
    {
        const byte TlsAlert = 21;
        using Socket socket = await ConnectAsync(port);
        // As long as anything with which Orleans' own connections begin, so that the silo need not wait for more.
        await socket.SendAsync(new byte[512], TestContext.Current.CancellationToken);
        byte[] answer = new byte[512];
        try
        {
            int first = await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken).AsTask().WaitAsync(Answer);
            return (first == 0 || answer[0] == TlsAlert) && await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken).AsTask().WaitAsync(Answer) == 0;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    /// <summary>
    /// Shakes hands and listens. A silo's port greets whom it admits with the first words of Orleans' own protocol, a gateway's waits for them; others are
    /// cut off, which with TLS 1.3 may come after the client's part of the handshake.
    /// </summary>
    /// <param name="patience">How long silence is waited for.</param>
    /// <returns>What came of it, and the thumbprint of the certificate that the silo showed.</returns>
    private async Task<(Meeting Outcome, string? Thumbprint)> MeetAsync(int port, X509Certificate2? own, TimeSpan? patience = null)
    {
        await using var stream = new SslStream(new NetworkStream(await ConnectAsync(port), ownsSocket: true));
        string? shown = null;
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = Name,
                ClientCertificates = own is null ? null : [own],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => own!,
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    shown = certificate?.GetCertHashString();
                    return true;
                },
            }, TestContext.Current.CancellationToken).WaitAsync(Answer);
            Task<int> word = stream.ReadAsync(new byte[64], TestContext.Current.CancellationToken).AsTask();
            await Task.WhenAny(word, Task.Delay(patience ?? Answer, TestContext.Current.CancellationToken));
            return (!word.IsCompleted || await word > 0 ? Meeting.Admitted : Meeting.Refused, shown);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return (Meeting.Refused, shown);
        }
    }
}
