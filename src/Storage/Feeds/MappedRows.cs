using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>
/// Rows that lie in a mapped file: the system reads a page when a row of it is touched. Valid until disposed; a span taken before must not be used after.
/// </summary>
internal sealed unsafe class MappedRows<T> : MemoryManager<T>, IPagedRows where T : unmanaged
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly int _count;
    private T* _rows;

    /// <param name="offset">Bytes before the first row.</param>
    public MappedRows(FileStream file, int offset, int count)
    {
        _file = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, offset + (long)count * sizeof(T), MemoryMappedFileAccess.Read);
        byte* start = null;
        // Never released by a finalizer: a mapping that was forgotten costs addresses, one that is gone under a reader costs the process.
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _rows = (T*)(start + _view.PointerOffset + offset);
        _count = count;
    }

    public override Span<T> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_rows is null, this);
        return new Span<T>(_rows, _count);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_count, nameof(elementIndex));
        ObjectDisposedException.ThrowIf(_rows is null, this);
        return new MemoryHandle(_rows + elementIndex, default, this);
    }

    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    public void Release(int from, int to)
    {
        // Elsewhere the system takes clean pages back itself when it needs them.
        if (!OperatingSystem.IsLinux() || _rows is null) return;
        nuint page = (nuint)Environment.SystemPageSize;
        // A page that straddles the beginning was left over last time.
        nuint first = (nuint)(_rows + from) & ~(page - 1), end = (nuint)(_rows + to) & ~(page - 1);
        const int dontNeed = 4;
        // It is an advice: what becomes of it changes nothing but memory.
        if (end > first) _ = MemoryAdvice.Give((void*)first, end - first, dontNeed);
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _rows is null) return;
        _rows = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}

internal static unsafe partial class MemoryAdvice
{
    [LibraryImport("libc", EntryPoint = "madvise")]
    public static partial int Give(void* address, nuint length, int advice);
}
