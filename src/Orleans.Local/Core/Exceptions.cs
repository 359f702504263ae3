using Orleans.Runtime;

namespace Orleans.Runtime
{
    /// <summary>The root of what the runtime throws.</summary>
    public class OrleansException : Exception
    {
        public OrleansException() : base("Unexpected error.") { }

        public OrleansException(string message) : base(message) { }

        public OrleansException(string message, Exception innerException) : base(message, innerException) { }
    }

    /// <summary>The runtime is configured wrongly.</summary>
    public sealed class OrleansConfigurationException : Exception
    {
        public OrleansConfigurationException(string message) : base(message) { }

        public OrleansConfigurationException(string message, Exception innerException) : base(message, innerException) { }
    }

    /// <summary>The callback object behind an observer reference is gone.</summary>
    public sealed class ClientNotAvailableException : OrleansException
    {
        internal ClientNotAvailableException(GrainId observer) : base($"No callback object for {observer}: it was deleted or collected") { }
    }

    /// <summary>The call was refused: nobody ran it.</summary>
    public class OrleansMessageRejectionException : OrleansException
    {
        internal OrleansMessageRejectionException(string message) : base(message) { }
    }

    /// <summary>The silo has stopped.</summary>
    public sealed class SiloUnavailableException : OrleansMessageRejectionException
    {
        public SiloUnavailableException() : base("The silo has stopped.") { }

        public SiloUnavailableException(string msg) : base(msg) { }
    }
}

namespace Orleans.Storage
{
    /// <summary>No provider is registered under a name that a grain asks for.</summary>
    public sealed class BadProviderConfigException : OrleansException
    {
        public BadProviderConfigException(string msg) : base(msg) { }
    }

    /// <summary>The stored state is not the one that was read: somebody else wrote it. The activation that gets it is dropped.</summary>
    public class InconsistentStateException : OrleansException
    {
        public InconsistentStateException() { }

        public InconsistentStateException(string message) : base(message) { }

        public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag) : base(errorMsg)
        {
            StoredEtag = storedEtag;
            CurrentEtag = currentEtag;
        }

        public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag, Exception? storageException)
            : base(errorMsg, storageException!)
        {
            StoredEtag = storedEtag;
            CurrentEtag = currentEtag;
        }

        /// <summary>The etag in storage.</summary>
        public string? StoredEtag { get; private set; }

        /// <summary>The etag that the writer had.</summary>
        public string? CurrentEtag { get; private set; }

        /// <summary>True until the activation that caused it has been dropped for it: callers further up are not at fault.</summary>
        internal bool IsSourceActivation { get; set; } = true;

        public override string ToString() =>
            $"InconsistentStateException: {Message} Expected Etag={StoredEtag} Received Etag={CurrentEtag} {InnerException}";
    }
}
