namespace Orleans.Concurrency
{
    /// <summary>Requests to the grain may interleave at every await.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class ReentrantAttribute : Attribute;
}

namespace Orleans.Runtime
{
    /// <summary>Names a grain: its type and its key.</summary>
    public readonly record struct GrainId;
}
