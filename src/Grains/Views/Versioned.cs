namespace HybridTrading.Grains.Views;

/// <summary>Which state of a grain a view shows: two views of one activation are ordered by number, those of different ones are not.</summary>
/// <param name="Activation">Made anew with every life of the grain, so a view of an earlier one is known as such.</param>
/// <param name="Number">Changes that this life has seen.</param>
[GenerateSerializer, Immutable, Alias("ht.ViewVersion")]
public readonly record struct ViewVersion(Guid Activation, long Number)
{
    /// <summary>Is it a later state of the same life?</summary>
    public bool IsAfter(ViewVersion other) => Activation == other.Activation && Number > other.Number;
}

/// <summary>A view, and which state it shows.</summary>
[GenerateSerializer, Immutable, Alias("ht.Versioned`1")]
public sealed record Versioned<TView>(ViewVersion Version, TView View);
