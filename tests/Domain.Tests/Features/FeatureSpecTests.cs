using System.Text.Json;
using HybridTrading.Domain.Features;

namespace HybridTrading.Domain.Tests.Features;

public sealed class FeatureSpecTests
{
    [Theory]
    [InlineData("sma(20)", "sma(20)")]
    [InlineData(" SMA ( 20 , Close ) ", "sma(20)")]
    [InlineData("ema(20,high)", "ema(20,high)")]
    [InlineData("rsi", "rsi(14)")]
    [InlineData("rsi()", "rsi(14)")]
    [InlineData("rsi(high)", "rsi(14,high)")]
    [InlineData("macd", "macd.line(12,26,9)")]
    [InlineData("macd.signal(8)", "macd.signal(8,26,9)")]
    [InlineData("bollinger.upper(20,2.50)", "bollinger.upper(20,2.5)")]
    [InlineData("close", "close")]
    [InlineData("cross( sma(20) , SMA(50) )", "cross(sma(20),sma(50))")]
    [InlineData("cross(rsi,30)", "cross(rsi(14),30)")]
    [InlineData("cross(0,macd)", "cross(0,macd.line(12,26,9))")]
    [InlineData("cross(momentum(3),-0.5)", "cross(momentum(3),-0.5)")]
    public void Text_becomes_canonical_and_stays_itself(string text, string canonical)
    {
        var spec = FeatureSpec.Parse(text);
        Assert.Equal(canonical, spec.ToString());
        Assert.Equal(spec, FeatureSpec.Parse(canonical));
        Assert.Equal(spec.GetHashCode(), FeatureSpec.Parse(canonical).GetHashCode());
    }

    [Theory]
    [InlineData("smaa(20)", "unknown feature 'smaa'; did you mean 'sma'?")]
    [InlineData("bolinger.upper", "did you mean 'bollinger'?")]
    [InlineData("macd.sginal", "macd has no output 'sginal'; it has line, signal, histogram")]
    [InlineData("sma.upper(20)", "it has one value")]
    [InlineData("sma(0)", "period is 0; expected a whole number from 1 to 10000")]
    [InlineData("sma(2.5)", "period is 2.5; expected a whole number")]
    [InlineData("sma(20,30)", "sma takes 1 number(s), as in sma(20)")]
    [InlineData("sma(20,hgih)", "unknown price source 'hgih'")]
    [InlineData("sma(high,20)", "the price source comes last")]
    [InlineData("atr(14,high)", "atr takes no price source")]
    [InlineData("macd(26,12,9)", "macd needs fast < slow")]
    [InlineData("sma(20", "expected ')'")]
    [InlineData("sma(20))", "expected the end")]
    [InlineData("sma(x1)", "unknown price source 'x1'")]
    [InlineData("cross(1,2)", "cross of two numbers")]
    [InlineData("cross(sma(20))", "expected ','")]
    [InlineData("", "expected the name of a feature")]
    [InlineData("sma(1e999)", "expected a number")]
    public void A_fault_is_named(string text, string fault)
    {
        Assert.False(FeatureSpec.TryParse(text, out _, out string? error));
        Assert.Contains(fault, error);
        Assert.StartsWith($"feature '{text}', character ", error);
    }

    [Fact]
    public void Deep_nesting_is_refused_and_not_followed() =>
        Assert.False(FeatureSpec.TryParse(string.Concat(Enumerable.Repeat("cross(", 100_000)), out _, out _));

    [Fact]
    public void The_catalogue_writes_every_output_as_it_is_read()
    {
        foreach (FeatureDefinition feature in FeatureCatalog.All.Where(feature => feature.Operands == 0))
        {
            for (int output = 0; output < feature.Outputs.Length; output++)
            {
                Assert.Equal(feature.Usage(output), FeatureSpec.Parse(feature.Usage(output)).ToString());
            }
        }
    }

    [Fact]
    public void In_json_it_is_its_text()
    {
        var values = new Dictionary<FeatureSpec, FeatureSpec> { [Feature.Close] = Feature.Cross(Feature.Sma(20), Feature.Sma(50)) };
        string json = JsonSerializer.Serialize(values);
        Assert.Equal("""{"close":"cross(sma(20),sma(50))"}""", json);
        Assert.Equal(values, JsonSerializer.Deserialize<Dictionary<FeatureSpec, FeatureSpec>>(json));
        Assert.Contains("did you mean 'sma'", Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<FeatureSpec>("\"smaa\"")).Message);
    }

    [Fact]
    public void Factories_and_text_agree()
    {
        Assert.Equal("sma(20)", Feature.Sma(20).ToString());
        Assert.Equal("wma(9,typical)", Feature.Wma(9, PriceSource.Typical).ToString());
        Assert.Equal("macd.histogram(12,26,9)", Feature.MacdHistogram().ToString());
        Assert.Equal("adx.plus_di(14)", Feature.PlusDi().ToString());
        Assert.Equal("cross(rsi(14),30)", Feature.Cross(Feature.Rsi(), 30).ToString());
        Assert.Throws<FormatException>(() => Feature.Sma(0));
        Assert.Equal("", default(FeatureSpec).ToString());
    }
}
