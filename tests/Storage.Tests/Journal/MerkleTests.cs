using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Journal;
using HybridTrading.Tests;

namespace HybridTrading.Storage.Tests.Journal;

/// <summary>RFC 6962 trees against public vectors, right and wrong, and against the definition.</summary>
public sealed class MerkleTests
{
    private const string Testdata = "vectors/merkle/transparency-dev-merkle/testdata/";

    [Fact]
    public void Leaves_and_roots_are_those_of_the_vectors()
    {
        using JsonDocument vectors = JsonDocument.Parse(File.ReadAllBytes(SharedData.Path("vectors/merkle/rfc6962-core-vectors.json")));
        JsonElement root = vectors.RootElement;
        List<byte[]> leaves = [.. root.GetProperty("leavesHex").EnumerateArray().Select(leaf => Convert.FromHexString(leaf.GetString()!))];
        List<string> hashes = [.. root.GetProperty("leafHashes").EnumerateArray().Select(hash => hash.GetString()!)];
        Assert.Equal(hashes, leaves.Select(leaf => TreeHash.Leaf(leaf).ToString()));

        var tree = new MerkleTree();
        var frontier = new MerkleFrontier();
        for (int size = 0; size <= leaves.Count; size++)
        {
            string expected = root.GetProperty("rootsBySize")[size].GetString()!;
            Assert.Equal(expected, tree.Root(size).ToString());
            Assert.Equal(expected, frontier.Root().ToString());
            if (size == leaves.Count) break;
            tree.Append(TreeHash.Leaf(leaves[size]));
            frontier.Append(TreeHash.Leaf(leaves[size]));
        }
    }

    [Fact]
    public void Inclusion_proofs_of_the_vectors_are_judged_as_they_say()
    {
        int wrong = 0;
        foreach (string file in Directory.GetFiles(SharedData.Path(Testdata + "inclusion"), "*.json", SearchOption.AllDirectories))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement vector = document.RootElement;
            bool accepted = TryHash(vector, "root", out TreeHash root) & TryHash(vector, "leafHash", out TreeHash leaf)
                & TryProof(vector, out TreeHash[] proof)
                && MerkleProofs.VerifyInclusion(Number(vector, "leafIdx"), Number(vector, "treeSize"), leaf, proof, root);
            bool expected = !vector.GetProperty("wantErr").GetBoolean();
            Assert.True(expected == accepted, $"{file}: accepted {accepted}, expected {expected}");
            if (!expected) wrong++;
        }
        Assert.True(wrong > 50);
    }

    [Fact]
    public void Consistency_proofs_of_the_vectors_are_judged_as_they_say()
    {
        int wrong = 0;
        foreach (string file in Directory.GetFiles(SharedData.Path(Testdata + "consistency"), "*.json", SearchOption.AllDirectories))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement vector = document.RootElement;
            bool accepted = TryHash(vector, "root1", out TreeHash first) & TryHash(vector, "root2", out TreeHash second)
                & TryProof(vector, out TreeHash[] proof)
                && MerkleProofs.VerifyConsistency(Number(vector, "size1"), first, Number(vector, "size2"), second, proof);
            bool expected = !vector.GetProperty("wantErr").GetBoolean();
            Assert.True(expected == accepted, $"{file}: accepted {accepted}, expected {expected}");
            if (!expected) wrong++;
        }
        Assert.True(wrong > 50);
    }

    [Fact]
    public void Every_proof_of_every_small_tree_holds_and_no_other_does()
    {
        var tree = new MerkleTree();
        for (int i = 0; i < 40; i++) tree.Append(TreeHash.Leaf([(byte)i]));
        for (int size = 1; size <= 40; size++)
        {
            Assert.Equal(ByDefinition(0, size), tree.Root(size));
            for (int index = 0; index < size; index++)
            {
                TreeHash[] proof = [.. tree.InclusionProof(index, size)];
                for (int claimed = -1; claimed <= size; claimed++)
                {
                    Assert.Equal(
                        claimed == index,
                        MerkleProofs.VerifyInclusion(claimed, size, TreeHash.Leaf([(byte)index]), proof, tree.Root(size)));
                }
            }
            for (int first = 1; first <= size; first++)
            {
                TreeHash[] proof = [.. tree.ConsistencyProof(first, size)];
                Assert.True(MerkleProofs.VerifyConsistency(first, tree.Root(first), size, tree.Root(size), proof));
                Assert.False(MerkleProofs.VerifyConsistency(first, TreeHash.Empty, size, tree.Root(size), proof));
                Assert.False(MerkleProofs.VerifyConsistency(first, tree.Root(first), size, TreeHash.Empty, proof));
            }
        }
        Assert.False(MerkleProofs.VerifyConsistency(0, TreeHash.Empty, 40, tree.Root(40), []));

        static TreeHash ByDefinition(int start, int end)
        {
            if (end - start == 1) return TreeHash.Leaf([(byte)start]);
            int half = 1;
            while (half * 2 < end - start) half *= 2;
            return TreeHash.Node(ByDefinition(start, start + half), ByDefinition(start + half, end));
        }
    }

    [Fact]
    public void A_frontier_continued_from_its_peaks_gives_the_roots_of_the_whole_tree() =>
        Prop.ForAll(Gen.Choose(0, 300).Two().ToArbitrary(), sizes =>
        {
            (int before, int after) = sizes;
            var whole = new MerkleTree();
            var frontier = new MerkleFrontier();
            for (int i = 0; i < before + after; i++)
            {
                if (i == before) frontier = new MerkleFrontier(frontier.Size, frontier.Peaks);
                TreeHash leaf = TreeHash.Leaf(BitConverter.GetBytes(i));
                whole.Append(leaf);
                frontier.Append(leaf);
            }
            return frontier.Root() == whole.Root(before + after);
        }).Check(Config.QuickThrowOnFailure);

    private static long Number(JsonElement vector, string name)
    {
        JsonElement value = vector.GetProperty(name);
        // Sizes beyond 63 bits are in the vectors as well; none of them is a tree.
        return value.TryGetInt64(out long number) ? number : -1;
    }

    // Some vectors have a word in place of a root; a hash of the word keeps equal words equal and different ones different.
    private static bool TryHash(JsonElement vector, string name, out TreeHash hash)
    {
        byte[] bytes = vector.GetProperty(name).ValueKind == JsonValueKind.Null ? [] : vector.GetProperty(name).GetBytesFromBase64();
        hash = bytes.Length == TreeHash.Size ? new TreeHash(bytes) : TreeHash.Sha256(bytes);
        return bytes.Length > 0;
    }

    private static bool TryProof(JsonElement vector, out TreeHash[] proof)
    {
        JsonElement list = vector.GetProperty("proof");
        List<byte[]> hashes = list.ValueKind == JsonValueKind.Null ? [] : [.. list.EnumerateArray().Select(hash => hash.GetBytesFromBase64())];
        bool wellFormed = hashes.All(hash => hash.Length == TreeHash.Size);
        proof = wellFormed ? [.. hashes.Select(hash => new TreeHash(hash))] : [];
        return wellFormed;
    }
}
