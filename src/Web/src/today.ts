import type { Account } from './contract';

/**
 * What an account has won or lost on its trading day, without what was paid in or out. Null where its figures are of a day that has ended: then
 * it has to be asked again.
 */
export function resultToday({ dayResult, dayEnds }: Account, now: number): number | null {
  return now < Date.parse(dayEnds) ? dayResult : null;
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
