using System.Net;
using System.Net.Sockets;

namespace HybridTrading.Api.Ports;

/// <summary>Asks, before anything starts, whether every port that the process needs is free.</summary>
public static class PortProbe
{
    /// <param name="withCluster">Whether the silo and gateway ports are needed too.</param>
    /// <exception cref="PortMapException">One line: the first ports that are taken with their services, how many more, and an offset at which all would be free.</exception>
    public static void EnsureFree(ServiceEndpoints plan, bool withCluster = false)
    {
        string[] taken = [.. Taken(plan, withCluster)];
        if (taken.Length == 0) return;
        string them = taken.Length == 1 ? "it" : "them";
        throw new PortMapException(
            $"{string.Join(", ", taken.Take(3))}{(taken.Length > 3 ? $" and {taken.Length - 3} more" : "")}; stop the program that holds {them}, or start with {Advice(plan, withCluster)}");
    }

    private static IEnumerable<string> Taken(ServiceEndpoints plan, bool withCluster)
    {
        foreach (int port in plan.ListenPorts)
        {
            if (Refusal(port) is { } error) yield return $"port {port} ({plan.OwnerOf(port)!.Name}) {error}";
        }
        if (!withCluster) yield break;
        if (Refusal(plan.SiloPort) is { } silo) yield return $"port {plan.SiloPort} (silo of {plan.Hosted[0].Name}) {silo}";
        if (Refusal(plan.GatewayPort) is { } gateway) yield return $"port {plan.GatewayPort} (client gateway of {plan.Hosted[0].Name}) {gateway}";
    }

    private static string Advice(ServiceEndpoints plan, bool withCluster)
    {
        const int Step = 100, Tries = 20;
        for (int offset = plan.Offset + Step; offset <= plan.Offset + (Step * Tries); offset += Step)
        {
            if (!PortMapValidator.Collisions(plan.Map, offset).IsEmpty) continue;
            ServiceEndpoints moved = ServiceEndpoints.Plan(plan.Map, [.. plan.Hosted.Select(h => h.Name)], offset);
            if (!Taken(moved, withCluster).Any()) return $"--port-offset {offset}";
        }
        return "--port-offset N";
    }

    /// <returns>Why the web server could not listen on the loopback port; null where it could.</returns>
    private static string? Refusal(int port)
    {
        foreach (IPAddress address in Addresses)
        {
            try
            {
                using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                // The web server does the same: on Windows two sockets could otherwise share the port.
                if (OperatingSystem.IsWindows()) socket.ExclusiveAddressUse = true;
                socket.Bind(new IPEndPoint(address, port));
                socket.Listen();
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
            {
                // A machine without IPv6: the web server does without it as well.
            }
            catch (SocketException e)
            {
                return e.SocketErrorCode == SocketError.AddressAlreadyInUse ? "is in use" : $"cannot be used ({e.SocketErrorCode})";
            }
        }
        return null;
    }

    private static IEnumerable<IPAddress> Addresses => Socket.OSSupportsIPv6 ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : [IPAddress.Loopback];
}
