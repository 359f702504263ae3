namespace HybridTrading.Grains.Views;

/// <summary>The terms on which grains show themselves to observers.</summary>
public static class Observing
{
    /// <summary>How often an observer says that it still looks.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(30);

    /// <summary>An observer that was silent for longer is forgotten: a little over two renewals, so that one may be lost.</summary>
    public static readonly TimeSpan Expiration = TimeSpan.FromSeconds(65);

    /// <summary>Between two views of one grain.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);
}
