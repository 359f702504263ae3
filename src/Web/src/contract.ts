/** The shapes of `/api/v1` and of the hub. Times are ISO-8601 UTC; prices, volumes and money are plain numbers. */

export type Side = 'Buy' | 'Sell';
export type OrderType = 'Market' | 'Limit' | 'Stop' | 'StopLimit' | 'TrailingStop';
export type TimeInForce = 'Gtc' | 'Ioc' | 'Fok' | 'Gtd' | 'Day';
export type TradingState = 'Active' | 'Reducing' | 'Halted';
export type Stance = 'Long' | 'Flat' | 'Short';
export type PositionMode = 'Netting' | 'Hedging';
const ladder = ['M1', 'M5', 'M15', 'H1', 'H4', 'D1', 'W1', 'MN1'] as const;
/** Those of the chart, whose bars are built of every instrument: the shortest that its data allow (`tick`, or bars), and the next few. */
export function chartFrames(data: string | undefined): TimeFrame[] {
  const first = data === undefined || data === 'tick' ? 0 : ladder.findIndex((frame) => frame === data);
  // Data of a frame that is not on the ladder (M30): itself, and what is longer.
  if (first < 0) return [data!, ...ladder.filter((frame) => minutes(frame) > minutes(data!))].slice(0, 4);
  return ladder.slice(first, first + 4);
}

function minutes(frame: string): number {
  const unit = /^[A-Z]+/.exec(frame)![0];
  const factor: Record<string, number> = { S: 1 / 60, M: 1, H: 60, D: 1440, W: 10_080, MN: 43_200 };
  return (factor[unit] ?? 0) * Number(frame.slice(unit.length));
}

/** Those that a strategy can be made on; a tick is a bar a quote. */
export const strategyTimeFrames = ['tick', 'S1', 'S5', 'S15', 'S30', 'M1', 'M5', 'M15', 'M30', 'H1', 'H4', 'D1'] as const;
export type TimeFrame = string;

export interface SystemView {
  version: string;
  host: string;
  simulated: boolean;
  notices: string[];
  dataFolder: string;
  startedAt: string;
  feed: { name: string; position: number; time: string | null; ageSeconds: number | null } | null;
  journal?: { size: number };
  services?: { name: string; port: number }[];
}

export interface Instrument {
  symbol: string;
  name: string;
  assetClass: string;
  baseCurrency: string;
  quoteCurrency: string;
  digits: number;
  /** In units of price, as `pipSize`. */
  tickSize: number;
  pipSize: number;
  /** In units of the base, as the volumes. */
  contractSize: number;
  volumeStep: number;
  minVolume: number;
  maxVolume: number;
  open: boolean;
  /** `tick`, or the time frame of the shortest bars that can be had. */
  dataTimeFrame: string;
  simulated: boolean;
}

/** Past data as the live market. */
export interface Playback {
  running: boolean;
  /** Times real time; null for as fast as the system goes. */
  speed: number | null;
  done: number;
  total: number;
}

export interface FeedStatus {
  simulated: boolean;
  position: number;
  time: string | null;
  playback: Playback | null;
}

export interface Quote {
  symbol: string;
  position: number;
  time: string;
  bid: number;
  ask: number;
  simulated: boolean;
}

export interface Bar {
  time: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  forming?: boolean;
}

export interface BarSeries {
  symbol: string;
  timeFrame: string;
  simulated: boolean;
  bars: Bar[];
}

export interface BarPush extends Bar {
  symbol: string;
  timeFrame: string;
  position: number;
}

export interface Position {
  id: string;
  symbol: string;
  owner: string;
  volume: number;
  averageEntry: number;
  mark: number;
  openResult: number;
  opened: string;
}

export interface Order {
  ordinal: number;
  clientOrderId: string;
  symbol: string;
  side: Side;
  type: OrderType;
  volume: number;
  filled: number;
  averageFill: number | null;
  limitPrice: number | null;
  stopPrice: number | null;
  trailDistance: number | null;
  timeInForce: TimeInForce;
  expires: string | null;
  reduceOnly: boolean;
  stopLoss: number | null;
  takeProfit: number | null;
  strategy: string;
  decision: string;
  purpose: string;
  status: string;
  reason: string;
  detail: string | null;
  createdAt: string;
  updatedAt: string;
}

export type OrderPush = Order & { account?: string };

/** Lists that somebody changed, here or elsewhere, and the journal position that contains the change. */
export interface ListsChanged {
  minPosition: number;
  accounts: boolean;
  strategies: boolean;
}

export interface Fill {
  position: number;
  ordinal: number;
  symbol: string;
  side: Side;
  time: string;
  price: number;
  volume: number;
  commission: number;
  realised: number;
  strategy: string;
}

export type FillPush = Fill & { account: string };

/** What the journal tells: everything after one sequence, exclusive, up to another, inclusive. */
export interface JournalPush {
  stream: string;
  after: number;
  sequence: number;
  lists?: ListsChanged;
  decisions: Decision[];
  orders: OrderPush[];
  fills: FillPush[];
}

/** Pushes from `position` to `sequence` were left out: the lists have to be read again. */
export interface Gap {
  stream: string;
  position: number;
  sequence: number;
}

export interface Sizing {
  kind: 'StrategyUnits' | 'FixedUnits' | 'PercentOfEquity' | 'PercentRisk';
  value: number;
}

export interface FollowTerms {
  sizing: Sizing;
  paused: boolean;
  maxUnits: number | null;
}

export interface Account {
  name: string;
  key: string;
  currency: string;
  mode: PositionMode;
  state: TradingState;
  stateReason: string;
  /** A halt of the tenant stands for it. */
  tenantHalted: boolean;
  balance: number;
  equity: number;
  usedMargin: number;
  freeMargin: number;
  realised: number;
  commissions: number;
  swaps: number;
  deposits: number;
  time: string;
  version: number;
  positions: Position[];
  workingOrders: Order[];
  follows: Record<string, FollowTerms>;
  limits?: RiskLimits;
  /** How much of each limit is used; a service of before does not tell. */
  limitUse?: LimitUse[];
  /** When the trading day of its calendar began, or it was opened on it. */
  dayStarted: string;
  /** When the next one begins: from then on the three below are of another day. */
  dayEnds: string;
  dayStartEquity: number;
  /** Paid in less paid out since. */
  dayPayments: number;
  /** Equity less the two: realised and open together. */
  dayResult: number;
}

/** What the account would answer to an order now. It binds nobody. */
export interface OrderPreview {
  verdict: 'Accepted' | 'Cut' | 'Denied';
  /** Units that would go. */
  volume: number;
  reason: string | null;
  detail: string | null;
  /** An order of that id was sent before, and this is what was answered then. */
  repeated: boolean;
  time: string;
  /** Null where the order is malformed, or was sent before. */
  figures: OrderFigures | null;
}

/** What an order comes to as it was asked, in the currency of the account. */
export interface OrderFigures {
  quoteTime: string;
  bid: number;
  ask: number;
  spread: number;
  /** Where it is expected to fill, slippage included. */
  price: number;
  notional: number;
  commission: number;
  /** What it takes beside positions and orders at work, and what they leave. */
  marginNeeded: number;
  freeMargin: number;
  limits: LimitStep[];
}

export interface LimitStep {
  limit: string;
  /** Account currency, units, percent or a count; `after` with all of the order. */
  before: number;
  after: number;
  most: number;
}

export type BreachAction = 'StopTrading' | 'DenyAdds' | 'Flatten';

/** Pre-trade limits; null is no limit. Amounts are in the account's currency, spans are `[days.]hh:mm:ss`. */
export interface RiskLimits {
  maxOrderVolume: number | null;
  minOrderNotional: number | null;
  maxOrderNotional: number | null;
  priceCollarPercent: number | null;
  maxExposure: number | null;
  maxExposurePercent: number | null;
  maxInstrumentExposure: number | null;
  maxOpenPositions: number | null;
  maxInstrumentPositions: number | null;
  maxWorkingOrders: number | null;
  maxInstrumentWorkingOrders: number | null;
  submitRate: { count: number; window: string } | null;
  modifyRate: { count: number; window: string } | null;
  lossLimits: { period: 'Day' | 'Week' | 'Month'; amount: number | null; percent: number | null; action: BreachAction }[];
  maxDrawdownPercent: number | null;
  drawdownAction: BreachAction;
  allowedInstruments: string[];
}

export interface LimitUse {
  /** The name of the limit; of a loss limit with its period: dayLoss. */
  limit: string;
  /** In the limit's own unit: account currency, or a count. */
  used: number;
  most: number;
  /** It has reached what its owner calls near. */
  near?: boolean;
}

export interface EquityPoint {
  time: string;
  balance: number;
  equity: number;
}

export interface ParameterDefinition {
  name: string;
  description: string;
  default: number;
  minimum: number;
  maximum: number;
  whole: boolean;
}

export interface StrategyDefinition {
  name: string;
  title: string;
  description: string;
  parameters: ParameterDefinition[];
}

export interface Verdict {
  account: string;
  reason: string;
  detail: string;
  orders: number[];
  volume: number;
}

export interface Decision {
  id: string;
  strategy: string;
  symbol: string;
  timeFrame: string;
  time: string;
  marketPosition: number;
  bar: { time: string; open: number; high: number; low: number; close: number };
  features: { feature: string; value: number | null }[];
  before: Stance;
  intent: { stance: Stance; why: string; stopDistance: number | null; takeDistance: number | null; trailDistance: number | null };
  units: number;
  verdicts: Verdict[];
}

export interface Strategy {
  name: string;
  key: string;
  definition: string;
  parameters: Record<string, number>;
  symbol: string;
  timeFrame: string;
  status: 'Running' | 'Stopped';
  stance: Stance;
  decisions: number;
  since: string | null;
  accounts: string[];
  lastDecision: Decision | null;
  version: number;
  rule: string | null;
}

/** An event of the caller's own. */
export interface JournalEntry {
  position: number;
  stream: string;
  /** Counts the events of the stream. */
  version: number;
  name: string;
  schema: number;
  time: string;
  causation: string;
  /** Null when it was erased. */
  payload: unknown;
}

/** RFC 9457, with the reason code of the trade. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  reason?: string;
  field?: string;
  errors?: Record<string, string[]>;
}

export interface NewOrder {
  symbol: string;
  side: Side;
  type: OrderType;
  volume: number;
  limitPrice?: number;
  stopPrice?: number;
  trailDistance?: number;
  timeInForce?: TimeInForce;
  reduceOnly?: boolean;
  stopLoss?: number;
  takeProfit?: number;
  /** Hedging accounts: the position to close. */
  positionId?: string;
}

export interface NewAccount {
  name: string;
  currency: string;
  deposit: number;
  mode: PositionMode;
  leverage?: number;
}

export interface NewStrategy {
  name: string;
  /** Exactly one of `definition` and `rule`. */
  definition?: string;
  rule?: string;
  parameters: Record<string, number>;
  symbol: string;
  timeFrame: string;
  accounts: string[];
  start: boolean;
}

/** What `Subscribe` of the hub answers. */
export interface Snapshot {
  /** The journal sequence after which everything is pushed. */
  sequence: number;
  quotes: Quote[];
  account: Account | null;
  strategies: Strategy[];
}

/** What a text of a rule comes to. */
export interface RuleCheck {
  valid: boolean;
  /** By place; empty when it is valid. */
  diagnostics: RuleDiagnostic[];
  rule: Rule | null;
}

/** Line and column from 1, in UTF-16 code units. */
export interface RuleDiagnostic {
  line: number;
  column: number;
  length: number;
  message: string;
  /** The known name that was probably meant. */
  suggestion: string | null;
}

export interface Rule {
  /** In its canonical form. */
  text: string;
  features: string[];
  /** Bars until all features are ready. */
  warmUp: number;
  /** How its size is said; null where it takes its units. */
  size: string | null;
  parameters: ParameterDefinition[];
}

/** A word that rules can be made of. */
export interface RuleWord {
  kind: string;
  usage: string;
  gives: string;
  description: string;
}

/** Past data: uploaded, or recorded by the market itself. */
export interface DataSet {
  id: string;
  name: string;
  symbol: string;
  timeFrame: string;
  from: string;
  to: string;
  count: number;
  bytes: number;
  source: 'upload' | 'market';
  addedAt: string;
  /** Rows that were left out, and counted. */
  dropped: number;
}

/** What the name of a file does not say. */
export interface DataSetTerms {
  name: string;
  symbol?: string;
  timeFrame?: string;
  timeZone?: string;
  spreadPoints?: number;
}

/** A strategy of a run: exactly one of `definition` and `rule`. */
export interface RunStrategy {
  name?: string | null;
  definition?: string | null;
  rule?: string | null;
  parameters?: Record<string, number> | null;
  symbol?: string | null;
}

export interface RunAccount {
  currency?: string | null;
  deposit?: number | null;
  mode?: string | null;
  leverage?: number | null;
  stopOutPercent?: number | null;
  moneyDigits?: number | null;
  sizing?: Sizing | null;
}

export interface RunCosts {
  commissionRate?: number | null;
  commissionPerLot?: number | null;
  commissionMinimum?: number | null;
  slippagePoints?: number | null;
  randomSlippagePoints?: number | null;
  latencyMilliseconds?: number | null;
  fill?: string | null;
  swapLongPoints?: number | null;
  swapShortPoints?: number | null;
  seed?: number | null;
}

/** What a back-test is asked for. */
export interface RunInput {
  name?: string | null;
  dataSets: string[];
  timeFrame?: string | null;
  from?: string | null;
  to?: string | null;
  strategies: RunStrategy[];
  account?: RunAccount | null;
  costs?: RunCosts | null;
  /** Pre-trade limits, as accounts take them; the pages only pass them on. */
  limits?: unknown;
  riskFreePercent?: number | null;
}

/** What a search, or a walk-forward, is asked for. */
export interface SearchInput extends RunInput {
  /** By parameter: `5..50/5`, `5,10,20`, or empty for the range that a rule says itself. */
  vary: Record<string, string | null>;
  /** `grid`, or `random:N`. */
  search?: string | null;
  searchSeed?: number | null;
  objective?: string | null;
  constraints?: { minTrades?: number | null; maxDrawdownPercent?: number | null } | null;
  walkForward?: WalkForwardTerms | null;
}

export interface WalkForwardTerms {
  /** Out-of-sample windows. */
  windows?: number | null;
  /** Length in sample by length out of sample. */
  ratio?: number | null;
  anchored?: boolean | null;
  warmUpBars?: number | null;
  seed?: number | null;
}

export type JobKind = 'backtest' | 'optimisation' | 'walkForward';
export type JobStatus = 'queued' | 'running' | 'finished' | 'failed' | 'cancelled';

export interface Job {
  id: string;
  kind: JobKind;
  name: string;
  status: JobStatus;
  /** 0 to 1. */
  progress: number;
  queuePosition: number | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  secondsLeft: number | null;
  fault: string | null;
  /** Grows with every recorded change; progress alone does not change it. */
  version: number;
  /** There is a tear sheet. */
  hasReport: boolean;
  /** Left out of lists and pushes. */
  request?: RunInput | SearchInput | null;
  /** Of a search: of its best trial, run again over all data. */
  summary: RunSummary | null;
  search?: SearchSummary | null;
}

/** The answer to a change of a job. */
export type ChangedJob = Job & { minPosition?: number };

export interface SearchSummary {
  trials: number;
  points: number;
  objective: string;
  /** Null when no trial keeps to the constraints. */
  best: { trial: number; parameters: Record<string, number>; objective: number | null } | null;
  deflatedSharpe: number | null;
  /** Of a walk-forward. */
  verdict: WalkForwardVerdict | null;
}

/** What a walk-forward says, with its evidence; what decides nothing has not `passed`. */
export interface WalkForwardVerdict {
  finding: string;
  text: string;
  evidence: { name: string; value: number | null; passed: boolean | null; text: string }[];
}

/** What the service takes, and what of it is used. */
export interface JobLimits {
  maxUploadBytes: number;
  maxStoredBytes: number;
  storedBytes: number;
  maxWaiting: number;
  maxTrials: number;
  objectives: { name: string; description: string }[];
}

export interface RunSummary {
  finalEquity: number;
  netProfit: number;
  netProfitPercent: number;
  maxDrawdownPercent: number;
  trades: number;
  winRatePercent: number | null;
  profitFactor: number | null;
  sharpe: number | null;
  fees: number;
  swap: number;
  dataPoints: number;
  seconds: number;
  orderListHash: string;
  /** Milliseconds since 1970 and equity, oldest first, thinned. */
  equity: [number, number][];
}

export interface Page<T> {
  items: T[];
  next: string | number | null;
}

/** One combination of a search. */
export interface Trial {
  trial: number;
  parameters: Record<string, number>;
  /** The higher the better; null where it is not defined. */
  objective: number | null;
  /** It keeps to the constraints. */
  kept: boolean;
  statistics: TrialStatistics;
}

export interface TrialStatistics {
  finalEquity: number;
  netProfit: number;
  /** A share of the opening deposits. */
  netReturn: number;
  /** A share of the peak. */
  maxDrawdown: number;
  closedTrades: number;
  wonTrades: number;
  profitFactor: number | null;
  sharpeDaily: number | null;
}

export type LiveFinding = 'TooEarly' | 'AsExpected' | 'Below' | 'Above';
export type ProposalState = 'None' | 'Open' | 'Accepted' | 'Declined' | 'Outdated';

/** Growth of 1 on a live day, and where it was expected. */
export interface LiveDay {
  date: string;
  growth: number;
  lower: number;
  median: number;
  upper: number;
}

export interface ReviewSchedule {
  /** Null: only when asked. */
  everyHours: number | null;
  account: string | null;
  proposes: boolean;
}

/** What a review of a live strategy found. */
export interface Review {
  made: string;
  liveFrom: string;
  live: { finding: LiveFinding; text: string; leftOn: string | null; outsideNow: boolean; days: LiveDay[] };
  testedDays: number;
  expectedTradesPerDay: number | null;
  liveTradesPerDay: number | null;
  proposal: {
    from: Record<string, number>;
    to: Record<string, number>;
    verdict: WalkForwardVerdict;
    trials: number;
    present: TrialStatistics;
    proposed: TrialStatistics;
  } | null;
}

/** All reviews of a strategy, the last one whole. */
export interface StrategyReviews {
  strategy: string;
  schedule: ReviewSchedule;
  /** Of the one under way, 0 to 1. */
  progress: number | null;
  number: number;
  last: Review | null;
  proposal: ProposalState;
  reviews: { number: number; time: string; finding: LiveFinding | null; text: string | null; proposal: ProposalState; fault: string | null }[];
}

export interface WalkForward {
  trials: number;
  windows: WalkForwardWindow[];
  /** Out of sample, compounded from 1. */
  stitched: { date: string; return: number; equity: number }[];
  inSharpe: number | null;
  outSharpe: number | null;
  retained: number | null;
  stability: { name: string; chosen: number[]; distinct: number; meanMove: number | null }[];
  neighbourhood: number | null;
  verdict: WalkForwardVerdict;
}

export interface WalkForwardWindow {
  number: number;
  inFrom: string;
  outFrom: string;
  outTo: string;
  trial: number | null;
  parameters: Record<string, number> | null;
  inSample: TrialStatistics | null;
  outOfSample: TrialStatistics | null;
}

/** How this installation is signed in to. */
export interface AuthSettings {
  /** `needed` until somebody owns it. */
  setup: 'needed' | 'done';
  /** Whether anybody can sign up, or only who was invited. */
  signUp: 'open' | 'invitation';
  passwordMinLength: number;
  passwordMaxLength: number;
  /** What the external provider is called; null where there is none. */
  provider: string | null;
}

export const permissions = [
  'ReadMarket', 'ReadTrading', 'ReadTenant', 'ReadJournal', 'Trade', 'ManageRisk', 'Automate', 'Research', 'Halt', 'HaltTenant', 'ReleaseTenant',
  'Configure', 'ConfigureTenant', 'ManageProfile', 'ManageKeys', 'ManageMembers', 'ReadSystem', 'Operate', 'Administer',
  'ManageClients', 'ReadMetrics', 'Compliance',
] as const;
export type Permission = (typeof permissions)[number];

/** What only persons do: no program is given it. */
export const personScopes: readonly Permission[] = [
  'ManageProfile', 'ManageKeys', 'ManageMembers', 'ManageClients', 'Administer', 'ReleaseTenant',
];
/** What concerns the installation: its administrators give it. */
export const installationScopes: readonly Permission[] = ['ReadMetrics', 'Compliance', 'Operate'];

export type Role = 'Owner' | 'Trader' | 'Viewer' | 'ComplianceOfficer' | 'Auditor' | 'Administrator';

/** Those that a tenant gives its members. */
export const memberRoles: readonly Role[] = ['Owner', 'Trader', 'Viewer', 'ComplianceOfficer', 'Auditor'];

/** Who is signed in, and as a member of which tenant. */
export interface Me {
  id: string;
  email: string;
  name: string;
  emailVerified: boolean;
  secondFactor: boolean;
  tenant: { id: string; name: string };
  tenants: { id: string; name: string; roles: Role[] }[];
  roles: Role[];
  permissions: Permission[];
}

export interface Tokens {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  user: Me;
}

/** An invitation, as who has its link sees it. */
export interface InvitationOffer {
  tenant: string;
  email: string;
  roles: Role[];
  /** A user with that address exists: they sign in and accept. */
  known: boolean;
}

export interface SecondFactorSecret {
  /** Base32. */
  secret: string;
  /** otpauth://… */
  uri: string;
}

export interface SignInSession {
  id: string;
  current: boolean;
  created: string;
  lastUsed: string;
  agent: string;
  address: string;
}

export interface ApiKey {
  id: string;
  name: string;
  kind: 'Hmac' | 'Ecdsa';
  scopes: Permission[];
  created: string;
  expires: string;
  lastUsed: string | null;
}

export interface NewApiKey {
  name: string;
  kind: 'Hmac' | 'Ecdsa';
  /** Of an ECDSA key, PEM. */
  publicKey?: string;
  scopes: Permission[];
  expiresDays: number;
}

/** A service that signs in for the tenant. */
export interface Client {
  id: string;
  name: string;
  scopes: Permission[];
  created: string;
  by: string;
  /** The newest is the last. */
  secrets: { id: string; created: string; expires: string }[];
  lastUsed: string | null;
}

export interface ClientWithSecret {
  client: Client;
  secret: string;
}

export interface ProviderLinks {
  /** What the external provider is called; null where there is none. */
  provider: string | null;
  hasPassword: boolean;
  links: { id: string; issuer: string; email: string; tenant: string; since: string }[];
}

export interface Member {
  user: string;
  name: string;
  email: string;
  roles: Role[];
  since: string;
  lastSignIn: string | null;
  secondFactor: boolean;
  suspended: boolean;
}

export interface Invitation {
  id: string;
  email: string;
  roles: Role[];
  created: string;
  expires: string;
  by: string;
}

/** A user of the installation. */
export interface User {
  id: string;
  email: string;
  name: string;
  tenants: { id: string; name: string; roles: Role[] }[];
  created: string;
  lastSignIn: string | null;
  secondFactor: boolean;
  administrator: boolean;
  locked: boolean;
  /** When the user is to be erased; null for not. */
  erasureDue: string | null;
}

/** What stands in the way of erasing one's user, and what is kept. */
export interface ErasureOutlook {
  hindrances: { obstacle: string; where: string; detail: string }[];
  /** In which signing in cancels it. */
  graceDays: number;
  kept: string[];
}

export interface ErasurePlanned {
  due: string;
}

/** A halt of the tenant, or of one of its members, that stands. */
export interface TenantHalt {
  number: number;
  /** Who is halted; null for everybody. */
  member: string | null;
  flatten: boolean;
  by: string;
  at: string;
  why: string;
  /** Its release was asked for and can still be approved. */
  release: { by: string; at: string; why: string; until: string } | null;
}

export interface KillSwitchState {
  accounts: { name: string; state: TradingState; tenantHalted: boolean }[];
  runningStrategies: string[];
  tenantHalts: TenantHalt[];
  /** Accounts and strategies that have not confirmed the last change yet. */
  untold: number;
}

export interface KillSwitchEngaged {
  minPosition: number;
  accounts: string[];
  strategies: string[];
}

export interface TenantHaltChanged {
  minPosition: number;
  halt: TenantHalt | null;
  untold: number;
}

export type ConfigurationLayer = 'Default' | 'Tenant' | 'User' | 'Strategy';

/** What a value of a setting has to be: the part of JSON Schema 2020-12 that forms are made from. */
export interface ValueSchema {
  type?: string | string[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  items?: ValueSchema;
  /** A value that may be left out: its own schema, and that of null. */
  anyOf?: ValueSchema[];
}

export interface Setting {
  name: string;
  title: string;
  description: string;
  schema: ValueSchema;
  default: unknown;
  layers: ConfigurationLayer[];
  /** Written and never read. */
  secret: boolean;
}

export interface ConfigurationSection {
  section: string;
  title: string;
  description: string;
  settings: Setting[];
}

/** What one layer says of one section. */
export interface ConfigurationDocument {
  id: string;
  section: string;
  strategy: string | null;
  version: number;
  values: Record<string, unknown>;
  /** When each secret was changed. */
  secrets: Record<string, string>;
  changedAt: string;
  changedBy: string;
  comment: string;
  removed: boolean;
}

/** What counts, and which layer says it. */
export interface EffectiveSetting {
  value: unknown;
  source: ConfigurationLayer;
  /** Of a secret: there is one. */
  set?: boolean;
  changedAt?: string | null;
}

export interface Configuration {
  /** Null for the tenant's. */
  user: string | null;
  strategy: string | null;
  documents: ConfigurationDocument[];
  effective: Record<string, Record<string, EffectiveSetting>>;
}

export interface ConfigurationVersion {
  number: number;
  at: string;
  by: string;
  comment: string;
  action: 'Created' | 'Changed' | 'Removed' | 'RolledBack';
  restores: number | null;
  values: Record<string, unknown>;
}

export interface ConfigurationDifference {
  setting: string;
  change: 'Added' | 'Removed' | 'Changed';
  from: unknown;
  to: unknown;
}

/** Told by the hub: read again. */
export interface ConfigurationChanged {
  layer: ConfigurationLayer;
  id: string;
  version: number;
  position: number;
}

export type ServiceStatus = 'healthy' | 'degraded' | 'unhealthy' | 'stopped' | 'absent';

export interface ServiceInstance {
  process: string;
  host: string;
  version: string;
  address: string;
  port: number;
  webSocketPort: number | null;
  siloPort: number | null;
  gatewayPort: number | null;
  startedAt: string;
  lastSeenAt: string;
  status: ServiceStatus;
  detail: string | null;
}

export interface ServiceList {
  asOf: string;
  services: { name: string; status: ServiceStatus; instances: ServiceInstance[] }[];
}

export interface ServiceHistory {
  name: string;
  transitions: { time: string; process: string; from: ServiceStatus | null; to: ServiceStatus; detail: string | null }[];
}

/** Times in ms; null without calls in the window. What belongs to no service is Orleans' own. */
export interface GrainProcess {
  process: string;
  address: string;
  host: string;
  at: string;
  types: {
    type: string; service: string | null; activations: number | null; calls: number; callsPerSecond: number; p50: number | null; p99: number | null;
  }[];
  methods: {
    type: string; method: string; calls: number; failures: number; callsPerSecond: number;
    p50: number | null; p99: number | null; max: number | null; longPoll: boolean;
  }[];
  slowest: { type: string; method: string; target: string; at: string; duration: number; failed: boolean; traceId: string | null }[];
}

export interface GrainList {
  asOf: string;
  windowSeconds: number;
  processes: GrainProcess[];
}

export interface StorageList {
  asOf: string;
  processes: {
    process: string;
    address: string;
    at: string;
    kind: 'files' | 'postgresql';
    location: string;
    journal: {
      events: number; pendingBytes: number; commits: number;
      commitsPerSecond: number | null; eventsPerCommit: number | null; commitP50: number | null; commitP99: number | null;
    } | null;
    parts: { name: string; bytes: number; files: number }[];
    freeBytes: number | null;
  }[];
}

export interface FeedList {
  asOf: string;
  simulated: boolean;
  position: number;
  time: string | null;
  symbols: {
    symbol: string; lastAt: string | null; ageSeconds: number | null;
    received: number; duplicates: number; late: number; invalid: number; gaps: number;
  }[];
}

export type AlertChannelName = 'WebHook' | 'Email';

/** How an alert stands on a channel. */
export interface AlertDelivery {
  channel: AlertChannelName;
  state: 'Waiting' | 'Sending' | 'Delivered' | 'Refused' | 'GivenUp';
  message: number | null;
  failures: number;
  /** Of the last failure, or of the end. */
  why: string;
  next: string | null;
  settled: string | null;
}

/** Something that somebody was to be told. */
export interface ToldAlert {
  number: number;
  kind: 'Fill' | 'Denial' | 'Halt' | 'StaleFeed' | 'StrategyStopped' | 'LimitNear' | 'Test';
  time: string;
  about: string;
  text: string;
  /** 1, or how many of its kind are only counted. */
  count: number;
  deliveries: AlertDelivery[];
}

/** Where alerts go. */
export interface AlertChannel {
  channel: AlertChannelName;
  target: string | null;
  /** Why nothing goes there. */
  fault: string | null;
  waiting: number;
  message: number | null;
  failures: number;
  why: string;
  next: string | null;
  lastDelivered: string | null;
}
