using System.Diagnostics.CodeAnalysis;

namespace HybridTrading.Domain.Markets;

/// <summary>
/// Instruments with customary sizes: five-digit currency pairs in lots of 100,000, metals in ounces, coins, US shares. A broker's own
/// specification replaces them where one is known. Swaps are zero here: they change daily and are the broker's.
/// </summary>
public static class InstrumentCatalog
{
    private const string Majors = "EURUSD GBPUSD USDJPY USDCHF AUDUSD USDCAD NZDUSD";

    private const string Crosses =
        "EURGBP EURJPY EURCHF EURAUD EURCAD EURNZD GBPJPY GBPCHF GBPAUD GBPCAD GBPNZD AUDJPY AUDCHF AUDCAD AUDNZD "
        + "CADJPY CADCHF CHFJPY NZDJPY NZDCHF NZDCAD "
        + "USDSEK USDNOK USDDKK USDPLN USDHUF USDCZK USDTRY USDZAR USDMXN USDSGD USDHKD USDCNH EURSEK EURNOK EURPLN";

    private static readonly ImmutableDictionary<string, string> Currencies = new Dictionary<string, string>
    {
        ["AUD"] = "Australian dollar",
        ["CAD"] = "Canadian dollar",
        ["CHF"] = "Swiss franc",
        ["CNH"] = "offshore yuan",
        ["CZK"] = "Czech koruna",
        ["DKK"] = "Danish krone",
        ["EUR"] = "euro",
        ["GBP"] = "pound sterling",
        ["HKD"] = "Hong Kong dollar",
        ["HUF"] = "Hungarian forint",
        ["JPY"] = "Japanese yen",
        ["MXN"] = "Mexican peso",
        ["NOK"] = "Norwegian krone",
        ["NZD"] = "New Zealand dollar",
        ["PLN"] = "Polish zloty",
        ["SEK"] = "Swedish krona",
        ["SGD"] = "Singapore dollar",
        ["TRY"] = "Turkish lira",
        ["USD"] = "US dollar",
        ["ZAR"] = "South African rand",
    }.ToImmutableDictionary();

    /// <summary>All instruments, currency pairs first.</summary>
    public static readonly ImmutableArray<Instrument> All =
    [
        .. Majors.Split(' ').Concat(Crosses.Split(' ')).Select(symbol => CurrencyPair(symbol, DigitsOfPair(symbol))),
        Metal("XAUUSD", "Gold", "XAU", digits: 2, ouncesInLot: 100),
        Metal("XAGUSD", "Silver", "XAG", digits: 3, ouncesInLot: 5000),
        Coin("BTCUSD", "Bitcoin", "BTC", "USD", digits: 2),
        Coin("ETHUSD", "Ether", "ETH", "USD", digits: 2),
        Share("SPY", "SPDR S&P 500 ETF", digits: 2),
        Share("QQQ", "Invesco QQQ Trust", digits: 2),
        Share("AAPL", "Apple", digits: 2),
        Share("IBM", "IBM", digits: 2),
    ];

    private static readonly ImmutableDictionary<string, Instrument> BySymbol = All.ToImmutableDictionary(instrument => instrument.Symbol);

    /// <summary>The instrument of that name in any case.</summary>
    public static bool TryGet(string symbol, [NotNullWhen(true)] out Instrument? instrument) =>
        BySymbol.TryGetValue(symbol.ToUpperInvariant(), out instrument);

    /// <exception cref="KeyNotFoundException">No such instrument; the message names the nearest.</exception>
    public static Instrument Get(string symbol) => TryGet(symbol, out Instrument? instrument)
        ? instrument
        : throw new KeyNotFoundException($"unknown instrument '{symbol}'" + NearestName.Suggestion(symbol, All.Select(known => known.Symbol)));

    /// <summary>
    /// The known instrument, or a sensible one for an unknown symbol: six letters of two currencies are a currency pair, anything else is
    /// counted in <paramref name="quoteCurrency"/>, one unit a lot.
    /// </summary>
    /// <param name="digits">Decimals of the price; null for what is customary.</param>
    /// <param name="assetClass">What an unknown symbol is, when the source says so.</param>
    public static Instrument GetOrDefault(string symbol, int? digits = null, AssetClass? assetClass = null, string quoteCurrency = "USD")
    {
        string upper = symbol.ToUpperInvariant();
        if (TryGet(upper, out Instrument? known)) return digits > known.Digits ? known.WithDigits(digits.Value) : known;
        bool isPair = upper.Length == 6 && Currencies.ContainsKey(upper[..3]) && Currencies.ContainsKey(upper[3..]);
        return assetClass switch
        {
            null or AssetClass.Forex when isPair => CurrencyPair(upper, digits ?? DigitsOfPair(upper)),
            AssetClass.Equity => Share(upper, upper, digits ?? 2),
            AssetClass.Crypto => Coin(upper, upper, BaseOf(upper, quoteCurrency), QuoteOf(upper, quoteCurrency), digits ?? 2),
            _ => Other(upper, assetClass ?? AssetClass.Other, quoteCurrency, digits ?? 2),
        };
    }

    private static int DigitsOfPair(string symbol) => symbol[3..] is "JPY" or "HUF" ? 3 : 5;

    private static string QuoteOf(string symbol, string standard) =>
        symbol.Length > 3 && Currencies.ContainsKey(symbol[^3..]) ? symbol[^3..] : standard;

    private static string BaseOf(string symbol, string standard) =>
        symbol.EndsWith(QuoteOf(symbol, standard), StringComparison.Ordinal) ? symbol[..^QuoteOf(symbol, standard).Length] : symbol;

    private static Instrument CurrencyPair(string symbol, int digits) => new(
        symbol, $"{Currencies[symbol[..3]]} in {Currencies[symbol[3..]]}", AssetClass.Forex, symbol[..3], symbol[3..],
        digits, TickSize: 1, PipSize: 10, ContractSize: 100_000, VolumeStep: 1000, MinVolume: 1000, MaxVolume: 10_000_000,
        MarginRate: 1m / 30, SwapLongPoints: 0, SwapShortPoints: 0, TradingCalendar.Forex);

    private static Instrument Metal(string symbol, string name, string metal, int digits, decimal ouncesInLot) => new(
        symbol, name, AssetClass.Metal, metal, "USD",
        digits, TickSize: 1, PipSize: 10, ouncesInLot, VolumeStep: ouncesInLot / 100, MinVolume: ouncesInLot / 100, MaxVolume: ouncesInLot * 100,
        MarginRate: 0.05m, SwapLongPoints: 0, SwapShortPoints: 0, TradingCalendar.Metals);

    private static Instrument Coin(string symbol, string name, string coin, string quote, int digits) => new(
        symbol, name, AssetClass.Crypto, coin, quote,
        digits, TickSize: 1, PipSize: 100, ContractSize: 1, VolumeStep: 0.0001m, MinVolume: 0.0001m, MaxVolume: 1000,
        MarginRate: 0.5m, SwapLongPoints: 0, SwapShortPoints: 0, TradingCalendar.Always);

    private static Instrument Share(string symbol, string name, int digits) => new(
        symbol, name, AssetClass.Equity, symbol, "USD",
        digits, TickSize: 1, PipSize: 1, ContractSize: 1, VolumeStep: 1, MinVolume: 1, MaxVolume: 1_000_000,
        MarginRate: 0.2m, SwapLongPoints: 0, SwapShortPoints: 0, TradingCalendar.UsEquity);

    private static Instrument Other(string symbol, AssetClass assetClass, string quote, int digits) => new(
        symbol, symbol, assetClass, symbol, quote,
        digits, TickSize: 1, PipSize: 1, ContractSize: 1, VolumeStep: 0.01m, MinVolume: 0.01m, MaxVolume: 1_000_000,
        MarginRate: 0.1m, SwapLongPoints: 0, SwapShortPoints: 0, TradingCalendar.Always);
}
