namespace HybridTrading.Storage.Feeds;

/// <summary>The content of a file in a zip; at its end, length and CRC-32 must be those that the zip names.</summary>
/// <exception cref="InvalidDataException">On reading: they are not.</exception>
internal sealed class CheckedEntry(Stream content, long length, uint crc) : Stream
{
    private long _read;
    private uint _crc = uint.MaxValue;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => length;
    public override long Position { get => _read; set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        int read = content.Read(buffer);
        _crc = Crc32.Update(_crc, buffer[..read]);
        _read += read;
        if (_read > length || (read == 0 && buffer.Length > 0 && (_read < length || ~_crc != crc)))
        {
            throw new InvalidDataException("its sizes or checksum do not fit");
        }
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) content.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>CRC-32 of zip files (ISO 3309, reflected polynomial EDB88320), eight bytes a step.</summary>
internal static class Crc32
{
    private static readonly uint[][] Tables = MakeTables();

    /// <summary>Goes on from <paramref name="crc"/>; begins with all bits set, the checksum is the complement of the end.</summary>
    public static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[][] t = Tables;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            crc = t[7][(byte)(bytes[0] ^ crc)] ^ t[6][(byte)(bytes[1] ^ (crc >> 8))] ^ t[5][(byte)(bytes[2] ^ (crc >> 16))] ^ t[4][bytes[3] ^ (crc >> 24)]
                ^ t[3][bytes[4]] ^ t[2][bytes[5]] ^ t[1][bytes[6]] ^ t[0][bytes[7]];
        }
        foreach (byte one in bytes) crc = t[0][(byte)(crc ^ one)] ^ (crc >> 8);
        return crc;
    }

    private static uint[][] MakeTables()
    {
        uint[][] tables = [.. Enumerable.Range(0, 8).Select(_ => new uint[256])];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++) value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0xEDB88320;
            tables[0][i] = value;
        }
        for (int table = 1; table < 8; table++)
        {
            for (int i = 0; i < 256; i++) tables[table][i] = (tables[table - 1][i] >> 8) ^ tables[0][(byte)tables[table - 1][i]];
        }
        return tables;
    }
}
