namespace HybridTrading.Domain.Markets;

/// <summary>Rows that lie in a file and come into memory as they are read: what a run has passed need not stay there.</summary>
public interface IPagedRows
{
    /// <summary>Rows from <paramref name="from"/> up to, not including, <paramref name="to"/> are not needed soon. Reading them again brings them back.</summary>
    void Release(int from, int to);
}
