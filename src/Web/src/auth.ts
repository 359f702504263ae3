import { permissions, type AuthSettings, type Me, type Permission, type Tokens } from './contract';
import { ApiError, type Credentials, type Http } from './http';
import { backOff } from './hub';
import type { ProviderAnswer } from './provider';
import { setViewedMember } from './viewed';

/**
 * `starting`: not known yet. `open`: this service has no sign-in. `setup`: nobody owns the installation yet. `out` and `in`: nobody, or somebody,
 * is signed in here.
 */
export type AuthState = 'starting' | 'open' | 'setup' | 'out' | 'in';

/** What the tabs of one browser tell each other. */
export type TabNews = { kind: 'in'; person: string } | { kind: 'out' };

/** What there is of the browser around the page. */
export interface AuthPlace {
  /** Milliseconds since 1970. */
  now: () => number;
  wait: (milliseconds: number) => Promise<void>;
  /** Runs one piece of work at a time, over all tabs. */
  alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Tells the other tabs. */
  tell: (news: TabNews) => void;
  /** Somebody has signed in on this browser before and has not signed out: there can be a cookie. */
  wasIn: () => boolean;
  keepIn: (isIn: boolean) => void;
  /** Begins the page anew, so that nothing of another person's is left in it. */
  restart: () => void;
}

/** What can only be done with one's own things. */
const ofOwn: readonly Permission[] = ['Trade', 'ManageRisk', 'Automate', 'Research', 'Halt'];

/** A token that ends sooner than this is renewed before it is used. */
const renewBefore = 60_000;

/**
 * Who is signed in, and the token that proves it. The token is in memory alone; the cookie that renews it is out of reach of the page. A renewal
 * uses the cookie up and sets the next, so the tabs of a browser renew one after the other.
 */
export class Auth implements Credentials {
  readonly #http: Http;
  readonly #place: AuthPlace;
  readonly #changed: () => void;
  #state: AuthState = 'starting';
  #me: Me | null = null;
  #token = '';
  /** When the token ends, in ms since 1970. */
  #until = 0;
  #renewing: Promise<string | null> | null = null;
  /** Of whom this page holds data; empty before the first sign-in. */
  #person = '';
  /** What holds for everyone, told before sign-in. */
  settings: AuthSettings = { setup: 'done', signUp: 'invitation', passwordMinLength: 12, passwordMaxLength: 128, provider: null };
  /** The member whose things this page shows; empty for one's own. */
  readonly viewed: string;
  /** The service could not be asked so far; it is asked again. */
  isUnreachable = false;

  /** `http` is to carry no credentials. */
  constructor(http: Http, place: AuthPlace, changed: () => void, viewed = '') {
    this.viewed = viewed;
    this.#http = http;
    this.#place = place;
    this.#changed = changed;
  }

  get state(): AuthState {
    return this.#state;
  }

  /** Who is signed in; after a session has ended, who was. */
  get me(): Me | null {
    return this.#me;
  }

  /** The console shows its pages: somebody is signed in, or nobody has to be. */
  get isIn(): boolean {
    return this.#state === 'in' || this.#state === 'open';
  }

  may(permission: Permission): boolean {
    if (this.viewed !== '' && ofOwn.includes(permission)) return false;
    return this.#state === 'open' || (this.#me?.permissions.includes(permission) ?? false);
  }

  /** The permissions that who is signed in does not have. */
  lacks(): Permission[] {
    return permissions.filter((permission) => !this.may(permission));
  }

  /** Finds out how things stand, however long the service takes to answer. */
  async start(): Promise<void> {
    for (let attempt = 0; this.#state === 'starting'; attempt++) {
      try {
        await this.#begin();
      } catch {
        this.isUnreachable = true;
        this.#changed();
        await this.#place.wait(backOff(attempt, Math.random()));
      }
    }
  }

  async #begin(): Promise<void> {
    if (this.#place.wasIn() && (await this.renew('')) !== null) {
      // Nobody waits for it: it says how long a new password is.
      this.#http.get<AuthSettings>('auth/state').then((settings) => (this.settings = settings), () => {});
      return;
    }
    try {
      this.settings = await this.#http.get<AuthSettings>('auth/state');
      this.#set(this.settings.setup === 'needed' ? 'setup' : 'out');
    } catch (error) {
      // A service without sign-in serves this machine alone, and whoever sits at it may do everything. This is the one place that says so.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.#set('open');
    }
  }

  async token(): Promise<string | null> {
    if (this.#state === 'open') return null;
    if (this.#token !== '' && this.#place.now() < this.#until - renewBefore) return this.#token;
    const token = this.#state === 'in' ? await this.renew(this.#token) : null;
    if (token === null) throw new ApiError(401, { reason: 'SignInNeeded', detail: 'Sign in to go on.' });
    return token;
  }

  /** Fails, and leaves everything as it is, when the service cannot be asked. */
  renew(refused: string): Promise<string | null> {
    // Another request, or another tab by the news it sent, has done it meanwhile.
    if (this.#token !== refused && this.#token !== '') return Promise.resolve(this.#token);
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #renew(): Promise<string | null> {
    try {
      this.#take(await this.#place.alone(() => this.#http.ask<Tokens>('auth/refresh', {})));
      return this.#token;
    } catch (error) {
      if (!(error instanceof ApiError) || ![400, 401, 403, 404].includes(error.status)) throw error;
      if (this.#state === 'in') this.#end();
      else this.#place.keepIn(false);
      return null;
    }
  }

  signIn = async (email: string, password: string, code: string): Promise<void> =>
    this.adopt(await this.#http.ask<Tokens>('auth/sign-in', { email, password, ...(code === '' ? {} : { code }) }));

  /** Where to send this browser to sign in by the external provider. */
  startProvider = async (): Promise<string> => (await this.#http.ask<{ address: string }>('auth/provider', {})).address;

  /** A ticket where the code of the second factor is still missing; null once somebody is signed in. */
  completeProvider = async (answer: ProviderAnswer, invitation?: string): Promise<string | null> => {
    const { tokens, ticket } = await this.#http.ask<{ tokens: Tokens | null; ticket: string | null }>(
      'auth/provider/complete', { ...answer, ...(invitation === undefined ? {} : { invitation }) });
    if (tokens !== null) this.adopt(tokens);
    return ticket;
  };

  confirmProvider = async (ticket: string, code: string): Promise<void> =>
    this.adopt(await this.#http.ask<Tokens>('auth/provider/confirm', { ticket, code }));

  setUp = async (token: string, email: string, name: string, password: string): Promise<void> =>
    this.adopt(await this.#http.ask<Tokens>('auth/setup', { token, email, name, password }));

  /** Goes on with tokens just given: a sign-in, an accepted invitation, another tenant. */
  adopt(tokens: Tokens): void {
    this.#take(tokens);
    this.#place.tell({ kind: 'in', person: this.#person });
  }

  /** Ends the session here and in all tabs, and leaves nothing of it in the page. */
  async signOut(): Promise<void> {
    await this.#http.ask<void>('auth/sign-out', {});
    this.#token = '';
    this.#place.keepIn(false);
    this.#place.tell({ kind: 'out' });
    this.#place.restart();
  }

  /** What another tab did. */
  hear(news: TabNews): void {
    if (news.kind === 'out') {
      if (this.#state === 'in') this.#place.restart();
    } else if (this.#person !== '' && news.person !== this.#person) {
      this.#place.restart();
    } else if (this.#state === 'out' || this.#state === 'setup') {
      this.renew('').catch(() => {});
    }
  }

  /** The profile as it was just read or changed. */
  takeMe(me: Me): void {
    this.#me = me;
    this.#changed();
  }

  #take({ accessToken, expiresIn, user }: Tokens): void {
    const person = `${user.tenant.id}/${user.id}`;
    const isOther = this.#person !== '' && person !== this.#person;
    this.#token = accessToken;
    this.#until = this.#place.now() + expiresIn * 1000;
    this.#person = person;
    this.#me = user;
    this.#place.keepIn(true);
    if (isOther) this.#place.restart();
    else this.#set('in');
  }

  #end(): void {
    this.#token = '';
    this.#place.keepIn(false);
    this.#set('out');
  }

  #set(state: AuthState): void {
    this.#state = state;
    this.isUnreachable = false;
    this.#changed();
  }
}

const channelName = 'hybridtrading.sign-in';

/** The browser that the page is in. `hear` is told what other tabs do. */
export function browserPlace(hear: (news: TabNews) => void, wasIn: () => boolean, keepIn: (isIn: boolean) => void): AuthPlace {
  const channel = new BroadcastChannel(channelName);
  channel.addEventListener('message', ({ data }: MessageEvent<TabNews>) => hear(data));
  return {
    now: () => Date.now(),
    wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    // Where the page is no secure context there are no locks; then one page renews one at a time by itself.
    alone: async (work) => ('locks' in navigator ? await navigator.locks.request(channelName, work) : await work()),
    tell: (news) => channel.postMessage(news),
    wasIn,
    keepIn,
    restart: () => {
      setViewedMember('');
      location.reload();
    },
  };
}
