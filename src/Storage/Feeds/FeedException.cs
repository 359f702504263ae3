namespace HybridTrading.Storage.Feeds;

/// <summary>A file of market data could not be read: the message is one line that names file, line, column, value and expectation.</summary>
public sealed class FeedException(string message, Exception? inner = null) : Exception(message, inner);
