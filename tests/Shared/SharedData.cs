namespace HybridTrading.Tests;

/// <summary>Real data and vectors that lie beside the checkout; a plain clone has none, and tests that need them skip with a word.</summary>
public static class SharedData
{
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>The full path of a file or folder under <c>../shared</c>; skips the running test where it is not there.</summary>
    public static string Path(string relative)
    {
        string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(RepositoryRoot, "..", "shared", relative));
        Assert.SkipUnless(File.Exists(path) || Directory.Exists(path), $"needs ../shared/{relative} beside the checkout");
        return path;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "HybridTrading.sln"))) return folder.FullName;
        }
        throw new InvalidOperationException("the tests must run below the folder of HybridTrading.sln");
    }
}
