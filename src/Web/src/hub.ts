import { HttpTransportType, HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { Account, BarPush, ConfigurationChanged, Gap, Job, JournalPush, Quote, Snapshot } from './contract';
import type { Connection } from './store';

export interface Subscription {
  symbols: string[];
  account: string | null;
  /** The journal sequence last seen, wherever that was; null goes on where this connection is. */
  after: number | null;
}

export interface HubEvents {
  quotes: (quotes: Quote[]) => void;
  bars: (bars: BarPush[]) => void;
  journal: (push: JournalPush) => void;
  account: (account: Account) => void;
  /** A job of ours as it stands, several times a second while it runs. */
  job: (job: Job) => void;
  /** A configuration that counts for us has changed: read it again. */
  configuration: (change: ConfigurationChanged) => void;
  /** Pushes were left out, as this page was too slow or away for too long: load again. */
  gap: (gap: Gap) => void;
  /** Every time that a connection is made, the first one too: subscribe. */
  connected: () => void;
  state: (connection: Connection) => void;
  /** A try failed though the one before did, too: the sign-in may have ended, which a browser does not tell of a refused WebSocket. */
  refused: () => void;
}

/** How long to wait before the n-th try (n from 0): doubling from half a second to 5 s, half of it by chance so that clients spread. */
export function backOff(attempt: number, chance: number): number {
  const full = Math.min(5_000, 500 * 2 ** Math.min(attempt, 10));
  return full / 2 + (full / 2) * chance;
}

/** After this many tries the page says that it is offline; it goes on trying. */
const triesUntilOffline = 4;

/**
 * The connection to `/hubs/trading`, kept alive for good. It is a WebSocket from the first byte on: a negotiation would have to end up at the same
 * process as the connection itself.
 */
export class Hub {
  readonly #connection: HubConnection;
  readonly #events: HubEvents;
  #wake: (() => void) | null = null;
  /** It is to be there; without that nothing is tried. */
  #wanted = false;
  #connecting = false;

  /** `token` gives the proof of who connects, for every connection anew; null where none is asked for. */
  constructor(events: HubEvents, token: () => Promise<string | null>) {
    this.#events = events;
    this.#connection = new HubConnectionBuilder()
      .withUrl('/hubs/trading', {
        transport: HttpTransportType.WebSockets, skipNegotiation: true, accessTokenFactory: async () => (await token()) ?? '',
      })
      .configureLogging(LogLevel.None)
      .build();
    this.#connection.on('quotes', events.quotes);
    this.#connection.on('bars', events.bars);
    this.#connection.on('journal', events.journal);
    this.#connection.on('account', events.account);
    this.#connection.on('job', events.job);
    this.#connection.on('configuration', events.configuration);
    this.#connection.on('gap', events.gap);
    this.#connection.onclose(() => void this.#connect(true));
    // The network came back, or the reader did: no need to wait out the pause.
    addEventListener('online', () => this.#wake?.());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#wake?.();
    });
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    void this.#connect(false);
  }

  stop(): void {
    this.#wanted = false;
    this.#wake?.();
    this.#events.state('connecting');
    void this.#connection.stop();
  }

  /** Replaces the former subscription. */
  subscribe(subscription: Subscription): Promise<Snapshot> {
    return this.#connection.invoke<Snapshot>('Subscribe', subscription);
  }

  async #connect(again: boolean): Promise<void> {
    if (this.#connecting || !this.#wanted) return;
    this.#connecting = true;
    this.#events.state(again ? 'reconnecting' : 'connecting');
    for (let attempt = 0; this.#wanted; attempt++) {
      if (again || attempt > 0) await this.#pause(backOff(attempt, Math.random()));
      if (!this.#wanted) break;
      try {
        await this.#connection.start();
        this.#connecting = false;
        this.#events.state('connected');
        this.#events.connected();
        return;
      } catch {
        this.#events.state(attempt + 1 >= triesUntilOffline ? 'offline' : again ? 'reconnecting' : 'connecting');
        if (attempt > 0) this.#events.refused();
      }
    }
    this.#connecting = false;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
