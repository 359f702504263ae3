import type { Trial } from './contract';

/** The trials of a search as a table and as a map over two of their parameters. */

export type Order = 'ascending' | 'descending';

export interface TrialColumn {
  id: string;
  title: string;
  value: (trial: Trial) => number | null;
}

export const statisticColumns: readonly TrialColumn[] = [
  { id: 'objective', title: 'Objective', value: (trial) => trial.objective },
  { id: 'netProfit', title: 'Net profit', value: ({ statistics }) => statistics.netProfit },
  { id: 'maxDrawdown', title: 'Drawdown', value: ({ statistics }) => statistics.maxDrawdown },
  { id: 'closedTrades', title: 'Trades', value: ({ statistics }) => statistics.closedTrades },
  { id: 'winRate', title: 'Won', value: ({ statistics }) => (statistics.closedTrades > 0 ? statistics.wonTrades / statistics.closedTrades : null) },
  { id: 'profitFactor', title: 'Profit factor', value: ({ statistics }) => statistics.profitFactor },
  { id: 'sharpeDaily', title: 'Sharpe', value: ({ statistics }) => statistics.sharpeDaily },
];

export function parameterColumn(name: string): TrialColumn {
  return { id: `parameters.${name}`, title: name, value: ({ parameters }) => parameters[name] ?? null };
}

/** By a column; what is not defined comes last either way, and equals stay in the order of their numbers. */
export function sortTrials(trials: readonly Trial[], { value }: TrialColumn, order: Order): Trial[] {
  const sign = order === 'ascending' ? 1 : -1;
  return [...trials].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || a.trial - b.trial;
    return sign * (left - right) || a.trial - b.trial;
  });
}

/** The parameters that differ between trials, in the order in which they are written. */
export function variedParameters(trials: readonly Trial[]): string[] {
  const first = trials[0];
  return first ? Object.keys(first.parameters).filter((name) => trials.some(({ parameters }) => parameters[name] !== first.parameters[name])) : [];
}

export interface HeatCell {
  /** The best trial of this pair of values. */
  trial: Trial;
  objective: number;
  /** Where it lies between the worst and the best cell, 0 to 1. */
  share: number;
}

export interface HeatMap {
  x: string;
  y: string;
  xs: number[];
  /** The greatest first, as a chart has it. */
  ys: number[];
  /** By row, then column; null where no trial stands. */
  cells: (HeatCell | null)[][];
}

/** Over two parameters, of each pair of values the best trial, whatever the other parameters are. */
export function heatMap(trials: readonly Trial[], x: string, y: string): HeatMap {
  const values = (name: string) => [...new Set(trials.map(({ parameters }) => parameters[name]!))].filter(Number.isFinite).sort((a, b) => a - b);
  const best = new Map<string, Trial>();
  for (const trial of trials) {
    if (trial.objective === null || !trial.kept) continue;
    const key = `${trial.parameters[x]}/${trial.parameters[y]}`;
    const known = best.get(key);
    if (!known || trial.objective > known.objective! || (trial.objective === known.objective && trial.trial < known.trial)) best.set(key, trial);
  }
  const all = [...best.values()].map(({ objective }) => objective!);
  const least = all.reduce((a, b) => Math.min(a, b), Infinity);
  const most = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const xs = values(x);
  const ys = values(y).reverse();
  const cells = ys.map((row) => xs.map((column): HeatCell | null => {
    const trial = best.get(`${column}/${row}`);
    if (!trial) return null;
    const objective = trial.objective!;
    return { trial, objective, share: most > least ? (objective - least) / (most - least) : 1 };
  }));
  return { x, y, xs, ys, cells };
}

/** Which cell an arrow key leads to, from row and column; the nearest one within the map. */
export function step(key: string, row: number, column: number, rows: number, columns: number): [row: number, column: number] | null {
  const clamp = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
  switch (key) {
    case 'ArrowUp': return [clamp(row - 1, rows), column];
    case 'ArrowDown': return [clamp(row + 1, rows), column];
    case 'ArrowLeft': return [row, clamp(column - 1, columns)];
    case 'ArrowRight': return [row, clamp(column + 1, columns)];
    case 'Home': return [row, 0];
    case 'End': return [row, columns - 1];
    default: return null;
  }
}
