namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>The bounds of one rule: within them reading, checking and a bar's evaluation are short, whatever the text.</summary>
public static class RuleLimits
{
    /// <summary>Characters of the text.</summary>
    public const int Text = 16_384;

    /// <summary>Statements.</summary>
    public const int Statements = 100;

    /// <summary>Nodes of all expressions together, their lets written out; what is looked back on counts for each look.</summary>
    public const int Nodes = 2_000;

    /// <summary>Nodes on the longest way down an expression, its lets written out.</summary>
    public const int Depth = 64;

    /// <summary>Different features, pasts of features included.</summary>
    public const int Features = 64;

    /// <summary>Characters of one feature, as it is named with all that it is made of.</summary>
    public const int FeatureText = 400;

    /// <summary>How far <c>x[n]</c> looks back, in bars.</summary>
    public const int Lag = 1_000;

    /// <summary>Parameters.</summary>
    public const int Parameters = 30;

    /// <summary>Characters of a name.</summary>
    public const int Name = 40;

    /// <summary>Digits of a number.</summary>
    public const int Digits = 15;

    /// <summary>Errors that are reported at once.</summary>
    public const int Diagnostics = 20;
}
