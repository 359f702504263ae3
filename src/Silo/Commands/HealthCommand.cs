using System.CommandLine;
using HybridTrading.Api.Ports;

namespace HybridTrading.Silo.Commands;

/// <summary>
/// <c>health</c>: asks the process on this machine how it is, as a container's health check and an orchestrator's probe. HTTP is on loopback only, so
/// no one outside of the container can ask, and a small image has no other program that could.
/// </summary>
public static class HealthCommand
{
    private static readonly PlanOptions Plan = new();
    private static readonly Option<bool> Ready = new("--ready") { Description = "whether each service can do its work (/health/ready), not only whether the process runs (/health)" };
    private static readonly Option<double> Timeout = new("--timeout") { Description = "seconds to wait for all answers", DefaultValueFactory = _ => 4 };

    public static Command Create()
    {
        var command = new Command("health", """
            Ask the system on this machine on the port of each of its services. Exits 1 and names each that is not well. It takes the options of run that say
            which ports those are.

            Examples:
              health
              health --ready --services api-gateway --port-offset 100
            """);
        foreach (Option option in Plan.All) command.Add(option);
        command.Add(Ready);
        command.Add(Timeout);
        command.Handle(async (parsed, cancellation) =>
        {
            double seconds = parsed.GetValue(Timeout);
            if (seconds is not (> 0 and <= 600)) throw new UsageException($"--timeout is {seconds}; expected more than 0, at most 600 seconds");
            (ServiceEndpoints ports, _) = Plan.Read(parsed).Resolve();
            return await AskAsync(ports, parsed.GetValue(Ready) ? "/health/ready" : "/health", TimeSpan.FromSeconds(seconds), cancellation);
        });
        return command;
    }

    /// <summary>The gateway and the compliance services may speak HTTPS alone (<c>run --cert</c>, <c>--compliance-cert</c>).</summary>
    private static async Task<HttpResponseMessage> GetAsync(HttpClient client, HostedService service, string path, CancellationToken cancellation)
    {
        try
        {
            return await client.GetAsync(new Uri($"http://127.0.0.1:{service.Port}{path}"), cancellation);
        }
        catch (HttpRequestException e) when ((service.Service == ServiceEndpoints.Gateway || service.Network == ServiceNetwork.Compliance) && e.HttpRequestError is not HttpRequestError.ConnectionError)
        {
            return await client.GetAsync(new Uri($"https://127.0.0.1:{service.Port}{path}"), cancellation);
        }
    }

    private static async Task<int> AskAsync(ServiceEndpoints ports, string path, TimeSpan timeout, CancellationToken cancellation)
    {
        // On this machine alone: a certificate names the gateway as others call it.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = static (request, _, _, _) => request.RequestUri!.IsLoopback };
        using var client = new HttpClient(handler) { Timeout = timeout };
        string?[] faults = await Task.WhenAll(ports.Hosted.Select(async service =>
        {
            try
            {
                // More than that they live the compliance services tell to tokens of their own alone.
                string asked = service.Network == ServiceNetwork.Compliance ? "/health" : path;
                using HttpResponseMessage answer = await GetAsync(client, service, asked, cancellation);
                if (answer.IsSuccessStatusCode) return null;
                return $"{service.Name} on port {service.Port} answers {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellation)}";
            }
            catch (HttpRequestException e)
            {
                return $"{service.Name} on port {service.Port} does not answer: {e.Message}";
            }
            catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return $"{service.Name} on port {service.Port} does not answer within {timeout.TotalSeconds} s";
            }
        }));
        foreach (string fault in faults.OfType<string>()) Console.Error.WriteLine(fault);
        return faults.All(fault => fault is null) ? 0 : CommandAction.Failed;
    }
}
