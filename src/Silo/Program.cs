using System.CommandLine;
using HybridTrading.Silo.Commands;

RootCommand root = new(
    "HybridTrading: a trading cloud of virtual actors. Without a command it runs: a market in, journalled decisions and filled orders out.")
{
    BacktestCommand.Create(),
    ReplayCommand.Create(),
    PortsCommand.Create(),
    JournalCommand.Create(),
    BackupCommands.CreateBackup(),
    BackupCommands.CreateRestore(),
};
root.Add(RunCommand.Create());
RunCommand.MakeDefault(root);

return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
