using System.Reflection;
using System.Runtime.CompilerServices;

namespace HybridTrading.Grains.Messages;

/// <summary>A grain interface carries something that must not travel.</summary>
public sealed class MessageCheckException(ImmutableArray<string> faults)
    : Exception($"Messages that must not travel between grains:{Environment.NewLine}{string.Join(Environment.NewLine, faults)}")
{
    /// <summary>Every fault, as <c>Type.Member: why</c>.</summary>
    public ImmutableArray<string> Faults => faults;
}

/// <summary>
/// Walks everything that grain interfaces carry and refuses by name what could be changed by one side while the other holds it. Genuine Orleans
/// does not copy what is marked immutable, and in one process nothing is copied, so only what cannot change may travel: simple values,
/// immutable collections, references to grains and observers, and records of these that are marked <c>[GenerateSerializer, Immutable, Alias]</c>.
/// Both hosts run it when they start.
/// </summary>
public static class MessageCheck
{
    /// <summary>Checks the grain and observer interfaces that the assemblies declare.</summary>
    /// <exception cref="MessageCheckException">Lists every fault at once.</exception>
    public static void Run(params ReadOnlySpan<Assembly> assemblies)
    {
        List<Type> interfaces = [];
        foreach (Assembly assembly in assemblies) interfaces.AddRange(assembly.GetTypes().Where(IsReference));
        ImmutableArray<string> faults = FindFaults(interfaces);
        if (!faults.IsEmpty) throw new MessageCheckException(faults);
    }

    /// <summary>Every fault of the methods that the interfaces declare, as <c>Type.Member: why</c>, in ordinal order.</summary>
    public static ImmutableArray<string> FindFaults(IEnumerable<Type> grainInterfaces)
    {
        ArgumentNullException.ThrowIfNull(grainInterfaces);
        Walk walk = new();
        foreach (Type type in grainInterfaces) walk.CheckInterface(type);
        return walk.Faults;
    }

    private static bool IsReference(Type type) => type.IsInterface && typeof(IAddressable).IsAssignableFrom(type);

    private sealed class Walk
    {
        private static readonly HashSet<Type> Values =
        [
            typeof(bool), typeof(char), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long),
            typeof(ulong), typeof(float), typeof(double), typeof(decimal), typeof(string), typeof(Guid),
            typeof(DateTime), typeof(DateTimeOffset), typeof(TimeSpan), typeof(DateOnly), typeof(TimeOnly),
            typeof(GrainId), typeof(GrainType), typeof(IdSpan),
        ];

        private static readonly HashSet<Type> Collections =
            [typeof(ImmutableArray<>), typeof(ImmutableList<>), typeof(ImmutableHashSet<>), typeof(ImmutableDictionary<,>), typeof(ImmutableSortedDictionary<,>)];

        private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

        private readonly HashSet<Type> _seen = [];
        private readonly SortedSet<string> _faults = new(StringComparer.Ordinal);
        private readonly Dictionary<string, Type> _aliases = [];

        public ImmutableArray<string> Faults => [.. _faults];

        public void CheckInterface(Type type)
        {
            var aliases = new HashSet<string>(StringComparer.Ordinal);
            foreach (MethodInfo method in type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
            {
                string place = $"{NameOf(type)}.{method.Name}";
                if (method.GetCustomAttribute<AliasAttribute>() is { } alias && !aliases.Add(alias.Alias))
                {
                    _faults.Add($"{place}: has the alias '{alias.Alias}' of another method");
                }
                foreach (ParameterInfo parameter in method.GetParameters())
                {
                    // A token is not a value that travels: the runtime carries the cancellation itself.
                    if (parameter.ParameterType != typeof(CancellationToken)) Check(parameter.ParameterType, $"{place}: parameter {parameter.Name}");
                }
                CheckResult(method.ReturnType, place);
            }
        }

        private void CheckResult(Type type, string place)
        {
            if (type == typeof(void) || type == typeof(Task) || type == typeof(ValueTask)) return;
            Type? definition = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
            if (definition == typeof(Task<>) || definition == typeof(ValueTask<>)) Check(type.GetGenericArguments()[0], $"{place}: result");
            else _faults.Add($"{place}: returns {NameOf(type)}, expected Task, Task<T>, ValueTask, ValueTask<T> or (one way) void");
        }

        private void Check(Type type, string place)
        {
            if (Values.Contains(type) || type.IsEnum || IsReference(type)) return;
            Type? definition = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
            if (definition is not null && (definition == typeof(Nullable<>) || Collections.Contains(definition)))
            {
                foreach (Type argument in type.GetGenericArguments()) Check(argument, place);
            }
            else if (WhyRefused(type, definition) is { } why)
            {
                _faults.Add($"{place} is {NameOf(type)}: {why}");
            }
            else if (_seen.Add(type))
            {
                CheckRecord(type);
            }
        }

        /// <returns>Null for records, which are looked into.</returns>
        private static string? WhyRefused(Type type, Type? definition)
        {
            if (type.IsArray) return $"an array can be changed by both sides; use ImmutableArray<{NameOf(type.GetElementType()!)}>";
            if (type.IsByRef) return "a reference to a variable cannot travel";
            if (type.IsGenericParameter) return "an open type cannot be checked; name the type";
            if (type == typeof(object)) return "anything could be in it; name the type, or make a closed union of records";
            if (definition == typeof(List<>))
            {
                return $"a list can be changed by both sides; use ImmutableArray<{NameOf(type.GetGenericArguments()[0])}>";
            }
            if (definition == typeof(Dictionary<,>)) return "a dictionary can be changed by both sides; use ImmutableDictionary";
            if (definition == typeof(HashSet<>)) return "a set can be changed by both sides; use ImmutableHashSet";
            if (type == typeof(CancellationToken)) return "a token travels only as a parameter";
            if (type.IsInterface) return "anything could be behind it; name the type (only grain and observer interfaces travel)";
            if (type.IsAssignableTo(typeof(Delegate))) return "code cannot travel; use an observer";
            if (type.IsAssignableTo(typeof(ITuple))) return "a tuple has no names and no alias; use a record";
            return IsRecord(type) ? null : "expected a simple value, an immutable collection, a grain or observer interface, or a marked record";
        }

        private void CheckRecord(Type type)
        {
            CheckMarks(type);
            if (type.IsAbstract) CheckUnion(type);
            else if (type.IsClass && !type.IsSealed) _faults.Add($"{NameOf(type)}: a record that travels is sealed, or abstract with sealed cases");

            HashSet<string> primary = PrimaryParameters(type);
            for (Type? level = type; level is not null && level != typeof(object) && level != typeof(ValueType); level = level.BaseType)
            {
                // The base of a case travels with it.
                if (level != type && _seen.Add(level)) CheckMarks(level);
                HashSet<string> parameters = level == type ? primary : PrimaryParameters(level);
                foreach (FieldInfo field in level.GetFields(Declared)) CheckMember(type, level, field, parameters);
            }
        }

        private void CheckMember(Type type, Type level, FieldInfo field, HashSet<string> primary)
        {
            string name = field.Name;
            MemberInfo member = field;
            if (name.StartsWith('<'))
            {
                name = name[1..name.IndexOf('>', StringComparison.Ordinal)];
                member = (MemberInfo?)level.GetProperty(name, Declared) ?? field;
            }
            string place = $"{NameOf(type)}.{name}";
            if (!field.IsInitOnly) _faults.Add($"{place}: can be set after construction; use init or readonly");
            if (!primary.Contains(name) && !member.IsDefined(typeof(IdAttribute), inherit: false))
            {
                _faults.Add($"{place}: is neither a primary constructor parameter nor has [Id], so genuine Orleans would leave it behind");
            }
            Check(field.FieldType, $"{place}: type");
        }

        private void CheckMarks(Type type)
        {
            string[] missing =
            [
                .. new[] { typeof(GenerateSerializerAttribute), typeof(ImmutableAttribute), typeof(AliasAttribute) }
                    .Where(mark => !type.IsDefined(mark, inherit: false)).Select(mark => mark.Name[..^"Attribute".Length]),
            ];
            if (missing.Length > 0) _faults.Add($"{NameOf(type)}: is not marked [{string.Join(", ", missing)}]");

            Type owner = DefinitionOf(type);
            foreach (AliasAttribute alias in type.GetCustomAttributes<AliasAttribute>(inherit: false))
            {
                if (!_aliases.TryAdd(alias.Alias, owner) && _aliases[alias.Alias] != owner)
                {
                    _faults.Add($"{NameOf(type)}: has the alias '{alias.Alias}' of {NameOf(_aliases[alias.Alias])}");
                }
            }
        }

        /// <summary>An abstract record is a union of the records of its own assembly that derive from it.</summary>
        private void CheckUnion(Type type)
        {
            Type definition = DefinitionOf(type);
            Type[] cases = [.. type.Assembly.GetTypes().Where(found => found.BaseType is { } b && DefinitionOf(b) == definition)];
            if (cases.Length == 0) _faults.Add($"{NameOf(type)}: an abstract record without a case");
            foreach (Type found in cases)
            {
                Type? closed = found;
                if (found.IsGenericTypeDefinition)
                {
                    Type[] arguments = type.GetGenericArguments();
                    closed = found.GetGenericArguments().Length == arguments.Length ? found.MakeGenericType(arguments) : null;
                }
                if (closed is null) _faults.Add($"{NameOf(found)}: a case has the type parameters of its union {NameOf(type)}");
                else if (!closed.IsSealed) _faults.Add($"{NameOf(closed)}: a case of {NameOf(type)} must be sealed");
                else if (_seen.Add(closed)) CheckRecord(closed);
            }
        }

        private static bool IsRecord(Type type) =>
            type.IsValueType
                ? type.IsDefined(typeof(IsReadOnlyAttribute), inherit: false) && type.GetMethod("PrintMembers", Declared) is not null
                : type.GetMethod("<Clone>$") is not null;

        private static Type DefinitionOf(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;

        /// <summary>
        /// The names of the primary constructor's parameters: those of the longest constructor that are all properties of the record.
        /// </summary>
        private static HashSet<string> PrimaryParameters(Type type)
        {
            const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
            return
            [
                .. type.GetConstructors(Any)
                    .Select(constructor => constructor.GetParameters())
                    .Where(parameters => parameters.All(p => p.Name is not null && type.GetProperty(p.Name, Any)?.PropertyType == p.ParameterType))
                    .MaxBy(parameters => parameters.Length)?.Select(p => p.Name!) ?? [],
            ];
        }

        private static string NameOf(Type type)
        {
            if (type.IsArray) return $"{NameOf(type.GetElementType()!)}[]";
            if (Nullable.GetUnderlyingType(type) is { } underlying) return $"{NameOf(underlying)}?";
            if (!type.IsGenericType) return type.Name;
            int arity = type.Name.IndexOf('`', StringComparison.Ordinal);
            string name = arity < 0 ? type.Name : type.Name[..arity];
            return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>";
        }
    }
}
