import { describe, expect, it } from 'vitest';
import type { LimitStep, NewOrder, OrderFigures, OrderPreview, Position } from '../src/contract';
import { useLocale } from '../src/format';
import { bollingerBands, exponentialAverage, simpleAverage } from '../src/indicators';
import { closing, figuresOf, verdictText } from '../src/pretrade';

useLocale('en-US');

const order: NewOrder = { symbol: 'EURUSD', side: 'Sell', type: 'Market', volume: 15_000 };
const figures = (limits: LimitStep[] = []): OrderFigures => ({
  quoteTime: '2026-01-05T10:00:00Z', bid: 1.1, ask: 1.1001, spread: 0.0001, price: 1.10012, notional: 44_004, commission: 1.28, marginNeeded: 1466.8,
  freeMargin: 9633.3, limits,
});
const preview = (parts: Partial<OrderPreview> = {}): OrderPreview => ({
  verdict: 'Accepted', volume: 15_000, reason: null, detail: null, repeated: false, time: '2026-01-05T10:00:00Z', figures: figures(), ...parts,
});
const long = (volume: number): Position =>
  ({ id: 'EURUSD', symbol: 'EURUSD', owner: '', volume, averageEntry: 1, mark: 1, openResult: 0, opened: '' });

describe('the verdict of risk', () => {
  it.each<[Partial<OrderPreview>, string]>([
    [{}, 'Risk would let it through.'],
    [{ verdict: 'Cut', volume: 10_000, reason: 'Reducing', detail: 'the account only reduces (LossLimit)' },
      'Risk would let 10,000 of 15,000 through, as that only reduces. Reducing: the account only reduces (LossLimit).'],
    [{ verdict: 'Denied', volume: 0, reason: 'InsufficientMargin', detail: 'margin needed is 2; free is 1' },
      'Risk would deny it. Insufficient margin: margin needed is 2; free is 1.'],
  ])('is told in words', (parts, text) => expect(verdictText(preview(parts), order, true)).toBe(text));

  it('says of what goes that its market is closed', () => {
    expect(verdictText(preview(), order, false)).toBe('Risk would let it through. The market of EURUSD is closed: it waits for the next quote.');
    expect(verdictText(preview({ verdict: 'Denied', volume: 0, reason: 'Halted', detail: 'halted' }), order, false))
      .toBe('Risk would deny it. Halted: halted.');
  });

  it('comes with what the order comes to, and the limit that it fills the most', () => {
    const limits = [
      { limit: 'maxOpenPositions', before: 1, after: 1, most: 3 }, { limit: 'maxExposurePercent', before: 11_001, after: 55_005, most: 50_000 },
      { limit: 'priceCollarPercent', before: 0, after: 1.5, most: 10 },
    ];
    expect(figuresOf(preview({ figures: figures(limits) }), 'USD', 5)).toEqual([
      ['Expected price', '1.10012'], ['Spread', '0.00010'], ['Notional', '44,004.00 USD'], ['Commission', '1.28 USD'],
      ['Margin needed', '1,466.80 USD'], ['Free margin', '9,633.30 USD'], ['Exposure (of equity)', '11,001.00 → 55,005.00 of 50,000.00 USD'],
    ]);
    expect(figuresOf(preview({ figures: figures(limits.slice(2)) }), 'USD', 5).at(-1)).toEqual(['Away from the market', '1.5\u00a0% of 10.0\u00a0%']);
    expect(figuresOf(preview({ figures: figures(limits.slice(0, 1)) }), 'USD', 5).at(-1)).toEqual(['Open positions', '1 → 1 of 3']);
    expect(figuresOf(preview({ figures: null }), 'USD', 5)).toEqual([]);
  });
});

it('a position is closed by an order that can only reduce; in a hedging account by its id', () => {
  expect(closing(long(5), 5, 'Netting')).toEqual({ symbol: 'EURUSD', side: 'Sell', type: 'Market', volume: 5, reduceOnly: true });
  expect(closing({ ...long(-5), id: 'p1' }, 2, 'Hedging')).toMatchObject({ side: 'Buy', volume: 2, positionId: 'p1' });
});

describe('the lines over the candles', () => {
  const closes = [1, 2, 3, 4, 10];

  it('begin when there are bars enough', () => {
    expect(simpleAverage(closes, 3)).toEqual([null, null, 2, 3, 17 / 3]);
    expect(exponentialAverage(closes, 3)).toEqual([null, null, 2, 3, 6.5]);
    expect(simpleAverage([], 3)).toEqual([]);
  });

  it('have bands of the deviation of the population', () => {
    const { upper, middle, lower } = bollingerBands([2, 4, 4, 4, 5, 5, 7, 9], 8, 2);
    expect([upper.at(-1), middle.at(-1), lower.at(-1), upper[6]]).toEqual([9, 5, 1, null]);
  });
});
