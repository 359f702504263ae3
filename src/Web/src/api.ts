import type {
  Account, AlertChannel, AlertChannelName, ApiKey, BarSeries, ChangedJob, Client, ClientWithSecret, Configuration, ConfigurationDifference, ConfigurationLayer, ConfigurationSection, ConfigurationVersion,
  DataSet, DataSetTerms, Decision, EquityPoint, ErasureOutlook, ErasurePlanned, FeedList, FeedStatus, Fill, FollowTerms, GrainList, Instrument, Invitation, InvitationOffer, Job,
  JobLimits, JournalEntry, KillSwitchEngaged, KillSwitchState, Me, Member, NewAccount, NewApiKey, NewOrder, NewStrategy, Order, OrderPreview, Page, Permission,
  Playback, ProviderLinks, Quote, ReviewSchedule, RiskLimits, Role, RuleCheck, RuleWord, RunInput, SearchInput, SecondFactorSecret, ServiceHistory, ServiceList,
  SignInSession, StorageList, Strategy, StrategyDefinition, StrategyReviews, SystemView, TenantHaltChanged, ToldAlert, Tokens, TradingState, Trial, User,
  WalkForward,
} from './contract';
import { Http, type HttpOptions } from './http';
import type { ProviderAnswer } from './provider';
import type { Collection, JobAddress } from './routes';

/** The typed client of `/api/v1`. */
export class Api {
  readonly #http: Http;
  /** For what is asked without being signed in. */
  readonly #open: Http;

  constructor(options: Partial<HttpOptions> = {}) {
    this.#http = new Http(options);
    this.#open = new Http({ ...options, credentials: null });
  }

  system = () => this.#http.get<SystemView>('system');
  feed = () => this.#http.get<FeedStatus>('feed');
  play = (running: boolean, speed: number | null) => this.#http.send<Playback>('PUT', 'feed', { running, speed });
  instruments = () => this.#http.get<Instrument[]>('instruments');
  quotes = () => this.#http.get<Quote[]>('quotes');
  bars = (symbol: string, timeFrame: string, count: number) => this.#http.get<BarSeries>(`bars/${part(symbol)}`, { timeFrame, count });
  accounts = (minPosition?: number) => this.#http.list<Account>('accounts', { minPosition });
  account = (name: string) => this.#http.get<Account>(`accounts/${part(name)}`);
  equity = (account: string, from?: Date) => this.#http.get<EquityPoint[]>(`accounts/${part(account)}/equity`, { from: from?.toISOString() });
  orders = (account: string, status: 'all' | 'open' | 'closed', symbol: string, limit: number, before?: number) =>
    this.#http.get<{ orders: Order[]; next: number | null }>(`accounts/${part(account)}/orders`,
      { status, symbol: symbol || undefined, limit, before });
  fills = (account: string, limit: number, before?: number) =>
    this.#http.get<{ fills: Fill[]; next: number | null }>(`accounts/${part(account)}/fills`, { limit, before });
  setLimits = (account: string, limits: RiskLimits) => this.#http.send<Changed>('PUT', `accounts/${part(account)}/limits`, limits);
  /** The caller's own events from a position on, in the order of the journal. */
  journal = (from: number, limit: number) => this.#http.get<{ entries: JournalEntry[]; next: number | null }>('journal', { from, limit });
  definitions = () => this.#http.get<StrategyDefinition[]>('strategy-definitions');
  strategies = (minPosition?: number) => this.#http.list<Strategy>('strategies', { minPosition });

  decisions = (limit: number, before?: string, strategy?: string) =>
    this.#http.get<{ decisions: Decision[]; next: string | number | null }>('decisions', { limit, before, strategy });

  createAccount = (account: NewAccount) => this.#http.send<{ minPosition: number; account: Account }>('POST', 'accounts', account);
  /** Pays in or, with a negative amount, out. */
  pay = (account: string, amount: number, note: string) => this.#http.send<Changed>('POST', `accounts/${part(account)}/deposits`, { amount, note });
  setState = (account: string, state: TradingState) => this.#http.send<Changed>('PUT', `accounts/${part(account)}/state`, { state });
  flatten = (account: string) => this.#http.send<Changed>('POST', `accounts/${part(account)}/flatten`, {});

  place = (account: string, order: NewOrder) =>
    this.#http.send<{ minPosition: number; order: Order; cut?: { reason: string; detail: string } | null }>(
      'POST', `accounts/${part(account)}/orders`, order);

  /** What the account would answer; nothing is recorded, so it takes no key. */
  preview = (account: string, order: NewOrder, signal?: AbortSignal) =>
    this.#http.ask<OrderPreview>(`accounts/${part(account)}/orders/preview`, order, signal);

  cancel = (account: string, clientOrderId: string) =>
    this.#http.send<Changed>('DELETE', `accounts/${part(account)}/orders/${part(clientOrderId)}`);

  follow = (account: string, strategy: string, terms: FollowTerms) =>
    this.#http.send<Changed>('PUT', `accounts/${part(account)}/follows/${part(strategy)}`, terms);

  unfollow = (account: string, strategy: string) => this.#http.send<Changed>('DELETE', `accounts/${part(account)}/follows/${part(strategy)}`);
  createStrategy = (strategy: NewStrategy) => this.#http.send<Changed>('POST', 'strategies', strategy);
  /** Of a stopped strategy, all of them. */
  setParameters = (strategy: string, parameters: Record<string, number>) =>
    this.#http.send<Changed>('PUT', `strategies/${part(strategy)}/parameters`, parameters);
  startStrategy = (name: string) => this.#http.send<Changed>('POST', `strategies/${part(name)}/start`, {});
  stopStrategy = (name: string) => this.#http.send<Changed>('POST', `strategies/${part(name)}/stop`, {});

  review = (strategy: string) => this.#http.get<StrategyReviews>(`strategies/${part(strategy)}/review`);
  runReview = (strategy: string) => this.#http.send<ChangedReview>('POST', `strategies/${part(strategy)}/review/run`, {});
  scheduleReview = (strategy: string, schedule: ReviewSchedule) => this.#http.send<ChangedReview>('PUT',
    `strategies/${part(strategy)}/review/schedule`, schedule);
  answerProposal = (strategy: string, number: number, accept: boolean) =>
    this.#http.send<ChangedReview>('POST', `strategies/${part(strategy)}/review/proposal`, { number, accept });

  ruleWords = () => this.#http.get<RuleWord[]>('rules/words');
  /** Reads a rule and makes nothing of it, so it takes no key. */
  checkRule = (rule: string, signal?: AbortSignal) => this.#http.ask<RuleCheck>('rules/check', { rule }, signal);

  dataSets = () => this.#http.get<Page<DataSet>>('data-sets');
  removeDataSet = (id: string) => this.#http.send<void>('DELETE', `data-sets/${part(id)}`);
  jobLimits = () => this.#http.get<JobLimits>('job-limits');

  jobs = (collection: Collection, limit: number, cursor?: string) => this.#http.get<Page<Job>>(collection, { limit, cursor });
  job = ({ collection, id }: JobAddress) => this.#http.get<Job>(`${collection}/${part(id)}`);
  startJob = (collection: Collection, input: RunInput | SearchInput) => this.#http.send<ChangedJob>('POST', collection, input);
  /** Cancels what waits or runs, and answers how it stands; of what has ended nothing is left, and nothing is answered. */
  endJob = ({ collection, id }: JobAddress) => this.#http.send<ChangedJob | undefined>('DELETE', `${collection}/${part(id)}`);
  trials = (id: string, limit: number, cursor?: string) =>
    this.#http.get<Page<Trial>>(`optimisations/${part(id)}/trials`, { limit, cursor, sort: 'objective' });
  walkForward = (id: string) => this.#http.get<WalkForward>(`optimisations/${part(id)}/walk-forward`);
  accountPerformance = (account: string) => this.#http.get<unknown>(`performance/accounts/${part(account)}`);
  reports = (limit: number, cursor?: string) => this.#http.get<Page<Job>>('reports', { limit, cursor });

  killSwitch = () => this.#http.get<KillSwitchState>('kill-switch');
  /** Of one account, or of all that is the caller's own. */
  engageKillSwitch = (account: string | null, flatten: boolean, reason: string) =>
    this.#http.send<KillSwitchEngaged>('POST', account === null ? 'kill-switch' : `kill-switch/accounts/${part(account)}`, { flatten, reason });
  /** Of one member, or of everybody. */
  haltTenant = (member: string | null, flatten: boolean, reason: string) =>
    this.#http.send<TenantHaltChanged>('POST', 'kill-switch/tenant', { reason, flatten, ...(member === null ? {} : { member }) });
  askRelease = (halt: number, reason: string) => this.#http.send<TenantHaltChanged>('POST', `kill-switch/tenant/${halt}/release`, { reason });
  approveRelease = (halt: number) => this.#http.send<TenantHaltChanged>('POST', `kill-switch/tenant/${halt}/release/approval`);

  me = () => this.#http.get<Me>('me');
  changeProfile = (name: string) => this.#http.send<Me>('PATCH', 'me', { name });
  changePassword = (current: string, password: string) => this.#http.send<void>('POST', 'me/password', { current, password });
  /** A link is mailed to the new address; opening it makes it count. */
  changeEmail = (email: string, password: string, code: string) =>
    this.#http.send<void>('POST', 'me/email', { email, password, ...(code === '' ? {} : { code }) });
  erasureOutlook = () => this.#http.get<ErasureOutlook>('me/erasure');
  /** Signs out everywhere; after `due` nothing can be undone. */
  eraseMe = (confirm: string, password: string, code: string) =>
    this.#http.send<ErasurePlanned>('POST', 'me/erasure', { confirm, password, ...(code === '' ? {} : { code }) });
  beginSecondFactor = (password: string) => this.#http.send<SecondFactorSecret>('POST', 'me/second-factor', { password });
  confirmSecondFactor = (code: string) => this.#http.send<{ recoveryCodes: string[] }>('POST', 'me/second-factor/confirm', { code });
  removeSecondFactor = (password: string, code: string) => this.#http.send<void>('POST', 'me/second-factor/remove', { password, code });
  sessions = () => this.#http.get<SignInSession[]>('me/sessions');
  endSession = (id: string) => this.#http.send<void>('DELETE', `me/sessions/${part(id)}`);
  /** All but this one. */
  endOtherSessions = () => this.#http.send<void>('DELETE', 'me/sessions');
  enterTenant = (tenant: string) => this.#http.send<Tokens>('POST', 'me/tenant', { tenant });
  apiKeys = () => this.#http.get<ApiKey[]>('me/api-keys');
  /** The secret is told this once. */
  createApiKey = (key: NewApiKey) => this.#http.send<{ key: ApiKey; secret: string | null }>('POST', 'me/api-keys', key);
  providerLinks = () => this.#http.get<ProviderLinks>('me/provider-links');
  startProviderLink = (password: string | null) =>
    this.#http.ask<{ address: string }>('me/provider-links', password === null ? {} : { password });
  completeProviderLink = (answer: ProviderAnswer) => this.#http.ask<ProviderLinks>('me/provider-links/complete', answer);
  removeProviderLink = (id: string) => this.#http.send<void>('DELETE', `me/provider-links/${part(id)}`);
  clients = () => this.#http.get<Client[]>('clients');
  /** The secret is told this once, and so is the next one's. */
  addClient = (name: string, scopes: readonly Permission[], expiresDays: number) =>
    this.#http.send<ClientWithSecret>('POST', 'clients', { name, scopes, expiresDays });
  rotateClient = (id: string, expiresDays: number, overlapHours: number) =>
    this.#http.send<ClientWithSecret>('POST', `clients/${part(id)}/secrets`, { expiresDays, overlapHours });
  removeClient = (id: string) => this.#http.send<void>('DELETE', `clients/${part(id)}`);
  removeApiKey = (id: string) => this.#http.send<void>('DELETE', `me/api-keys/${part(id)}`);

  signUp = (email: string, name: string, password: string) => this.#open.ask<void>('auth/sign-up', { email, name, password });
  verifyEmail = (token: string) => this.#open.ask<void>('auth/verify-email', { token });
  confirmEmail = (token: string) => this.#open.ask<void>('auth/change-email', { token });
  undoEmail = (token: string) => this.#open.ask<void>('auth/undo-email', { token });
  forgotPassword = (email: string) => this.#open.ask<void>('auth/forgot-password', { email });
  resetPassword = (token: string, password: string) => this.#open.ask<void>('auth/reset-password', { token, password });
  invitation = (token: string) => this.#open.get<InvitationOffer>(`auth/invitations/${part(token)}`);
  acceptAsNew = (token: string, name: string, password: string) =>
    this.#open.ask<Tokens>(`auth/invitations/${part(token)}/accept`, { name, password });
  acceptInvitation = (token: string) => this.#http.ask<Tokens>(`auth/invitations/${part(token)}/accept`, {});
  members = () => this.#http.get<Member[]>('members');
  setRoles = (user: string, roles: readonly Role[]) => this.#http.send<Member>('PUT', `members/${part(user)}/roles`, { roles });
  removeMember = (user: string) => this.#http.send<void>('DELETE', `members/${part(user)}`);
  invitations = () => this.#http.get<Invitation[]>('members/invitations');
  invite = (email: string, roles: readonly Role[]) => this.#http.send<Invitation>('POST', 'members/invitations', { email, roles });
  withdrawInvitation = (id: string) => this.#http.send<void>('DELETE', `members/invitations/${part(id)}`);
  eraseUser = (id: string, reason: string, immediately: boolean) =>
    this.#http.send<ErasurePlanned>('POST', `users/${part(id)}/erasure`, { confirm: id, reason, immediately });
  cancelErasure = (id: string) => this.#http.send<void>('DELETE', `users/${part(id)}/erasure`);
  users = () => this.#http.get<User[]>('users');
  changeUser = (id: string, changes: { locked?: boolean; administrator?: boolean }) => this.#http.send<User>('PUT', `users/${part(id)}`, changes);

  configurationSections = () => this.#http.get<ConfigurationSection[]>('config-schemas');
  /** Of a user, or null for the tenant's. */
  configuration = (user: string | null) => this.#http.get<Configuration>(user === null ? 'tenant-config' : `user-config/${part(user)}`);
  createConfiguration = (layer: ConfigurationLayer, section: string, values: Record<string, unknown>, comment: string) =>
    this.#http.send<void>('POST', configurationPath(layer), { section, values, ...(comment === '' ? {} : { comment }) });
  /** `version` is the one that was read: when there is another by now, nothing changes. */
  changeConfiguration = (layer: ConfigurationLayer, id: string, version: number, values: Record<string, unknown>, comment: string) =>
    this.#http.send<void>('PUT', `${configurationPath(layer)}/${part(id)}`, { values, version, ...(comment === '' ? {} : { comment }) });
  rollbackConfiguration = (layer: ConfigurationLayer, id: string, version: number, to: number) =>
    this.#http.send<void>('POST', `${configurationPath(layer)}/${part(id)}/rollback`, { to, version });
  configurationVersions = (user: string | null, id: string) => this.#http.get<ConfigurationVersion[]>(`${documentPath(user, id)}/versions`);
  configurationDifference = (user: string | null, id: string, from: number, to: number) =>
    this.#http.get<ConfigurationDifference[]>(`${documentPath(user, id)}/diff`, { from, to });

  alerts = (limit: number, before?: number, minPosition?: number) =>
    this.#http.get<{ items: ToldAlert[]; next: number | null }>('alerts', { limit, before, minPosition });
  alertChannels = () => this.#http.get<AlertChannel[]>('alerts/channels');
  /** Sends a test to all channels; says where it goes. */
  testAlerts = () => this.#http.send<{ minPosition: number; number: number; channels: AlertChannelName[] }>('POST', 'alerts/test', {});

  services = () => this.#http.get<ServiceList>('services');
  serviceHistory = (name: string) => this.#http.get<ServiceHistory>(`services/${part(name)}/history`, { limit: 100 });
  grains = () => this.#http.get<GrainList>('system/grains');
  storage = () => this.#http.get<StorageList>('system/storage');
  feeds = () => this.#http.get<FeedList>('system/feeds');

  upload = (file: Blob, terms: DataSetTerms, progress: (share: number) => void, signal: AbortSignal) =>
    this.#http.upload<DataSet>('data-sets', { ...terms }, file, progress, signal);

  /** A file by its path below the base: tear sheets, tables. */
  file = (path: string) => this.#http.file(path);
}

interface Changed {
  minPosition: number;
}

interface ChangedReview extends Changed {
  review: StrategyReviews;
}

/** Where the service has what it made of a job, for `Api.file`. */
export function reportPath({ collection, id }: JobAddress, file: 'report' | 'report.html' | 'trades.csv' | 'equity.csv'): string {
  return `${collection}/${part(id)}/${file}`;
}

export function accountReportPath(account: string, file: '' | 'report.html'): string {
  return `performance/accounts/${part(account)}${file === '' ? '' : `/${file}`}`;
}

function configurationPath(layer: ConfigurationLayer): string {
  return layer === 'Tenant' ? 'tenant-config' : 'user-config';
}

/** Where a document is read, as others than its owner may do. */
function documentPath(user: string | null, id: string): string {
  return user === null ? `tenant-config/${part(id)}` : `user-config/${part(user)}/${part(id)}`;
}

function part(text: string): string {
  return encodeURIComponent(text);
}
