import type { Problem } from './contract';
import { capital, words } from './format';
import { isOwned } from './viewed';

/** An answer that is no success, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly field: string | undefined;
  /** Each fault of the input, by its field. */
  readonly errors: Readonly<Record<string, string[]>>;
  /** Seconds after which to try again, where the service says so. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: Problem, retryAfter: number | null = null) {
    super(describe(status, problem));
    this.name = 'ApiError';
    this.status = status;
    this.reason = problem.reason ?? '';
    this.field = problem.field;
    this.errors = problem.errors ?? {};
    this.retryAfter = retryAfter;
  }
}

function describe(status: number, problem: Problem): string {
  const fields = Object.entries(problem.errors ?? {}).map(([field, faults]) => `${field}: ${faults.join(' ')}`);
  // The sentence tells the first fault; of several all are told, each of which names its field.
  const all = Object.values(problem.errors ?? {}).flat();
  const detail = problem.detail !== undefined && all.length > 1 ? all.join('; ') : problem.detail;
  const text = detail ?? (fields.length > 0 ? fields.join(' ') : problem.title);
  return text ?? (status === 0 ? 'The service did not answer.' : `The service answered ${status}.`);
}

/** What went wrong, in one sentence, with the reason code in words where there is one. */
export function faultText(error: unknown): string {
  if (error instanceof ApiError && error.reason !== '') return `${capital(words(error.reason))}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** The proof of who asks. */
export interface Credentials {
  /** The token for a request that begins now; null where the service asks for none. Fails where nobody is signed in. */
  token: () => Promise<string | null>;
  /** Another one, after the service did not take this; null when there is none to be had. */
  renew: (refused: string) => Promise<string | null>;
}

export interface HttpOptions {
  fetch: typeof fetch;
  /** A fresh Idempotency-Key. */
  newKey: () => string;
  wait: (milliseconds: number) => Promise<void>;
  timeoutMilliseconds: number;
  upload: typeof upload;
  /** Without it requests carry no proof. */
  credentials: Credentials | null;
  /** The member whose things are read instead of one's own; empty for one's own. */
  viewed: string;
}

interface UploadAnswer {
  status: number;
  type: string;
  text: string;
}

/** By XMLHttpRequest, as `fetch` does not tell how far the body of a request is. No time limit: what moves may take its time. */
function upload(
  url: string, body: Blob, headers: Readonly<Record<string, string>>, progress: (share: number) => void, signal: AbortSignal,
): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
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

const defaults: HttpOptions = {
  fetch: (input, init) => fetch(input, init),
  newKey: randomKey,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  timeoutMilliseconds: 15_000,
  upload,
  credentials: null,
  viewed: '',
};

export type Query = Record<string, string | number | boolean | undefined>;

/** Requests under `/api/v1`: with the proof of who asks, a time limit, and changes that happen once at most. */
export class Http {
  readonly #options: HttpOptions;

  constructor(options: Partial<HttpOptions> = {}) {
    this.#options = { ...defaults, ...options };
  }

  async get<T>(path: string, query: Query = {}): Promise<T> {
    return valueOf<T>(await this.#request(this.#reading(path, query), { headers: { Accept: 'application/json' } }));
  }

  /** A list as a whole, whatever pages the service gives it in. */
  async list<T>(path: string, query: Query = {}): Promise<T[]> {
    const items: T[] = [];
    let next: string | undefined = this.#reading(path, query);
    while (next !== undefined) {
      const answer: Response = await this.#request(next, { headers: { Accept: 'application/json' } });
      items.push(...(await valueOf<T[]>(answer)));
      next = /<(\/api\/v1\/[^>]*)>;\s*rel="next"/.exec(answer.headers.get('Link') ?? '')?.[1];
    }
    return items;
  }

  /** A file as the service has it. */
  async file(path: string): Promise<Blob> {
    const answer = await this.#request(this.#reading(path), {});
    return answer.ok ? answer.blob() : valueOf<never>(answer);
  }

  /** Asks by POST what changes nothing that would have to happen once, so it takes no key. */
  async ask<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
    return valueOf<T>(await this.#request(address(path), { method: 'POST', headers, body: JSON.stringify(body) }, signal));
  }

  /** A change. What the network lost is sent again under the same key, so it happens once at most. */
  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json', 'Idempotency-Key': this.#options.newKey() };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const init: RequestInit = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    for (let attempt = 1; ; attempt++) {
      try {
        return await valueOf<T>(await this.#request(address(path), init));
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 0 || attempt === 3) throw error;
        await this.#options.wait(attempt * 500);
      }
    }
  }

  /** Sends a file as it is. `progress` is told the share that is under way. */
  async upload<T>(path: string, query: Query, file: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<T> {
    const token = await this.#options.credentials?.token();
    const headers: Record<string, string> = {
      Accept: 'application/json', 'Content-Type': 'application/octet-stream', 'Idempotency-Key': this.#options.newKey(), ...proof(token),
    };
    const { status, type, text } = await this.#options.upload(address(path, query), file, headers, progress, signal);
    return answerOf<T>(status, type, text);
  }

  #reading(path: string, query: Query = {}): string {
    const { viewed } = this.#options;
    return address(path, viewed !== '' && isOwned(path) ? { ...query, user: viewed } : query);
  }

  async #request(url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const { credentials } = this.#options;
    const token = await credentials?.token();
    const answer = await this.#fetch(url, init, token, signal);
    if (answer.status !== 401 || !credentials || !token) return answer;
    // It was withdrawn, or has just run out: one more try with another.
    const renewed = await credentials.renew(token);
    return renewed === null ? answer : this.#fetch(url, init, renewed, signal);
  }

  async #fetch(url: string, init: RequestInit, token: string | null | undefined, signal?: AbortSignal): Promise<Response> {
    const late = AbortSignal.timeout(this.#options.timeoutMilliseconds);
    const headers = { ...(init.headers as Record<string, string> | undefined), ...proof(token) };
    try {
      return await this.#options.fetch(url, { ...init, headers, signal: signal ? AbortSignal.any([signal, late]) : late });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, { detail: late.aborted ? 'The service did not answer in time.' : 'The service cannot be reached.' });
    }
  }
}

function proof(token: string | null | undefined): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1/${path}${text === '' ? '' : `?${text}`}`;
}

async function valueOf<T>(response: Response): Promise<T> {
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return answerOf<T>(
    response.status, response.headers.get('Content-Type') ?? '', await response.text(), Number.isFinite(retryAfter) ? retryAfter : null);
}

function answerOf<T>(status: number, type: string, text: string, retryAfter: number | null = null): T {
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
  throw new ApiError(status, problem, retryAfter);
}
