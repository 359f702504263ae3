using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using HybridTrading.Silo.Commands;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace HybridTrading.Silo.Hosting;

/// <summary>How log lines are written.</summary>
public enum LogFormat : byte
{
    /// <summary>One line for a person.</summary>
    Console,

    /// <summary>One JSON object a line (<see cref="JsonLogFormatter"/>).</summary>
    Json,
}

internal static class LogFormats
{
    /// <summary>The configuration key: in the environment <c>Logging__Format</c>.</summary>
    public const string Key = "Logging:Format";

    /// <exception cref="UsageException">What is configured is no format.</exception>
    public static LogFormat Configured(IConfiguration configuration) => configuration[Key] switch
    {
        null or "" => LogFormat.Console,
        { } text when Enum.TryParse(text, ignoreCase: true, out LogFormat format) && Enum.IsDefined(format) && !char.IsDigit(text[0]) => format,
        { } text => throw new UsageException($"{Key} is '{text}'; expected console or json"),
    };
}

/// <summary>
/// A log line as one JSON object: <c>time</c> (UTC), <c>level</c>, <c>category</c>, <c>message</c>; where there are such <c>event</c>, <c>traceId</c> and <c>spanId</c>
/// (W3C), <c>requestId</c>, <c>exception</c>; <c>values</c> holds what the message was made of, <c>scope</c> what the code around it said.
/// </summary>
public sealed class JsonLogFormatter(TimeProvider? clock = null) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "hybrid-json";

    private const string RequestId = "RequestId";
    private const string Template = "{OriginalFormat}";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        string? message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        if (message is null && logEntry.Exception is null) return;
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", _clock.GetUtcNow().UtcDateTime);
            json.WriteString("level", Level(logEntry.LogLevel));
            json.WriteString("category", logEntry.Category);
            if (logEntry.EventId.Name is { } name) json.WriteString("event", name);
            json.WriteString("message", message);
            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
            {
                json.WriteString("traceId", activity.TraceId.ToHexString());
                json.WriteString("spanId", activity.SpanId.ToHexString());
            }
            WriteScopes(json, scopeProvider);
            if (logEntry.State is IReadOnlyList<KeyValuePair<string, object?>> values && values.Any(value => value.Key != Template))
            {
                json.WriteStartObject("values");
                WriteAll(json, values.Where(value => value.Key != Template));
                json.WriteEndObject();
            }
            if (logEntry.Exception is { } exception) json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }
        textWriter.Write(Encoding.UTF8.GetString(buffer.WrittenSpan));
        textWriter.Write('\n');
    }

    private static void WriteScopes(Utf8JsonWriter json, IExternalScopeProvider? scopes)
    {
        List<KeyValuePair<string, object?>> around = [];
        scopes?.ForEachScope(static (scope, all) =>
        {
            if (scope is IEnumerable<KeyValuePair<string, object?>> values) all.AddRange(values.Where(value => value.Key != Template));
        }, around);
        // The trace is written from what is current, which the framework's own scope repeats.
        around.RemoveAll(value => value.Key is "TraceId" or "SpanId" or "ParentId");
        if (around.FindLast(value => value.Key == RequestId).Value is { } request) json.WriteString("requestId", Text(request));
        around.RemoveAll(value => value.Key == RequestId);
        if (around.Count == 0) return;
        json.WriteStartObject("scope");
        WriteAll(json, around);
        json.WriteEndObject();
    }

    /// <summary>A key that comes twice counts the last time.</summary>
    private static void WriteAll(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> values)
    {
        foreach (IGrouping<string, KeyValuePair<string, object?>> key in values.GroupBy(value => value.Key, StringComparer.Ordinal))
        {
            json.WritePropertyName(key.Key);
            switch (key.Last().Value)
            {
                case null:
                    json.WriteNullValue();
                    break;
                case bool value:
                    json.WriteBooleanValue(value);
                    break;
                case int value:
                    json.WriteNumberValue(value);
                    break;
                case long value:
                    json.WriteNumberValue(value);
                    break;
                case decimal value:
                    json.WriteNumberValue(value);
                    break;
                case double value when double.IsFinite(value):
                    json.WriteNumberValue(value);
                    break;
                case { } value:
                    json.WriteStringValue(Text(value));
                    break;
            }
        }
    }

    private static string Text(object value) => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "";

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "information",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
