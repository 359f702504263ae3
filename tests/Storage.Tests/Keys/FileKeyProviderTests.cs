using System.Security.Cryptography;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Tests.Files;
using HybridTrading.Storage.Tests.Journal;

namespace HybridTrading.Storage.Tests.Keys;

public sealed class FileKeyProviderTests
{
    [Fact]
    public void A_key_is_the_same_after_a_restart_and_gone_after_its_destruction()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        byte[] sealedText = Seal(keys.GetOrCreate("acme/ann"));
        byte[] other = Seal(keys.GetOrCreate("acme/bob"));

        FileKeyProvider again = FileKeyProvider.Open(folder["keys"]);
        Assert.Equal("secret"u8.ToArray(), Unseal(again.GetOrCreate("acme/ann"), sealedText));
        Assert.Equal("secret"u8.ToArray(), Unseal(again.Find("acme/ann", 1)!, sealedText));
        Assert.Throws<AuthenticationTagMismatchException>(() => Unseal(again.GetOrCreate("acme/bob"), sealedText));

        SubjectKey held = again.GetOrCreate("acme/ann");
        again.Destroy("acme/ann");
        Assert.Throws<ObjectDisposedException>(() => Unseal(held, sealedText));
        Assert.Null(again.Find("acme/ann", 1));
        Assert.Null(FileKeyProvider.Open(folder["keys"]).Find("acme/ann", 1));
        Assert.Equal("secret"u8.ToArray(), Unseal(again.Find("acme/bob", 1)!, other));

        Assert.Throws<SubjectErasedException>(() => again.GetOrCreate("acme/ann"));
        Assert.Throws<SubjectErasedException>(() => FileKeyProvider.Open(folder["keys"]).GetOrCreate("acme/ann"));
        // Also who had none yet.
        again.Destroy("acme/nobody");
        Assert.Throws<SubjectErasedException>(() => FileKeyProvider.Open(folder["keys"]).GetOrCreate("acme/nobody"));
    }

    [Fact]
    public void A_lost_key_is_an_error_and_not_an_erasure()
    {
        var door = new PowerCutDoor();
        FileKeyProvider.Open("/keys", door).GetOrCreate("acme/ann");
        string path = Assert.Single(door.Contents.Keys, name => name.Contains("subjects", StringComparison.Ordinal));
        PowerCutDoor lost = door.Copy();
        lost.Delete(path);
        Assert.Contains("missing", Assert.Throws<StorageException>(() => FileKeyProvider.Open("/keys", lost).Find("acme/ann", 1)).Message);

        PowerCutDoor damaged = door.Copy();
        byte[] content = door.Contents[path];
        content[^10] ^= 1;
        damaged.Put(path, content);
        Assert.Contains(path, Assert.Throws<StorageException>(() => FileKeyProvider.Open("/keys", damaged).Find("acme/ann", 1)).Message);

        PowerCutDoor noMaster = door.Copy();
        noMaster.Delete("/keys/master.key");
        Assert.Contains("master.key is missing", Assert.Throws<StorageException>(() => FileKeyProvider.Open("/keys", noMaster)).Message);
    }

    [Fact]
    public void Keys_that_others_can_read_are_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix permissions");
        using var folder = new TemporaryFolder();
        FileKeyProvider.Open(folder["keys"]);
        string master = Path.Combine(folder["keys"], "master.key");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(master, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<StorageException>(() => FileKeyProvider.Open(folder["keys"])).Message);
    }

    [Fact]
    public void A_master_key_kept_apart_may_be_a_link_and_may_be_text()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider.CreateMaster(folder["made/master.key"]);
        byte[] key = FileKeyProvider.ReadMaster(folder["made/master.key"]);
        Assert.Equal(32, key.Length);
        Assert.Contains("expected a new file", Assert.Throws<StorageException>(() => FileKeyProvider.CreateMaster(folder["made/master.key"])).Message);
        byte[] file = File.ReadAllBytes(folder["made/master.key"]);
        Assert.Equal(key, FileKeyProvider.ReadMaster(Owned("text", $"{Convert.ToBase64String(file)}\n")));
        Assert.Contains("text", Assert.Throws<StorageException>(() => FileKeyProvider.ReadMaster(Owned("text", Convert.ToBase64String(file)[..40]))).Message);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege");
        File.CreateSymbolicLink(folder["link"], folder["made/master.key"]);
        Assert.Equal(key, FileKeyProvider.ReadMaster(folder["link"]));

        string Owned(string name, string content)
        {
            File.WriteAllText(folder[name], content);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return folder[name];
        }
    }

    [Fact]
    public void A_power_cut_while_a_key_is_made_or_destroyed_leaves_it_whole_or_not_there()
    {
        for (int cut = 1; cut < 40; cut++)
        {
            var door = new PowerCutDoor { CutAt = cut };
            byte[]? sealedText = null;
            bool destroyed = false;
            try
            {
                FileKeyProvider keys = FileKeyProvider.Open("/keys", door);
                sealedText = Seal(keys.GetOrCreate("acme/ann"));
                keys.Destroy("acme/ann");
                destroyed = true;
            }
            catch (StorageException)
            {
            }
            for (int torn = 0; torn <= door.UnflushedBytes; torn++)
            {
                FileKeyProvider after = FileKeyProvider.Open("/keys", door.Survivor(torn));
                if (destroyed) Assert.Null(after.Find("acme/ann", 1));
                else if (sealedText is not null && HasKey(after)) Assert.Equal("secret"u8.ToArray(), Unseal(after.Find("acme/ann", 1)!, sealedText));
                if (destroyed) Assert.Throws<SubjectErasedException>(() => after.GetOrCreate("acme/ann"));
                else if (sealedText is null || HasKey(after)) Assert.Equal(1, after.GetOrCreate("acme/ann").Number);
            }
        }

        // Once a key was handed out it is there after a cut, unless its destruction had begun.
        static bool HasKey(FileKeyProvider keys) => keys.Find("acme/ann", 1) is not null;
    }

    [Fact]
    public void Many_threads_get_the_same_key()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        var handed = new SubjectKey[64];
        Parallel.For(0, handed.Length, i => handed[i] = keys.GetOrCreate("subject-" + i % 4));
        for (int i = 0; i < handed.Length; i++) Assert.Same(handed[i % 4], handed[i]);
    }

    private static byte[] Seal(SubjectKey key)
    {
        byte[] sealedText = new byte[12 + 6 + 16];
        key.Encrypt(sealedText.AsSpan(0, 12), "secret"u8, sealedText.AsSpan(12, 6), sealedText.AsSpan(18), []);
        return sealedText;
    }

    private static byte[] Unseal(SubjectKey key, byte[] sealedText)
    {
        byte[] plain = new byte[6];
        key.Decrypt(sealedText.AsSpan(0, 12), sealedText.AsSpan(12, 6), sealedText.AsSpan(18), plain, []);
        return plain;
    }
}
