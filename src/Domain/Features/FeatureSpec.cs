using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HybridTrading.Domain.Features;

/// <summary>
/// Names one value of a feature in canonical text, such as <c>sma(20)</c>, <c>ema(20,high)</c>, <c>macd.signal(12,26,9)</c> or
/// <c>cross(sma(20),sma(50))</c>: lower case, no spaces, every number written, the source only when it is not close. The text is the value:
/// it is what travels and what is stored.
/// </summary>
[GenerateSerializer, Immutable, Alias("ht.FeatureSpec"), JsonConverter(typeof(FeatureSpecJsonConverter))]
public readonly record struct FeatureSpec
{
    [Id(0)] private readonly string? _text;

    // The parameter is not named like the property: Orleans' generator would take the two for a record's positional member.
    internal FeatureSpec(FeatureExpression parsed) => _text = parsed.ToString();

    /// <summary>Reads a feature in any case and spacing; numbers left out take their defaults.</summary>
    /// <exception cref="FormatException">Says what is wrong and where, and the nearest known name.</exception>
    public static FeatureSpec Parse(string text) => new(FeatureExpression.Parse(text));

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(string? text, out FeatureSpec spec, [NotNullWhen(false)] out string? error)
    {
        try
        {
            spec = Parse(text ?? "");
            error = null;
            return true;
        }
        catch (FormatException exception)
        {
            spec = default;
            error = exception.Message;
            return false;
        }
    }

    /// <summary>The canonical text.</summary>
    public override string ToString() => _text ?? "";

    internal FeatureExpression Expression => FeatureExpression.Parse(ToString());

    internal static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    internal static string Name(PriceSource source) => source.ToString().ToLowerInvariant();
}

/// <summary>Writes a feature as its text, in JSON values and property names.</summary>
public sealed class FeatureSpecJsonConverter : JsonConverter<FeatureSpec>
{
    public override FeatureSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        FeatureSpec.TryParse(reader.GetString(), out FeatureSpec spec, out string? error) ? spec : throw new JsonException(error);

    public override void Write(Utf8JsonWriter writer, FeatureSpec value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    public override FeatureSpec ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, FeatureSpec value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString());
}

/// <summary>Features by typed factory; each throws <see cref="FormatException"/> for a number out of its range.</summary>
public static class Feature
{
    public static readonly FeatureSpec Open = FeatureSpec.Parse("open");
    public static readonly FeatureSpec High = FeatureSpec.Parse("high");
    public static readonly FeatureSpec Low = FeatureSpec.Parse("low");
    public static readonly FeatureSpec Close = FeatureSpec.Parse("close");
    public static readonly FeatureSpec Volume = FeatureSpec.Parse("volume");
    public static readonly FeatureSpec Obv = FeatureSpec.Parse("obv");
    public static readonly FeatureSpec Vwap = FeatureSpec.Parse("vwap");

    public static FeatureSpec Sma(int period, PriceSource source = PriceSource.Close) => Make("sma", source, period);

    public static FeatureSpec Ema(int period, PriceSource source = PriceSource.Close) => Make("ema", source, period);

    public static FeatureSpec Wma(int period, PriceSource source = PriceSource.Close) => Make("wma", source, period);

    public static FeatureSpec Rsi(int period = 14, PriceSource source = PriceSource.Close) => Make("rsi", source, period);

    public static FeatureSpec MacdLine(int fast = 12, int slow = 26, int signal = 9) => Make("macd.line", fast, slow, signal);

    public static FeatureSpec MacdSignal(int fast = 12, int slow = 26, int signal = 9) => Make("macd.signal", fast, slow, signal);

    public static FeatureSpec MacdHistogram(int fast = 12, int slow = 26, int signal = 9) => Make("macd.histogram", fast, slow, signal);

    public static FeatureSpec Atr(int period = 14) => Make("atr", period);

    public static FeatureSpec BollingerMiddle(int period = 20, double deviations = 2) => Make("bollinger.middle", period, deviations);

    public static FeatureSpec BollingerUpper(int period = 20, double deviations = 2) => Make("bollinger.upper", period, deviations);

    public static FeatureSpec BollingerLower(int period = 20, double deviations = 2) => Make("bollinger.lower", period, deviations);

    public static FeatureSpec BollingerWidth(int period = 20, double deviations = 2) => Make("bollinger.width", period, deviations);

    public static FeatureSpec BollingerPercentB(int period = 20, double deviations = 2) => Make("bollinger.percent_b", period, deviations);

    public static FeatureSpec Adx(int period = 14) => Make("adx", period);

    public static FeatureSpec PlusDi(int period = 14) => Make("adx.plus_di", period);

    public static FeatureSpec MinusDi(int period = 14) => Make("adx.minus_di", period);

    public static FeatureSpec StochasticK(int period = 14, int smooth = 3, int d = 3) => Make("stoch.k", period, smooth, d);

    public static FeatureSpec StochasticD(int period = 14, int smooth = 3, int d = 3) => Make("stoch.d", period, smooth, d);

    public static FeatureSpec Cci(int period = 20) => Make("cci", period);

    public static FeatureSpec Roc(int period = 10, PriceSource source = PriceSource.Close) => Make("roc", source, period);

    public static FeatureSpec Momentum(int period = 10, PriceSource source = PriceSource.Close) => Make("momentum", source, period);

    public static FeatureSpec RollingVwap(int period = 20) => Make("rolling_vwap", period);

    public static FeatureSpec DonchianUpper(int period = 20) => Make("donchian.upper", period);

    public static FeatureSpec DonchianLower(int period = 20) => Make("donchian.lower", period);

    public static FeatureSpec DonchianMiddle(int period = 20) => Make("donchian.middle", period);

    public static FeatureSpec StandardDeviation(int period = 20, PriceSource source = PriceSource.Close) => Make("stdev", source, period);

    public static FeatureSpec ZScore(int period = 20, PriceSource source = PriceSource.Close) => Make("zscore", source, period);

    public static FeatureSpec RealisedVolatility(int period = 20, double periodsPerYear = 1) => Make("rv", period, periodsPerYear);

    public static FeatureSpec Cross(FeatureSpec a, FeatureSpec b) => FeatureSpec.Parse($"cross({a},{b})");

    public static FeatureSpec Cross(FeatureSpec a, double level) => FeatureSpec.Parse($"cross({a},{FeatureSpec.Number(level)})");

    private static FeatureSpec Make(string name, params ReadOnlySpan<double> numbers) => Make(name, PriceSource.Close, numbers);

    private static FeatureSpec Make(string name, PriceSource source, params ReadOnlySpan<double> numbers)
    {
        List<string> arguments = [];
        foreach (double number in numbers) arguments.Add(FeatureSpec.Number(number));
        if (source != PriceSource.Close) arguments.Add(FeatureSpec.Name(source));
        return FeatureSpec.Parse($"{name}({string.Join(',', arguments)})");
    }
}
