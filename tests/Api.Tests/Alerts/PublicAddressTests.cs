using System.Net;
using HybridTrading.Grains.Alerts;

namespace HybridTrading.Tests.Alerts;

public sealed class PublicAddressTests
{
    [Theory]
    [InlineData("0.0.0.0"), InlineData("10.0.0.1"), InlineData("100.64.0.1"), InlineData("100.100.100.200"), InlineData("127.0.0.1"), InlineData("127.255.255.254")]
    [InlineData("169.254.169.254"), InlineData("172.16.0.1"), InlineData("172.31.255.255"), InlineData("192.0.0.192"), InlineData("192.0.2.1"), InlineData("192.168.1.1")]
    [InlineData("198.18.0.1"), InlineData("198.51.100.7"), InlineData("203.0.113.9"), InlineData("224.0.0.1"), InlineData("239.255.255.255"), InlineData("255.255.255.255")]
    [InlineData("168.63.129.16")]
    [InlineData("::"), InlineData("::1"), InlineData("fe80::1"), InlineData("fe80::1%2"), InlineData("fc00::1"), InlineData("fd00:ec2::254"), InlineData("ff02::1")]
    [InlineData("2001:db8::1"), InlineData("2001::1"), InlineData("2002:7f00:1::"), InlineData("3fff::1"), InlineData("64:ff9b::7f00:1"), InlineData("100::1")]
    [InlineData("::ffff:127.0.0.1"), InlineData("::ffff:169.254.169.254"), InlineData("::ffff:10.1.2.3"), InlineData("::127.0.0.1")]
    public void AddressesOfThisMachineOfNetworksAndOfCloudsAreNot(string address) => Assert.False(PublicAddress.Is(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1"), InlineData("100.63.255.255"), InlineData("100.128.0.1"), InlineData("172.15.0.1"), InlineData("172.32.0.1"), InlineData("192.167.1.1")]
    [InlineData("223.255.255.255"), InlineData("2606:4700:4700::1111"), InlineData("2a00:1450:4001:81b::200e"), InlineData("::ffff:8.8.8.8")]
    public void OthersAre(string address) => Assert.True(PublicAddress.Is(IPAddress.Parse(address)));
}
