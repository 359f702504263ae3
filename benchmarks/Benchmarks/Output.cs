using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Text.Json;
using HybridTrading.Silo.Hosting;
using Spectre.Console;

namespace HybridTrading.Benchmarks;

/// <summary>Prints rows as a table, or as one JSON object. Numbers are shown, never asserted.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void Table(BenchmarkContext context, IReadOnlyList<Row> rows)
    {
        Console.Out.WriteLine($"HybridTrading benchmarks, {DateTime.UtcNow:yyyy-MM-dd}. {Machine(context)}");
        Console.Out.WriteLine($"Data: {context.DataSource}. Median of {context.Runs} runs after a warm-up (smallest to largest). Peers: measured elsewhere, +-15 %, unless the note says otherwise.");
        // In a file no cell is broken, so that the table is Markdown that can be copied.
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 2000;
        var table = new Table().Border(TableBorder.Markdown).AddColumns("path", "must", "aim").AddColumn(new TableColumn("measured").RightAligned())
            .AddColumns("runs", "reaches", "peers", "note");
        foreach (Row row in rows)
        {
            table.AddRow(
                new Text(row.Path), new Text(Target(row.Must, row.Unit)), new Text(Target(row.Aim, row.Unit)),
                new Text(row.Measured is { } measured ? $"{Number(measured.Median)} {row.Unit}" : "not measured"),
                new Text(row.Measured is { } all ? $"{Number(all.Least)} to {Number(all.Most)}" : ""),
                new Text(row.Reached), new Text(row.Peers), new Text(row.Note));
        }
        AnsiConsole.Write(table);
    }

    public static void Json(BenchmarkContext context, IReadOnlyList<Row> rows) => Console.Out.WriteLine(JsonSerializer.Serialize(
        new { Date = DateTime.UtcNow, Host = OrleansHost.Name, Machine = Machine(context), Data = context.DataSource, context.Runs, Rows = rows }, Indented));

    private static string Machine(BenchmarkContext context) => string.Create(CultureInfo.InvariantCulture,
        $"{Environment.ProcessorCount} cores ({Processor()}), {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1L << 30)} GB, {RuntimeInformation.OSDescription.Trim()}, "
        + $"{RuntimeInformation.FrameworkDescription}, {(GCSettings.IsServerGC ? "server" : "workstation")} GC, OrleansHost={OrleansHost.Name}{context.Load}");

    private static string Processor()
    {
        const string file = "/proc/cpuinfo";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string Target(double? target, string unit) => target is { } value ? $"{Number(value)} {unit}" : "";

    private static string Number(double value) => Math.Abs(value) switch
    {
        >= 1e6 => (value / 1e6).ToString("0.00 M", CultureInfo.InvariantCulture),
        >= 1e4 => (value / 1e3).ToString("0.0 k", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };
}
