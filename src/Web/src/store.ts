import type {
  Account, DataSet, Decision, Fill, Instrument, Job, Order, OrderPush, Quote, Strategy, StrategyDefinition, SystemView, TimeFrame,
} from './contract';
import { keyName, type Zone } from './format';
import { Jobs } from './jobs';
import { defaultPreferences, type Preferences } from './preferences';
import type { Collection, Route } from './routes';
import { barSeries, equitySeries } from './series';

export type Connection = 'connecting' | 'connected' | 'reconnecting' | 'offline';

/** What a view can wait for. `clock` comes once a second. */
export type Topic =
  | 'system' | 'connection' | 'instruments' | 'quotes' | 'selection' | 'bars' | 'accounts' | 'orders' | 'fills' | 'equity'
  | 'strategies' | 'definitions' | 'decisions' | 'clock' | 'zone' | 'theme' | 'route' | 'jobs' | 'dataSets' | 'auth'
  | 'configuration' | 'preferences';

export interface LiveQuote {
  quote: Quote;
  /** Browser time at which this price was news, in ms since 1970. */
  since: number;
}

const decisionLimit = 500;
const fillLimit = 500;
const orderLimit = 200;

/**
 * All that the page knows. Changes only mark topics; views are called at most once a frame, each once whatever the number of its topics.
 */
export class Store {
  readonly #frame: (render: () => void) => void;
  readonly #views = new Set<{ topics: readonly Topic[]; render: () => void }>();
  readonly #dirty = new Set<Topic>();
  #scheduled = false;

  route: Route = { page: 'trade' };
  system: SystemView | null = null;
  connection: Connection = 'connecting';
  /** When anything last came through the hub, in ms since 1970; 0 for never. */
  lastMessage = 0;

  instruments = new Map<string, Instrument>();
  quotes = new Map<string, LiveQuote>();
  accounts: Account[] | null = null;
  /** Of the account that is looked at; null until they were read. */
  fills: Fill[] | null = null;
  strategies: Strategy[] | null = null;
  readonly #orders = new Map<string, Order>();
  definitions: StrategyDefinition[] = [];
  decisions: Decision[] | null = null;
  /** Where the older decisions begin; null when there are none. */
  decisionsNext: string | null = null;

  readonly jobs = new Jobs();
  /** The lists of jobs were read; before that there may be more than is known. */
  jobsLoaded = false;
  /** Where the older jobs of a collection begin; null when there are none. */
  jobsNext: Record<Collection, string | null> = { backtests: null, optimisations: null };
  dataSets: DataSet[] | null = null;

  preferences: Preferences = defaultPreferences;
  /** Grows whenever a configuration of ours changed, here or elsewhere. */
  configurationVersion = 0;

  symbol = '';
  timeFrame: TimeFrame = 'M1';
  accountName = '';
  zone: Zone = 'utc';
  /** Why the bars, or the equity, are not there; empty when all is well. */
  barsFault = '';
  equityFault = '';
  /** The equity is being read. */
  equityLoading = true;
  readonly bars = barSeries();
  readonly equity = equitySeries();

  constructor(frame: (render: () => void) => void) {
    this.#frame = frame;
  }

  /** Calls `render` in the next frame, and after that in every frame before which one of the topics was touched; until `signal` ends it. */
  view(topics: readonly Topic[], render: () => void, signal?: AbortSignal): void {
    if (signal?.aborted) return;
    const view = { topics, render };
    this.#views.add(view);
    signal?.addEventListener('abort', () => this.#views.delete(view));
    for (const topic of topics) this.touch(topic);
  }

  touch(topic: Topic): void {
    this.#dirty.add(topic);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#frame(() => this.#render());
  }

  /** Renders what is due now: what has never been rendered must not be painted. */
  flush(): void {
    this.#render();
  }

  #render(): void {
    this.#scheduled = false;
    const dirty = new Set(this.#dirty);
    this.#dirty.clear();
    for (const view of this.#views) if (view.topics.some((topic) => dirty.has(topic))) view.render();
  }

  get account(): Account | undefined {
    return this.accounts?.find((account) => account.name === this.accountName);
  }

  get instrument(): Instrument | undefined {
    return this.instruments.get(this.symbol);
  }

  digits(symbol: string): number {
    return this.instruments.get(symbol)?.digits ?? 5;
  }

  setConnection(connection: Connection): void {
    if (this.connection === connection) return;
    this.connection = connection;
    this.touch('connection');
  }

  setInstruments(instruments: readonly Instrument[]): void {
    this.instruments = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
    if (!this.instruments.has(this.symbol)) {
      this.symbol = (instruments.find((instrument) => instrument.open) ?? instruments[0])?.symbol ?? '';
      this.touch('selection');
    }
    this.touch('instruments');
  }

  /**
   * Starts the quotes again from a snapshot. The feed may replay another year, so a price's age is counted against the newest one of the
   * snapshot and not against the wall clock.
   */
  resetQuotes(quotes: readonly Quote[], now: number): void {
    const newest = Math.max(...quotes.map((quote) => Date.parse(quote.time)));
    const before = this.quotes;
    this.quotes = new Map(
      quotes.map((quote) => {
        const known = before.get(quote.symbol);
        const same = known !== undefined && known.quote.position === quote.position;
        return [quote.symbol, { quote, since: same ? known.since : now - Math.max(0, newest - Date.parse(quote.time)) }];
      }),
    );
    this.touch('quotes');
  }

  takeQuotes(quotes: readonly Quote[], now: number): void {
    for (const quote of quotes) {
      const known = this.quotes.get(quote.symbol);
      if (known && known.quote.position >= quote.position) continue;
      this.quotes.set(quote.symbol, { quote, since: now });
    }
    this.touch('quotes');
  }

  setAccounts(accounts: readonly Account[]): void {
    this.accounts = [...accounts];
    if (!this.account) this.accountName = accounts[0]?.name ?? '';
    this.touch('accounts');
  }

  /** An account as it is now; older than what is known, it is left. */
  takeAccount(account: Account): void {
    const accounts = this.accounts ?? [];
    const index = accounts.findIndex((known) => known.name === account.name);
    const known = accounts[index];
    if (known && (account.version < known.version || (account.version === known.version && account.time < known.time))) return;
    this.accounts = index < 0 ? [...accounts, account] : accounts.with(index, account);
    if (!this.accountName) this.accountName = account.name;
    if (account.name === this.accountName && account.time) {
      if (this.equity.push({ time: account.time, balance: account.balance, equity: account.equity })) this.touch('equity');
    }
    this.touch('accounts');
  }

  /** An order as it was pushed last; undefined when nothing was. */
  order(account: string, ordinal: number): Order | undefined {
    return this.#orders.get(`${account}/${ordinal}`);
  }

  takeOrders(orders: readonly OrderPush[]): void {
    for (const order of orders) {
      const id = `${order.account ?? this.accountName}/${order.ordinal}`;
      this.#orders.delete(id);
      this.#orders.set(id, order);
    }
    for (const id of this.#orders.keys()) {
      if (this.#orders.size <= orderLimit) break;
      this.#orders.delete(id);
    }
    this.touch('orders');
  }

  /** Newest first; the same fill twice is one. */
  takeFills(fills: readonly Fill[]): void {
    const byId = new Map([...(this.fills ?? []), ...fills].map((fill) => [fillId(fill), fill]));
    this.fills = [...byId.values()].sort((a, b) => b.position - a.position || b.ordinal - a.ordinal).slice(0, fillLimit);
    this.touch('fills');
  }

  takeJob(job: Job, now: number): void {
    if (this.jobs.take(job, now)) this.touch('jobs');
  }

  removeJob(id: string): void {
    this.jobs.remove(id);
    this.touch('jobs');
  }

  setDataSets(dataSets: readonly DataSet[]): void {
    this.dataSets = [...dataSets];
    this.touch('dataSets');
  }

  configurationChanged(): void {
    this.configurationVersion++;
    this.touch('configuration');
  }

  setStrategies(strategies: readonly Strategy[]): void {
    this.strategies = [...strategies];
    this.touch('strategies');
  }

  setDecisions(decisions: readonly Decision[], next: string | null): void {
    this.decisions = [];
    this.decisionsNext = next;
    this.takeDecisions(decisions);
  }

  /** Newest first; a decision that comes again (with verdicts, say) replaces itself. Strategies take their stance from it. */
  takeDecisions(decisions: readonly Decision[]): void {
    const byId = new Map([...(this.decisions ?? []), ...decisions].map((decision) => [decision.id, decision]));
    this.decisions = [...byId.values()].sort(newestFirst);
    if (this.decisions.length > decisionLimit) {
      this.decisions.length = decisionLimit;
      this.decisionsNext = null;
    }
    this.touch('decisions');
    this.strategies = this.strategies?.map((strategy) => after(strategy, decisions)) ?? null;
    this.touch('strategies');
  }
}

function newestFirst(a: Decision, b: Decision): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return b.marketPosition - a.marketPosition || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function after(strategy: Strategy, decisions: readonly Decision[]): Strategy {
  let latest = strategy.lastDecision;
  for (const decision of decisions) {
    if (keyName(decision.strategy) !== strategy.name) continue;
    if (!latest || decision.id === latest.id || newestFirst(decision, latest) < 0) latest = decision;
  }
  return latest === null || latest === strategy.lastDecision
    ? strategy
    : {
        ...strategy,
        lastDecision: latest,
        stance: latest.intent.stance,
        decisions: strategy.decisions + (latest.id === strategy.lastDecision?.id ? 0 : 1),
      };
}

export function fillId(fill: Fill): string {
  return `${fill.position}/${fill.ordinal}`;
}
