import { describe, expect, it } from 'vitest';
import { barAt, GrowingSeries, seconds } from '../src/series';

const series = (limit = 100) => new GrowingSeries<{ t: number; v: number }>(limit, ({ t }) => t);

describe('a growing series', () => {
  it('replaces the last, adds the later, leaves the earlier', () => {
    const list = series();
    list.reset([{ t: 1, v: 1 }, { t: 2, v: 2 }]);
    const { epoch } = list;
    expect(list.push({ t: 2, v: 3 })).toBe(true);
    expect(list.push({ t: 4, v: 4 })).toBe(true);
    expect(list.push({ t: 3, v: 5 })).toBe(false);
    expect(list.items).toEqual([{ t: 1, v: 1 }, { t: 2, v: 3 }, { t: 4, v: 4 }]);
    expect(list.epoch).toBe(epoch);
  });

  it('orders what it starts from, the later one of equal times wins', () => {
    const list = series();
    list.reset([{ t: 3, v: 1 }, { t: 1, v: 2 }, { t: 3, v: 3 }]);
    expect(list.items).toEqual([{ t: 1, v: 2 }, { t: 3, v: 3 }]);
  });

  it('refuses a time that is none', () => {
    const list = series();
    list.reset([{ t: 1, v: 1 }]);
    expect(list.push({ t: Number.NaN, v: 2 })).toBe(false);
  });

  it('is bounded, and says by a new epoch that it was cut', () => {
    const list = series(10);
    const { epoch } = list;
    for (let t = 0; t < 25; t++) {
      list.push({ t, v: t });
      expect(list.items.length).toBeLessThanOrEqual(11);
    }
    expect(list.last).toEqual({ t: 24, v: 24 });
    expect(list.items.map(({ t }) => t)).toEqual(list.items.map((_, index) => 25 - list.items.length + index));
    expect(list.epoch).toBeGreaterThan(epoch);
  });
});

describe('the bar of a time', () => {
  const bar = (time: string) => ({ time, open: 1, high: 1, low: 1, close: 1, volume: 0 });
  const bars = ['2026-01-05T10:00:00Z', '2026-01-05T10:01:00Z', '2026-01-05T10:03:00Z'].map(bar);

  it.each([
    ['2026-01-05T09:59:59Z', -1],
    ['2026-01-05T10:00:00Z', 0],
    ['2026-01-05T10:00:59Z', 0],
    ['2026-01-05T10:02:30Z', 1],
    ['2026-01-06T00:00:00Z', 2],
  ])('%s is in bar %d', (time, index) => {
    expect(barAt(bars, seconds(time))).toBe(index);
  });

  it('is none where there are none', () => {
    expect(barAt([], 0)).toBe(-1);
  });
});
