using System.CommandLine;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Journal;

namespace HybridTrading.Silo.Commands;

/// <summary><c>backup</c> and <c>restore</c> of a data folder; a backup may be taken while the system runs.</summary>
public static class BackupCommands
{
    public static Command CreateBackup()
    {
        Option<string?> data = DataOption.Create();
        var target = new Argument<string>("target") { Description = "a folder that is empty or does not exist" };
        var command = new Command("backup", "Copy a data folder, also of a running system, with a manifest of sizes and hashes. Example: backup /backups/monday") { target, data };
        command.Handle(async (parsed, cancellation) =>
        {
            using DataFolder folder = DataFolder.Look(DataOption.Path(parsed.GetValue(data)));
            BackupManifest manifest = await RunOutput.WithProgress("backup", false, progress => Task.Run(() => DataBackup.Run(
                folder, parsed.GetValue(target)!, TimeProvider.System, Share(progress), cancellation), cancellation));
            Console.Out.WriteLine($"{manifest.Files.Length} files, {manifest.Bytes} bytes; journal of {manifest.JournalSize} events, root {manifest.JournalRoot}");
            return 0;
        });
        return command;
    }

    public static Command CreateRestore()
    {
        Option<string?> data = DataOption.Create();
        var source = new Argument<string>("backup") { Description = "a folder that backup wrote" };
        var command = new Command("restore", "Check a backup against its manifest and put it into a data folder that is empty. Example: restore /backups/monday --data /srv/hybrid") { source, data };
        command.Handle(async (parsed, cancellation) =>
        {
            string target = DataOption.Path(parsed.GetValue(data));
            BackupManifest manifest = await RunOutput.WithProgress("restore", false, progress => Task.Run(() => DataRestore.Run(
                parsed.GetValue(source)!, target, Share(progress), cancellation), cancellation));
            Console.Out.WriteLine($"{manifest.Files.Length} files, {manifest.Bytes} bytes in {target}; journal of {manifest.JournalSize} events");
            return 0;
        });
        return command;
    }

    private static Progress<StorageProgress> Share(Action<double> progress) => new(done => progress((double)done.Done / Math.Max(1, done.Total)));
}
