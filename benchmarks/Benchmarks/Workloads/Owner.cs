using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>The owner of a system that a workload has started, made by the link that the system prints.</summary>
internal static partial class Owner
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>Reads what a process prints, for as long as it does.</summary>
    public static (Task Reading, StringBuilder Printed) Listen(System.Diagnostics.Process process)
    {
        var printed = new StringBuilder();
        return (ReadAsync(), printed);

        async Task ReadAsync()
        {
            while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
            {
                lock (printed) printed.AppendLine(line);
            }
        }
    }

    /// <summary>Signs the client in, for the ten minutes that a token is good.</summary>
    /// <param name="client">Its address is that of the API, or <paramref name="server"/> is given.</param>
    public static async Task SignInAsync(HttpClient client, StringBuilder printed, CancellationToken cancellation, Uri? server = null)
    {
        Uri root = server ?? client.BaseAddress!;
        for (long start = Stopwatch.GetTimestamp(); ; await Task.Delay(50, cancellation))
        {
            string text;
            lock (printed) text = printed.ToString();
            if (Link().Match(text) is { Success: true } link)
            {
                using HttpResponseMessage answer = await client.PostAsJsonAsync(
                    new Uri(root, "/api/v1/auth/setup"),
                    new { token = link.Groups[1].Value, email = "owner@example.org", name = "Owner", password = Guid.NewGuid().ToString(), cookie = false }, cancellation);
                string body = await answer.Content.ReadAsStringAsync(cancellation);
                if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"setup: {answer.StatusCode} {body}");
                client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)JsonNode.Parse(body)!["accessToken"]!);
                return;
            }
            if (Stopwatch.GetElapsedTime(start) > Longest) throw new InvalidOperationException($"no link for the first owner: {text}");
        }
    }

    [GeneratedRegex("/#/welcome/([A-Za-z0-9_-]+)")]
    private static partial Regex Link();
}
