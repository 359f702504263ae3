import type { Bar } from './contract';

/** Lines over the candles, from the closes of the bars that are shown; null until there are bars enough. */
export type Line = (number | null)[];

export function simpleAverage(closes: readonly number[], length: number): Line {
  let sum = 0;
  return closes.map((close, index) => {
    sum += close - (index >= length ? closes[index - length]! : 0);
    return index >= length - 1 ? sum / length : null;
  });
}

/** Begins with the simple average of the first bars. */
export function exponentialAverage(closes: readonly number[], length: number): Line {
  const weight = 2 / (length + 1);
  let average = 0;
  return closes.map((close, index) => {
    if (index < length) average += close / length;
    else average += weight * (close - average);
    return index >= length - 1 ? average : null;
  });
}

/** The simple average and `width` standard deviations (of the population) above and below it. */
export function bollingerBands(closes: readonly number[], length: number, width: number): { upper: Line; middle: Line; lower: Line } {
  const middle = simpleAverage(closes, length);
  const deviation = middle.map((mean, index) => {
    if (mean === null) return null;
    const window = closes.slice(index - length + 1, index + 1);
    return Math.sqrt(window.reduce((sum, close) => sum + (close - mean) ** 2, 0) / length);
  });
  const band = (sign: number): Line => middle.map((mean, index) => (mean === null ? null : mean + sign * width * deviation[index]!));
  return { upper: band(1), middle, lower: band(-1) };
}

export interface Indicator {
  name: string;
  text: string;
  /** How many lines it draws. */
  lines: number;
  of: (bars: readonly Bar[]) => Line[];
}

const closes = (bars: readonly Bar[]) => bars.map(({ close }) => close);

export const indicators: readonly Indicator[] = [
  { name: 'sma20', text: 'SMA 20', lines: 1, of: (bars) => [simpleAverage(closes(bars), 20)] },
  { name: 'sma50', text: 'SMA 50', lines: 1, of: (bars) => [simpleAverage(closes(bars), 50)] },
  { name: 'ema20', text: 'EMA 20', lines: 1, of: (bars) => [exponentialAverage(closes(bars), 20)] },
  {
    name: 'bb20', text: 'BB 20',
    lines: 2,
    of: (bars) => {
      const { upper, lower } = bollingerBands(closes(bars), 20, 2);
      return [upper, lower];
    },
  },
];
