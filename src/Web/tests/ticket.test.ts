import { describe, expect, it } from 'vitest';
import type { Instrument, Quote } from '../src/contract';
import { numberFault } from '../src/numbers';
import { faultsOf, isMultiple, toOrder, type Draft } from '../src/ticket';

const instrument: Instrument = {
  symbol: 'EURUSD', name: '', assetClass: 'Forex', baseCurrency: 'EUR', quoteCurrency: 'USD', digits: 5, tickSize: 0.00001, pipSize: 0.0001,
  contractSize: 100_000, volumeStep: 1000, minVolume: 1000, maxVolume: 10_000_000, open: true, dataTimeFrame: 'tick', simulated: true,
};

const quote: Quote = { symbol: 'EURUSD', position: 1, time: '', bid: 1.08, ask: 1.0801, simulated: true };

const draft = (changes: Partial<Draft> = {}): Draft => ({
  side: 'Buy', type: 'Market', volume: 10_000, limitPrice: undefined, stopPrice: undefined, trailDistance: undefined, stopLoss: undefined,
  takeProfit: undefined, timeInForce: 'Gtc', reduceOnly: false, ...changes,
});

const faulty = (changes: Partial<Draft>) => Object.keys(faultsOf(draft(changes), instrument, quote));

describe('faults of a ticket', () => {
  it('are none for a plain market order', () => {
    expect(faulty({})).toEqual([]);
  });

  it.each([undefined, 0, -1, 999, 10_000_001, 1500])('are found in a volume of %s', (volume) => {
    expect(faulty({ volume })).toEqual(['volume']);
  });

  it('ask for the prices of the type', () => {
    expect(faulty({ type: 'Limit' })).toEqual(['limitPrice']);
    expect(faulty({ type: 'StopLimit' }).sort()).toEqual(['limitPrice', 'stopPrice']);
    expect(faulty({ type: 'TrailingStop' })).toEqual(['trailDistance']);
    expect(faulty({ type: 'StopLimit', stopPrice: 1.09, limitPrice: 1.0901 })).toEqual([]);
  });

  it('are found in prices with more decimals than the instrument has', () => {
    expect(faulty({ type: 'Limit', limitPrice: 1.080001 })).toEqual(['limitPrice']);
    expect(faulty({ type: 'Limit', limitPrice: 1.08001 })).toEqual([]);
  });

  it('are found in a stop loss or take profit on the wrong side', () => {
    expect(faulty({ stopLoss: 1.09 })).toEqual(['stopLoss']);
    expect(faulty({ takeProfit: 1.07 })).toEqual(['takeProfit']);
    expect(faulty({ side: 'Sell', stopLoss: 1.09, takeProfit: 1.07 })).toEqual([]);
    expect(faulty({ type: 'Limit', limitPrice: 1.05, stopLoss: 1.06 })).toEqual(['stopLoss']);
  });
});

describe('the order of a ticket', () => {
  it('holds only what its type uses', () => {
    const market = draft({ limitPrice: 1.2, timeInForce: 'Day' });
    expect(toOrder(market, 'EURUSD')).toEqual({ symbol: 'EURUSD', side: 'Buy', type: 'Market', volume: 10_000 });
    const limit = draft({ type: 'Limit', limitPrice: 1.05, stopPrice: 9, stopLoss: 1.04, reduceOnly: true, timeInForce: 'Day' });
    expect(toOrder(limit, 'EURUSD')).toEqual({
      symbol: 'EURUSD', side: 'Buy', type: 'Limit', volume: 10_000, limitPrice: 1.05, stopLoss: 1.04, reduceOnly: true, timeInForce: 'Day',
    });
  });
});

it.each([[0.3, 0.1, true], [1.08001, 0.00001, true], [1.080015, 0.00001, false], [0.07, 0.01, true], [1500, 1000, false], [5, 0, true]])(
  '%d in steps of %d: %s',
  (value, step, expected) => {
    expect(isMultiple(value, step)).toBe(expected);
  },
);

describe('number fields', () => {
  it.each([
    ['', {}, ''],
    ['', { required: true }, 'A number is needed.'],
    ['abc', {}, 'Not a number.'],
    ['1.5', { whole: true }, 'A whole number is needed.'],
    ['0', { minimum: 0, above: true }, 'Must be above 0.'],
    ['0', { minimum: 0 }, ''],
    ['1001', { minimum: 1, maximum: 1000 }, 'Must be from 1 to 1000.'],
    ['1000', { minimum: 1, maximum: 1000 }, ''],
    ['11', { maximum: 10 }, 'Must be at most 10.'],
  ])('%j within %j: %j', (text, range, fault) => {
    expect(numberFault(text, range)).toBe(fault);
  });
});
