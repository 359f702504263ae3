using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Identity;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;
using HybridTrading.Silo.Hosting;
using HybridTrading.Storage;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;

namespace HybridTrading.Tests.Host;

/// <summary>
/// The API on a real web server, real grains, a real journal and real tables in a folder of its own. The feed is the test: quotes reach the market
/// grain by <see cref="QuoteAsync"/>, and return when all that follows has been done.
/// </summary>
internal sealed class ApiHost : IAsyncDisposable
{
    public static readonly ImmutableArray<Instrument> Instruments = [.. InstrumentCatalog.All.Where(
        one => one.Symbol is "EURUSD" or "GBPUSD" or "USDJPY")];

    /// <summary>Bounds that a test can reach.</summary>
    public static readonly BacktestingOptions Backtesting = new()
    {
        MaxWaiting = 3, Threads = 2, MaxUploadBytes = 8 << 20, MaxUnpackedBytes = 64 << 20, MaxStoredBytes = 12 << 20, MaxTrials = 500, MaxWork = 200_000_000,
    };

    private readonly TempFolder _folder;
    private WebApplication _app = null!;
    private DataFolder _data = null!;
    private long _position;
    private DateTime _time = new DateTime(DateTime.UtcNow.Ticks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour, DateTimeKind.Utc).AddHours(1);

    private readonly Action<IServiceCollection>? _configure;

    private readonly bool _signIn;

    private readonly string? _database;

    private ApiHost(TempFolder folder, Action<IServiceCollection>? configure, bool signIn, string? database) =>
        (_folder, _configure, _signIn, _database) = (folder, configure, signIn, database);

    public HttpClient Client { get; private set; } = null!;

    public string Folder => _folder.Path;

    public string Work => Path.Combine(_folder.Path, "work");

    /// <summary>Mails as files.</summary>
    public string Outbox => Path.Combine(_folder.Path, "outbox");

    public string Blobs => Path.Combine(_folder.Path, "blobs");

    public IServiceProvider Services => _app.Services;

    public Uri Address { get; private set; } = null!;

    /// <param name="configure">Puts services in place of the usual ones.</param>
    /// <param name="signIn">Callers must sign in; else everybody is the owner.</param>
    /// <param name="database">A PostgreSQL database with the schema, in which what a cluster shares is kept; null for files.</param>
    public static async Task<ApiHost> StartAsync(Action<IServiceCollection>? configure = null, bool signIn = false, string? database = null)
    {
        var host = new ApiHost(new TempFolder(), configure, signIn, database);
        await host.RunAsync();
        return host;
    }

    /// <summary>Stops the process and starts it anew on the same data.</summary>
    public async Task RestartAsync(Action<string>? inBetween = null)
    {
        await StopAsync();
        inBetween?.Invoke(_folder.Path);
        await RunAsync();
    }

    private async Task RunAsync()
    {
        _data = DataFolder.Open(_folder.Path);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            GatewayPorts.Bound(kestrel.Limits);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        AddStorage(builder.Services);
        var universe = new InstrumentUniverse(Instruments);
        builder.Services.AddSingleton(new TradingOptions { Universe = universe, WarmUpBars = 100 });
        builder.Services.AddBacktesting(Backtesting).AddStrategyAnalysis();
        builder.Services.AddSingleton<LiveFeedOptions>(new SimulatedFeedOptions(1, new SimulationOptions()));
        OrleansHost.AddSilo(builder, durable: true);
        builder.Services.AddUsers(iterations: 1000);
        builder.Services.AddSingleton(new MailOptions { Outbox = Outbox });
        _configure?.Invoke(builder.Services);
        builder.Services.AddAlerts();
        if (!_signIn) builder.Services.TryAddScoped<ICaller, LocalOwner>();
        builder.Services.AddHybridApi(new ApiOptions { Universe = universe, Simulated = true, DataFolder = _folder.Path, FeedName = "script" });
        _app = builder.Build();
        _app.MapHybridApi();
        await _app.StartAsync();
        Address = new Uri(_app.Urls.Single());
        Client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(1) };
    }

    private void AddStorage(IServiceCollection services)
    {
        if (_database is null)
        {
            services.AddHybridStorage(_data);
            services.AddSingleton<IMarketLog>(provider => provider.GetRequiredService<MarketLogs>().Get("live"));
            return;
        }
        string master = Path.Combine(_folder.Path, "keys", "master.key");
        if (!File.Exists(master)) FileKeyProvider.CreateMaster(master);
        services.AddPostgresStorage(_database, _data, new PostgresStorageOptions { MasterKeyFile = master });
        services.AddSingleton<IMarketLog>(provider => provider.GetRequiredService<PostgresMarketLogs>().Get("live"));
        // Reminders of a cluster are Orleans' own provider's.
        services.AddSingleton<IReminderTable>(provider => new SqliteReminderTable(provider.GetRequiredKeyedService<SqliteDatabase>(HybridStorage.StateDatabase)));
    }

    /// <summary>Moves the script's clock and tells the market a quote.</summary>
    public async Task QuoteAsync(string symbol, decimal bid, decimal ask, TimeSpan? after = null)
    {
        _time += after ?? TimeSpan.FromSeconds(1);
        Instrument instrument = Instruments.First(one => one.Symbol == symbol);
        var quote = new Quote(_time, instrument.ToPoints(bid), instrument.ToPoints(ask), 10_000_000, 10_000_000);
        using Principal.Scope scope = Principal.OfHost();
        await Services.GetRequiredService<IGrainFactory>().GetGrain<IMarketGrain>(symbol)
            .OnQuotes(new QuoteBatch([new PlacedQuote(_position++, quote)]));
    }

    /// <summary>Waits until the copy that the API reads has the market's latest quote.</summary>
    public async Task ShownAsync(string symbol)
    {
        IGrainFactory grains = Services.GetRequiredService<IGrainFactory>();
        MarketView market = await grains.GetGrain<IMarketGrain>(symbol).GetView();
        for (int look = 0; look < 3000; look++)
        {
            if ((await grains.GetGrain<IMarketReplicaGrain>(symbol).GetView()).Position >= market.Position) return;
            await Task.Delay(10);
        }
        Assert.Fail($"the copy of {symbol} never came to position {market.Position}");
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null, null);

    public Task<Answer> PostAsync(string path, object? body, string? key = null) => SendAsync(HttpMethod.Post, path, body, key ?? NewKey());

    public Task<Answer> PutAsync(string path, object? body, string? key = null) => SendAsync(HttpMethod.Put, path, body, key ?? NewKey());

    public Task<Answer> PatchAsync(string path, object? body, string? key = null) => SendAsync(HttpMethod.Patch, path, body, key ?? NewKey());

    public Task<Answer> DeleteAsync(string path, string? key = null) => SendAsync(HttpMethod.Delete, path, null, key ?? NewKey());

    /// <param name="body">A string goes as it is.</param>
    /// <param name="key">The Idempotency-Key; null sends none.</param>
    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body, string? key)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith('/') ? path : $"/api/v1/{path}");
        if (key is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        if (body is not null)
        {
            request.Content = new StringContent(
                body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }
        using HttpResponseMessage response = await Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    public async Task<Answer> OpenAsync(string account, object? more = null)
    {
        Dictionary<string, object?> body = new() { ["name"] = account, ["currency"] = "USD" };
        if (more is not null)
        {
            foreach (System.Reflection.PropertyInfo property in more.GetType().GetProperties()) body[property.Name] = property.GetValue(more);
        }
        return (await PostAsync("accounts", body)).Expect(201);
    }

    public static string NewKey() => Guid.NewGuid().ToString("N");

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private async Task StopAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _data.Dispose();
    }
}

/// <summary>A folder that is gone when the test is.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("hybrid-api-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>A response, read whole.</summary>
internal sealed record Answer(int Status, string Text, string? ContentType, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public JsonElement this[string member] => Json.GetProperty(member);

    public string? Reason => Json.TryGetProperty("reason", out JsonElement reason) ? reason.GetString() : null;

    public string Detail => this["detail"].GetString()!;

    public long MinPosition => this["minPosition"].GetInt64();

    public bool IsReplayed => Headers.ContainsKey("Idempotency-Replayed");

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) => new(
        (int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType?.MediaType,
        response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase));

    public Answer Expect(int status)
    {
        Assert.True(Status == status, $"expected {status}, got {Status}: {Text}");
        return this;
    }

    /// <summary>The answer is a problem of this status and reason, and says so in the form of RFC 9457.</summary>
    public Answer ExpectProblem(int status, string reason, string? field = null)
    {
        Expect(status);
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal(reason, Reason);
        Assert.Equal(status, this["status"].GetInt32());
        Assert.NotEmpty(this["title"].GetString()!);
        Assert.NotEmpty(Detail);
        Assert.EndsWith(reason, this["type"].GetString());
        Assert.DoesNotContain("   at ", Text);
        if (field is not null) Assert.Equal(field, this["field"].GetString());
        return this;
    }
}
