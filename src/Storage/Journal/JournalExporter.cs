using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// Writes events as JSON lines: <c>position, stream, version, name, schema, time</c> (ISO 8601, UTC), <c>causation, tenant, subject</c> and
/// <c>payload</c>, or <c>"erased":true</c> in place of it. A payload that is not JSON is written as <c>payloadBase64</c>.
/// </summary>
public static class JournalExporter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="progress">Told now and then how many events are written.</param>
    /// <returns>Count of events written.</returns>
    public static async Task<long> ExportAsync(
        IAsyncEnumerable<RecordedEvent> events, TextWriter output, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        long count = 0;
        await foreach (RecordedEvent one in events.WithCancellation(cancellation).ConfigureAwait(false))
        {
            buffer.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(buffer, Options)) Write(json, one);
            await output.WriteLineAsync(Encoding.UTF8.GetString(buffer.WrittenSpan).AsMemory(), cancellation).ConfigureAwait(false);
            if (++count % 10_000 == 0) progress?.Report(count);
        }
        await output.FlushAsync(cancellation).ConfigureAwait(false);
        progress?.Report(count);
        return count;
    }

    private static void Write(Utf8JsonWriter json, RecordedEvent one)
    {
        json.WriteStartObject();
        json.WriteNumber("position"u8, one.Position);
        json.WriteString("stream"u8, one.Stream);
        json.WriteNumber("version"u8, one.Version);
        json.WriteString("name"u8, one.Name);
        json.WriteNumber("schema"u8, one.Schema);
        json.WriteString("time"u8, one.Time);
        json.WriteString("causation"u8, one.Causation);
        json.WriteString("tenant"u8, one.Tenant);
        json.WriteString("subject"u8, one.Subject);
        if (one.Erased)
        {
            json.WriteBoolean("erased"u8, true);
        }
        else if (TryParse(one.Payload, out JsonDocument? payload))
        {
            // Written as it was recorded, digit by digit; only space between the tokens would break the line.
            json.WritePropertyName("payload"u8);
            payload.RootElement.WriteTo(json);
            payload.Dispose();
        }
        else
        {
            json.WriteBase64String("payloadBase64"u8, one.Payload.Span);
        }
        json.WriteEndObject();
    }

    private static bool TryParse(ReadOnlyMemory<byte> payload, [NotNullWhen(true)] out JsonDocument? document)
    {
        try
        {
            document = JsonDocument.Parse(payload);
            return true;
        }
        catch (JsonException)
        {
            document = null;
            return false;
        }
    }
}
