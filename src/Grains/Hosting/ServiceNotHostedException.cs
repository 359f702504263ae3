namespace HybridTrading.Grains.Hosting;

/// <summary>A grain was called that no process of the cluster hosts.</summary>
/// <param name="service">The service of the port map whose silos would host it.</param>
public sealed class ServiceNotHostedException(string service, Exception? inner = null)
    : Exception($"no process of the cluster hosts the service '{service}': start one with --services {service}", inner)
{
    public string Service => service;
}
