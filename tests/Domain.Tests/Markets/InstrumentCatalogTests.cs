using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Tests.Markets;

public sealed class InstrumentCatalogTests
{
    [Fact]
    public void Every_instrument_is_whole()
    {
        Assert.All(InstrumentCatalog.All, instrument =>
        {
            Assert.InRange(instrument.Digits, 0, 10);
            Assert.True(instrument.MinVolume > 0 && instrument.MaxVolume > instrument.MinVolume && instrument.VolumeStep > 0);
            Assert.Equal(0, instrument.MinVolume % instrument.VolumeStep);
            Assert.InRange(instrument.MarginRate, 0.001m, 1m);
            Assert.Equal(instrument, InstrumentCatalog.Get(instrument.Symbol.ToLowerInvariant()));
        });
        Assert.Equal(InstrumentCatalog.All.Length, InstrumentCatalog.All.Select(instrument => instrument.Symbol).Distinct().Count());
    }

    [Theory]
    [InlineData("EURUSD", 5, 100_000, "EUR", "USD")]
    [InlineData("GBPJPY", 3, 100_000, "GBP", "JPY")]
    [InlineData("XAUUSD", 2, 100, "XAU", "USD")]
    [InlineData("BTCUSD", 2, 1, "BTC", "USD")]
    [InlineData("SPY", 2, 1, "SPY", "USD")]
    public void Sizes_are_customary(string symbol, int digits, int contract, string @base, string quote)
    {
        Instrument instrument = InstrumentCatalog.Get(symbol);
        Assert.Equal((digits, contract), (instrument.Digits, (int)instrument.ContractSize));
        Assert.Equal((@base, quote), (instrument.BaseCurrency, instrument.QuoteCurrency));
    }

    [Fact]
    public void A_mistyped_name_is_met_with_the_nearest() =>
        Assert.Contains("did you mean 'EURUSD'?", Assert.Throws<KeyNotFoundException>(() => InstrumentCatalog.Get("EURUDS")).Message);

    [Fact]
    public void Unknown_symbols_get_a_sensible_instrument()
    {
        Instrument pair = InstrumentCatalog.GetOrDefault("sekjpy");
        Assert.Equal((AssetClass.Forex, 3, "SEK", "JPY"), (pair.AssetClass, pair.Digits, pair.BaseCurrency, pair.QuoteCurrency));
        Assert.Equal(AssetClass.Other, InstrumentCatalog.GetOrDefault("GER40", digits: 1).AssetClass);
        Assert.Equal(AssetClass.Equity, InstrumentCatalog.GetOrDefault("MSFT", assetClass: AssetClass.Equity).AssetClass);
        Instrument coin = InstrumentCatalog.GetOrDefault("SOLEUR", assetClass: AssetClass.Crypto);
        Assert.Equal(("SOL", "EUR"), (coin.BaseCurrency, coin.QuoteCurrency));
        Assert.Equal(3, InstrumentCatalog.GetOrDefault("XAUUSD", digits: 3).Digits);
    }

    [Fact]
    public void Finer_digits_keep_the_pip_in_price()
    {
        Instrument gold = InstrumentCatalog.Get("XAUUSD");
        Instrument finer = gold.WithDigits(3);
        Assert.Equal(gold.PipSize * gold.PointSize, finer.PipSize * finer.PointSize);
        Assert.Throws<ArgumentOutOfRangeException>(() => gold.WithDigits(1));
    }

    [Fact]
    public void A_calendar_says_when_it_opens_and_closes_next()
    {
        // In January New York is five hours behind, in July four.
        var wednesday = new DateTime(2024, 1, 10, 12, 0, 0, DateTimeKind.Utc);
        var friday = new DateTime(2024, 1, 12, 22, 0, 0, DateTimeKind.Utc);
        var sunday = new DateTime(2024, 1, 14, 22, 0, 0, DateTimeKind.Utc);
        Assert.Equal(friday, TradingCalendar.Forex.NextChange(wednesday));
        Assert.Equal(sunday, TradingCalendar.Forex.NextChange(friday));
        Assert.Equal(friday.AddDays(7), TradingCalendar.Forex.NextChange(sunday));
        Assert.Equal(wednesday.Date.AddHours(22), TradingCalendar.Metals.NextChange(wednesday));
        Assert.Equal(wednesday.Date.AddHours(23), TradingCalendar.Metals.NextChange(wednesday.Date.AddHours(22)));
        var july = new DateTime(2024, 7, 10, 12, 0, 0, DateTimeKind.Utc);
        Assert.Equal(july.AddMinutes(90), TradingCalendar.UsEquity.NextChange(july));
        Assert.Null(TradingCalendar.Always.NextChange(wednesday));
    }
}
