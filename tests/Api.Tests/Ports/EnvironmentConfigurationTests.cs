using System.Text.RegularExpressions;
using HybridTrading.Api.Ports;

namespace HybridTrading.Tests.Ports;

public sealed class EnvironmentConfigurationTests
{
    private static readonly PortMap DelTran = PortMap.Load("deltran");

    [Fact]
    public void TheSettlementEnginesDocumentedEnvironmentWorks()
    {
        EnvironmentReading reading = Read(DelTran, ["settlement-engine"],
            ("HTTP_PORT", "8087"), ("GRPC_PORT", "50056"), ("NATS_URL", "nats://localhost:4222"), ("REDIS_URL", "redis://localhost:6379"),
            ("DATABASE_URL", "postgresql://deltran:deltran_secure_pass_2024@localhost:5432/deltran"));
        Assert.Empty(reading.Errors);
        Assert.Equal(8087, Assert.Single(reading.HttpPorts).Value);
        Assert.Equal("host=localhost;port=5432;database=deltran;username=deltran;password=deltran_secure_pass_2024",
            reading.Settings[EnvironmentConfiguration.DatabaseKey].ToLowerInvariant());
        Assert.Equal(["GRPC_PORT", "REDIS_URL", "NATS_URL"], reading.Ignored.Select(n => n.Variable));
        Assert.Equal("DATABASE_URL", Assert.Single(reading.Warnings).Variable);
    }

    [Fact]
    public void TheNotificationEnginesWebSocketPortMoves()
    {
        EnvironmentReading reading = Read(DelTran, ["notification-engine"], ("HTTP_PORT", "8189"), ("WS_PORT", "8190"));
        PortMap moved = DelTran.WithPorts(reading.HttpPorts, reading.WebSocketPorts);
        Assert.Equal([8189, 8190, 9095], ServiceEndpoints.Plan(moved, ["notification-engine"]).ListenPorts);
    }

    [Fact]
    public void TheGatewaysDocumentedAddressesNameOurServices()
    {
        EnvironmentReading reading = Read(PortMap.Default, ["api-gateway"],
            ("GATEWAY_PORT", "8080"), ("TOKEN_ENGINE_URL", "http://localhost:8081"), ("COMPLIANCE_ENGINE_URL", "http://localhost:8086/"),
            ("NOTIFICATION_ENGINE_URL", "https://notify.example:8089"));
        Assert.Empty(reading.Errors);
        Assert.Equal(8080, reading.HttpPorts["api-gateway"]);
        Assert.Equal("http://localhost:8081", reading.Settings["Services:token-engine:Url"]);
        Assert.Equal("http://localhost:8086", reading.Settings["Services:compliance-monitor:Url"]);
        Assert.Equal("https://notify.example:8089", reading.Settings["Services:notification-service:Url"]);
    }

    [Fact]
    public void ASecretForTokensIsNotTakenAndNotRepeated()
    {
        const string Published = "deltran-secret-key-change-in-production";
        EnvironmentReading reading = Read(DelTran, ["gateway"], ("JWT_SECRET", Published));
        EnvironmentNote note = Assert.Single(reading.Ignored);
        Assert.Equal("JWT_SECRET", note.Variable);
        Assert.Contains("key pair", note.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Published, note.Text, StringComparison.Ordinal);
        Assert.Empty(reading.Settings);
        Assert.Empty(reading.Errors);
    }

    [Theory]
    [InlineData("postgres://user@db/app", "host=db;port=5432;database=app;username=user")]
    [InlineData("postgresql://u%40x:p%3Bw@db:6000/app", "host=db;port=6000;database=app;username=u@x;password=\"p;w\"")]
    [InlineData("postgresql://[::1]/app", "host=::1;port=5432;database=app")]
    public void ADatabaseAddressBecomesAConnectionString(string address, string connection) => Assert.Equal(
        connection, Read(DelTran, [], ("DATABASE_URL", address)).Settings[EnvironmentConfiguration.DatabaseKey].ToLowerInvariant());

    [Theory]
    [InlineData("localhost:5432", "is not a PostgreSQL address, expected postgresql://user:password@host:port/database")]
    [InlineData("mysql://u:secret@db/app", "is not a PostgreSQL address, expected postgresql://user:password@host:port/database")]
    [InlineData("postgresql://u:secret@db", "is not a PostgreSQL address, expected postgresql://user:password@host:port/database")]
    [InlineData("postgresql://u:secret@db/app?sslmode=off",
        "has parameters after the database, expected postgresql://user:password@host:port/database; set Database:ConnectionString for anything else")]
    [InlineData("postgresql://deltran:deltran_secure_pass_2024@db.example:5432/deltran",
        "has the password that a public document prints, expected one that only you know")]
    public void ADatabaseAddressThatCannotBeUsed(string address, string text)
    {
        EnvironmentReading reading = Read(DelTran, [], ("DATABASE_URL", address));
        Assert.Equal(text, Assert.Single(reading.Errors).Text);
        Assert.Empty(reading.Settings);
    }

    [Theory]
    [InlineData("Host=db;Database=app;Username=u;Passfile=/secrets/pgpass;SSL Mode=VerifyFull", "Passfile=/secrets/pgpass")]
    [InlineData("postgresql://u@db/app?sslmode=verify-full", "SSL Mode=VerifyFull")]
    public void AConnectionStringSaysEverythingAndGoesBeforeTheAddress(string given, string part)
    {
        EnvironmentReading reading = Read(DelTran, [], ("DATABASE_URL", "postgresql://other/other"), ("Database__ConnectionString", given));
        Assert.Contains(part, reading.Settings[EnvironmentConfiguration.DatabaseKey], StringComparison.Ordinal);
        Assert.Contains("Host=db", reading.Settings[EnvironmentConfiguration.DatabaseKey], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=db;Nonsense=secret", "is no connection string")]
    [InlineData("Database=app;Password=secret", "names no host")]
    [InlineData("Host=db;Database=app;Password=deltran_secure_pass_2024", "a public document prints")]
    public void AConnectionStringThatCannotBeUsed(string given, string text)
    {
        EnvironmentNote error = Assert.Single(Read(DelTran, [], ("Database__ConnectionString", given)).Errors);
        Assert.Contains(text, error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP_PORT", "0")]
    [InlineData("HTTP_PORT", "65536")]
    [InlineData("PORT", "eighty")]
    [InlineData("PORT", "+80")]
    [InlineData("RISK_ENGINE_PORT", "80.5")]
    public void APortThatIsNone(string variable, string value)
    {
        EnvironmentNote error = Assert.Single(Read(DelTran, ["risk-engine"], (variable, value)).Errors);
        Assert.Equal((variable, $"is '{value}', expected a whole number from 1 to 65535"), (error.Variable, error.Text));
    }

    [Fact]
    public void TwoVariablesThatDisagree()
    {
        EnvironmentReading reading = Read(DelTran, ["risk-engine"], ("HTTP_PORT", "8084"), ("RISK_ENGINE_PORT", "8099"));
        Assert.Equal("is 8099 while HTTP_PORT is 8084, expected one port for risk-engine", Assert.Single(reading.Errors).Text);
        Assert.Empty(Read(DelTran, ["risk-engine"], ("HTTP_PORT", "8099"), ("RISK_ENGINE_PORT", "8099")).Errors);
    }

    [Fact]
    public void APortForNobodyInParticularIsIgnoredWithAWarning()
    {
        EnvironmentReading reading = Read(DelTran, ["risk-engine", "gateway"], ("PORT", "3000"));
        Assert.Empty(reading.HttpPorts);
        Assert.Equal(
            "is ignored: this process hosts 2 services; name one by --services, or use <SERVICE>_PORT", Assert.Single(reading.Warnings).Text);
    }

    [Fact]
    public void AContainerPlatformsLinkIsNoPort()
    {
        EnvironmentReading reading = Read(DelTran, ["gateway"], ("RISK_ENGINE_PORT", "tcp://10.0.0.7:8084"));
        Assert.Empty(reading.Errors);
        Assert.Empty(reading.HttpPorts);
        Assert.Equal("RISK_ENGINE_PORT", Assert.Single(reading.Ignored).Variable);
    }

    [Theory]
    [InlineData("localhost:8081")]
    [InlineData("ftp://localhost:8081")]
    [InlineData("http://user:secret@localhost:8081")]
    public void AnAddressThatIsNone(string url)
    {
        EnvironmentNote error = Assert.Single(Read(DelTran, ["gateway"], ("TOKEN_ENGINE_URL", url)).Errors);
        Assert.Equal("is not an address, expected http://host:port or https://host:port without a user name", error.Text);
    }

    [Fact]
    public void WhatIsNotSetSaysNothing()
    {
        EnvironmentReading reading = Read(PortMap.Default, ["api-gateway"], ("JWT_SECRET", ""), ("PATH", "/bin"), ("HOME_URL", "x"));
        Assert.Empty(reading.HttpPorts);
        Assert.Empty(reading.Settings);
        Assert.Empty(reading.Ignored.Concat(reading.Warnings).Concat(reading.Errors));
    }

    /// <summary>Every variable that a document sets is understood or named as ignored.</summary>
    [Theory]
    [InlineData("deltran-port-allocation.md", "deltran", @"^(?:set )?(?<name>[A-Z_]+)=(?<value>\S+)$", 57)]
    [InlineData("backend-service-architecture.md", "backend", @"^    (?<name>[A-Z_]+): (?<value>\d+)$", 6)]
    public void EveryVariableOfADocumentIsKnown(string document, string mapName, string assignment, int atLeast)
    {
        PortMap map = PortMap.Load(mapName);
        string text = File.ReadAllText(SharedData.Path($"seeds/{document}")).ReplaceLineEndings("\n");
        (string Name, string Value)[] set =
            [.. Regex.Matches(text, assignment, RegexOptions.Multiline).Select(m => (m.Groups["name"].Value, m.Groups["value"].Value))];
        Assert.True(set.Length >= atLeast, $"{set.Length} found");
        Assert.All(set.Distinct(), variable =>
        {
            EnvironmentReading reading = Read(map, [map.Services[^1].Name], variable);
            int understood = reading.HttpPorts.Count + reading.WebSocketPorts.Count + reading.Settings.Count;
            Assert.True(understood + reading.Ignored.Length + reading.Errors.Length > 0, $"{variable.Name} is not known");
            Assert.Empty(reading.Errors);
        });
    }

    private static EnvironmentReading Read(PortMap map, string[] hosted, params (string Name, string Value)[] variables) =>
        EnvironmentConfiguration.Read(variables.ToDictionary(v => v.Name, v => v.Value), map, hosted);
}
