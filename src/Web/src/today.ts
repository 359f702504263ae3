import type { Account, EquityPoint } from './contract';

/** Midnight UTC before a time, in ms since 1970. */
export function dayStart(now: number): number {
  return Math.floor(now / 86_400_000) * 86_400_000;
}

/**
 * What an account has won or lost since midnight UTC. Where the account itself says what its day began with, that counts, as it leaves payments out;
 * else the last equity recorded before midnight, or the first after it. Null where neither is known.
 */
export function resultToday({ equity, dayStartEquity }: Account, points: readonly EquityPoint[], midnight: number): number | null {
  if (dayStartEquity !== undefined) return equity - dayStartEquity;
  const before = points.findLast(({ time }) => Date.parse(time) <= midnight);
  const first = before ?? points[0];
  return first ? equity - first.equity : null;
}

/** Sums by currency, in the order in which the currencies come. */
export function byCurrency<T extends { currency: string }>(
  items: readonly T[], value: (item: T) => number | null,
): { currency: string; sum: number | null }[] {
  const sums = new Map<string, number | null>();
  for (const item of items) {
    const sum = sums.has(item.currency) ? sums.get(item.currency)! : 0;
    const one = value(item);
    // One that is not known leaves the whole unknown.
    sums.set(item.currency, sum === null || one === null ? null : sum + one);
  }
  return [...sums].map(([currency, sum]) => ({ currency, sum }));
}
