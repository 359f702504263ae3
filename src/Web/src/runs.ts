import type {
  DataSet, Instrument, ParameterDefinition, RunAccount, RunCosts, RunInput, RunStrategy, SearchInput, Strategy, StrategyDefinition, Trial,
  WalkForwardTerms,
} from './contract';
import type { Collection } from './routes';

/** What the start form holds, what it asks of the API, and how a former request comes back into it. */

export type RunKind = 'backtest' | 'optimisation' | 'walkForward';

export interface VaryDraft {
  from: number | undefined;
  to: number | undefined;
  step: number | undefined;
  /** Values one by one in place of a range, as a former request may have them; empty for the range that a rule says itself. */
  list?: string;
}

export interface RunDraft {
  kind: RunKind;
  name: string;
  /** Of the catalogue; empty for a rule. */
  definition: string;
  rule: string;
  parameters: Record<string, number>;
  /** What the strategy is called in the run; empty for the name of its definition. */
  strategyName: string;
  symbol: string;
  /** Further strategies of a request that came from elsewhere; they are kept as they are. */
  others: RunStrategy[];
  dataSets: string[];
  /** Empty: as the data are. */
  timeFrame: string;
  /** Days, both inclusive, as YYYY-MM-DD; empty for all. */
  from: string;
  to: string;
  account: RunAccount;
  costs: RunCosts;
  limits: unknown;
  riskFreePercent: number | undefined;
  vary: Record<string, VaryDraft>;
  /** Undefined: every combination. */
  randomTrials: number | undefined;
  searchSeed: number | undefined;
  objective: string;
  minTrades: number | undefined;
  maxDrawdownPercent: number | undefined;
  windows: number | undefined;
  ratio: number | undefined;
  anchored: boolean;
  /** What the form has no fields for, as a former request had it. */
  walkForwardRest: WalkForwardTerms;
}

export const defaultAccount: RunAccount = { currency: 'USD', deposit: 100_000, mode: 'netting', stopOutPercent: 50 };
export const defaultCosts: RunCosts = { fill: 'nextOpen', seed: 1 };

export const objectives: readonly (readonly [name: string, text: string])[] = [
  ['sharpe-daily', 'Sharpe ratio of daily returns'],
  ['sortino-daily', 'Sortino ratio of daily returns'],
  ['sharpe', 'Sharpe ratio of trades'],
  ['sortino', 'Sortino ratio of trades'],
  ['calmar', 'Growth by drawdown (Calmar)'],
  ['profit', 'Net profit'],
  ['profit-drawdown', 'Net profit less drawdown'],
  ['max-drawdown', 'Smallest drawdown, in money'],
  ['max-drawdown-relative', 'Smallest drawdown, in percent'],
  ['short-trades', 'Return by length of trades'],
  ['multi', 'Several at once'],
];

export function objectiveName(name: string): string {
  return objectives.find(([value]) => value === name)?.[1] ?? name;
}

export function newDraft(definition: string): RunDraft {
  return {
    kind: 'backtest', name: '', definition, rule: '', parameters: {}, strategyName: '', symbol: '', others: [], dataSets: [], timeFrame: '', from: '', to: '',
    account: defaultAccount, costs: defaultCosts, limits: undefined, riskFreePercent: undefined, vary: {}, randomTrials: undefined, searchSeed: undefined,
    objective: objectives[0]![0], minTrades: undefined, maxDrawdownPercent: undefined, windows: undefined, ratio: undefined,
    anchored: false, walkForwardRest: {},
  };
}

/** The data to begin with: the newest upload, else what the market recorded most of, of this symbol where it can be. */
export function suggestedData(dataSets: readonly DataSet[], preferred = ''): string[] {
  const uploads = dataSets.filter(({ source }) => source === 'upload').sort((a, b) => (a.addedAt < b.addedAt ? 1 : -1));
  const recorded = dataSets.filter(({ source }) => source === 'market')
    .sort((a, b) => Number(b.symbol === preferred) - Number(a.symbol === preferred) || b.count - a.count);
  const first = uploads[0] ?? recorded[0];
  return first ? [first.id] : [];
}

/** In the order in which they are offered: uploads, the newest first, then what was recorded of this symbol, then the rest. */
export function offeredData(dataSets: readonly DataSet[], preferred = ''): DataSet[] {
  const rank = ({ source, symbol }: DataSet) => (source === 'upload' ? 0 : symbol === preferred ? 1 : 2);
  return [...dataSets].sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? (a.addedAt < b.addedAt ? 1 : -1) : 0));
}

export function fromStrategy(draft: RunDraft, strategy: Strategy): RunDraft {
  const { definition, rule, parameters, symbol, timeFrame } = strategy;
  return { ...draft, name: strategy.name, definition: rule ? '' : definition, rule: rule ?? '', parameters, symbol, timeFrame };
}

export function isSearch(request: RunInput | SearchInput): request is SearchInput {
  return 'vary' in request && request.vary !== null && request.vary !== undefined;
}

/** A former request in the form again; with the settings of one of its trials, as a back-test of it. */
export function fromRequest(request: RunInput | SearchInput, trial: Trial | null = null): RunDraft {
  const [strategy = {}, ...others] = request.strategies;
  const draft: RunDraft = {
    ...newDraft(strategy.rule ? '' : (strategy.definition ?? '')),
    name: request.name ?? '', rule: strategy.rule ?? '', parameters: { ...strategy.parameters, ...trial?.parameters },
    strategyName: strategy.name ?? '', symbol: strategy.symbol ?? '', others,
    dataSets: request.dataSets, timeFrame: request.timeFrame ?? '', from: dayOf(request.from), to: lastDayOf(request.to),
    account: request.account ?? defaultAccount, costs: request.costs ?? defaultCosts, limits: request.limits ?? undefined,
    riskFreePercent: request.riskFreePercent ?? undefined,
  };
  if (trial || !isSearch(request)) return trial ? { ...draft, name: trialName(draft.name, trial) } : draft;
  const { windows, ratio, anchored, ...walkForwardRest } = request.walkForward ?? {};
  return {
    ...draft,
    kind: request.walkForward ? 'walkForward' : 'optimisation',
    vary: Object.fromEntries(Object.entries(request.vary).map(([name, text]) => [name, parseVary(text ?? '')])),
    randomTrials: parseSearch(request.search), searchSeed: request.searchSeed ?? undefined, objective: request.objective ?? draft.objective,
    minTrades: request.constraints?.minTrades ?? undefined, maxDrawdownPercent: request.constraints?.maxDrawdownPercent ?? undefined,
    windows: windows ?? undefined, ratio: ratio ?? undefined, anchored: anchored ?? false, walkForwardRest,
  };
}

function trialName(name: string, { trial }: Trial): string {
  return `${name || 'search'}, trial ${trial}`.slice(0, 100);
}

/** `5..50/5` as its three numbers; anything else is kept as it is. */
export function parseVary(text: string): VaryDraft {
  const numbers = /^(-?\d*\.?\d+)\.\.(-?\d*\.?\d+)(?:\/(\d*\.?\d+))?$/.exec(text.trim());
  if (!numbers) return { from: undefined, to: undefined, step: undefined, list: text };
  const [, from, to, step] = numbers;
  return { from: Number(from), to: Number(to), step: step === undefined ? undefined : Number(step) };
}

function varyText({ from, to, step, list }: VaryDraft): string {
  return list ?? `${from}..${to}${step === undefined ? '' : `/${step}`}`;
}

function parseSearch(search: string | null | undefined): number | undefined {
  const count = /^random:(\d+)$/.exec(search ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

function dayOf(time: string | null | undefined): string {
  return time ? time.slice(0, 10) : '';
}

/** The end of a request is exclusive, the form's last day is not. */
function lastDayOf(time: string | null | undefined): string {
  return time ? new Date(Date.parse(time) - 1).toISOString().slice(0, 10) : '';
}

function after(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString();
}

/** Without what is left open, so that the service's own defaults hold. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return entries.length > 0 ? (Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }) : undefined;
}

export interface RunRequest {
  collection: Collection;
  body: RunInput | SearchInput;
}

/** What the API is asked for. A parameter that is varied is not set as well. */
export function toRequest(draft: RunDraft): RunRequest {
  const search = draft.kind !== 'backtest';
  const varied = search ? Object.keys(draft.vary) : [];
  const strategy: RunStrategy = {
    ...(draft.strategyName === '' ? {} : { name: draft.strategyName }),
    ...(draft.rule === '' ? { definition: draft.definition } : { rule: draft.rule }),
    parameters: Object.fromEntries(Object.entries(draft.parameters).filter(([name]) => !varied.includes(name))),
    ...(draft.symbol === '' ? {} : { symbol: draft.symbol }),
  };
  // Null is a value of this one: never.
  const account = { ...given(draft.account), ...(draft.account.stopOutPercent === null ? { stopOutPercent: null } : {}) };
  const costs = given(draft.costs);
  const body: RunInput = {
    ...(draft.name.trim() === '' ? {} : { name: draft.name.trim() }),
    dataSets: draft.dataSets,
    ...(draft.timeFrame === '' ? {} : { timeFrame: draft.timeFrame }),
    ...(draft.from === '' ? {} : { from: `${draft.from}T00:00:00.000Z` }),
    ...(draft.to === '' ? {} : { to: after(draft.to) }),
    strategies: [strategy, ...draft.others],
    ...(Object.keys(account).length > 0 ? { account } : {}),
    ...(costs ? { costs } : {}),
    ...(draft.limits === undefined ? {} : { limits: draft.limits }),
    ...(draft.riskFreePercent === undefined ? {} : { riskFreePercent: draft.riskFreePercent }),
  };
  if (!search) return { collection: 'backtests', body };
  const constraints = given({ minTrades: draft.minTrades, maxDrawdownPercent: draft.maxDrawdownPercent });
  const walkForward = { ...given(draft.walkForwardRest), ...given({ windows: draft.windows, ratio: draft.ratio }), anchored: draft.anchored };
  const searched: SearchInput = {
    ...body,
    vary: Object.fromEntries(Object.entries(draft.vary).map(([name, vary]) => [name, varyText(vary)])),
    search: draft.randomTrials === undefined ? 'grid' : `random:${draft.randomTrials}`,
    ...(draft.searchSeed === undefined ? {} : { searchSeed: draft.searchSeed }),
    objective: draft.objective,
    ...(constraints ? { constraints } : {}),
    ...(draft.kind === 'walkForward' ? { walkForward } : {}),
  };
  return { collection: 'optimisations', body: searched };
}

/** What can be seen to be wrong before the service is asked, by field; it checks all of it again, and more. */
export function faultsOf(draft: RunDraft, parameters: readonly ParameterDefinition[]): Record<string, string> {
  const faults: Record<string, string> = {};
  if (draft.definition === '' && draft.rule.trim() === '') faults['strategy'] = 'Choose a strategy, or write a rule.';
  if (draft.dataSets.length === 0) faults['dataSets'] = 'Choose the data to run over.';
  if (draft.dataSets.length > 20) faults['dataSets'] = `${draft.dataSets.length} sets of data are chosen; at most 20.`;
  if (draft.from !== '' && draft.to !== '' && draft.from > draft.to) faults['to'] = 'Must not be before the first day.';
  if (draft.kind === 'backtest') return faults;
  const varied = Object.entries(draft.vary);
  if (varied.length === 0) faults['vary'] = 'Choose at least one parameter to vary.';
  if (draft.others.length > 0) faults['strategy'] = 'A search varies the parameters of one strategy; this run has several.';
  for (const [name, { from, to, step, list }] of varied) {
    if (list !== undefined) continue;
    const parameter = parameters.find((each) => each.name === name);
    if (from === undefined || to === undefined) faults[`vary.${name}`] = 'First and last value are needed.';
    else if (from > to) faults[`vary.${name}`] = 'The first value must not be above the last.';
    else if (parameter && (from < parameter.minimum || to > parameter.maximum)) {
      faults[`vary.${name}`] = `Must be from ${parameter.minimum} to ${parameter.maximum}.`;
    } else if (step === undefined ? parameter?.whole === false : !(step > 0)) faults[`vary.${name}`] = 'A step above 0 is needed.';
  }
  return faults;
}

/** The values that a varied parameter takes. */
export function valuesOf({ from, to, step, list }: VaryDraft): number {
  if (list !== undefined) return list.split(',').length;
  if (from === undefined || to === undefined || from > to) return 0;
  const by = step ?? 1;
  // Decimal steps are not exact in binary: a value that is reached but for rounding counts.
  return by > 0 ? Math.floor((to - from) / by + 1e-9) + 1 : 0;
}

/** How many trials a search will make at most: what parameters demand of each other takes some of a grid out. */
export function trialsOf(draft: RunDraft): number {
  const grid = Object.values(draft.vary).reduce((product, vary) => product * valuesOf(vary), Object.keys(draft.vary).length > 0 ? 1 : 0);
  return draft.randomTrials === undefined ? grid : Math.min(grid, draft.randomTrials);
}

/** A first range of a parameter: around its value, in some ten steps, inside of its bounds. */
export function suggestedVary({ default: value, minimum, maximum, whole }: ParameterDefinition): VaryDraft {
  const raw = Math.abs(value) / 4 || (maximum - minimum) / 10;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const nice = [1, 2, 5, 10].map((factor) => factor * magnitude).findLast((candidate) => candidate <= raw * 1.0001) ?? magnitude;
  const step = whole ? Math.max(1, Math.round(nice)) : nice;
  const round = (number: number) => Number(number.toPrecision(10));
  const from = Math.max(minimum, Math.ceil(value / 2 / step) * step);
  const to = Math.min(maximum, from + Math.max(1, Math.floor((value * 2 - from) / step)) * step);
  return { from: round(from), to: round(Math.max(from, to)), step: round(step) };
}

/** Parameters of a definition or rule at their defaults, with what is set of them. */
export function parametersOf(
  definitions: readonly ParameterDefinition[], set: Readonly<Record<string, number>>, instrument?: Instrument,
): Record<string, number> {
  return Object.fromEntries(definitions.map(({ name, default: value }) =>
    [name, set[name] ?? (name === 'units' && instrument ? suggestedUnits(instrument) : value)]));
}

/** A tenth of a lot: what is a small position of one instrument is more than an account can hold of another. */
export function suggestedUnits({ contractSize, minVolume, maxVolume }: Instrument): number {
  return Math.max(minVolume, Math.min(contractSize / 10, maxVolume));
}

/** The currency of an account that can hold what is traded: dollars where they are on one side, else the currency that prices are in. */
export function suggestedCurrency(symbol: string, instrument?: Instrument): string {
  const [base, quote] = instrument ? [instrument.baseCurrency, instrument.quoteCurrency]
    : /^[A-Z]{6}$/.test(symbol) ? [symbol.slice(0, 3), symbol.slice(3)] : ['', ''];
  return quote === '' || base === 'USD' || quote === 'USD' ? 'USD' : quote;
}

/** The bars to decide on, where the data are ticks and nothing else was chosen. */
export function suggestedTimeFrame(chosen: readonly DataSet[]): string {
  return chosen.some(({ timeFrame }) => timeFrame === 'tick') ? 'M1' : '';
}

/** The field of the form that a fault of the API is about: `strategies.0.parameters.fast` is `parameters.fast`. */
export function formField(field: string): string {
  const path = field.replace(/\[(\d+)\]/g, '.$1').replace(/^strategies\.0\./, '');
  if (path.startsWith('dataSets')) return 'dataSets';
  return path === 'definition' || path === 'rule' || path === 'strategies' ? 'strategy' : path;
}

/** One line that says what runs: "sma-cross, fast 20, slow 50". */
export function strategyText({ definition, rule, name, parameters }: RunStrategy, read: (value: number) => string): string {
  const what = definition ?? name ?? firstStatement(rule ?? '');
  return [what, ...Object.entries(parameters ?? {}).map(([parameter, value]) => `${parameter} ${read(value)}`)].join(', ');
}

function firstStatement(rule: string): string {
  const line = rule.split('\n').find((text) => /^\s*enter\b/i.test(text))?.trim().replace(/;$/, '') ?? 'rule';
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

export function definitionTitle(definitions: readonly StrategyDefinition[], name: string): string {
  return definitions.find((definition) => definition.name === name)?.title ?? name;
}

/** The name of a job that has none: of strategy and data. */
export function suggestedRunName(draft: RunDraft, dataSets: readonly DataSet[]): string {
  const data = dataSets.find(({ id }) => id === draft.dataSets[0]);
  const more = draft.dataSets.length > 1 ? ` and ${draft.dataSets.length - 1} more` : '';
  const what = draft.definition || 'rule';
  return data ? `${what} on ${data.symbol} ${draft.timeFrame || data.timeFrame}${more}` : what;
}
