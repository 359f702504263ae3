using System.Collections.Concurrent;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>Which class serves which grain interface and which grain type.</summary>
internal sealed class GrainTypeMap
{
    private readonly Dictionary<GrainType, GrainClass> _byGrainType = [];
    private readonly ConcurrentDictionary<(Type Interface, string? Prefix), GrainClass> _byInterface = new();

    /// <exception cref="OrleansConfigurationException">
    /// Two classes have the same grain type, or a method cannot be called; all faults at once.
    /// </exception>
    public GrainTypeMap(GrainTypeOptions options, GrainCollectionOptions collection)
    {
        List<string> faults = [];
        foreach (Type type in options.Classes.OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            try
            {
                GrainClass made = new(type, collection);
                if (!_byGrainType.TryAdd(made.GrainType, made))
                {
                    faults.Add(
                        $"{type} and {_byGrainType[made.GrainType].Type} are both grain type '{made.GrainType}'; give one of them [GrainType]");
                }
                foreach (Type grainInterface in type.GetInterfaces().Where(IsGrainInterface))
                {
                    CheckMethods(grainInterface);
                }
            }
            catch (Exception fault) when (fault is OrleansConfigurationException or NotSupportedException)
            {
                faults.Add(fault.Message);
            }
        }
        if (faults.Count > 0) throw new OrleansConfigurationException(string.Join(Environment.NewLine, faults));
    }

    public IEnumerable<GrainClass> Classes => _byGrainType.Values;

    public static bool IsGrainInterface(Type type) =>
        type.IsInterface && typeof(IGrain).IsAssignableFrom(type) && type != typeof(IGrain) && type != typeof(IGrainWithStringKey);

    public static bool IsGrainClass(Type type) =>
        type is { IsClass: true, IsAbstract: false, IsGenericTypeDefinition: false }
        && typeof(IGrainBase).IsAssignableFrom(type) && type.GetInterfaces().Any(IsGrainInterface);

    public GrainClass? Find(GrainType grainType) => _byGrainType.GetValueOrDefault(grainType);

    /// <exception cref="ArgumentException">No class, or no single one, implements the interface.</exception>
    public GrainClass Find(Type grainInterface, string? classNamePrefix) =>
        _byInterface.TryGetValue((grainInterface, classNamePrefix), out GrainClass? known)
            ? known
            : _byInterface.GetOrAdd((grainInterface, classNamePrefix), key => Choose(key.Interface, key.Prefix));

    // A method that cannot be called is better found now than by its first caller.
    private static void CheckMethods(Type grainInterface)
    {
        GrainInterface known = GrainInterface.Of(grainInterface);
        foreach (var method in grainInterface.GetMethods())
        {
            if (!method.IsStatic && !method.IsGenericMethod) known.Method(method);
        }
    }

    private GrainClass Choose(Type grainInterface, string? prefix)
    {
        List<GrainClass> candidates = [.. _byGrainType.Values.Where(c => grainInterface.IsAssignableFrom(c.Type))];
        if (!string.IsNullOrEmpty(prefix)) candidates = candidates.FindAll(c => c.Type.FullName!.StartsWith(prefix, StringComparison.Ordinal));
        if (candidates.Count == 0)
        {
            string with = prefix is null ? "" : $" with class prefix '{prefix}'";
            throw new ArgumentException($"Could not find an implementation for interface {grainInterface}{with}");
        }
        if (candidates.Count == 1) return candidates[0];
        // IAccountGrain is served by AccountGrain, whatever else implements it.
        string conventional = grainInterface.Name.StartsWith('I') ? grainInterface.Name[1..] : grainInterface.Name;
        return candidates.Find(c => c.Type.Name == conventional)
            ?? throw new ArgumentException(
                $"Unable to identify a single appropriate grain type for interface {grainInterface}. "
                + $"Candidates: {string.Join(", ", candidates.Select(c => c.Type.FullName))}");
    }
}
