using System.Numerics;

namespace HybridTrading.Domain.Journal;

/// <summary>The hashes of complete subtrees: all that a proof needs, wherever they are kept.</summary>
public interface IMerkleNodes
{
    /// <summary>The hash over the 2^<paramref name="level"/> leaves from <paramref name="index"/> * 2^<paramref name="level"/> on.</summary>
    TreeHash Node(int level, long index);
}

/// <summary>
/// The right edge of an RFC 6962 tree: one hash for each set bit of its size. Enough to append and to give the root, each in O(log n),
/// without keeping any leaf.
/// </summary>
public sealed class MerkleFrontier
{
    // Roots of the complete subtrees from left (largest) to right (smallest).
    private readonly List<TreeHash> _peaks;

    public MerkleFrontier() => _peaks = [];

    /// <summary>Continues a tree of <paramref name="size"/> leaves.</summary>
    /// <exception cref="ArgumentException">The count of peaks is not the count of set bits of the size.</exception>
    public MerkleFrontier(long size, IEnumerable<TreeHash> peaks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        _peaks = [.. peaks];
        Size = size;
        int expected = BitOperations.PopCount((ulong)size);
        if (_peaks.Count != expected)
        {
            throw new ArgumentException($"a tree of {size} leaves has {expected} peaks, not {_peaks.Count}", nameof(peaks));
        }
    }

    /// <summary>Count of leaves.</summary>
    public long Size { get; private set; }

    /// <summary>Roots of the complete subtrees, the largest first.</summary>
    public IReadOnlyList<TreeHash> Peaks => _peaks;

    public void Append(TreeHash leaf)
    {
        for (int level = BitOperations.TrailingZeroCount(~Size); level > 0; level--)
        {
            leaf = TreeHash.Node(_peaks[^1], leaf);
            _peaks.RemoveAt(_peaks.Count - 1);
        }
        _peaks.Add(leaf);
        Size++;
    }

    /// <summary>The Merkle tree hash of all leaves appended so far.</summary>
    public TreeHash Root()
    {
        if (_peaks.Count == 0) return TreeHash.Empty;
        TreeHash root = _peaks[^1];
        for (int i = _peaks.Count - 2; i >= 0; i--) root = TreeHash.Node(_peaks[i], root);
        return root;
    }

    public MerkleFrontier Copy() => new(Size, _peaks);
}

/// <summary>
/// An RFC 6962 tree that keeps every complete subtree, so that any root and proof of the past is O(log n); 64 bytes a leaf.
/// Not safe for concurrent appends.
/// </summary>
public sealed class MerkleTree : IMerkleNodes
{
    private readonly List<List<TreeHash>> _levels = [[]];

    /// <summary>Count of leaves.</summary>
    public long Size => _levels[0].Count;

    public void Append(TreeHash leaf)
    {
        _levels[0].Add(leaf);
        for (int level = 0; _levels[level].Count % 2 == 0; level++)
        {
            if (level + 1 == _levels.Count) _levels.Add([]);
            _levels[level + 1].Add(TreeHash.Node(_levels[level][^2], _levels[level][^1]));
        }
    }

    public TreeHash Node(int level, long index) => _levels[level][checked((int)index)];

    /// <summary>The root as it was when the tree had <paramref name="size"/> leaves.</summary>
    public TreeHash Root(long size)
    {
        Check(size);
        return MerkleProofs.Root(this, size);
    }

    /// <summary>Proves that leaf <paramref name="index"/> is in the tree of <paramref name="size"/> leaves (RFC 6962, 2.1.1).</summary>
    public ImmutableArray<TreeHash> InclusionProof(long index, long size)
    {
        Check(size);
        return MerkleProofs.Inclusion(this, index, size);
    }

    /// <summary>Proves that the tree of <paramref name="first"/> leaves is a prefix of that of <paramref name="second"/> (2.1.2).</summary>
    public ImmutableArray<TreeHash> ConsistencyProof(long first, long second)
    {
        Check(second);
        return MerkleProofs.Consistency(this, first, second);
    }

    private void Check(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Size);
    }
}
