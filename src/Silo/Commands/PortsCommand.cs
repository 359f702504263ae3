using System.CommandLine;
using HybridTrading.Api.Ports;
using Spectre.Console;

namespace HybridTrading.Silo.Commands;

/// <summary><c>ports</c>: prints, exports and proves the port maps.</summary>
public static class PortsCommand
{
    public static Command Create()
    {
        var map = new Option<string>("--map", "-m") { Description = $"{string.Join(", ", PortMap.Names)}, or a JSON file", DefaultValueFactory = _ => PortMap.DefaultName, Recursive = true };
        var offset = new Option<int>("--port-offset") { Description = "added to every port", Recursive = true };
        var wide = new Option<bool>("--wide") { Description = "all columns" };
        var format = new Option<string>("--format", "-f") { Description = string.Join(" or ", PortMapExport.Formats), DefaultValueFactory = _ => "env" };
        var all = new Argument<string[]>("maps") { Description = "maps to check; default: all", Arity = ArgumentArity.ZeroOrMore };

        var export = new Command("export", "Write a map for others, for example: ports export --format env > service-ports.env") { format };
        export.Handle((parsed, _) =>
        {
            Console.Out.Write(PortMapExport.Write(Load(parsed.GetValue(map)!), parsed.GetValue(format)!, parsed.GetValue(offset)));
            return Task.FromResult(0);
        });

        var validate = new Command("validate", "Prove the maps: no port twice, names unique, ranges kept, compliance apart, dependencies known. Exits 1 and names each fault.") { all };
        validate.Handle((parsed, _) =>
        {
            bool isMapNamed = parsed.GetResult(map) is { Implicit: false };
            string[] names = parsed.GetValue(all) is { Length: > 0 } given ? given : isMapNamed ? [parsed.GetValue(map)!] : [.. PortMap.Names];
            int faults = 0;
            foreach (string name in names)
            {
                PortMap loaded = Load(name);
                foreach (PortFault fault in PortMapValidator.Validate(loaded, PortMap.Default, parsed.GetValue(offset)))
                {
                    Console.Error.WriteLine($"{name}: {fault.Code}: {fault.Text}");
                    faults++;
                }
                Console.Out.WriteLine($"{name}: {loaded.Services.Length} services, {loaded.Services.Length + loaded.Clients.Length} HTTP ports checked");
            }
            Console.Out.WriteLine(faults == 0 ? "ports: valid" : $"ports: {faults} fault{(faults == 1 ? "" : "s")}");
            return Task.FromResult(faults == 0 ? 0 : CommandAction.Failed);
        });

        var command = new Command("ports", """
            Print the port matrix of a map.

            Examples:
              ports --map deltran
              ports export --format json --map fks
              ports validate
            """) { map, offset, wide, export, validate };
        command.Handle((parsed, _) =>
        {
            PortTable table = PortMapPrinter.Table(Load(parsed.GetValue(map)!), parsed.GetValue(offset), parsed.GetValue(wide));
            var printed = new Table().Border(TableBorder.Rounded);
            foreach (string column in table.Columns) printed.AddColumn(Markup.Escape(column));
            foreach (ImmutableArray<string> row in table.Rows) printed.AddRow([.. row.Select(Markup.Escape)]);
            Tables.Print(printed);
            return Task.FromResult(0);
        });
        return command;
    }

    private static PortMap Load(string nameOrFile)
    {
        try
        {
            return PortMap.Load(nameOrFile);
        }
        catch (PortMapException e)
        {
            throw new UsageException(e.Message);
        }
    }
}
