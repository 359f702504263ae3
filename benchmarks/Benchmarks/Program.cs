using System.CommandLine;
using HybridTrading.Benchmarks;
using HybridTrading.Benchmarks.Workloads;

var filter = new Option<string[]>("--filter") { Description = "only workloads whose name contains this; may be repeated" };
var exact = new Option<bool>("--exact") { Description = "the workload whose name is that of --filter, no other" };
var json = new Option<bool>("--json") { Description = "print one JSON object instead of the table" };
var list = new Option<bool>("--list") { Description = "print the names of the workloads and stop" };
var runs = new Option<int>("--runs") { Description = "measured runs of each row, after one warm-up", DefaultValueFactory = _ => 5 };
var disk = new Option<string?>("--disk") { Description = "folder for what is written; default: beside the program. It must lie on the disk to be measured" };
var beside = new Option<string?>("--beside") { Description = "HybridTrading.Benchmarks.dll of the other host's build: each workload is measured there, too, right after" };
var data = new Option<string?>("--market-data") { Description = "folder with lean/ and mt5-history/; default: ../shared/data beside the checkout, else a generated series" };

var command = new RootCommand("The rows of DESIGN section 8 that exist by now: what must be reached, what is aimed at, what is measured here, and what peers reach.")
{
    filter, exact, json, list, runs, disk, data, beside,
};
command.SetAction(async (parsed, cancellation) =>
{
    ImmutableArray<Workload> workloads = [.. Catalog.All.Where(workload =>
        parsed.GetValue(filter) is not { Length: > 0 } wanted || wanted.Any(name => parsed.GetValue(exact) ? workload.Name == name : workload.Name.Contains(name, StringComparison.OrdinalIgnoreCase)))];
    if (workloads.IsEmpty)
    {
        Console.Error.WriteLine($"--filter {string.Join(' ', parsed.GetValue(filter)!)}: no such workload; there are {string.Join(", ", Catalog.All.Select(each => each.Name))}");
        return 2;
    }
    if (parsed.GetValue(list))
    {
        foreach (Workload workload in workloads) Console.Out.WriteLine(workload.Name);
        return 0;
    }
    if (parsed.GetValue(runs) is < 1 or > 100)
    {
        Console.Error.WriteLine($"--runs is {parsed.GetValue(runs)}; expected 1 to 100");
        return 2;
    }
    using var context = new BenchmarkContext(parsed.GetValue(runs), parsed.GetValue(disk), parsed.GetValue(data));
    List<Row> rows = [];
    foreach (Workload workload in workloads)
    {
        Console.Error.WriteLine($"{workload.Name} ...");
        List<Row> own = [];
        await workload.RunAsync(context, own.Add, cancellation);
        GC.Collect();
        if (parsed.GetValue(beside) is not { } other)
        {
            rows.AddRange(own);
            continue;
        }
        Console.Error.WriteLine($"{workload.Name}, beside ...");
        rows.AddRange(Beside.Join(own, await Beside.MeasureAsync(other, workload.Name, context, cancellation)));
    }
    if (parsed.GetValue(json)) Output.Json(context, rows);
    else Output.Table(context, rows);
    return 0;
});
// Processes that workloads run beside themselves.
var bare = new Command("bare-api", "A minimal API of one endpoint, for comparison.") { Hidden = true };
bare.SetAction((_, cancellation) => BareApi.RunAsync(cancellation));
command.Add(bare);
command.Add(HubClients.Command());

return await command.Parse(args).InvokeAsync(new InvocationConfiguration(), CancellationToken.None);
