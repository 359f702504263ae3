using System.CommandLine;
using System.CommandLine.Invocation;
using HybridTrading.Silo.Commands;

RootCommand root = new(
    "HybridTrading: a trading cloud of virtual actors. Without a command it runs: a market in, journalled decisions and filled orders out.")
{
    BacktestCommand.Create(),
    ReplayCommand.Create(),
    ReportCommand.Create(),
    ReportCommand.CreateCompare(),
    PortsCommand.Create(),
    JournalCommand.Create(),
    BackupCommands.CreateBackup(),
    BackupCommands.CreateRestore(),
    CertificatesCommand.Create(),
    DbCommand.Create(),
    DataCommand.Create(),
};
root.Add(RunCommand.Create());
RunCommand.MakeDefault(root);

ParseResult parsed = root.Parse(args);
if (parsed.Action is ParseErrorAction) return CommandAction.Error(parsed.Errors[0].Message, CommandAction.Usage);
return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
