import { describe, expect, it } from 'vitest';
import type { Account, Instrument, NewOrder, Position, Quote, RiskLimits } from '../src/contract';
import { useLocale } from '../src/format';
import { bollingerBands, exponentialAverage, simpleAverage } from '../src/indicators';
import { closing, previewOf } from '../src/pretrade';

useLocale('en-US');

const instrument: Instrument = {
  symbol: 'EURUSD', name: '', assetClass: 'Fx', baseCurrency: 'EUR', quoteCurrency: 'USD', digits: 5, tickSize: 0.00001, pipSize: 0.0001,
  contractSize: 100_000,
  volumeStep: 1000, minVolume: 1000, maxVolume: 1e8, open: true, dataTimeFrame: 'tick', simulated: false,
};
const quote: Quote = { symbol: 'EURUSD', position: 1, time: '', bid: 1.1, ask: 1.1002, simulated: false };
const limits: RiskLimits = {
  maxOrderVolume: 50_000, minOrderNotional: null, maxOrderNotional: 44_000, priceCollarPercent: 10, maxExposure: null, maxExposurePercent: 2000,
  maxInstrumentExposure: null, maxOpenPositions: 1, maxInstrumentPositions: null, maxWorkingOrders: 1, maxInstrumentWorkingOrders: null,
  submitRate: null, modifyRate: null,
  lossLimits: [], maxDrawdownPercent: null, drawdownAction: 'StopTrading', allowedInstruments: [],
};
const account = (parts: Partial<Account> = {}): Account => ({
  name: 'main', key: '', currency: 'USD', mode: 'Netting', state: 'Active', stateReason: 'None', tenantHalted: false, balance: 0, equity: 0,
  usedMargin: 0, freeMargin: 0,
  realised: 0, commissions: 0, swaps: 0, deposits: 0, time: '', version: 1, positions: [], workingOrders: [], follows: {}, limits, ...parts,
});
const long = (volume: number, owner = '', symbol = 'EURUSD'): Position =>
  ({ id: `${symbol}/${owner}`, symbol, owner, volume, averageEntry: 1, mark: 1, openResult: 0, opened: '' });
const order = (parts: Partial<NewOrder> = {}): NewOrder => ({ symbol: 'EURUSD', side: 'Buy', type: 'Market', volume: 10_000, ...parts });
const verdict = (one: NewOrder, of = account(), at: Quote | undefined = quote) => previewOf(one, of, instrument, at);

describe('what risk will say', () => {
  it('is nothing against an order within the limits, with its notional', () =>
    expect(verdict(order())).toEqual({ verdict: 'goes', texts: ['Nothing is against it. Notional 11,002.00 USD.'] }));

  it.each<[string, NewOrder, Partial<Account>, string]>([
    ['a halted account', order(), { state: 'Halted' }, 'The account is halted: only what reduces goes.'],
    ['a halted tenant', order(), { tenantHalted: true }, 'The tenant is halted: only what reduces goes.'],
    ['too much', order({ volume: 60_000 }), { limits: { ...limits, maxOrderNotional: null } }, 'An order has at most 50,000.'],
    ['too much money', order({ volume: 45_000 }), {}, '49,509.00 USD of notional; at most 44,000.00.'],
    ['a price far away', order({ type: 'Limit', limitPrice: 0.5, volume: 1000 }), {}, '54.6\u00a0% away from the market; at most 10.0\u00a0%.'],
    ['another instrument', order(), { limits: { ...limits, allowedInstruments: ['GBPUSD'] } },
      'EURUSD is not among the instruments of this account.'],
    ['one position more', order(), { positions: [long(1, '', 'GBPUSD')] }, '1 positions are open; at most 1.'],
    ['exposure', order(), { limitUse: [{ limit: 'maxExposurePercent', used: 90_000, most: 100_000 }] },
      'Exposure would be 101,002.00 USD; at most 100,000.00.'],
    ['nothing to reduce', order({ reduceOnly: true }), {}, 'There is nothing to reduce.'],
  ])('is against %s', (_, one, parts, text) => expect(verdict(one, account(parts))).toEqual({ verdict: 'denied', texts: [text] }));

  it('is against what has no price, or a closed market', () => {
    expect(previewOf(order(), account(), instrument, undefined).verdict).toBe('denied');
    expect(previewOf(order(), account(), { ...instrument, open: false }, quote).verdict).toBe('denied');
  });

  it('is never against what only reduces, whatever else holds', () => {
    const halted = account({ state: 'Halted', positions: [long(20_000)] });
    expect(verdict(order({ side: 'Sell' }), halted)).toEqual({ verdict: 'reduces', texts: ['It only reduces, to 10,000: risk lets it through.'] });
    expect(verdict(order({ side: 'Sell', volume: 20_000 }), halted).texts).toEqual(['It closes what is held: risk lets it through.']);
    expect(verdict(order({ side: 'Sell', volume: 30_000 }), halted).verdict).toBe('denied');
    expect(verdict(order({ side: 'Buy' }), halted).verdict).toBe('denied');
    const hedging = account({ ...halted, mode: 'Hedging' });
    expect(verdict(order({ side: 'Sell' }), hedging).verdict).toBe('denied');
    expect(verdict(order({ side: 'Sell', reduceOnly: true }), hedging).verdict).toBe('reduces');
  });

  it('leaves a notional that needs a rate untold', () =>
    expect(verdict(order(), account({ currency: 'CHF' })).texts).toEqual(['Nothing is against it.']));
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
