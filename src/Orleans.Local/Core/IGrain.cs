using Orleans.Runtime;

namespace Orleans.Runtime
{
    /// <summary>Anything that can be called through a reference: a grain or an observer.</summary>
    public interface IAddressable;
}

namespace Orleans
{
    /// <summary>The root of every grain interface.</summary>
    public interface IGrain : IAddressable;

    /// <summary>A grain that is named by text.</summary>
    public interface IGrainWithStringKey : IGrain;

    /// <summary>The root of the interfaces of callback objects that live outside of grains; their methods return void, Task or ValueTask.</summary>
    public interface IGrainObserver : IAddressable;
}
