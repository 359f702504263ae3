using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Silo.Tests.Observability;

/// <summary>A span as it was sent.</summary>
/// <param name="Start">Nanoseconds since 1970.</param>
internal sealed record SentSpan(string Trace, string Id, string Parent, string Name, ulong Start, ulong End);

/// <summary>A collector that takes OTLP over HTTP (protobuf), as a process sends it.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<SentSpan> _spans = new();
    private int _metrics;

    private Collector(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public ImmutableArray<SentSpan> Spans => [.. _spans];

    /// <summary>Exports of metrics that came.</summary>
    public int MetricExports => Volatile.Read(ref _metrics);

    public static async Task<Collector> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        var collector = new Collector(app);
        app.MapPost("/v1/traces", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            collector.Take(body.ToArray());
        });
        app.MapPost("/v1/metrics", () => { Interlocked.Increment(ref collector._metrics); });
        await app.StartAsync();
        return collector;
    }

    /// <summary>One trace as a tree, the earliest first.</summary>
    public static string Tree(IReadOnlyCollection<SentSpan> spans)
    {
        var text = new StringBuilder();
        HashSet<string> known = [.. spans.Select(span => span.Id)];
        foreach (SentSpan root in spans.Where(span => !known.Contains(span.Parent)).OrderBy(span => span.Start)) Write(root, "", root.Start);
        return text.ToString();

        void Write(SentSpan span, string indent, ulong zero)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(span.Start - zero) / 1e6,9:0.00} ms  {indent}{span.Name}  ({(span.End - span.Start) / 1e6:0.00} ms)\n");
            foreach (SentSpan child in spans.Where(each => each.Parent == span.Id).OrderBy(each => each.Start)) Write(child, indent + "  ", zero);
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    // ExportTraceServiceRequest.resource_spans (1) . scope_spans (2) . spans (2)
    private void Take(ReadOnlyMemory<byte> request)
    {
        foreach (ReadOnlyMemory<byte> resource in Messages(request, 1))
        {
            foreach (ReadOnlyMemory<byte> span in Messages(resource, 2).SelectMany(scope => Messages(scope, 2)))
            {
                Dictionary<int, ReadOnlyMemory<byte>> fields = Fields(span).GroupBy(field => field.Number).ToDictionary(field => field.Key, field => field.First().Value);
                _spans.Enqueue(new SentSpan(Hex(fields, 1), Hex(fields, 2), Hex(fields, 4), Encoding.UTF8.GetString(fields[5].Span),
                    BinaryPrimitives.ReadUInt64LittleEndian(fields[7].Span), BinaryPrimitives.ReadUInt64LittleEndian(fields[8].Span)));
            }
        }
    }

    private static string Hex(Dictionary<int, ReadOnlyMemory<byte>> fields, int number) =>
        fields.TryGetValue(number, out ReadOnlyMemory<byte> value) ? Convert.ToHexStringLower(value.Span) : "";

    private static IEnumerable<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> message, int number) =>
        Fields(message).Where(field => field.Number == number).Select(field => field.Value);

    /// <summary>The fields of a protobuf message; of a varint only that it was there.</summary>
    private static IEnumerable<(int Number, ReadOnlyMemory<byte> Value)> Fields(ReadOnlyMemory<byte> message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong tag = Varint(message.Span, ref at);
            int length = (tag & 7) switch
            {
                0 => 0,
                1 => 8,
                2 => (int)Varint(message.Span, ref at),
                5 => 4,
                _ => throw new InvalidDataException($"wire type {tag & 7}"),
            };
            if ((tag & 7) == 0) Varint(message.Span, ref at);
            yield return ((int)(tag >> 3), message.Slice(at, length));
            at += length;
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }
    }
}
