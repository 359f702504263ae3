using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Storage.Feeds;

/// <summary>Takes a part of a file, in whole lines, one after the other.</summary>
internal interface IRowParser
{
    /// <param name="firstLine">Number of the first of <paramref name="lines"/> in the file, from 1.</param>
    void Read(ReadOnlySpan<byte> lines, long firstLine);
}

/// <summary>A text file in pieces of whole lines, so that one of any length is read in the same memory.</summary>
/// <param name="name">The file as messages name it.</param>
/// <param name="hash">Takes in all that is read; null for nothing.</param>
internal sealed class LineChunks(Stream stream, string name, IncrementalHash? hash) : IDisposable
{
    /// <summary>Bytes; no line can be longer.</summary>
    public const int Size = 1 << 20;

    private readonly byte[] _buffer = new byte[Size];
    private int _start, _length, _filled;
    private bool _ended;

    /// <summary>The piece at hand.</summary>
    public ReadOnlySpan<byte> Current => _buffer.AsSpan(_start, _length);

    /// <summary>Number of its first line, from 1.</summary>
    public long FirstLine { get; private set; } = 1;

    /// <summary>Goes to the next piece.</summary>
    /// <exception cref="FeedException">A line is longer than <see cref="Size"/>.</exception>
    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public bool Next()
    {
        bool first = _filled == 0 && !_ended;
        FirstLine += Current.Count((byte)'\n');
        int done = _start + _length;
        _buffer.AsSpan(done, _filled - done).CopyTo(_buffer);
        _filled -= done;
        _start = _length = 0;
        if (!_ended)
        {
            int read = stream.ReadAtLeast(_buffer.AsSpan(_filled), Size - _filled, throwOnEndOfStream: false);
            hash?.AppendData(_buffer, _filled, read);
            _filled += read;
            _ended = _filled < Size;
        }
        if (first && _buffer.AsSpan(0, _filled).StartsWith(Encoding.UTF8.Preamble)) _start = Encoding.UTF8.Preamble.Length;
        int end = _ended ? _filled : _buffer.AsSpan(0, _filled).LastIndexOf((byte)'\n') + 1;
        if (end == 0 && !_ended) throw new FeedException($"{name}, line {FirstLine}: longer than {Size:N0} bytes, expected rows of market data");
        _length = end - _start;
        return _length > 0;
    }

    public void Dispose() => stream.Dispose();
}
