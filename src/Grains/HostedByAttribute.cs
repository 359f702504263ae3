namespace HybridTrading.Grains;

/// <summary>The service of the port map whose silos host this grain class.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class HostedByAttribute(string service) : Attribute
{
    public string Service { get; } = service;
}
