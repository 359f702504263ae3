using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Tests.Journal;

namespace HybridTrading.Storage.Tests.Keys;

public sealed class SecretBoxTests
{
    private static readonly StreamOwner Ann = new("acme", "acme/ann"), Bob = new("acme", "acme/bob");

    [Fact]
    public void A_secret_opens_for_its_owner_and_purpose_until_the_key_is_destroyed()
    {
        using var folder = new TemporaryFolder();
        FileKeyProvider keys = FileKeyProvider.Open(folder["keys"]);
        var box = new SecretBox(keys);
        string sealedText = box.Seal(Ann, "hook", "pässword");
        Assert.DoesNotContain("ssword", sealedText);
        Assert.NotEqual(sealedText, box.Seal(Ann, "hook", "pässword"));
        Assert.Equal("pässword", new SecretBox(FileKeyProvider.Open(folder["keys"])).Open(Ann, "hook", sealedText));
        Assert.Equal("", box.Open(Ann, "hook", box.Seal(Ann, "hook", "")));
        Assert.Throws<InvalidDataException>(() => box.Open(Ann, "mail", sealedText));
        box.Seal(Bob, "hook", "x");
        Assert.Throws<InvalidDataException>(() => box.Open(Bob, "hook", sealedText));

        keys.Destroy("acme/ann");
        Assert.Null(box.Open(Ann, "hook", sealedText));
        Assert.Throws<SubjectErasedException>(() => box.Seal(Ann, "hook", "new"));
    }

    [Fact]
    public void Whatever_is_changed_of_a_sealed_secret_is_refused()
    {
        using var folder = new TemporaryFolder();
        var box = new SecretBox(FileKeyProvider.Open(folder["keys"]));
        string sealedText = box.Seal(Ann, "hook", "secret");
        foreach (string text in (string[])["", "1", "1.1", "1.1.", "1.1.AAAA", "2" + sealedText[1..], "1.-1" + sealedText[3..], sealedText + ".x",
            "secret"])
        {
            Assert.Throws<InvalidDataException>(() => box.Open(Ann, "hook", text));
        }
        string[] parts = sealedText.Split('.');
        byte[] data = Convert.FromBase64String(parts[2]);
        for (int at = 0; at < data.Length; at++)
        {
            byte[] changed = [.. data];
            changed[at] ^= 1;
            Assert.Throws<InvalidDataException>(() => box.Open(Ann, "hook", $"{parts[0]}.{parts[1]}.{Convert.ToBase64String(changed)}"));
        }
    }
}
