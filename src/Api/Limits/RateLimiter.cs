using System.Net;

namespace HybridTrading.Api.Limits;

/// <summary>Counts requests by the user who is signed in, else by address, in this process alone.</summary>
public sealed class RateLimiter(RateLimitOptions options, TimeProvider clock)
{
    private readonly AllowanceTable<string> _users = new(options);
    private readonly AllowanceTable<AddressBlock> _addresses = new(options);

    /// <summary>Callers that are counted each for themselves now.</summary>
    public int Partitions => _users.Count + _addresses.Count;

    /// <param name="person">tenant/user of a verified caller; null for anybody else.</param>
    /// <param name="address">The client's, as far as it is known who that is.</param>
    public Admission Admit(string? person, IPAddress? address, RouteCost cost)
    {
        DateTime now = clock.GetUtcNow().UtcDateTime;
        bool local = address is null || IPAddress.IsLoopback(address);
        Allowance allowance = person is null ? _addresses.Of(AddressBlock.Of(address), now) : _users.Of(person, now);
        return allowance.Admit(cost, local ? options.Loopback : person is null ? options.Address : options.User, options, now);
    }
}
