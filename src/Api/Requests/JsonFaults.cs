using System.Text.Json;

namespace HybridTrading.Api.Requests;

/// <summary>Says of a JSON text that was refused what its reader does not: which member stands twice, or that it is nested too deeply.</summary>
internal static class JsonFaults
{
    /// <returns>Null where it is neither of the two.</returns>
    public static ApiException? Find(ReadOnlySpan<byte> text, int maxDepth)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = 1000 });
        var names = new Stack<HashSet<string>?>();
        var path = new Stack<string>();
        string member = "";
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        if (reader.CurrentDepth >= maxDepth) return ApiException.Invalid("body", $"body is nested more than {maxDepth} deep; expected at most that");
                        names.Push(reader.TokenType == JsonTokenType.StartObject ? new HashSet<string>(StringComparer.Ordinal) : null);
                        path.Push(member);
                        member = "";
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        names.Pop();
                        path.Pop();
                        break;
                    case JsonTokenType.PropertyName:
                        member = reader.GetString()!;
                        if (!names.Peek()!.Add(member))
                        {
                            string field = string.Join('.', path.Reverse().Append(member).Where(part => part.Length > 0));
                            return ApiException.Invalid(field, $"{ApiException.Quote(field)} stands there twice; expected each member once");
                        }
                        break;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON at all: that is what the caller says.
        }
        return null;
    }
}
