using Orleans.Local;

namespace Orleans.Runtime;

/// <summary>The address of a grain without an interface; <see cref="Cast{TGrainInterface}"/> gives one that can be called.</summary>
public class GrainReference : IAddressable, IEquatable<GrainReference>
{
    private readonly LocalRuntime _runtime;

    internal GrainReference(LocalRuntime runtime, GrainId grainId)
    {
        _runtime = runtime;
        GrainId = grainId;
    }

    public GrainId GrainId { get; }

    public virtual TGrainInterface Cast<TGrainInterface>() where TGrainInterface : IAddressable => (TGrainInterface)Cast(typeof(TGrainInterface));

    public bool Equals(GrainReference? other) => other is not null && GrainId.Equals(other.GrainId);

    public override bool Equals(object? obj) => Equals(obj as GrainReference);

    public override int GetHashCode() => GrainId.GetHashCode();

    public sealed override string ToString() => $"GrainReference:{GrainId}";

    internal object Cast(Type interfaceType) => _runtime.CreateProxy(interfaceType, GrainId);
}
