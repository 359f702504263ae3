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
  definition: string;
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
