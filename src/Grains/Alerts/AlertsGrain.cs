using System.Globalization;
using System.Net.Mail;
using System.Text.Json;
using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Users;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Alerts;

/// <summary>
/// Reads what may be worth an alert, has <see cref="AlertBook"/> decide, records, and sends what is recorded. Sending goes on between the requests, so a
/// receiver that is slow holds up nothing.
/// </summary>
[HostedBy("notification-service")]
public sealed partial class AlertsGrain(
    IJournal journal, ISnapshotStore snapshots, ISecretBox secrets, AlertReader reader, WebHookSender hooks, MailSender mails, AlertOptions options,
    AlertMetrics metrics, TimeProvider clock, ILogger<AlertsGrain> log)
    : Grain, IAlertsGrain
{
    private const long SnapshotEvery = 200;

    private static readonly ImmutableArray<AlertChannel> Channels = [AlertChannel.WebHook, AlertChannel.Email];
    private static readonly DocumentId Notifications = new(ConfigurationCatalog.Notifications.Name);

    private readonly HashSet<AlertChannel> _sending = [];
    private readonly CancellationTokenSource _leaving = new();
    private EventStream<AlertEvent> _stream = null!;
    private AlertBook _book = new();
    private IGrainTimer _timer = null!;
    private StreamOwner _owner;
    private long _snapshotVersion;

    private string Person => this.GetPrimaryKeyString();

    private string Stream => Keys.AlertsStream(Person);

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _owner = new StreamOwner(Keys.TenantOf(Person), Person);
        _stream = new EventStream<AlertEvent>(journal, AlertEventCatalog.Events, Stream, _owner, DeactivateOnIdle);
        if (await snapshots.LoadAsync(Stream, cancellationToken) is { Shape: AlertBook.Shape } snapshot)
        {
            _book = JsonSerializer.Deserialize(snapshot.Payload.Span, AlertJson.Default.AlertBook)!;
            _snapshotVersion = snapshot.Version;
        }
        await _stream.Replay(_snapshotVersion, (happened, recorded) => _book = _book.With(happened, recorded.Version, options.Pacing), cancellationToken);
        _timer = this.RegisterGrainTimer(static (self, _) => self.WorkAsync(), this,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        ShowAge();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _leaving.CancelAsync();
        metrics.Forget(Person);
        if (_stream.Version > _snapshotVersion && !_stream.IsErased) await SnapshotAsync(cancellationToken);
    }

    public async Task Take(AlertNotice notice)
    {
        EffectiveSettings settings = await SettingsAsync();
        ImmutableHashSet<AlertKind> kinds = settings.AlertKinds.Intersect(notice.Kinds);
        if (kinds.IsEmpty) return;
        long after = _book.Seen.GetValueOrDefault(notice.Stream, -1);
        if (after >= notice.To) return;
        Raise(await reader.ReadAsync(Person, notice, kinds, after, _leaving.Token), settings);
        await WorkAsync();
    }

    public async Task TakeStale(string symbol, DateTime since, long position)
    {
        EffectiveSettings settings = await SettingsAsync();
        if (!settings.AlertKinds.Contains(AlertKind.StaleFeed)) return;
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{symbol} has had no new price since {since:HH:mm:ss} UTC, though its market is open and you trade in it");
        Raise([new AlertFact(new Alert(AlertKind.StaleFeed, since, symbol, text), new AlertSource($"feed/{symbol}", position))], settings);
        await WorkAsync();
    }

    public Task Wake() => WorkAsync();

    public async Task<AlertTested> Test()
    {
        EffectiveSettings settings = await SettingsAsync();
        if (_book.WebHook.ClosedFor is not null) Record(new ChannelReopened(Now, AlertChannel.WebHook));
        ImmutableArray<AlertChannel> channels = [.. Channels.Where(channel => IsSetUp(channel, settings))];
        long number = _stream.Version + 1;
        var alert = new Alert(AlertKind.Test, Now, "", "This is a test: alerts of HybridTrading come here");
        // It is its own source.
        Record(new AlertRaised(Now, alert, new AlertSource(Stream, number), channels));
        await WorkAsync();
        return new AlertTested(await _stream.Durable(), number, channels);
    }

    public async Task Leave()
    {
        await _leaving.CancelAsync();
        DeactivateOnIdle();
    }

    public async Task<ImmutableArray<AlertChannelView>> GetChannels()
    {
        EffectiveSettings settings = await SettingsAsync();
        string? email = settings.Email;
        bool isVerified = email is not null && await HasVerifiedAsync(email);
        return [.. Channels.Select(channel =>
        {
            ChannelBook book = _book.Of(channel);
            string? fault = Fault(channel, settings) ?? (channel == AlertChannel.Email && email is not null && !isVerified ? NotVerified : null);
            return new AlertChannelView(
                channel, channel == AlertChannel.WebHook ? settings.WebHookUrl : email, fault, book.Waiting.Length + book.Folded.Values.Sum(),
                book.Message?.Number, book.Message?.Failures ?? 0, _book.DueAt(channel, options.Pacing), book.Message?.Why ?? "", book.LastDelivered);
        })];
    }

    private const string NotVerified = "the address is not the verified one of this user";

    private void Raise(ImmutableArray<AlertFact> facts, EffectiveSettings settings)
    {
        if (facts.IsEmpty) return;
        if (_book.WebHook.ClosedFor is { } gone && gone != settings.WebHookUrl) Record(new ChannelReopened(Now, AlertChannel.WebHook));
        foreach (AlertEvent raised in _book.Raise(facts, [.. Channels.Where(channel => IsSetUp(channel, settings))], Now)) Record(raised);
    }

    /// <summary>Makes the messages that may go, sees to it that what is due is being sent, and sets the timer for the rest.</summary>
    private async Task WorkAsync()
    {
        foreach (AlertChannel channel in Channels)
        {
            if (_book.MessageDue(channel, options.Pacing, Now) is { } made) Record(made);
        }
        if (_book.SettledNow(Now) is { } settled) Record(settled);
        // What is sent is recorded before.
        await _stream.Durable();
        ShowAge();
        DateTime? next = null;
        foreach (AlertChannel channel in Channels)
        {
            if (_sending.Contains(channel) || _book.DueAt(channel, options.Pacing) is not { } due) continue;
            if (_book.Of(channel).Message is { } message && due <= Now)
            {
                _sending.Add(channel);
                _ = SendAsync(channel, message);
            }
            else if (next is null || due < next)
            {
                next = due;
            }
        }
        if (next is { } at && !_leaving.IsCancellationRequested)
        {
            _timer.Change(at > Now ? at - Now : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
        if (_stream.Version - _snapshotVersion >= SnapshotEvery) await SnapshotAsync(CancellationToken.None);
    }

    /// <summary>One attempt. What is not recorded of it did not happen: the message is then sent again, under the same id.</summary>
    private async Task SendAsync(AlertChannel channel, AlertMessage message)
    {
        try
        {
            Attempt attempt;
            try
            {
                attempt = channel == AlertChannel.WebHook ? await PostAsync(message) : await MailAsync(message);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFailed(e, AlertMessages.IdOf(Person, message), channel);
                attempt = new Attempt(AttemptOutcome.Failed, "the service could not send it");
            }
            Record(channel, message, attempt);
            _sending.Remove(channel);
            await WorkAsync();
        }
        catch (Exception e)
        {
            // The activation leaves, or the journal does not record: whoever comes next finds the message open.
            _sending.Remove(channel);
            if (!_leaving.IsCancellationRequested) LogLeft(e, AlertMessages.IdOf(Person, message), channel);
        }
    }

    private void Record(AlertChannel channel, AlertMessage message, Attempt attempt)
    {
        switch (attempt.Outcome)
        {
            case AttemptOutcome.Delivered:
                Record(new MessageSettled(Now, channel, message.Number, MessageOutcome.Delivered, ""));
                break;
            case AttemptOutcome.Failed:
                Record(_book.Failed(channel, attempt.Why, attempt.RetryAfter, options.Pacing, options.Chance(), Now));
                break;
            default:
                Record(new MessageSettled(Now, channel, message.Number, MessageOutcome.Refused, attempt.Why));
                if (attempt is { Outcome: AttemptOutcome.Gone, Target: { } target }) Record(new ChannelClosed(Now, channel, target, attempt.Why));
                break;
        }
    }

    private async Task<Attempt> PostAsync(AlertMessage message)
    {
        EffectiveSettings settings = await SettingsAsync();
        if (settings.WebHookUrl is not { } url) return new Attempt(AttemptOutcome.Refused, "no web hook is set any more");
        if (Fault(AlertChannel.WebHook, settings) is { } fault) return new Attempt(AttemptOutcome.Refused, fault);
        ImmutableArray<string> keys =
        [
            .. new[] { Open(settings.SealedWebHookSecret, "webHookSecret"), Open(settings.SealedWebHookOldSecret, "webHookOldSecret") }.OfType<string>(),
        ];
        if (keys.IsEmpty) return new Attempt(AttemptOutcome.Refused, "its secret is gone");
        var call = new WebHookCall(new Uri(url), keys, AlertMessages.IdOf(Person, message), AlertMessages.WebHook(Person, message));
        return await hooks.SendAsync(call, _leaving.Token) with { Target = url };
    }

    private async Task<Attempt> MailAsync(AlertMessage message)
    {
        if ((await SettingsAsync()).Email is not { } address) return new Attempt(AttemptOutcome.Refused, "no address is set any more");
        if (!await HasVerifiedAsync(address)) return new Attempt(AttemptOutcome.Refused, NotVerified);
        try
        {
            await mails.SendAsync(AlertMessages.Email(Person, address, message, options.Console), _leaving.Token);
            return new Attempt(AttemptOutcome.Delivered);
        }
        catch (OperationCanceledException) when (!_leaving.IsCancellationRequested)
        {
            return new Attempt(AttemptOutcome.Failed, "the mail server did not answer in time");
        }
        catch (SmtpException e) when (e.StatusCode is SmtpStatusCode.MailboxUnavailable or SmtpStatusCode.MailboxNameNotAllowed
            or SmtpStatusCode.UserNotLocalTryAlternatePath)
        {
            return new Attempt(AttemptOutcome.Refused, $"the mail server refused the address: {(int)e.StatusCode}");
        }
        catch (SmtpException e)
        {
            return new Attempt(AttemptOutcome.Failed, e.StatusCode > 0 ? $"the mail server answered {(int)e.StatusCode}" : "the mail server cannot be reached");
        }
    }

    private string? Open(string? sealedText, string setting) =>
        sealedText is null ? null : secrets.Open(_owner, EffectiveSettings.SecretPurpose(Notifications, setting), sealedText);

    private bool IsSetUp(AlertChannel channel, EffectiveSettings settings) =>
        (channel == AlertChannel.WebHook ? settings.WebHookUrl : settings.Email) is not null && Fault(channel, settings) is null;

    /// <summary>Why nothing goes to a target that is set; null when it does.</summary>
    private string? Fault(AlertChannel channel, EffectiveSettings settings) => channel switch
    {
        AlertChannel.WebHook when settings.WebHookUrl is { } url =>
            settings.SealedWebHookSecret is null ? "webHookSecret is not set; what is posted must be signed"
            : _book.WebHook.ClosedFor == url ? $"it is switched off: {_book.WebHook.ClosedWhy}; a test switches it on again"
            : null,
        _ => null,
    };

    private Task<bool> HasVerifiedAsync(string email) =>
        GrainFactory.GetGrain<IUserGrain>(Keys.NameOf(Person)).HasVerified(_owner.Tenant, email);

    /// <summary>From the configuration itself, not a copy: what was changed a moment ago counts.</summary>
    private async Task<EffectiveSettings> SettingsAsync()
    {
        Task<LayerDocuments> tenant = GrainFactory.GetGrain<IConfigurationGrain>(Keys.TenantConfiguration(_owner.Tenant)).GetLayer();
        Task<LayerDocuments> user = GrainFactory.GetGrain<IConfigurationGrain>(Person).GetLayer();
        return EffectiveSettings.Of(await tenant, await user, null);
    }

    private void Record(AlertEvent happened)
    {
        _book = _book.With(happened, _stream.Version + 1, options.Pacing);
        // The stream is the effect: open from the first alert on until everything is settled.
        _stream.Append([happened], one => one.Time, _ => Stream);
        metrics.Count(happened);
    }

    private void ShowAge()
    {
        DateTime? oldest = Channels.Select(channel => _book.Of(channel).Message?.Made).Min();
        if (oldest is { } made) metrics.Show(Person, made);
        else metrics.Forget(Person);
    }

    private async Task SnapshotAsync(CancellationToken cancellation)
    {
        long version = _stream.Version;
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(_book, AlertJson.Default.AlertBook);
        _snapshotVersion = version;
        try
        {
            await _stream.Durable();
            await snapshots.SaveAsync(Stream, _owner, version, AlertBook.Shape, payload, cancellation);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or NotRecordedException)
        {
            // Disposable: the stream alone restores it, only slower.
            LogSnapshotFailed(e, Person);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "message {Message} could not be sent by {Channel}; it will be tried again")]
    private partial void LogFailed(Exception exception, string message, AlertChannel channel);

    [LoggerMessage(Level = LogLevel.Error, Message = "what came of message {Message} by {Channel} was not recorded; it will be sent again")]
    private partial void LogLeft(Exception exception, string message, AlertChannel channel);

    [LoggerMessage(Level = LogLevel.Warning, Message = "snapshot of the alerts of {Person} was not saved")]
    private partial void LogSnapshotFailed(Exception exception, string person);
}
