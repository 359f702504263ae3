using Orleans.Local;
using Orleans.Runtime;

namespace Orleans;

/// <summary>Identity of grains and references.</summary>
public static class GrainExtensions
{
    /// <summary>A reference to the grain under another (or its own) interface; grain code passes itself to others this way.</summary>
    /// <exception cref="ArgumentException">The object is neither a reference nor a grain that the runtime made.</exception>
    public static TGrainInterface AsReference<TGrainInterface>(this IAddressable grain) => (TGrainInterface)Cast(grain, typeof(TGrainInterface));

    /// <inheritdoc cref="AsReference{TGrainInterface}(IAddressable)"/>
    public static TGrainInterface Cast<TGrainInterface>(this IAddressable grain) => grain.AsReference<TGrainInterface>();

    /// <inheritdoc cref="AsReference{TGrainInterface}(IAddressable)"/>
    public static object AsReference(this IAddressable grain, Type interfaceType) => Cast(grain, interfaceType);

    /// <inheritdoc cref="AsReference{TGrainInterface}(IAddressable)"/>
    public static object Cast(this IAddressable grain, Type interfaceType)
    {
        ArgumentNullException.ThrowIfNull(grain);
        ArgumentNullException.ThrowIfNull(interfaceType);
        return grain switch
        {
            GrainProxy proxy => proxy.Cast(interfaceType),
            GrainReference reference => reference.Cast(interfaceType),
            IGrainBase { GrainContext.GrainReference: { } reference } => reference.Cast(interfaceType),
            _ => throw NotAddressable(grain),
        };
    }

    /// <exception cref="ArgumentException">The object is neither a reference nor a grain that the runtime made.</exception>
    public static GrainId GetGrainId(this IAddressable grain)
    {
        ArgumentNullException.ThrowIfNull(grain);
        return grain switch
        {
            GrainProxy proxy => proxy.GrainId,
            GrainReference reference => reference.GrainId,
            IGrainBase { GrainContext: { } context } => context.GrainId,
            _ => throw NotAddressable(grain),
        };
    }

    /// <summary>The key of a grain that is named by text.</summary>
    public static string GetPrimaryKeyString(this IAddressable grain) => grain.GetGrainId().Key.ToString();

    private static ArgumentException NotAddressable(IAddressable grain) =>
        new($"{grain.GetType()} is neither a grain reference nor a grain that the runtime made", nameof(grain));
}
