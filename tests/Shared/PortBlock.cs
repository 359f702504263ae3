using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace HybridTrading.Tests;

/// <summary>
/// An offset at which one process of the system finds all its ports free, as long as this lives: of all tests of this machine, in whatever process, only
/// one has it at a time. All ports, those of silos 10,000 and 20,000 above the services', lie above the ports that the maps keep for others (9300 is the
/// highest), and below the range that the platform hands out by itself.
/// </summary>
public sealed class PortBlock : IDisposable
{
    private const int First = 1400, Width = 100, Count = 33;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private readonly FileStream _lock;

    private PortBlock(FileStream held, int offset) => (_lock, Offset) = (held, offset);

    public int Offset { get; }

    /// <summary>Waits until one is free.</summary>
    public static async Task<PortBlock> TakeAsync()
    {
        string folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "hybrid-test-ports")).FullName;
        for (long start = Stopwatch.GetTimestamp(); ;)
        {
            int[] numbers = [.. Enumerable.Range(0, Count)];
            Random.Shared.Shuffle(numbers);
            foreach (int number in numbers)
            {
                if (TryLock(Path.Combine(folder, $"{number}")) is not { } held) continue;
                int offset = First + (number * Width);
                if (Ports(offset).All(IsFree)) return new PortBlock(held, offset);
                await held.DisposeAsync();
            }
            if (Stopwatch.GetElapsedTime(start) > Longest) throw new InvalidOperationException("no block of ports is free on the loopback address");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc cref="TakeAsync()"/>
    public static async Task<PortBlock[]> TakeAsync(int count)
    {
        var blocks = new PortBlock[count];
        for (int number = 0; number < count; number++) blocks[number] = await TakeAsync();
        return blocks;
    }

    public static bool IsFree(int port)
    {
        foreach (IPAddress address in Socket.OSSupportsIPv6 ? new[] { IPAddress.Loopback, IPAddress.IPv6Loopback } : [IPAddress.Loopback])
        {
            try
            {
                using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(address, port));
            }
            catch (SocketException e) when (e.SocketErrorCode != SocketError.AddressNotAvailable)
            {
                return false;
            }
        }
        return true;
    }

    public void Dispose() => _lock.Dispose();

    private static IEnumerable<int> Ports(int offset) => Directory.GetFiles(Path.Combine(SharedData.RepositoryRoot, "ports"), "*.json")
        .SelectMany(file => LiveSystem.Ports(Path.GetFileNameWithoutExtension(file))).Distinct()
        .SelectMany(port => new[] { port, port + 10_000, port + 20_000 }).Select(port => port + offset);

    /// <summary>Null when another has it. The system takes the lock away with its process, however that ends.</summary>
    private static FileStream? TryLock(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
