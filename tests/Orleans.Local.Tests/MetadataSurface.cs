using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace HybridTrading.LocalOrleans.Tests;

/// <summary>The public surface of an assembly, read from its metadata without loading it, as comparable text.</summary>
public sealed class MetadataSurface
{
    private MetadataSurface(Dictionary<string, TypeSurface> types) => Types = types;

    /// <summary>Public and protected types by full name (nested ones with '+').</summary>
    public IReadOnlyDictionary<string, TypeSurface> Types { get; }

    public static MetadataSurface Read(params string[] paths)
    {
        Dictionary<string, TypeSurface> types = [];
        foreach (string path in paths)
        {
            using PEReader file = new(File.OpenRead(path));
            Reader reader = new(file.GetMetadataReader());
            foreach (TypeSurface type in reader.ReadTypes()) types.Add(type.Name, type);
        }
        return new MetadataSurface(types);
    }

    private sealed class Reader(MetadataReader metadata)
    {
        private readonly NameProvider _names = new();

        public IEnumerable<TypeSurface> ReadTypes() =>
            metadata.TypeDefinitions.Select(metadata.GetTypeDefinition).Where(IsVisible).Select(ReadType);

        private bool IsVisible(TypeDefinition type) => (type.Attributes & TypeAttributes.VisibilityMask) switch
        {
            TypeAttributes.Public => true,
            TypeAttributes.NestedPublic or TypeAttributes.NestedFamily or TypeAttributes.NestedFamORAssem =>
                IsVisible(metadata.GetTypeDefinition(type.GetDeclaringType())),
            _ => false,
        };

        private TypeSurface ReadType(TypeDefinition type)
        {
            string? baseType = type.BaseType.IsNil ? null : Name(type.BaseType);
            bool isInterface = (type.Attributes & TypeAttributes.Interface) != 0;
            string kind =
                isInterface ? "interface"
                : baseType == "System.Enum" ? "enum"
                : baseType == "System.ValueType" ? "struct"
                : baseType == "System.MulticastDelegate" ? "delegate"
                : "class";
            return new TypeSurface(
                NameOf(type),
                kind,
                (type.Attributes & TypeAttributes.Abstract) != 0,
                (type.Attributes & TypeAttributes.Sealed) != 0,
                baseType,
                [.. type.GetInterfaceImplementations().Select(i => Name(metadata.GetInterfaceImplementation(i).Interface))],
                [.. Members(type)],
                Usage(type));
        }

        private IEnumerable<MemberSurface> Members(TypeDefinition type)
        {
            foreach (MethodDefinitionHandle handle in type.GetMethods())
            {
                MethodDefinition method = metadata.GetMethodDefinition(handle);
                string? access = Access((MethodAttributes)((int)method.Attributes & (int)MethodAttributes.MemberAccessMask));
                string name = metadata.GetString(method.Name);
                if (access is null || name is "<Clone>$" or "PrintMembers") continue;
                MethodSignature<string> signature = method.DecodeSignature(_names, null);
                string constraints = string.Concat(method.GetGenericParameters().Select(Constraint));
                bool isVirtual = (method.Attributes & MethodAttributes.Virtual) != 0;
                yield return new MemberSurface(
                    $"{(signature.Header.IsInstance ? "" : "static ")}{signature.ReturnType} {name}`{signature.GenericParameterCount}"
                    + $"({string.Join(", ", signature.ParameterTypes)}){constraints}",
                    access,
                    (method.Attributes & MethodAttributes.Abstract) != 0,
                    isVirtual && (method.Attributes & MethodAttributes.Final) == 0,
                    isVirtual && (method.Attributes & MethodAttributes.NewSlot) == 0);
            }
            foreach (FieldDefinitionHandle handle in type.GetFields())
            {
                FieldDefinition field = metadata.GetFieldDefinition(handle);
                string? access = Access((MethodAttributes)((int)field.Attributes & (int)FieldAttributes.FieldAccessMask));
                if (access is null || (field.Attributes & FieldAttributes.SpecialName) != 0) continue;
                string value = field.GetDefaultValue().IsNil ? "" : $" = {Constant(field.GetDefaultValue())}";
                bool isStatic = (field.Attributes & FieldAttributes.Static) != 0;
                yield return new MemberSurface(
                    $"{(isStatic ? "static " : "")}field {field.DecodeSignature(_names, null)} {metadata.GetString(field.Name)}{value}",
                    access, IsAbstract: false, IsOverridable: false, IsOverride: false);
            }
        }

        private static string? Access(MethodAttributes access) => access switch
        {
            MethodAttributes.Public => "public",
            MethodAttributes.Family => "protected",
            MethodAttributes.FamORAssem => "protected internal",
            _ => null,
        };

        private string Constraint(GenericParameterHandle handle)
        {
            GenericParameter parameter = metadata.GetGenericParameter(handle);
            GenericParameterAttributes special = parameter.Attributes & GenericParameterAttributes.SpecialConstraintMask;
            IEnumerable<string> types = parameter.GetConstraints()
                .Select(constraint => Name(metadata.GetGenericParameterConstraint(constraint).Type)).Order(StringComparer.Ordinal);
            string all = string.Join(", ", types.Prepend(special == 0 ? "" : $"{special}").Where(word => word.Length > 0));
            return all.Length == 0 ? "" : $" where !!{parameter.Index} : {all}";
        }

        private object? Constant(ConstantHandle handle)
        {
            Constant constant = metadata.GetConstant(handle);
            return metadata.GetBlobReader(constant.Value).ReadConstant(constant.TypeCode);
        }

        /// <returns>Null where the type has no AttributeUsage of its own.</returns>
        private string? Usage(TypeDefinition type)
        {
            foreach (CustomAttribute attribute in type.GetCustomAttributes().Select(metadata.GetCustomAttribute))
            {
                if (attribute.Constructor.Kind != HandleKind.MemberReference) continue;
                MemberReference constructor = metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor);
                if (Name(constructor.Parent) != "System.AttributeUsageAttribute") continue;
                CustomAttributeValue<string> value = attribute.DecodeValue(_names);
                Dictionary<string, object?> named = value.NamedArguments.ToDictionary(n => n.Name!, n => n.Value);
                return $"{(AttributeTargets)(int)value.FixedArguments[0].Value!}, multiple {named.GetValueOrDefault("AllowMultiple", false)}, "
                    + $"inherited {named.GetValueOrDefault("Inherited", true)}";
            }
            return null;
        }

        private string NameOf(TypeDefinition type) => NameProvider.NameOf(metadata, type);

        private string Name(EntityHandle handle) => handle.Kind switch
        {
            HandleKind.TypeDefinition => NameOf(metadata.GetTypeDefinition((TypeDefinitionHandle)handle)),
            HandleKind.TypeReference => NameProvider.NameOf(metadata, metadata.GetTypeReference((TypeReferenceHandle)handle)),
            _ => metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(_names, null),
        };
    }

    private sealed class NameProvider : ISignatureTypeProvider<string, object?>, ICustomAttributeTypeProvider<string>
    {
        public static string NameOf(MetadataReader reader, TypeDefinition type) =>
            type.GetDeclaringType().IsNil
                ? Join(reader.GetString(type.Namespace), reader.GetString(type.Name))
                : $"{NameOf(reader, reader.GetTypeDefinition(type.GetDeclaringType()))}+{reader.GetString(type.Name)}";

        public static string NameOf(MetadataReader reader, TypeReference type) =>
            type.ResolutionScope.Kind == HandleKind.TypeReference
                ? $"{NameOf(reader, reader.GetTypeReference((TypeReferenceHandle)type.ResolutionScope))}+{reader.GetString(type.Name)}"
                : Join(reader.GetString(type.Namespace), reader.GetString(type.Name));

        public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{new string(',', shape.Rank - 1)}]";

        public string GetByReferenceType(string elementType) => $"{elementType}&";

        public string GetFunctionPointerType(MethodSignature<string> signature) => "function pointer";

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
            $"{genericType}<{string.Join(", ", typeArguments)}>";

        public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";

        public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) =>
            isRequired ? $"{unmodifiedType} modreq({modifier})" : unmodifiedType;

        public string GetPinnedType(string elementType) => elementType;

        public string GetPointerType(string elementType) => $"{elementType}*";

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => $"{typeCode}";

        public string GetSZArrayType(string elementType) => $"{elementType}[]";

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
            NameOf(reader, reader.GetTypeDefinition(handle));

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
            NameOf(reader, reader.GetTypeReference(handle));

        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public string GetSystemType() => "System.Type";

        public bool IsSystemType(string type) => type == "System.Type";

        public string GetTypeFromSerializedName(string name) => name;

        public PrimitiveTypeCode GetUnderlyingEnumType(string type) => PrimitiveTypeCode.Int32;

        private static string Join(string space, string name) => space.Length == 0 ? name : $"{space}.{name}";
    }
}

/// <param name="Usage">Its AttributeUsage, where it is an attribute.</param>
public sealed record TypeSurface(
    string Name, string Kind, bool IsAbstract, bool IsSealed, string? Base,
    ImmutableArray<string> Interfaces, ImmutableArray<MemberSurface> Members, string? Usage);

/// <param name="Signature">Return type, name, parameter types and constraints.</param>
/// <param name="IsOverride">Takes the place of an inherited member.</param>
public sealed record MemberSurface(string Signature, string Access, bool IsAbstract, bool IsOverridable, bool IsOverride);
