import type {
  Account, BarSeries, Decision, EquityPoint, FeedStatus, Fill, Instrument, NewAccount, NewOrder, NewStrategy, Order, Playback, Problem, Quote, Strategy,
  StrategyDefinition, SystemView, TradingState, FollowTerms,
} from './contract';
import { capital, words } from './format';

/** An answer that is no success, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly field: string | undefined;

  constructor(status: number, problem: Problem) {
    super(describe(status, problem));
    this.name = 'ApiError';
    this.status = status;
    this.reason = problem.reason ?? '';
    this.field = problem.field;
  }
}

function describe(status: number, problem: Problem): string {
  const fields = Object.entries(problem.errors ?? {}).map(([field, faults]) => `${field}: ${faults.join(' ')}`);
  const text = problem.detail ?? (fields.length > 0 ? fields.join(' ') : problem.title);
  return text ?? (status === 0 ? 'The service did not answer.' : `The service answered ${status}.`);
}

/** What went wrong, in one sentence, with the reason code in words where there is one. */
export function faultText(error: unknown): string {
  if (error instanceof ApiError && error.reason !== '') return `${capital(words(error.reason))}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

export interface ApiOptions {
  fetch: typeof fetch;
  /** A fresh Idempotency-Key. */
  newKey: () => string;
  wait: (milliseconds: number) => Promise<void>;
  timeoutMilliseconds: number;
}

/** 128 random bits; unlike `crypto.randomUUID` it also works where the page is not a secure context. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const defaults: ApiOptions = {
  fetch: (input, init) => fetch(input, init),
  newKey: randomKey,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  timeoutMilliseconds: 15_000,
};

type Query = Record<string, string | number | undefined>;

/** The typed client of `/api/v1`. */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: Partial<ApiOptions> = {}) {
    this.#options = { ...defaults, ...options };
  }

  system = () => this.#get<SystemView>('system');
  feed = () => this.#get<FeedStatus>('feed');
  play = (running: boolean, speed: number | null) => this.#send<Playback>('PUT', 'feed', { running, speed });
  instruments = () => this.#get<Instrument[]>('instruments');
  quotes = () => this.#get<Quote[]>('quotes');
  bars = (symbol: string, timeFrame: string, count: number) => this.#get<BarSeries>(`bars/${part(symbol)}`, { timeFrame, count });
  accounts = (minPosition?: number) => this.#get<Account[]>('accounts', { minPosition });
  account = (name: string) => this.#get<Account>(`accounts/${part(name)}`);
  equity = (account: string) => this.#get<EquityPoint[]>(`accounts/${part(account)}/equity`);
  fills = (account: string, limit: number) => this.#get<{ fills: Fill[] }>(`accounts/${part(account)}/fills`, { limit });
  definitions = () => this.#get<StrategyDefinition[]>('strategy-definitions');
  strategies = (minPosition?: number) => this.#get<Strategy[]>('strategies', { minPosition });

  decisions = (limit: number, before?: string) =>
    this.#get<{ decisions: Decision[]; next: string | number | null }>('decisions', { limit, before });

  createAccount = (account: NewAccount) => this.#send<{ minPosition: number; account: Account }>('POST', 'accounts', account);
  setState = (account: string, state: TradingState) => this.#send<Changed>('PUT', `accounts/${part(account)}/state`, { state });
  flatten = (account: string) => this.#send<Changed>('POST', `accounts/${part(account)}/flatten`, {});

  place = (account: string, order: NewOrder) =>
    this.#send<{ minPosition: number; order: Order; cut?: { reason: string; detail: string } | null }>(
      'POST', `accounts/${part(account)}/orders`, order);

  cancel = (account: string, clientOrderId: string) =>
    this.#send<Changed>('DELETE', `accounts/${part(account)}/orders/${part(clientOrderId)}`);

  follow = (account: string, strategy: string, terms: FollowTerms) =>
    this.#send<Changed>('PUT', `accounts/${part(account)}/follows/${part(strategy)}`, terms);

  unfollow = (account: string, strategy: string) => this.#send<Changed>('DELETE', `accounts/${part(account)}/follows/${part(strategy)}`);
  createStrategy = (strategy: NewStrategy) => this.#send<Changed>('POST', 'strategies', strategy);
  startStrategy = (name: string) => this.#send<Changed>('POST', `strategies/${part(name)}/start`, {});
  stopStrategy = (name: string) => this.#send<Changed>('POST', `strategies/${part(name)}/stop`, {});

  async #get<T>(path: string, query: Query = {}): Promise<T> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    const suffix = search.size > 0 ? `?${search}` : '';
    return read<T>(await this.#request(`/api/v1/${path}${suffix}`, { headers: { Accept: 'application/json' } }));
  }

  /** A change. What the network lost is sent again under the same key, so it happens once at most. */
  async #send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json', 'Idempotency-Key': this.#options.newKey() };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const init: RequestInit = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    for (let attempt = 1; ; attempt++) {
      try {
        return await read<T>(await this.#request(`/api/v1/${path}`, init));
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 0 || attempt === 3) throw error;
        await this.#options.wait(attempt * 500);
      }
    }
  }

  async #request(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#options.fetch(url, { ...init, signal: AbortSignal.timeout(this.#options.timeoutMilliseconds) });
    } catch (error) {
      const late = error instanceof DOMException && error.name === 'TimeoutError';
      throw new ApiError(0, { detail: late ? 'The service did not answer in time.' : 'The service cannot be reached.' });
    }
  }
}

interface Changed {
  minPosition: number;
}

function part(text: string): string {
  return encodeURIComponent(text);
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  const type = response.headers.get('Content-Type') ?? '';
  if (response.ok) {
    if (text === '') return undefined as T;
    if (!type.includes('json')) throw new ApiError(response.status, { detail: 'The service answered with something that is not JSON.' });
    return JSON.parse(text) as T;
  }
  let problem: Problem = {};
  if (type.includes('json')) {
    try {
      problem = JSON.parse(text) as Problem;
    } catch {
      // The status alone has to do.
    }
  }
  throw new ApiError(response.status, problem);
}
