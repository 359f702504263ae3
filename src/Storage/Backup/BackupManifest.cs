using System.Text.Json;
using System.Text.Json.Serialization;

namespace HybridTrading.Storage.Backup;

/// <summary>One file of a backup.</summary>
/// <param name="Path">Relative to the backup, with forward slashes.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
public sealed record BackupFile(string Path, long Size, string Sha256);

/// <summary>What a backup holds; <c>backup.json</c>, written last, so that a backup without it is not one.</summary>
/// <param name="Format">1.</param>
/// <param name="Created">UTC.</param>
/// <param name="JournalSize">Count of events in the journal.</param>
/// <param name="JournalRoot">Root of the Merkle tree over them, hexadecimal.</param>
public sealed record BackupManifest(int Format, DateTime Created, long JournalSize, string JournalRoot, ImmutableArray<BackupFile> Files)
{
    internal const string FileName = "backup.json";
    internal const int CurrentFormat = 1;

    public long Bytes => Files.Sum(file => file.Size);

    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, BackupJson.Default.BackupManifest);

    /// <exception cref="StorageException">Not a manifest, or a newer one.</exception>
    internal static BackupManifest Read(string path)
    {
        if (!File.Exists(path)) throw new StorageException($"{path} is missing: the folder is no backup, or one that was not finished");
        BackupManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), BackupJson.Default.BackupManifest);
        }
        catch (JsonException wrong)
        {
            throw new StorageException($"{path} is no backup manifest: {wrong.Message}", wrong);
        }
        if (manifest is null || manifest.Format < 1 || manifest.Files.IsDefault) throw new StorageException($"{path} is no backup manifest");
        if (manifest.Format > CurrentFormat)
        {
            throw new StorageException(
                $"{path} has format {manifest.Format}; this program reads format {CurrentFormat}: use the newer program that wrote it");
        }
        return manifest;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;
