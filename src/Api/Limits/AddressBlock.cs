using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace HybridTrading.Api.Limits;

/// <summary>What counts as one address: of IPv4 the address, of IPv6 the /64, which is what one subscriber is given (RFC 6177).</summary>
public readonly record struct AddressBlock(AddressFamily Family, ulong Prefix)
{
    /// <param name="address">Null where the connection has none (no network in between): all of these count as one.</param>
    public static AddressBlock Of(IPAddress? address)
    {
        if (address is null) return default;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return new AddressBlock(address.AddressFamily, length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }
}
