/** Numbers and times as the reader's locale writes them. Formatters are made once: they are slow to make. */

const numberFormats = new Map<string, Intl.NumberFormat>();
const dateFormats = new Map<string, Intl.DateTimeFormat>();

export type Zone = 'utc' | 'local';

let locale: string | undefined;

/** For tests; `undefined` is the browser's own. */
export function useLocale(name: string | undefined): void {
  locale = name;
  numberFormats.clear();
  dateFormats.clear();
}

function decimals(minimum: number, maximum: number, sign: boolean): Intl.NumberFormat {
  const key = `${minimum}/${maximum}/${sign}`;
  let format = numberFormats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      minimumFractionDigits: minimum,
      maximumFractionDigits: maximum,
      signDisplay: sign ? 'exceptZero' : 'negative',
    });
    numberFormats.set(key, format);
  }
  return format;
}

function dates(name: string, zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name}/${zone}`;
  let format = dateFormats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...options, ...(zone === 'utc' ? { timeZone: 'UTC' } : {}) });
    dateFormats.set(key, format);
  }
  return format;
}

export const noValue = '–';

/** A price with all the digits of its instrument: 1.1 with 5 digits is 1.10000. */
export function price(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? noValue : decimals(digits, digits, false).format(value);
}

export function money(value: number): string {
  return decimals(2, 2, false).format(value);
}

/** A profit or loss: with its sign, also when positive. */
export function result(value: number): string {
  return decimals(2, 2, true).format(value);
}

export function volume(value: number): string {
  return decimals(0, 8, false).format(value);
}

/** An indicator's value, to the digits that its size deserves. */
export function reading(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return noValue;
  const magnitude = Math.abs(value);
  return decimals(0, magnitude >= 1000 ? 2 : magnitude >= 1 ? 5 : 8, false).format(value);
}

/** (ask - bid) in pips, to a tenth; computed in points so that 0.00012 is 1.2 and not 1.1999. */
export function spreadInPips(bid: number, ask: number, digits: number, pipSize: number): number {
  const scale = 10 ** digits;
  const points = Math.round(ask * scale) - Math.round(bid * scale);
  const pip = Math.round(pipSize * scale);
  return pip > 0 ? Math.round((points / pip) * 10) / 10 : points;
}

export function pips(value: number): string {
  return decimals(1, 1, false).format(value);
}

/** Hours, minutes and seconds. */
export function clock(time: string | number | Date, zone: Zone): string {
  return dates('clock', zone, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(new Date(time));
}

/** A moment, the same everywhere: month, day and time to the second; the year only where it is not this one. */
export function moment(time: string | number | Date, zone: Zone, now: number = Date.now()): string {
  const date = new Date(time);
  const thisYear = date.getUTCFullYear() === new Date(now).getUTCFullYear();
  return dates(thisYear ? 'moment' : 'year', zone, {
    ...(thisYear ? {} : { year: 'numeric' }),
    month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  }).format(date);
}

export function hourAndMinute(time: string | number | Date, zone: Zone): string {
  return dates('minute', zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(time));
}

export function day(time: string | number | Date, zone: Zone): string {
  return dates('day', zone, { day: 'numeric', month: 'short' }).format(new Date(time));
}

/** A day with its year, UTC: what past data and periods are told in. */
export function date(time: string | number | Date): string {
  return dates('date', 'utc', { year: 'numeric', month: 'short', day: '2-digit' }).format(new Date(time));
}

/** A share as a percentage: 0.1234 is 12.3 %. */
export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined || !Number.isFinite(share) ? noValue : `${decimals(digits, digits, false).format(share * 100)}\u00a0%`;
}

/** A ratio, or nothing where it is not defined. */
export function ratio(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? noValue : decimals(2, 2, false).format(value);
}

export function month(time: string | number | Date, zone: Zone): string {
  return dates('month', zone, { month: 'short', year: 'numeric' }).format(new Date(time));
}

export function zoneName(zone: Zone): string {
  return zone === 'utc' ? 'UTC' : 'Local';
}

/** An age, in the largest unit that fits: 8s, 3m, 2h, 5d. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** The last part of a key such as `local/main`; a name stays itself. */
export function keyName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** `InsufficientMargin` as words: "insufficient margin". */
export function words(code: string): string {
  return code.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
