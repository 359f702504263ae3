using HybridTrading.Domain.Alerts;

namespace HybridTrading.Domain.Tests.Alerts;

public sealed class StalePricesTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private readonly StalePrices _prices = new();
    private DateTime _now = new(2026, 1, 5, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void It_is_told_once_and_again_only_after_a_minute_of_fresh_prices()
    {
        Assert.Equal([11], TellAfter(0, 60, _ => 7));
        // The price comes and goes: no news, as it was never fresh for a minute.
        Assert.Empty(TellAfter(0, 300, second => 8 + second / 20));
        Assert.Empty(TellAfter(0, 61, second => 100 + second));
        Assert.Equal([11], TellAfter(0, 60, _ => 200));
    }

    [Fact]
    public void A_market_that_is_closed_is_not_stale_and_has_its_time_when_it_opens()
    {
        Assert.Empty(TellAfter(0, 100, _ => 7, isOpen: false));
        Assert.Equal([10], TellAfter(0, 60, _ => 7));
    }

    [Fact]
    public void Each_person_has_a_patience_of_their_own()
    {
        _prices.Look("EURUSD", 1, true, _now);
        _now += TimeSpan.FromSeconds(30);
        _prices.Look("EURUSD", 1, true, _now);
        Assert.Equal((_now - TimeSpan.FromSeconds(30), 1L), _prices.News("acme/ann", "EURUSD", Longest, _now));
        Assert.Null(_prices.News("acme/bob", "EURUSD", TimeSpan.FromMinutes(1), _now));
        Assert.Null(_prices.News("acme/ann", "GBPUSD", Longest, _now));
        // What could not be told stays news.
        Assert.NotNull(_prices.News("acme/ann", "EURUSD", Longest, _now));
    }

    /// <summary>The seconds at which there was news, looking once a second.</summary>
    private List<int> TellAfter(int from, int to, Func<int, long> position, bool isOpen = true)
    {
        List<int> told = [];
        for (int second = from; second < to; second++)
        {
            _prices.Look("EURUSD", position(second), isOpen, _now);
            if (_prices.News("acme/ann", "EURUSD", Longest, _now) is not null)
            {
                told.Add(second);
                _prices.Tell("acme/ann", "EURUSD");
            }
            _now += TimeSpan.FromSeconds(1);
        }
        return told;
    }
}
