import { numberFault } from './numbers';

/** What the name of a file says of the data in it, and what has to be asked for. */

export interface DataName {
  /** Empty where the name does not say it. */
  symbol: string;
  timeFrame: string;
}

export const dataTimeFrames = ['tick', 'S1', 'S5', 'S15', 'S30', 'M1', 'M5', 'M15', 'M30', 'H1', 'H4', 'D1', 'W1', 'MN1'] as const;

const timeFrame = /^(tick|[SMHDW]\d{1,2}|MN1)$/i;

/** `EURUSD_H1_202001020000_202412312300.csv` and `gbpusd_h1.zip` name both; `prices.csv` neither. */
export function readName(file: string): DataName {
  const parts = file.replace(/\.(csv|txt|zip|gz)$/i, '').split(/[_\s-]+/);
  const at = parts.findIndex((part, index) => index > 0 && timeFrame.test(part));
  const first = parts[0] ?? '';
  // Only beside a time frame: a word alone can be anything.
  if (at < 1 || !/^[A-Za-z][A-Za-z0-9.#]{2,19}$/.test(first)) return { symbol: '', timeFrame: '' };
  const frame = parts[at]!;
  return { symbol: first.toUpperCase(), timeFrame: frame.toLowerCase() === 'tick' ? 'tick' : frame.toUpperCase() };
}

/** What can be seen of a file before it is sent; empty when nothing is wrong. */
export function fileFault({ name, size }: { name: string; size: number }, most: number): string {
  if (!/\.(csv|txt|zip)$/i.test(name)) return 'Neither a CSV file nor a zip of one.';
  if (size === 0) return 'The file is empty.';
  return size > most ? `The file has ${bytes(size)}; at most ${bytes(most)}.` : '';
}

/** What an upload may have at most when the service does not say otherwise. */
export const mostBytes = 256 * 1024 * 1024;

export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : Number(value.toPrecision(3))} ${units[unit]}`;
}

export interface UploadFields {
  symbol: string;
  timeFrame: string;
  timeZone: string;
  spreadPoints: string;
}

export function uploadFaults({ symbol, timeFrame: frame, timeZone, spreadPoints }: UploadFields): Partial<Record<keyof UploadFields, string>> {
  const faults: Partial<Record<keyof UploadFields, string>> = {};
  if (symbol.trim() !== '' && !/^[A-Za-z0-9._#/-]{1,32}$/.test(symbol.trim())) faults.symbol = 'Letters and digits, at most 32.';
  if (frame !== '' && !timeFrame.test(frame)) faults.timeFrame = 'tick, or M1, H1, D1 and the like.';
  if (timeZone.trim() !== '' && !isZone(timeZone.trim())) faults.timeZone = 'A time zone such as Europe/Athens or UTC.';
  const spread = numberFault(spreadPoints, { minimum: 0, maximum: 1_000_000 });
  if (spread !== '') faults.spreadPoints = spread;
  return faults;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
