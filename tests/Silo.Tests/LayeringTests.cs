using System.Diagnostics;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace HybridTrading.Silo.Tests;

/// <summary>Who may know whom (docs/architecture.md), held by the project files, by what the built assemblies refer to, and by the sources.</summary>
public sealed partial class LayeringTests
{
    private static readonly string Sources = Path.Combine(SharedData.RepositoryRoot, "src");

    /// <summary>The projects that each project may name.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Domain"] = ["Orleans.Local.Abstractions"],
        ["Storage"] = ["Domain", "Orleans.Local"],
        ["Grains"] = ["Domain", "Orleans.Local"],
        ["Api"] = ["Storage", "Grains"],
        ["Silo"] = ["Api"],
        ["Orleans.Local"] = ["Orleans.Local.Abstractions"],
        ["Orleans.Local.Abstractions"] = [],
        ["Client.Mt5"] = ["Domain"],
    };

    /// <summary>The assemblies of the project that each may refer to, directly or through another.</summary>
    private static readonly Dictionary<string, string[]> AllowedAssemblies = new()
    {
        ["Domain"] = ["Orleans.Local.Abstractions"],
        ["Storage"] = ["Domain", "Orleans.Local", "Orleans.Local.Abstractions"],
        ["Grains"] = ["Domain", "Orleans.Local", "Orleans.Local.Abstractions"],
        ["Api"] = ["Storage", "Grains", "Domain", "Orleans.Local", "Orleans.Local.Abstractions"],
        ["Silo"] = ["Api", "Storage", "Grains", "Domain", "Orleans.Local", "Orleans.Local.Abstractions"],
        ["Orleans.Local"] = ["Orleans.Local.Abstractions"],
        ["Orleans.Local.Abstractions"] = [],
        ["Client.Mt5"] = ["Domain", "Orleans.Local.Abstractions"],
    };

    private static readonly string[] DomainPackages = ["NodaTime", "MathNet.Numerics", "System.Numerics.Tensors", "Microsoft.Orleans.Sdk"];

    /// <summary>What reads a clock, or chance, instead of being given it. (How long a run took may be measured.)</summary>
    private static readonly HashSet<string> Clocks =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today", "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow",
        "System.Environment.get_TickCount", "System.Environment.get_TickCount64",
        "System.Random.get_Shared", "System.TimeProvider.get_System",
    ];

    public static TheoryData<string> BuiltProjects { get; } = [.. Projects().Select(file => Path.GetFileNameWithoutExtension(file))
        .Where(name => File.Exists(AssemblyOf(name)))];

    [Fact]
    public void Project_files_name_only_whom_they_may_know()
    {
        foreach (string file in Projects())
        {
            string name = Path.GetFileNameWithoutExtension(file);
            Assert.True(Allowed.ContainsKey(name), $"src/{name} is new: say in the architecture and here whom it may know");
            string[] strangers = [.. References(file).Except(Allowed[name])];
            Assert.True(strangers.Length == 0, $"{name} must not reference {string.Join(", ", strangers)}");
        }
    }

    [Fact]
    public void Only_tests_and_benchmarks_reference_the_host()
    {
        foreach (string file in Directory.GetFiles(SharedData.RepositoryRoot, "*.csproj", SearchOption.AllDirectories))
        {
            string path = Path.GetRelativePath(SharedData.RepositoryRoot, file).Replace('\\', '/');
            if (path.StartsWith("tests/", StringComparison.Ordinal) || path.StartsWith("benchmarks/", StringComparison.Ordinal)) continue;
            Assert.DoesNotContain("Silo", References(file));
        }
    }

    [Fact]
    public void Domain_has_no_packages_but_numerics_calendars_and_the_attributes_of_records()
    {
        XDocument project = XDocument.Load(Path.Combine(Sources, "Domain", "Domain.csproj"));
        Assert.Empty(project.Descendants("PackageReference").Select(package => (string)package.Attribute("Include")!).Except(DomainPackages));
        Assert.Empty(project.Descendants("FrameworkReference"));
    }

    [Fact]
    public void There_is_something_to_look_at() =>
        Assert.Superset(new HashSet<string> { "Domain", "Storage", "Grains", "Api", "Silo" }, BuiltProjects.Select(row => row.Data).ToHashSet());

    [Theory]
    [MemberData(nameof(BuiltProjects))]
    public void Assemblies_refer_only_to_whom_they_may_know(string project)
    {
        string[] ours = [.. Refers(project).Where(name => name.StartsWith("HybridTrading.", StringComparison.Ordinal))
            .Select(name => name["HybridTrading.".Length..])];
        Assert.Empty(ours.Except(AllowedAssemblies[project]));
    }

    [Fact]
    public void The_assembly_of_Domain_refers_to_the_runtime_the_attributes_and_numerics_only()
    {
        Assert.All(Refers("Domain"), name => Assert.True(
            name.StartsWith("System.", StringComparison.Ordinal) || name.StartsWith("Orleans.", StringComparison.Ordinal)
                || name is "netstandard" or "NodaTime" or "MathNet.Numerics" or "HybridTrading.Orleans.Local.Abstractions",
            $"Domain refers to {name}"));
        Assert.DoesNotContain(Refers("Domain"), name => name.StartsWith("System.Net", StringComparison.Ordinal)
            || name.StartsWith("System.IO.FileSystem", StringComparison.Ordinal));
    }

    [Fact]
    public void Domain_touches_no_file_and_no_network()
    {
        string[] used = [.. UsedMembers("Domain").Where(member => Outside().IsMatch(member))];
        Assert.Empty(used);
    }

    [Theory]
    [InlineData("Domain")]
    [InlineData("Grains")]
    public void Time_and_chance_are_given_and_not_taken(string project) => Assert.Empty(UsedMembers(project).Intersect(Clocks));

    [Theory]
    [InlineData("Domain", "HybridTrading.Domain")]
    [InlineData("Storage", "HybridTrading.Storage")]
    [InlineData("Grains", "HybridTrading.Grains")]
    [InlineData("Api", "HybridTrading.Api")]
    [InlineData("Silo", "HybridTrading.Silo")]
    public void Types_live_in_the_namespace_of_their_project(string project, string root)
    {
        using PEReader file = Open(project);
        MetadataReader metadata = file.GetMetadataReader();
        string[] strangers =
        [
            .. from handle in metadata.TypeDefinitions
               let type = metadata.GetTypeDefinition(handle)
               where (type.Attributes & System.Reflection.TypeAttributes.VisibilityMask) == System.Reflection.TypeAttributes.Public
               let space = metadata.GetString(type.Namespace)
               // The compiler's own entry point has none.
               where space.Length > 0 || metadata.GetString(type.Name) != "Program"
               // The generator of genuine Orleans puts its code into a namespace of its own.
               where space != root && !space.StartsWith(root + ".", StringComparison.Ordinal)
                   && !space.StartsWith("OrleansCodeGen", StringComparison.Ordinal)
               select $"{space}.{metadata.GetString(type.Name)}",
        ];
        Assert.Empty(strangers);
    }

    [Fact]
    public void The_sources_know_no_conditions()
    {
        string[] conditional = [.. SourceFiles().Where(file => Condition().IsMatch(File.ReadAllText(file)))];
        Assert.Empty(conditional);
    }

    [Fact]
    public void The_hosts_differ_in_one_file_each()
    {
        string[] conditional =
        [
            .. from project in Projects()
               from compile in XDocument.Load(project).Descendants("Compile")
               select $"{Path.GetFileNameWithoutExtension(project)}/{(string?)compile.Attribute("Remove") ?? (string?)compile.Attribute("Include")}",
        ];
        Assert.Equal(["Silo/Hosting/ClusterHost.cs", "Silo/Hosting/LocalHost.cs"], conditional.Order(StringComparer.Ordinal));

        string[] particular =
        [
            .. SourceFiles().Where(file => UsesLocal().IsMatch(File.ReadAllText(file)))
                .Select(file => Path.GetRelativePath(Sources, file).Replace('\\', '/'))
                .Where(file => !file.StartsWith("Orleans.Local", StringComparison.Ordinal)),
        ];
        Assert.Equal(["Silo/Hosting/LocalHost.cs"], particular);
    }

    [Theory]
    [InlineData("Klaster")]
    [InlineData("cluster")]
    public async Task A_host_that_there_is_not_ends_the_build_with_the_two_that_there_are(string host)
    {
        string project = Path.Combine(Sources, "Orleans.Local.Abstractions", "Orleans.Local.Abstractions.csproj");
        var start = new ProcessStartInfo("dotnet", ["msbuild", project, "-nologo", "-nodeReuse:false", "-target:CheckOrleansHost", $"-property:OrleansHost={host}"])
        {
            RedirectStandardOutput = true,
        };
        using Process build = Process.Start(start)!;
        string output = await build.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await build.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.NotEqual(0, build.ExitCode);
        Assert.Contains($"OrleansHost is '{host}'; expected 'Local' (one process, no Orleans packages) or 'Cluster' (genuine Orleans).", output, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Projects() => Directory.GetFiles(Sources, "*.csproj", SearchOption.AllDirectories);

    private static IEnumerable<string> SourceFiles() => Projects().SelectMany(project =>
        Directory.GetFiles(Path.GetDirectoryName(project)!, "*.cs", SearchOption.AllDirectories));

    private static string[] References(string project) =>
        [.. XDocument.Load(project).Descendants("ProjectReference").Select(reference =>
            Path.GetFileNameWithoutExtension(((string)reference.Attribute("Include")!).Replace('\\', '/')))];

    private static string AssemblyOf(string project) => Path.Combine(Path.GetDirectoryName(HybridProgram.File)!, $"HybridTrading.{project}.dll");

    private static PEReader Open(string project) => new(File.OpenRead(AssemblyOf(project)));

    private static string[] Refers(string project)
    {
        using PEReader file = Open(project);
        MetadataReader metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }

    /// <summary>Every member of another assembly that an assembly uses, as namespace.type.member.</summary>
    private static string[] UsedMembers(string project)
    {
        using PEReader file = Open(project);
        MetadataReader metadata = file.GetMetadataReader();
        List<string> members = [];
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind != HandleKind.TypeReference) continue;
            TypeReference type = metadata.GetTypeReference((TypeReferenceHandle)member.Parent);
            members.Add($"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}.{metadata.GetString(member.Name)}");
        }
        Assert.Contains("System.Object..ctor", members);
        return [.. members];
    }

    [GeneratedRegex(@"^System\.(IO\.(File|Directory|FileStream|FileInfo|DirectoryInfo|Path)\.|Net\.|Diagnostics\.Process\.|Console\.|Environment\.(GetEnvironmentVariable|GetFolderPath|Exit|get_CurrentDirectory))")]
    private static partial Regex Outside();

    [GeneratedRegex(@"(?m)^\s*#\s*(if|elif|else|endif|define)\b")]
    private static partial Regex Condition();

    [GeneratedRegex(@"(?m)^\s*(global\s+)?using\s+(static\s+)?Orleans\.Local\b")]
    private static partial Regex UsesLocal();
}
