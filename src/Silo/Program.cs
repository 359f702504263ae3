using System.CommandLine;
using System.CommandLine.Invocation;
using HybridTrading.Silo.Commands;

RootCommand root = new(
    "HybridTrading: a trading cloud of virtual actors. Without a command it runs: a market in, journalled decisions and filled orders out. "
    + "Every option can come from the environment: --cluster-listen is HYBRID_CLUSTER_LISTEN.")
{
    BacktestCommand.Create(),
    OptimiseCommand.Create(),
    WalkForwardCommand.Create(),
    ReplayCommand.Create(),
    CacheCommand.Create(),
    RulesCommand.Create(),
    ReportCommand.Create(),
    ReportCommand.CreateCompare(),
    PortsCommand.Create(),
    JournalCommand.Create(),
    BackupCommands.CreateBackup(),
    BackupCommands.CreateRestore(),
    CertificatesCommand.Create(),
    KeysCommand.Create(),
    UsersCommand.Create(),
    HealthCommand.Create(),
    DbCommand.Create(),
    DataCommand.Create(),
};
root.Add(RunCommand.Create());
RunCommand.MakeDefault(root);

ParseResult parsed = root.Parse(args);
if (EnvironmentOptions.Read(parsed, Environment.GetEnvironmentVariable) is { Length: > 0 } further) parsed = root.Parse([.. args, .. further]);
if (parsed.Action is ParseErrorAction) return CommandAction.Error(parsed.Errors[0].Message, CommandAction.Usage);
return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
