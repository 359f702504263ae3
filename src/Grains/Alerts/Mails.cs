using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Grains.Alerts;

/// <summary>A mail in plain text. It can hold a link that lets one in, so it is in no log.</summary>
/// <param name="Id">
/// What tells it from others, for a receiver that gets it twice: the left part of its Message-ID, of atoms of RFC 5322; null lets the server choose.
/// </param>
public sealed record Mail(string To, string Subject, string Text, string? Id = null)
{
    /// <summary>Made by a program: nobody's absence note answers it (RFC 3834).</summary>
    public bool IsAutomatic { get; init; }
}

/// <summary>How mails go out. Section <c>Mail</c> of the configuration (<c>Mail__Host</c> in the environment).</summary>
public sealed class MailOptions
{
    public const string Section = "Mail";

    /// <summary>SMTP server; without one mails are written to <see cref="Outbox"/>.</summary>
    public string? Host { get; init; }

    public int Port { get; init; } = 587;

    /// <summary>STARTTLS.</summary>
    public bool Tls { get; init; } = true;

    public string From { get; init; } = "hybridtrading@localhost";

    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>Folder of mails as files, each as RFC 5322 has it.</summary>
    public string Outbox { get; init; } = "outbox";

    /// <exception cref="FormatException">Names key, value and expectation.</exception>
    public static MailOptions Read(IConfiguration configuration, string outbox)
    {
        IConfigurationSection section = configuration.GetSection(Section);
        var defaults = new MailOptions();
        string from = section["From"] ?? defaults.From;
        return new MailOptions
        {
            Host = section["Host"] is { Length: > 0 } host ? host : null,
            Port = section["Port"] is not { Length: > 0 } port ? defaults.Port
                : int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and < 65536 ? number
                : throw new FormatException($"Mail:Port is '{port}'; expected 1 to 65535"),
            Tls = section["Tls"] is not { Length: > 0 } tls || (bool.TryParse(tls, out bool on) ? on : throw new FormatException($"Mail:Tls is '{tls}'; expected true or false")),
            From = MailAddress.TryCreate(from, out _) ? from : throw new FormatException($"Mail:From is '{from}'; expected an address"),
            User = section["User"], Password = section["Password"], Outbox = outbox,
        };
    }
}

/// <summary>Sends mails by SMTP, or writes them to a folder where there is no server.</summary>
public sealed class MailSender(MailOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Where mails go, for a person who looks.</summary>
    public string Where => options.Host is { } host ? $"{host}:{options.Port}" : options.Outbox;

    /// <exception cref="SmtpException">It did not go out.</exception>
    public async Task SendAsync(Mail mail, CancellationToken cancellation)
    {
        using var message = new MailMessage(options.From, mail.To) { Subject = mail.Subject, Body = mail.Text, BodyEncoding = Encoding.UTF8, SubjectEncoding = Encoding.UTF8 };
        if (mail.Id is not null) message.Headers.Add("Message-ID", $"<{mail.Id}@{new MailAddress(options.From).Host}>");
        if (mail.IsAutomatic) message.Headers.Add("Auto-Submitted", "auto-generated");
        using var client = new SmtpClient();
        if (options.Host is null)
        {
            Directory.CreateDirectory(options.Outbox);
            client.DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory;
            client.PickupDirectoryLocation = Path.GetFullPath(options.Outbox);
            client.EnableSsl = false;
        }
        else
        {
            (client.Host, client.Port, client.EnableSsl) = (options.Host, options.Port, options.Tls);
            if (options.User is not null) client.Credentials = new NetworkCredential(options.User, options.Password);
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        await client.SendMailAsync(message, limit.Token);
    }
}
