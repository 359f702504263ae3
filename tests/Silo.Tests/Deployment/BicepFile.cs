using System.Text;
using System.Text.RegularExpressions;

namespace HybridTrading.Silo.Tests.Deployment;

/// <summary>
/// What can be said of a Bicep file without its compiler: its declarations, and its text without comments and with strings emptied of all but what they
/// interpolate.
/// </summary>
internal sealed partial class BicepFile
{
    private BicepFile(string path, string text)
    {
        Path = path;
        Text = text;
        Code = Strip(text);
        Params = [.. Declaration().Matches(Code).Where(match => match.Groups["kind"].Value == "param")
            .Select(match => new BicepParam(match.Groups["name"].Value, match.Groups["default"].Success))];
        Symbols = [.. Declaration().Matches(Code).Select(match => match.Groups["name"].Value)];
        Outputs = [.. Declaration().Matches(Code).Where(match => match.Groups["kind"].Value == "output").Select(match => match.Groups["name"].Value)];
        // Symbols of modules in the stripped code lie where they lie in the text.
        Modules = [.. ModuleStart().Matches(Text).Select(match => new BicepModule(match.Groups["name"].Value, match.Groups["path"].Value, ArgumentsAfter(match.Index)))];
    }

    public string Path { get; }

    public string Text { get; }

    public string Code { get; }

    public BicepParam[] Params { get; }

    /// <summary>Names of params, variables, resources, modules and outputs.</summary>
    public string[] Symbols { get; }

    public string[] Outputs { get; }

    public BicepModule[] Modules { get; }

    public static BicepFile Read(string path) => new(path, File.ReadAllText(path).ReplaceLineEndings("\n"));

    public static BicepFile Parse(string text) => new("text", text);

    /// <summary>The first bracket that has no partner, as line and character; null when all have one.</summary>
    public string? Unbalanced()
    {
        Stack<(char Open, int Line)> open = new();
        int line = 1;
        foreach (char each in Code)
        {
            if (each == '\n') line++;
            if (each is '{' or '[' or '(') open.Push((each, line));
            if (each is not ('}' or ']' or ')')) continue;
            char partner = each switch { '}' => '{', ']' => '[', _ => '(' };
            if (open.Count == 0 || open.Pop().Open != partner) return $"line {line}: {each}";
        }
        return open.Count == 0 ? null : $"line {open.Peek().Line}: {open.Peek().Open}";
    }

    /// <summary>How often a name is used in the code, its declaration included.</summary>
    public int Uses(string name) => Regex.Count(Code, $@"(?<![\w.]){Regex.Escape(name)}(?!\w)");

    private string[] ArgumentsAfter(int module)
    {
        int start = Code.IndexOf("params:", module, StringComparison.Ordinal);
        int open = Code.IndexOf('{', start);
        int depth = 0, end = open;
        do
        {
            depth += Code[end] switch { '{' => 1, '}' => -1, _ => 0 };
            end++;
        }
        while (depth > 0);
        return [.. Regex.Matches(Code[(open + 1)..(end - 1)], @"(?:^|,|\n)\s*(\w+):").Select(match => match.Groups[1].Value)];
    }

    private static string Strip(string text)
    {
        StringBuilder code = new(text.Length);
        // Depth of brackets inside each string that is open; the innermost is in code while above 0.
        Stack<int> strings = new();
        for (int i = 0; i < text.Length; i++)
        {
            bool inString = strings.Count > 0 && strings.Peek() == 0;
            char each = text[i];
            if (inString)
            {
                if (each == '\\')
                {
                    code.Append("  ");
                    i++;
                    continue;
                }
                if (each == '$' && i + 1 < text.Length && text[i + 1] == '{')
                {
                    strings.Push(strings.Pop() + 1);
                    code.Append(" (");
                    i++;
                    continue;
                }
                if (each == '\'') strings.Pop();
                code.Append(each == '\n' ? '\n' : each == '\'' ? '\'' : ' ');
                continue;
            }
            if (each == '/' && i + 1 < text.Length && text[i + 1] == '/')
            {
                int end = text.IndexOf('\n', i);
                code.Append(' ', end - i).Append('\n');
                i = end;
                continue;
            }
            if (each == '\'') strings.Push(0);
            if (strings.Count > 0 && strings.Peek() > 0 && each is '{' or '}')
            {
                int depth = strings.Count > 0 ? strings.Pop() : 0;
                depth += each == '{' ? 1 : -1;
                strings.Push(depth);
                code.Append(depth == 0 ? ')' : each);
                continue;
            }
            code.Append(each);
        }
        return code.ToString();
    }

    [GeneratedRegex(@"(?m)^(?<kind>param|var|resource|module|output) (?<name>\w+)[^\n={]*(?<default>=)?")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"(?m)^module (?<name>\w+) '(?<path>[^']+)' =")]
    private static partial Regex ModuleStart();
}

internal sealed record BicepParam(string Name, bool HasDefault);

/// <param name="Arguments">Names of the params that it is given.</param>
internal sealed record BicepModule(string Name, string Path, string[] Arguments);
