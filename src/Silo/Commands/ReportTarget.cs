using System.Text;
using HybridTrading.Api.Reports;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Silo.Commands;

/// <summary>Where a report goes: FILE.html, FILE.json, or a folder that gets all of report.html, report.json, trades.csv, equity.csv and
/// daily.csv.</summary>
public sealed class ReportTarget
{
    private readonly string _path;
    private readonly Kind _kind;

    private ReportTarget(string path, Kind kind) => (_path, _kind) = (path, kind);

    private enum Kind { Html, Json, Folder }

    /// <summary>The folder that a file is written to exists, and nothing of another kind stands in the way.</summary>
    /// <exception cref="UsageException">Names the option and what is wrong with its value.</exception>
    public static ReportTarget Of(string option, string path)
    {
        string full = Path.GetFullPath(path);
        Kind kind = Path.GetExtension(full).ToLowerInvariant() switch
        {
            ".html" or ".htm" => Kind.Html,
            ".json" => Kind.Json,
            "" => Kind.Folder,
            _ when Directory.Exists(full) => Kind.Folder,
            var other => throw new UsageException($"{option} is '{path}'; expected FILE.html, FILE.json or a folder, not {other}"),
        };
        if (kind == Kind.Folder)
        {
            if (File.Exists(full)) throw new UsageException($"{option} is '{path}', which is a file; expected a folder, FILE.html or FILE.json");
        }
        else
        {
            RequirePlace(option, path, full);
        }
        return new ReportTarget(full, kind);
    }

    /// <summary>The full path of a page that can be written.</summary>
    /// <exception cref="UsageException">Names the option and what is wrong with its value.</exception>
    public static string Page(string option, string path)
    {
        string full = Path.GetFullPath(path);
        if (Path.GetExtension(full).ToLowerInvariant() is not (".html" or ".htm")) throw new UsageException($"{option} is '{path}'; expected FILE.html");
        RequirePlace(option, path, full);
        return full;
    }

    private static void RequirePlace(string option, string path, string full)
    {
        if (Directory.Exists(full)) throw new UsageException($"{option} is '{path}', which is a folder; expected a file name");
        if (!Directory.Exists(Path.GetDirectoryName(full))) throw new UsageException($"{option} is '{path}'; there is no folder {Path.GetDirectoryName(full)}");
    }

    /// <summary>Writes all files beside their places, then moves them there: whoever looks sees a whole report or the one before.</summary>
    /// <returns>What was written.</returns>
    public ImmutableArray<string> Write(RunAnalysis analysis)
    {
        string json = ReportFiles.Json(analysis);
        if (_kind == Kind.Json) return Place([(_path, json)]);
        string html = TearSheet.Render(analysis);
        if (_kind == Kind.Html) return Place([(_path, html)]);
        Directory.CreateDirectory(_path);
        return Place([(Path.Combine(_path, "report.html"), html), (Path.Combine(_path, "report.json"), json),
            (Path.Combine(_path, "trades.csv"), ReportFiles.Trades(analysis)), (Path.Combine(_path, "equity.csv"), ReportFiles.Equity(analysis)),
            (Path.Combine(_path, "daily.csv"), ReportFiles.Daily(analysis))]);
    }

    /// <summary>Writes files whole or not at all.</summary>
    public static ImmutableArray<string> Place(IReadOnlyList<(string Path, string Text)> files)
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        string ending = $".{Environment.ProcessId}.next";
        try
        {
            foreach ((string path, string text) in files) File.WriteAllText(path + ending, text, utf8);
            foreach ((string path, _) in files) File.Move(path + ending, path, overwrite: true);
        }
        catch
        {
            foreach ((string path, _) in files) File.Delete(path + ending);
            throw;
        }
        return [.. files.Select(file => file.Path)];
    }
}
