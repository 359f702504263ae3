using System.CommandLine;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Silo.Commands;

/// <summary><c>keys</c>: the master key of a cluster, which all its processes share.</summary>
public static class KeysCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "where to put it; readable by this user only" };
        var ifMissing = new Option<bool>("--if-missing") { Description = "leave one that is there, without an error" };
        var create = new Command("create", "Make a master key. Nothing that it encrypts can be read without it: keep a copy where the database's backups are not.") { file, ifMissing };
        create.Handle((parsed, _) =>
        {
            FileInfo target = parsed.GetValue(file)!;
            if (target.Exists && parsed.GetValue(ifMissing)) return Task.FromResult(0);
            if (target.Exists) throw new UsageException($"{target.FullName} is there already: data may depend on it; expected a new file");
            FileKeyProvider.CreateMaster(target.FullName);
            Console.Out.WriteLine($"{target.FullName} goes to every process of the cluster, and into a safe");
            return Task.FromResult(0);
        });
        return new Command("keys", """
            The master key, which wraps every data key.

            Example:
              keys create /etc/hybrid/master.key
            """) { create };
    }
}
