import type { Bar, EquityPoint } from './contract';

/**
 * A list that grows at its end. Who draws it remembers `epoch` and how much it drew: within an epoch only the last element changes and
 * elements are added; a new epoch means draw all again.
 */
export class GrowingSeries<T> {
  readonly #limit: number;
  readonly #time: (item: T) => number;
  #items: T[] = [];
  #epoch = 0;

  constructor(limit: number, time: (item: T) => number) {
    this.#limit = limit;
    this.#time = time;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get last(): T | undefined {
    return this.#items.at(-1);
  }

  /** Starts again; of equal times the later one stays, and what is out of order is put in order. */
  reset(items: readonly T[]): void {
    const byTime = new Map(items.map((item) => [this.#time(item), item]));
    this.#items = [...byTime.entries()].sort(([a], [b]) => a - b).map(([, item]) => item).slice(-this.#limit);
    this.#epoch++;
  }

  /** Replaces the last element when the time is the same, adds when it is later. */
  push(item: T): boolean {
    const last = this.last;
    const order = last === undefined ? 1 : this.#time(item) - this.#time(last);
    if (!(order >= 0)) return false;
    if (order === 0) this.#items[this.#items.length - 1] = item;
    else this.#items.push(item);
    // A tenth more than the limit, so that cutting (and drawing all again) is rare.
    if (this.#items.length > this.#limit * 1.1) {
      this.#items = this.#items.slice(-this.#limit);
      this.#epoch++;
    }
    return true;
  }
}

/** Whole seconds since 1970, as the charts count time. */
export function seconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000);
}

export const barSeries = () => new GrowingSeries<Bar>(5000, (bar) => seconds(bar.time));

export const equitySeries = () => new GrowingSeries<EquityPoint>(20_000, (point) => seconds(point.time));

/** The index of the last bar that began at or before `time`; -1 when all began later. */
export function barAt(bars: readonly Bar[], time: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (seconds(bars[middle]!.time) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Points of a chart: whole seconds since 1970, each once with its last value, in order. */
export function curvePoints(points: readonly (readonly [timeMs: number, value: number])[]): { time: number; value: number }[] {
  const bySecond = new Map(points.map(([time, value]) => [Math.floor(time / 1000), value]));
  return [...bySecond].sort(([a], [b]) => a - b).map(([time, value]) => ({ time, value }));
}
