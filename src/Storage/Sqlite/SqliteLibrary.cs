using System.Runtime.InteropServices;
using SQLitePCL;

namespace HybridTrading.Storage.Sqlite;

/// <summary>Which SQLite this process runs.</summary>
/// <param name="Source">The operating system's library by name, or <c>bundled</c>.</param>
public sealed record StorageInfo(string SqliteVersion, string Source);

/// <summary>
/// Chooses the SQLite library once a process: the operating system's where it is there and not older than the bundled one, since the
/// system's gets security updates.
/// </summary>
internal static unsafe class SqliteLibrary
{
    private const int BundledVersion = 3_035_005;

    private static readonly Lazy<StorageInfo> Chosen = new(Choose);

    public static StorageInfo Load() => Chosen.Value;

    private static StorageInfo Choose()
    {
        string source = "bundled";
        foreach (string name in SystemNames())
        {
            if (!NativeLibrary.TryLoad(name, out nint library)) continue;
            if (IsRecent(library))
            {
                NativeLibrary.SetDllImportResolver(
                    typeof(SQLite3Provider_e_sqlite3).Assembly, (asked, _, _) => asked == "e_sqlite3" ? library : nint.Zero);
                source = name;
                break;
            }
            NativeLibrary.Free(library);
        }
        Batteries_V2.Init();
        return new StorageInfo(raw.sqlite3_libversion().utf8_to_string(), source);
    }

    private static string[] SystemNames() => OperatingSystem.IsLinux() ? ["libsqlite3.so.0"] : OperatingSystem.IsMacOS() ? ["libsqlite3.dylib"] : [];

    private static bool IsRecent(nint library) =>
        NativeLibrary.TryGetExport(library, "sqlite3_libversion_number", out nint version)
        && ((delegate* unmanaged[Cdecl]<int>)version)() >= BundledVersion;
}
