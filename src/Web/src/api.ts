import type {
  Account, BarSeries, ChangedJob, DataSet, DataSetTerms, Decision, EquityPoint, FeedStatus, Fill, Instrument, Job, JobLimits, NewAccount, NewOrder,
  NewStrategy, Order, Page, Playback, Problem, Quote, RuleCheck, RuleWord, RunInput, SearchInput, Strategy, StrategyDefinition, SystemView, TradingState, Trial,
  FollowTerms, StrategyReviews, ReviewSchedule, WalkForward,
} from './contract';
import { capital, words } from './format';
import type { Collection, JobAddress } from './routes';

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
  upload: typeof upload;
}

interface UploadAnswer {
  status: number;
  type: string;
  text: string;
}

/** By XMLHttpRequest, as `fetch` does not tell how far the body of a request is. No time limit: what moves may take its time. */
function upload(url: string, body: Blob, key: string, progress: (share: number) => void, signal: AbortSignal): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('Idempotency-Key', key);
    request.upload.addEventListener('progress', ({ loaded, total }) => progress(total > 0 ? loaded / total : 0));
    request.addEventListener('load', () =>
      resolve({ status: request.status, type: request.getResponseHeader('Content-Type') ?? '', text: request.responseText }));
    request.addEventListener('error', () => reject(new ApiError(0, { detail: 'The connection broke off.' })));
    request.addEventListener('abort', () => reject(new ApiError(0, { detail: 'Cancelled.' })));
    signal.addEventListener('abort', () => request.abort());
    request.send(body);
  });
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
  upload,
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

  review = (strategy: string) => this.#get<StrategyReviews>(`strategies/${part(strategy)}/review`);
  runReview = (strategy: string) => this.#send<ChangedReview>('POST', `strategies/${part(strategy)}/review/run`, {});
  scheduleReview = (strategy: string, schedule: ReviewSchedule) => this.#send<ChangedReview>('PUT', `strategies/${part(strategy)}/review/schedule`, schedule);
  answerProposal = (strategy: string, number: number, accept: boolean) =>
    this.#send<ChangedReview>('POST', `strategies/${part(strategy)}/review/proposal`, { number, accept });

  ruleWords = () => this.#get<RuleWord[]>('rules/words');
  /** Reads a rule and makes nothing of it, so it takes no key. */
  checkRule = (rule: string, signal?: AbortSignal) => this.#ask<RuleCheck>('rules/check', { rule }, signal);

  dataSets = () => this.#get<Page<DataSet>>('data-sets');
  removeDataSet = (id: string) => this.#send<void>('DELETE', `data-sets/${part(id)}`);
  jobLimits = () => this.#get<JobLimits>('job-limits');

  jobs = (collection: Collection, limit: number, cursor?: string) => this.#get<Page<Job>>(collection, { limit, cursor });
  job = ({ collection, id }: JobAddress) => this.#get<Job>(`${collection}/${part(id)}`);
  startJob = (collection: Collection, input: RunInput | SearchInput) => this.#send<ChangedJob>('POST', collection, input);
  /** Cancels what waits or runs, and answers how it stands; of what has ended nothing is left, and nothing is answered. */
  endJob = ({ collection, id }: JobAddress) => this.#send<ChangedJob | undefined>('DELETE', `${collection}/${part(id)}`);
  trials = (id: string, limit: number, cursor?: string) =>
    this.#get<Page<Trial>>(`optimisations/${part(id)}/trials`, { limit, cursor, sort: 'objective' });
  walkForward = (id: string) => this.#get<WalkForward>(`optimisations/${part(id)}/walk-forward`);
  accountPerformance = (account: string) => this.#get<unknown>(`performance/accounts/${part(account)}`);
  reports = (limit: number, cursor?: string) => this.#get<Page<Job>>('reports', { limit, cursor });

  /** Sends a file as it is. `progress` is told the share that is under way. */
  upload = (file: Blob, terms: DataSetTerms, progress: (share: number) => void, signal: AbortSignal): Promise<DataSet> =>
    this.#options.upload(`/api/v1/data-sets?${search({ ...terms })}`, file, this.#options.newKey(), progress, signal).then(({ status, type, text }) =>
      answerOf<DataSet>(status, type, text));

  async #get<T>(path: string, query: Query = {}): Promise<T> {
    const text = search(query);
    return read<T>(await this.#request(`/api/v1/${path}${text === '' ? '' : `?${text}`}`, { headers: { Accept: 'application/json' } }));
  }

  async #ask<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
    return read<T>(await this.#request(`/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) }, signal));
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

  async #request(url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const late = AbortSignal.timeout(this.#options.timeoutMilliseconds);
    try {
      return await this.#options.fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, late]) : late });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, { detail: late.aborted ? 'The service did not answer in time.' : 'The service cannot be reached.' });
    }
  }
}

interface Changed {
  minPosition: number;
}

interface ChangedReview extends Changed {
  review: StrategyReviews;
}

function search(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/** Where the service has what it made of a job, as a link has it. */
export function reportUrl({ collection, id }: JobAddress, file: 'report' | 'report.html' | 'trades.csv' | 'equity.csv'): string {
  return `/api/v1/${collection}/${part(id)}/${file}`;
}

export function accountReportUrl(account: string, file: '' | 'report.html'): string {
  return `/api/v1/performance/accounts/${part(account)}${file === '' ? '' : `/${file}`}`;
}

function part(text: string): string {
  return encodeURIComponent(text);
}

async function read<T>(response: Response): Promise<T> {
  return answerOf<T>(response.status, response.headers.get('Content-Type') ?? '', await response.text());
}

function answerOf<T>(status: number, type: string, text: string): T {
  if (status >= 200 && status < 300) {
    if (text === '') return undefined as T;
    if (!type.includes('json')) throw new ApiError(status, { detail: 'The service answered with something that is not JSON.' });
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
  throw new ApiError(status, problem);
}
