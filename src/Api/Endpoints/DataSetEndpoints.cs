using System.IO.Compression;
using System.Security.Cryptography;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Limits;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage.Blobs;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Data for back-tests: what users upload, and what the market itself has recorded.</summary>
internal static class DataSetEndpoints
{
    private const int LongestName = 100, LongestSymbol = 30;

    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder sets = api.MapGroup("/data-sets").WithTags("Back-tests");
        sets.MapGet("/", ListAsync).WithName("listDataSets").CacheableByContent().Weighs(5).WithSummary("The market's own recorded bars, and what the caller has uploaded").Query(Permission.ReadTrading);
        sets.MapPost("/", UploadAsync).WithName("uploadDataSet").EndsWithin(TimeSpan.FromHours(1)).Weighs(50).WithSummary("Takes in a file of past data: CSV, or a zip of one")
            .WithDescription("The body is the file itself: bars or quotes with a header, an export of MetaTrader 5, or a file of a LEAN data set. name is the file's "
                + "name, from which symbol and time frame are taken when they are not given. timeZone is an IANA zone of times without one, spreadPoints the spread of data "
                + "of one side, columns a map such as time=Date,open=O,high=H,low=L,close=C. It is read before it is accepted; of a file that cannot be read nothing is kept. "
                + "GET /job-limits has the bounds.")
            .Accepts<Stream>("application/octet-stream", "text/csv", "application/zip")
            .IdempotentUpload().Query(Permission.Research, Status409Conflict, Status413PayloadTooLarge, Status422UnprocessableEntity);
        sets.MapDelete("/{dataSet}", DeleteAsync).WithName("deleteDataSet").WithSummary("Removes what was uploaded").Mutation(Permission.Research, Status404NotFound);
    }

    private static async Task<Ok<DataSetPage>> ListAsync(ICaller caller, IGrainFactory grains, JobData data, CancellationToken cancellation)
    {
        ImmutableArray<DataSet> market = await data.MarketSetsAsync(cancellation);
        return TypedResults.Ok(new DataSetPage([.. market.Concat(await grains.DataSets(caller).List()).Select(DataSetView.Of)]));
    }

    private static async Task<Results<Created<DataSetView>, ProblemHttpResult>> UploadAsync(
        HttpContext context, ICaller caller, IGrainFactory grains, BlobDataSetReader reader, IBlobStore blobs, UploadGate gate, IdempotencyGates keys,
        BacktestingOptions limits, TimeProvider clock, CancellationToken cancellation,
        string? name = null, string? symbol = null, string? timeFrame = null, string? timeZone = null, long? spreadPoints = null, string? columns = null)
    {
        // The server's own bound is for bodies that are kept in memory; what is refused is read to its end all the same, so that the answer arrives.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound) bound.MaxRequestBodySize = null;
        string key = IdempotentEndpoints.ReadKey(context.Request);
        TimeFrame? frame = Check(name, symbol, timeFrame, timeZone, spreadPoints, columns);
        string id = DataSetsGrain.Prefix + JobIds.Of(caller, key);
        var owner = new StreamOwner(caller.Tenant, caller.Person());
        using IDisposable alone = await keys.EnterAsync($"{caller.Person()} upload {key}", cancellation);
        IDataSetsGrain sets = grains.DataSets(caller);
        ImmutableArray<DataSet> before = await sets.List();
        DataSet? known = before.FirstOrDefault(set => set.Id == id);
        if (known is null && before.Sum(set => set.Bytes) + (context.Request.ContentLength ?? 0) > limits.MaxStoredBytes)
        {
            return Problems.Conflict(ApiReason.DataSetQuota,
                $"the data sets have {before.Sum(set => set.Bytes)} bytes; with {context.Request.ContentLength} more they would exceed {limits.MaxStoredBytes}: remove some");
        }

        using WorkFile file = reader.NewFile(FileName(name));
        (long bytes, string hash) = await ReceiveAsync(context, file.Path, limits.MaxUploadBytes);
        if (known is not null)
        {
            if (known.Sha256 != hash)
            {
                throw new ApiException(Status422UnprocessableEntity, ApiReason.IdempotencyKeyReused,
                    $"{IdempotentEndpoints.KeyHeader} is {ApiException.Quote(key)}; it was used with another file: expected a new key for a new file");
            }
            context.Response.Headers[IdempotentEndpoints.ReplayedHeader] = "true";
            return TypedResults.Created($"/api/v1/data-sets/{id}", DataSetView.Of(known) with { MinPosition = context.SetMinPosition(-1) });
        }
        MarketSeries series = await gate.RunAsync(() => Read(file, symbol, frame, timeZone, spreadPoints, columns, limits), cancellation);
        var set = new DataSet(id, name ?? $"{series.Instrument.Symbol} {series.TimeFrame}", file.Name, series.Instrument, series.TimeFrame,
            RunSequence.StartOf(series, 0), series.EventTime(series.Count - 1), series.Count, bytes, series.Quality, clock.GetUtcNow().UtcDateTime, hash,
            timeZone, spreadPoints, columns);
        await using (FileStream content = File.OpenRead(file.Path)) await blobs.PutAsync(owner, id, content, limits.MaxUploadBytes, cancellation);
        CommandResult added = await sets.Add(set);
        if (added.Fault is { } full)
        {
            await blobs.DeleteAsync(owner, id, CancellationToken.None);
            return Problems.Conflict(ApiReason.DataSetQuota, $"{full}: remove some");
        }
        return TypedResults.Created($"/api/v1/data-sets/{id}", DataSetView.Of(set) with { MinPosition = context.SetMinPosition(added.MinPosition) });
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string dataSet, HttpContext context, ICaller caller, IGrainFactory grains)
    {
        if (JobData.IsMarket(dataSet)) throw ApiException.Invalid("dataSet", $"dataSet is {ApiException.Quote(dataSet)}, which is the market's own; expected one that was uploaded");
        if (await grains.DataSets(caller).Remove(dataSet) is not { } removed)
        {
            return Problems.NotFound(ApiReason.DataSetUnknown, $"dataSet is {ApiException.Quote(dataSet)}; no such data set");
        }
        context.SetMinPosition(removed.MinPosition);
        return TypedResults.NoContent();
    }

    /// <summary>Writes the body into a file.</summary>
    /// <exception cref="ApiException">400 for nothing, 413 for too much.</exception>
    private static async Task<(long Bytes, string Sha256)> ReceiveAsync(HttpContext context, string path, long most)
    {
        var large = new ApiException(Status413PayloadTooLarge, ApiReason.BodyTooLarge, $"the file is too large; expected at most {most} bytes");
        if (context.Request.ContentLength > most) throw large;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        byte[] buffer = new byte[1 << 16];
        long bytes = 0;
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            bytes += read;
            if (bytes > most) throw large;
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
        }
        if (bytes == 0) throw ApiException.Invalid("body", "body is empty; expected the file itself, CSV or a zip of one");
        return (bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static MarketSeries Read(WorkFile file, string? symbol, TimeFrame? frame, string? timeZone, long? spreadPoints, string? columns, BacktestingOptions limits)
    {
        try
        {
            if (Unpacked(file.Path) is { } unpacked && unpacked > limits.MaxUnpackedBytes)
            {
                throw ApiException.Invalid("body", $"body is a zip of {unpacked} bytes; expected at most {limits.MaxUnpackedBytes} unpacked");
            }
            return BlobDataSetReader.Read(file, symbol, frame, timeZone, spreadPoints, columns);
        }
        catch (InvalidDataException wrong)
        {
            throw ApiException.Invalid(FieldOf(wrong.Message), wrong.Message);
        }
    }

    /// <summary>What the reader asks to be told, or does not believe; else it is the file itself.</summary>
    private static string FieldOf(string fault) =>
        fault.Contains("give it with symbol", StringComparison.Ordinal) || fault.Contains("but symbol is", StringComparison.Ordinal) ? "symbol"
        : fault.Contains("give it with timeFrame", StringComparison.Ordinal) ? "timeFrame"
        : fault.Contains("time zone", StringComparison.Ordinal) ? "timeZone"
        : "body";

    /// <summary>Bytes that a zip says it unpacks to (the reader takes no byte more); null for what is no zip.</summary>
    private static long? Unpacked(string path)
    {
        using FileStream file = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[2];
        if (file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) < 2 || !magic.SequenceEqual("PK"u8)) return null;
        file.Position = 0;
        using var zip = new ZipArchive(file, ZipArchiveMode.Read);
        return zip.Entries.Sum(entry => entry.Length);
    }

    private static TimeFrame? Check(string? name, string? symbol, string? timeFrame, string? timeZone, long? spreadPoints, string? columns)
    {
        if (name is not null && (name.Length is 0 or > LongestName || name.Any(char.IsControl)))
        {
            throw ApiException.Invalid("name", $"name is {ApiException.Quote(name)}; expected 1 to {LongestName} characters of text");
        }
        if (symbol is not null && (symbol.Length is 0 or > LongestSymbol || !symbol.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '#')))
        {
            throw ApiException.Invalid("symbol", $"symbol is {ApiException.Quote(symbol)}; expected 1 to {LongestSymbol} of A-Z 0-9 . _ - #");
        }
        if (spreadPoints is < 0 or > 1_000_000) throw ApiException.Invalid("spreadPoints", $"spreadPoints is {spreadPoints}; expected 0 to 1000000");
        if (timeZone?.Length > 100) throw ApiException.Invalid("timeZone", $"timeZone is {ApiException.Quote(timeZone)}; expected an IANA zone such as Europe/Athens");
        if (columns?.Length > 500) throw ApiException.Invalid("columns", $"columns is {ApiException.Quote(columns)}; expected at most 500 characters");
        return timeFrame is null ? null
            : TimeFrame.TryParse(timeFrame, out TimeFrame frame) ? frame
            : throw ApiException.Invalid("timeFrame", $"timeFrame is {ApiException.Quote(timeFrame)}; expected tick, S1..S30, M1..M30, H1..H12, D1, W1 or MN1");
    }

    /// <summary>A name that is safe as a file's: what it says of the layout is kept.</summary>
    private static string FileName(string? name)
    {
        string safe = string.Concat((name ?? "").Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')).TrimStart('.');
        return safe.Length is > 0 and <= 100 && safe.Contains('.') ? safe : safe.Length == 0 ? "data.csv" : $"{safe[..Math.Min(safe.Length, 100)]}.csv";
    }
}

/// <summary>Reads uploads one after the other: each takes its whole content into memory.</summary>
public sealed class UploadGate
{
    private readonly SemaphoreSlim _one = new(1, 1);

    public async Task<T> RunAsync<T>(Func<T> read, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            return await Task.Run(read, cancellation);
        }
        finally
        {
            _one.Release();
        }
    }
}
