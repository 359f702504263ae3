using System.Numerics;

namespace HybridTrading.Domain.Journal;

/// <summary>
/// Audit paths of RFC 6962: made from stored nodes, and checked by whoever holds a root, with no access to the tree
/// (the checks follow RFC 9162, 2.1.3.2 and 2.1.4.2).
/// </summary>
public static class MerkleProofs
{
    public static TreeHash Root(IMerkleNodes nodes, long size) => size == 0 ? TreeHash.Empty : Subtree(nodes, 0, size);

    /// <summary>The siblings on the way from leaf <paramref name="index"/> to the root of <paramref name="size"/> leaves, lowest first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The leaf is not in the tree.</exception>
    public static ImmutableArray<TreeHash> Inclusion(IMerkleNodes nodes, long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = ImmutableArray.CreateBuilder<TreeHash>();
        long start = 0;
        long end = size;
        while (end - start > 1)
        {
            long middle = start + LargestPowerOfTwoBelow(end - start);
            if (index < middle)
            {
                path.Add(Subtree(nodes, middle, end));
                end = middle;
            }
            else
            {
                path.Add(Subtree(nodes, start, middle));
                start = middle;
            }
        }
        path.Reverse();
        return path.ToImmutable();
    }

    /// <exception cref="ArgumentOutOfRangeException">Not 0 &lt; first &lt;= second: from the empty tree there is nothing to prove.</exception>
    public static ImmutableArray<TreeHash> Consistency(IMerkleNodes nodes, long first, long second)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, second);
        var path = ImmutableArray.CreateBuilder<TreeHash>();
        if (first == second) return [];
        long start = 0;
        long end = second;
        while (first != end)
        {
            long middle = start + LargestPowerOfTwoBelow(end - start);
            if (first <= middle)
            {
                path.Add(Subtree(nodes, middle, end));
                end = middle;
            }
            else
            {
                path.Add(Subtree(nodes, start, middle));
                start = middle;
            }
        }
        // Where the old tree is one complete subtree of the new one, the verifier knows its hash already: it is the old root.
        if (start != 0) path.Add(Subtree(nodes, start, end));
        path.Reverse();
        return path.ToImmutable();
    }

    /// <summary>True when <paramref name="proof"/> shows that <paramref name="leaf"/> is leaf <paramref name="index"/> under the root.</summary>
    public static bool VerifyInclusion(long index, long size, TreeHash leaf, ReadOnlySpan<TreeHash> proof, TreeHash root)
    {
        if (index < 0 || index >= size) return false;
        long node = index;
        long last = size - 1;
        TreeHash hash = leaf;
        foreach (TreeHash sibling in proof)
        {
            if (last == 0) return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = TreeHash.Node(sibling, hash);
                // A right edge that has no sibling at this level is carried up unhashed.
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                hash = TreeHash.Node(hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == root;
    }

    /// <summary>
    /// True when <paramref name="proof"/> shows that the second tree begins with the first, unchanged. The empty tree is refused:
    /// it is a prefix of everything, so a proof from it would say nothing.
    /// </summary>
    public static bool VerifyConsistency(long first, TreeHash firstRoot, long second, TreeHash secondRoot, ReadOnlySpan<TreeHash> proof)
    {
        if (first <= 0 || first > second) return false;
        if (first == second) return proof.IsEmpty && firstRoot == secondRoot;

        TreeHash old;
        if (BitOperations.IsPow2(first))
        {
            old = firstRoot;
        }
        else
        {
            if (proof.IsEmpty) return false;
            old = proof[0];
            proof = proof[1..];
        }

        long node = first - 1;
        long last = second - 1;
        while ((node & 1) == 1)
        {
            node >>= 1;
            last >>= 1;
        }
        TreeHash now = old;
        foreach (TreeHash sibling in proof)
        {
            if (last == 0) return false;
            if ((node & 1) == 1 || node == last)
            {
                old = TreeHash.Node(sibling, old);
                now = TreeHash.Node(sibling, now);
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                now = TreeHash.Node(now, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && old == firstRoot && now == secondRoot;
    }

    // The hash over leaves [start, end), where start is a multiple of the smallest power of two not below the length.
    private static TreeHash Subtree(IMerkleNodes nodes, long start, long end)
    {
        long length = end - start;
        if (BitOperations.IsPow2(length))
        {
            int level = BitOperations.TrailingZeroCount(length);
            return nodes.Node(level, start >> level);
        }
        long middle = start + LargestPowerOfTwoBelow(length);
        return TreeHash.Node(Subtree(nodes, start, middle), Subtree(nodes, middle, end));
    }

    private static long LargestPowerOfTwoBelow(long length) => 1L << (63 - BitOperations.LeadingZeroCount((ulong)(length - 1)));
}
