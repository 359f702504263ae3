using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Tests.Files;

/// <summary>The power is gone: nothing works any more.</summary>
internal sealed class PowerCutException() : IOException("power cut");

/// <summary>
/// A disk in memory that keeps apart what was flushed. Bytes and names that were not are lost with the power, or survive in part.
/// </summary>
internal sealed class PowerCutDoor : IFileDoor
{
    private readonly Dictionary<string, Node> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Node> _flushedNames = new(StringComparer.Ordinal);
    private readonly HashSet<string> _locks = [];

    /// <summary>Count of operations so far that change the disk.</summary>
    public int Operations { get; private set; }

    /// <summary>The operation (counted from 1) in the middle of which the power goes; 0 = never.</summary>
    public int CutAt { get; init; }

    /// <summary>When false, flushing files does nothing: the disk of a journal that forgot to flush.</summary>
    public bool Flushes { get; init; } = true;

    /// <summary>What every write, flush and creation is refused with, once set.</summary>
    public Exception? Refusal { get; set; }

    /// <summary>Called with "write", "flush", ... and the path before an operation happens.</summary>
    public Action<string, string>? Watch { get; set; }

    public bool IsCut => CutAt > 0 && Operations >= CutAt;

    /// <summary>Bytes written but not flushed, over all files whose names would survive.</summary>
    public int UnflushedBytes => _flushedNames.Values.Distinct().Sum(node => node.Unflushed.Sum(write => write.Bytes?.Length ?? 0));

    /// <summary>The disk after the cut: what was flushed, and of the rest the first bytes in the order of writing.</summary>
    public PowerCutDoor Survivor(int tornBytes) => Survivor((_, write, at) => at < tornBytes);

    /// <summary>The disk after the cut, of the rest some sectors of 512 bytes in any order.</summary>
    public PowerCutDoor Survivor(Random random)
    {
        var kept = new Dictionary<(Node, Write, int), bool>();
        int before = -1;
        return Survivor((node, write, at) =>
        {
            before = at;
            if (!kept.TryGetValue((node, write, at / 512), out bool keep)) kept[(node, write, at / 512)] = keep = random.Next(2) == 0;
            return keep;
        });
    }

    private PowerCutDoor Survivor(Func<Node, Write, int, bool> survives)
    {
        var door = new PowerCutDoor();
        int at = 0;
        foreach ((string name, Node node) in _flushedNames)
        {
            byte[] content = [.. node.Flushed];
            foreach (Write write in node.Unflushed)
            {
                if (write.Bytes is null)
                {
                    if (survives(node, write, at)) Array.Resize(ref content, (int)write.Offset);
                    continue;
                }
                for (int i = 0; i < write.Bytes.Length; i++, at++)
                {
                    if (!survives(node, write, at)) continue;
                    if (content.Length <= write.Offset + i) Array.Resize(ref content, (int)write.Offset + i + 1);
                    content[write.Offset + i] = write.Bytes[i];
                }
            }
            var survivor = new Node { Content = content, Flushed = [.. content] };
            door._names[name] = survivor;
            door._flushedNames[name] = survivor;
        }
        return door;
    }

    /// <summary>All files by name, for tests that damage them.</summary>
    public IReadOnlyDictionary<string, byte[]> Contents => _names.ToDictionary(pair => pair.Key, pair => pair.Value.Content.ToArray());

    public void Put(string path, byte[] content)
    {
        var node = new Node { Content = [.. content], Flushed = [.. content] };
        _names[path] = node;
        _flushedNames[path] = node;
    }

    /// <summary>A second disk with the same content, all of it flushed.</summary>
    public PowerCutDoor Copy()
    {
        var door = new PowerCutDoor();
        foreach ((string name, byte[] content) in Contents) door.Put(name, content);
        return door;
    }

    public void CreateFolder(string folder)
    {
    }

    public bool Exists(string path) => _names.ContainsKey(path);

    public IReadOnlyList<string> List(string folder) =>
        [.. _names.Keys.Where(name => Path.GetDirectoryName(name) == folder).Order(StringComparer.Ordinal)];

    public IDoorFile OpenRead(string path) => new Opened(this, path, Find(path));

    public IDoorFile OpenWrite(string path) => new Opened(this, path, Find(path));

    public IDoorFile Create(string path)
    {
        Change("create", path);
        if (_names.ContainsKey(path)) throw new IOException($"{path} exists");
        return new Opened(this, path, _names[path] = new Node());
    }

    public void Replace(string from, string to)
    {
        Change("replace", to);
        _names[to] = Find(from);
        _names.Remove(from);
    }

    public void Delete(string path)
    {
        Change("delete", path);
        _names.Remove(path);
    }

    public void FlushFolder(string folder)
    {
        Change("flush folder", folder);
        foreach (string name in _flushedNames.Keys.Where(name => Path.GetDirectoryName(name) == folder).ToList()) _flushedNames.Remove(name);
        foreach (string name in List(folder)) _flushedNames[name] = _names[name];
    }

    public IDisposable? TryLock(string path) => _locks.Add(path) ? new Held(() => _locks.Remove(path)) : null;

    public long FreeSpace(string folder) => long.MaxValue;

    private Node Find(string path) => _names.TryGetValue(path, out Node? node) ? node : throw new FileNotFoundException(path, path);

    private void Change(string what, string path)
    {
        Watch?.Invoke(what, path);
        if (IsCut) throw new PowerCutException();
        if (Refusal is not null) throw Refusal;
        Operations++;
        if (IsCut) throw new PowerCutException();
    }

    private sealed class Node
    {
        public byte[] Content = [];
        public byte[] Flushed = [];
        public List<Write> Unflushed = [];
    }

    /// <summary>Without bytes: a change of the length to the offset.</summary>
    private sealed record Write(long Offset, byte[]? Bytes);

    private sealed class Held(Action release) : IDisposable
    {
        public void Dispose() => release();
    }

    private sealed class Opened(PowerCutDoor door, string path, Node node) : IDoorFile
    {
        public long Length => node.Content.Length;

        public int Read(Span<byte> buffer, long offset)
        {
            if (offset >= node.Content.Length) return 0;
            int count = (int)Math.Min(buffer.Length, node.Content.Length - offset);
            node.Content.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }

        void IDoorFile.Write(ReadOnlySpan<byte> bytes, long offset)
        {
            // The power goes in the middle of a write: its bytes are on the way and may be torn.
            bool before = door.IsCut;
            try
            {
                door.Change("write", path);
            }
            catch (PowerCutException) when (!before)
            {
                Apply(bytes, offset);
                throw;
            }
            Apply(bytes, offset);
        }

        public void Flush()
        {
            door.Change("flush", path);
            if (!door.Flushes) return;
            node.Flushed = [.. node.Content];
            node.Unflushed.Clear();
        }

        public void SetLength(long length)
        {
            door.Change("set length", path);
            Array.Resize(ref node.Content, (int)length);
            node.Unflushed.Add(new Write(length, null));
        }

        public void Dispose()
        {
        }

        private void Apply(ReadOnlySpan<byte> bytes, long offset)
        {
            if (node.Content.Length < offset + bytes.Length) Array.Resize(ref node.Content, (int)offset + bytes.Length);
            bytes.CopyTo(node.Content.AsSpan((int)offset));
            node.Unflushed.Add(new Write(offset, bytes.ToArray()));
        }
    }
}
