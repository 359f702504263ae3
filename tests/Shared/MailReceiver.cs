using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HybridTrading.Tests;

/// <summary>A mail as a server on this machine took it.</summary>
internal sealed record ReceivedMail(string From, ImmutableArray<string> To, string Text)
{
    /// <summary>Headers and body, whichever way the body is encoded.</summary>
    public string Plain
    {
        get
        {
            int body = Text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            return Text.Contains("Content-Transfer-Encoding: base64", StringComparison.OrdinalIgnoreCase)
                ? Text[..body] + Encoding.UTF8.GetString(Convert.FromBase64String(string.Concat(Text[body..].Where(c => !char.IsWhiteSpace(c)))))
                : Text.Replace("=\r\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
        }
    }
}

/// <summary>An SMTP server (RFC 5321, what a client needs of it) on this machine.</summary>
internal sealed class MailReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly Task _serving;
    private ImmutableArray<ReceivedMail> _mails = [];

    public MailReceiver()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What it answers when a mail is complete; it is told how many it has refused before.</summary>
    public Func<int, string> Answer { get; set; } = _ => "250 taken";

    public ImmutableArray<ReceivedMail> Mails
    {
        get
        {
            lock (_lock) return _mails;
        }
    }

    public int Refused { get; private set; }

    public async Task<ImmutableArray<ReceivedMail>> UntilAsync(int count)
    {
        for (int look = 0; look < 3000; look++)
        {
            if (Mails is { } mails && mails.Length >= count) return mails;
            await Task.Delay(10);
        }
        throw new InvalidOperationException($"{Mails.Length} of {count} mails came, {Refused} were refused");
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                await TakeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException && _end.IsCancellationRequested)
        {
        }
    }

    private async Task TakeAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
        string from = "";
        List<string> to = [];
        await writer.WriteLineAsync("220 receiver");
        while (await reader.ReadLineAsync(_end.Token) is { } line)
        {
            string verb = line.Split(' ', ':')[0].ToUpperInvariant();
            switch (verb)
            {
                case "EHLO" or "HELO":
                    await writer.WriteLineAsync("250 receiver");
                    break;
                case "MAIL":
                    from = Address(line);
                    await writer.WriteLineAsync("250 ok");
                    break;
                case "RCPT":
                    to.Add(Address(line));
                    await writer.WriteLineAsync("250 ok");
                    break;
                case "DATA":
                    await writer.WriteLineAsync("354 go on");
                    string answer = Answer(Refused);
                    string text = await ReadMailAsync(reader);
                    lock (_lock)
                    {
                        if (answer.StartsWith('2')) _mails = _mails.Add(new ReceivedMail(from, [.. to], text));
                        else Refused++;
                    }
                    to = [];
                    await writer.WriteLineAsync(answer);
                    break;
                case "QUIT":
                    await writer.WriteLineAsync("221 bye");
                    return;
                default:
                    await writer.WriteLineAsync("250 ok");
                    break;
            }
        }
    }

    private async Task<string> ReadMailAsync(StreamReader reader)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync(_end.Token) is { } line && line != ".")
        {
            text.Append(line.StartsWith("..", StringComparison.Ordinal) ? line[1..] : line).Append("\r\n");
        }
        return text.ToString();
    }

    private static string Address(string line) => line[(line.IndexOf('<') + 1)..line.IndexOf('>')];
}
