using System.Net;
using System.Net.Sockets;
using HybridTrading.Api.Ports;

namespace HybridTrading.Tests.Ports;

[Collection(PortServer.Collection)]
public sealed class PortProbeTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    public void ATakenPortIsNamedWithItsServiceAndAWayOut(string address)
    {
        IPAddress ip = IPAddress.Parse(address);
        Assert.SkipUnless(ip.AddressFamily == AddressFamily.InterNetwork || Socket.OSSupportsIPv6, "needs IPv6");
        ServiceEndpoints plan = PortServer.FreePlan(PortMap.Default, ["api-gateway", "trading-engine"]);
        int port = plan.PortsOf("trading-engine").Single();
        using (TcpListener other = new(ip, port))
        {
            other.Start();
            string message = Assert.Throws<PortMapException>(() => PortProbe.EnsureFree(plan)).Message;
            Assert.Matches(
                $@"^port {port} \(trading-engine\) is in use; stop the program that holds it, or start with --port-offset (\d+|N)$", message);
            AssertAdviceWorks(plan, message);
        }
        PortProbe.EnsureFree(plan);
    }

    [Fact]
    public void EveryTakenPortIsNamedOnOneLine()
    {
        ServiceEndpoints plan = PortServer.FreePlan(PortMap.Load("deltran"), ["notification-engine", "gateway"]);
        using TcpListener webSocket = new(IPAddress.Loopback, plan.Hosted[0].WebSocketPort!.Value);
        using TcpListener gateway = new(IPAddress.Loopback, plan.PortsOf("api-gateway").Single());
        webSocket.Start();
        gateway.Start();
        string message = Assert.Throws<PortMapException>(() => PortProbe.EnsureFree(plan)).Message;
        Assert.Matches(
            $@"^port {plan.Hosted[1].Port} \(gateway\) is in use, port {plan.Hosted[0].WebSocketPort} \(notification-engine\) is in use; "
                + @"stop the program that holds them, or start with --port-offset ",
            message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void TheClusterPortsAreAskedForWhereTheyAreNeeded()
    {
        ServiceEndpoints plan = PortServer.FreePlan(PortMap.Default, ["api-gateway"]);
        using TcpListener silo = new(IPAddress.Loopback, plan.SiloPort);
        try
        {
            silo.Start();
        }
        catch (SocketException)
        {
            // Somebody else has it, which is as good.
        }
        PortProbe.EnsureFree(plan);
        string message = Assert.Throws<PortMapException>(() => PortProbe.EnsureFree(plan, withCluster: true)).Message;
        Assert.StartsWith($"port {plan.SiloPort} (silo of api-gateway) is in use; ", message, StringComparison.Ordinal);
    }

    /// <summary>The offset that the message offers is one at which the same services could start.</summary>
    private static void AssertAdviceWorks(ServiceEndpoints plan, string message)
    {
        string offered = message[(message.LastIndexOf(' ') + 1)..];
        if (offered == "N") return;
        int offset = int.Parse(offered, System.Globalization.CultureInfo.InvariantCulture);
        Assert.NotEqual(plan.Offset, offset);
        Assert.Equal(plan.Hosted.Length, ServiceEndpoints.Plan(plan.Map, [.. plan.Hosted.Select(h => h.Name)], offset).Hosted.Length);
    }
}
