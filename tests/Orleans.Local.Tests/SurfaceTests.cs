using System.Reflection;

namespace HybridTrading.LocalOrleans.Tests;

/// <summary>
/// Holds Orleans.Local to the genuine API: every public type and member that it shares with Orleans.Core.Abstractions 10.4.2 is the same there, and
/// what lives in other Orleans packages is listed here with the file of dotnet/orleans (v10.4.2) that it was written after.
/// </summary>
public sealed class SurfaceTests
{
    /// <summary>Types of Orleans that are not in Orleans.Core.Abstractions, by the source file below src/ that declares them.</summary>
    private static readonly Dictionary<string, string[]> Elsewhere = new()
    {
        ["Orleans.Serialization.Abstractions/Annotations.cs"] =
        [
            "Orleans.GenerateSerializerAttribute", "Orleans.IdAttribute", "Orleans.ImmutableAttribute", "Orleans.AliasAttribute",
            "Orleans.ResponseTimeoutAttribute",
        ],
        ["Orleans.Serialization/Invocation/IInvokable.cs"] = ["Orleans.Serialization.Invocation.IInvokable"],
        ["Orleans.Core/Core/IClusterClient.cs"] = ["Orleans.IClusterClient"],
        ["Orleans.Core/CodeGeneration/IGrainState.cs"] = ["Orleans.IGrainState`1", "Orleans.GrainState`1"],
        ["Orleans.Core/Providers/IGrainStorage.cs"] = ["Orleans.Storage.IGrainStorage", "Orleans.Storage.InconsistentStateException"],
        ["Orleans.Core/Providers/IStorageProvider.cs"] = ["Orleans.Storage.BadProviderConfigException"],
        ["Orleans.Core/Utils/ObserverManager.cs"] = ["Orleans.Utilities.ObserverManager`1", "Orleans.Utilities.ObserverManager`2"],
        ["Orleans.Core/Configuration/CollectionAgeLimitAttribute.cs"] = ["Orleans.CollectionAgeLimitAttribute", "Orleans.KeepAliveAttribute"],
        ["Orleans.Core/Configuration/Options/MessagingOptions.cs"] = ["Orleans.Configuration.MessagingOptions"],
        ["Orleans.Core/Configuration/GrainTypeOptions.cs"] = ["Orleans.Configuration.GrainTypeOptions"],
        ["Orleans.Core/Lifecycle/ServiceLifecycleStage.cs"] = ["Orleans.ServiceLifecycleStage"],
        ["Orleans.Runtime/Configuration/Options/SiloMessagingOptions.cs"] = ["Orleans.Configuration.SiloMessagingOptions"],
        ["Orleans.Runtime/Configuration/Options/GrainCollectionOptions.cs"] = ["Orleans.Configuration.GrainCollectionOptions"],
        ["Orleans.Runtime/Facet/Persistent/IPersistentState.cs"] = ["Orleans.Runtime.IPersistentState`1"],
        ["Orleans.Runtime/Facet/Persistent/PersistentStateAttribute.cs"] = ["Orleans.Runtime.PersistentStateAttribute"],
        ["Orleans.Runtime/Lifecycle/ISiloLifecycle.cs"] = ["Orleans.Runtime.ISiloLifecycle"],
        ["Orleans.Runtime/Lifecycle/IStartupTask.cs"] = ["Orleans.Runtime.IStartupTask"],
        ["Orleans.Runtime/Hosting/ISiloBuilder.cs"] = ["Orleans.Hosting.ISiloBuilder"],
        ["Orleans.Runtime/Hosting/SiloBuilderExtensions.cs"] = ["Orleans.Hosting.SiloBuilderExtensions"],
        ["Orleans.Runtime/Hosting/CoreHostingExtensions.cs"] = ["Orleans.Hosting.CoreHostingExtensions"],
        ["Orleans.Runtime/Hosting/GrainCallFilterExtensions.cs"] = ["Orleans.Hosting.GrainCallFilterSiloBuilderExtensions"],
        ["Orleans.Runtime/Hosting/SiloBuilderStartupExtensions.cs"] = ["Orleans.Hosting.SiloBuilderStartupExtensions"],
        ["Orleans.Runtime/Hosting/OrleansSiloGenericHostExtensions.cs"] = ["Microsoft.Extensions.Hosting.OrleansSiloGenericHostExtensions"],
        ["Orleans.Persistence.Memory/Hosting/MemoryGrainStorageSiloBuilderExtensions.cs"] =
            ["Orleans.Hosting.MemoryGrainStorageSiloBuilderExtensions"],
        ["Orleans.Reminders/Timers/IRemindable.cs"] =
        [
            "Orleans.IRemindable", "Orleans.Runtime.IGrainReminder", "Orleans.Runtime.TickStatus", "Orleans.Runtime.ReminderException",
        ],
        ["Orleans.Reminders/Timers/IReminderRegistry.cs"] = ["Orleans.Timers.IReminderRegistry"],
        ["Orleans.Reminders/GrainReminderExtensions.cs"] = ["Orleans.GrainReminderExtensions"],
        ["Orleans.Reminders/SystemTargetInterfaces/IReminderTable.cs"] =
            ["Orleans.IReminderTable", "Orleans.ReminderTableData", "Orleans.ReminderEntry"],
        ["Orleans.Reminders/Options/ReminderOptions.cs"] = ["Orleans.Hosting.ReminderOptions"],
        ["Orleans.Reminders/Hosting/SiloBuilderReminderExtensions.cs"] = ["Orleans.Hosting.SiloBuilderReminderExtensions"],
        ["Orleans.Reminders/Hosting/SiloBuilderReminderMemoryExtensions.cs"] = ["Orleans.Hosting.SiloBuilderReminderMemoryExtensions"],
    };

    /// <summary>Interfaces that programs implement: one member too few here would not compile there.</summary>
    private static readonly string[] ImplementedByPrograms =
    [
        "Orleans.IGrainBase", "Orleans.IIncomingGrainCallFilter", "Orleans.IOutgoingGrainCallFilter", "Orleans.ILifecycleObserver",
        "Orleans.ILifecycleParticipant`1", "Orleans.IGrainObserver", "Orleans.Core.IStorage", "Orleans.Core.IStorage`1", "Orleans.IGrain",
        "Orleans.IGrainWithStringKey", "Orleans.Runtime.IGrainTimer", "Orleans.Runtime.IAddressable",
    ];

    private static readonly MetadataSurface Ours = MetadataSurface.Read(
        typeof(Grain).Assembly.Location, typeof(GenerateSerializerAttribute).Assembly.Location);

    private static readonly MetadataSurface Theirs = MetadataSurface.Read(
        typeof(SurfaceTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "GenuineOrleans").Value!);

    private static IEnumerable<TypeSurface> OrleansTypes =>
        Ours.Types.Values.Where(type => !type.Name.StartsWith("Orleans.Local.", StringComparison.Ordinal));

    [Fact]
    public void Every_shared_type_and_member_is_the_same_in_genuine_Orleans()
    {
        List<string> faults = [];
        int shared = 0;
        foreach (TypeSurface ours in OrleansTypes)
        {
            if (!Theirs.Types.TryGetValue(ours.Name, out TypeSurface? theirs)) continue;
            shared++;
            Compare(ours, theirs, faults);
        }
        Assert.True(shared >= 40, $"only {shared} types are shared: the comparison compares nothing");
        Assert.True(faults.Count == 0, string.Join(Environment.NewLine, faults));
    }

    [Fact]
    public void Every_other_type_is_listed_with_its_source()
    {
        HashSet<string> listed = [.. Elsewhere.Values.SelectMany(names => names)];
        string[] ours = [.. OrleansTypes.Select(type => type.Name)];
        Assert.DoesNotContain(ours, name => !Theirs.Types.ContainsKey(name) && !listed.Contains(name));
        Assert.DoesNotContain(listed, name => !ours.Contains(name));
        Assert.DoesNotContain(listed, Theirs.Types.ContainsKey);
    }

    [Fact]
    public void Interfaces_that_programs_implement_are_complete()
    {
        foreach (string name in ImplementedByPrograms)
        {
            IEnumerable<string> demanded = Theirs.Types[name].Members.Where(member => member.IsAbstract).Select(member => member.Signature);
            string[] missing = [.. demanded.Except(Ours.Types[name].Members.Select(member => member.Signature))];
            Assert.True(missing.Length == 0, $"{name} lacks {string.Join("; ", missing)}");
        }
    }

    [Fact]
    public void The_comparison_sees_differences()
    {
        TypeSurface grain = Theirs.Types["Orleans.Grain"];
        List<string> faults = [];
        Compare(grain with { Members = [.. grain.Members, new MemberSurface("Void Invented`0()", "public", false, false, false)] }, grain, faults);
        Compare(grain with { Kind = "struct" }, grain, faults);
        Compare(grain with { Interfaces = [.. grain.Interfaces, "System.IDisposable"] }, grain, faults);
        TypeSurface reentrant = Theirs.Types["Orleans.Concurrency.ReentrantAttribute"];
        Compare(reentrant with { Usage = "All, multiple True, inherited True" }, reentrant, faults);
        Assert.Equal(4, faults.Count);
    }

    private static void Compare(TypeSurface ours, TypeSurface theirs, List<string> faults)
    {
        if (ours.Kind != theirs.Kind) faults.Add($"{ours.Name} is a {ours.Kind}, there a {theirs.Kind}");
        if (theirs.IsSealed && !ours.IsSealed) faults.Add($"{ours.Name} is sealed there");
        if (ours.IsAbstract != theirs.IsAbstract) faults.Add($"{ours.Name}: abstract here {ours.IsAbstract}, there {theirs.IsAbstract}");
        if (ours.Usage != theirs.Usage) faults.Add($"{ours.Name} is for {ours.Usage}, there for {theirs.Usage}");

        List<TypeSurface> chain = [theirs];
        while (chain[^1].Base is { } baseName && Theirs.Types.TryGetValue(Definition(baseName), out TypeSurface? baseType)) chain.Add(baseType);
        HashSet<string> bases = [.. chain.Select(type => type.Base).OfType<string>(), "System.Object"];
        if (ours.Base is not null && !bases.Contains(ours.Base)) faults.Add($"{ours.Name} derives from {ours.Base}, there from {theirs.Base}");

        HashSet<string> interfaces = [.. chain.SelectMany(type => type.Interfaces)];
        foreach (string missing in ours.Interfaces.Except(interfaces)) faults.Add($"{ours.Name} implements {missing}, not there");

        MemberSurface[] members = [.. chain.SelectMany(type => type.Members)];
        foreach (MemberSurface member in ours.Members)
        {
            MemberSurface? same = members.FirstOrDefault(m => m.Signature == member.Signature);
            if (same is null)
            {
                // What overrides a member of object is no member of its own.
                if (!member.IsOverride) faults.Add($"{ours.Name}: no {member.Signature} there");
                continue;
            }
            if (same.Access != member.Access) faults.Add($"{ours.Name}: {member.Signature} is {member.Access}, there {same.Access}");
            if (same.IsAbstract && !member.IsAbstract) faults.Add($"{ours.Name}: {member.Signature} is abstract there");
            if (member.IsOverridable && !same.IsOverridable) faults.Add($"{ours.Name}: {member.Signature} cannot be overridden there");
        }
    }

    private static string Definition(string name) => name.IndexOf('<', StringComparison.Ordinal) is > 0 and var end ? name[..end] : name;
}
