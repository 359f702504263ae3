import { describe, expect, it } from 'vitest';
import type { DataSet, Instrument, ParameterDefinition, RunInput, SearchInput, Strategy, Trial } from '../src/contract';
import {
  faultsOf, formField, fromRequest, fromStrategy, newDraft, offeredData, parametersOf, parseVary, strategyText, suggestedCurrency, suggestedData, suggestedRunName, suggestedTimeFrame,
  suggestedUnits, suggestedVary, toRequest, trialsOf, valuesOf, type RunDraft,
} from '../src/runs';

const dataSet = (id: string, changes: Partial<DataSet> = {}): DataSet => ({
  id, name: `${id}.csv`, symbol: 'EURUSD', timeFrame: 'H1', from: '2020-01-01T00:00:00Z', to: '2024-12-31T00:00:00Z', count: 100, bytes: 1, source: 'upload',
  addedAt: '2026-01-01T00:00:00Z', dropped: 0, ...changes,
});

const draft = (changes: Partial<RunDraft> = {}): RunDraft => ({ ...newDraft('sma-cross'), dataSets: ['a'], parameters: { fast: 20, slow: 50 }, ...changes });

const parameter = (name: string, value: number, minimum: number, maximum: number, whole = true): ParameterDefinition =>
  ({ name, description: '', default: value, minimum, maximum, whole });

const trial: Trial = {
  trial: 7, parameters: { fast: 10 }, objective: 1, kept: true,
  statistics: { finalEquity: 1, netProfit: 1, netReturn: 0, maxDrawdown: 0, closedTrades: 1, wonTrades: 1, profitFactor: null, sharpeDaily: 1 },
};

describe('what the API is asked for', () => {
  it('is the strategy with its parameters, the data and the defaults that are written out', () => {
    expect(toRequest(draft())).toEqual({
      collection: 'backtests',
      body: {
        dataSets: ['a'], strategies: [{ definition: 'sma-cross', parameters: { fast: 20, slow: 50 } }],
        account: { currency: 'USD', deposit: 100_000, mode: 'netting', stopOutPercent: 50 }, costs: { fill: 'nextOpen', seed: 1 },
      },
    });
  });

  it('is a rule in place of a definition, never both', () => {
    const [strategy] = toRequest(draft({ definition: '', rule: 'enter long when close > 1;' })).body.strategies;
    expect(strategy).toEqual({ rule: 'enter long when close > 1;', parameters: { fast: 20, slow: 50 } });
  });

  it('has the period from the begin of the first day to the end of the last', () => {
    const { body } = toRequest(draft({ from: '2024-02-28', to: '2024-02-29' }));
    expect([body.from, body.to]).toEqual(['2024-02-28T00:00:00.000Z', '2024-03-01T00:00:00.000Z']);
  });

  it('leaves out what is left open', () => {
    const { body } = toRequest(draft({ account: { deposit: 5, leverage: null }, costs: { seed: null }, riskFreePercent: 0 }));
    expect(body.account).toEqual({ deposit: 5 });
    expect(body).not.toHaveProperty('costs');
    expect(body.riskFreePercent).toBe(0);
  });

  it('never stops out where that is said, which is not the same as leaving it open', () => {
    expect(toRequest(draft({ account: { deposit: 5, stopOutPercent: null } })).body.account).toEqual({ deposit: 5, stopOutPercent: null });
  });

  it('does not set what it varies', () => {
    const { collection, body } = toRequest(draft({ kind: 'optimisation', vary: { fast: { from: 5, to: 50, step: 5 } }, randomTrials: 20, minTrades: 30 }));
    expect(collection).toBe('optimisations');
    expect(body.strategies[0]!.parameters).toEqual({ slow: 50 });
    expect(body).toMatchObject({ vary: { fast: '5..50/5' }, search: 'random:20', objective: 'sharpe-daily', constraints: { minTrades: 30 } });
    expect(body).not.toHaveProperty('walkForward');
  });

  it('has the windows of a walk-forward only where one is meant', () => {
    const { body } = toRequest(draft({ kind: 'walkForward', vary: { fast: { from: 1, to: 2, step: undefined } }, windows: 12, anchored: true }));
    expect(body).toMatchObject({ vary: { fast: '1..2' }, search: 'grid', walkForward: { windows: 12, anchored: true } });
  });
});

describe('a former request in the form', () => {
  const request: RunInput = {
    name: 'mine', dataSets: ['a', 'b'], timeFrame: 'M5', from: '2024-01-01T00:00:00Z', to: '2024-07-01T00:00:00Z',
    strategies: [{ name: 'a', rule: 'enter long when close > 1;', parameters: { fast: 3 }, symbol: 'EURUSD' }, { definition: 'sma-cross' }],
    account: { deposit: 5000, currency: 'EUR' }, costs: { commissionPerLot: 3 }, limits: { maxOrderVolume: 1 }, riskFreePercent: 2,
  };

  it('asks for the same again', () => {
    expect(toRequest(fromRequest(request)).body).toEqual({ ...request, from: '2024-01-01T00:00:00.000Z', to: '2024-07-01T00:00:00.000Z' });
    expect(fromRequest(request).to).toBe('2024-06-30');
  });

  it('of a search asks for the same search', () => {
    const { strategies, ...rest } = request;
    const search: SearchInput = {
      ...rest, strategies: [{ ...strategies[0]!, parameters: { slow: 90 } }], from: null, to: null, vary: { fast: '5..50/5', width: '1,2,3', own: '' }, search: 'random:50', searchSeed: 9,
      objective: 'calmar', constraints: { minTrades: 10, maxDrawdownPercent: 25 }, walkForward: { windows: 4, ratio: 2, anchored: true, warmUpBars: 900, seed: 3 },
    };
    const again = toRequest(fromRequest(search));
    const { from: _from, to: _to, ...expected } = search;
    expect(again).toEqual({ collection: 'optimisations', body: expected });
    expect(fromRequest(search).kind).toBe('walkForward');
    expect(fromRequest({ ...search, walkForward: null }).kind).toBe('optimisation');
  });

  it('of a trial is a back-test with exactly its settings', () => {
    const search: SearchInput = { ...request, strategies: [{ definition: 'sma-cross', parameters: { slow: 50 } }], vary: { fast: '5..50/5' } };
    const { kind, parameters, vary, name } = fromRequest(search, trial);
    expect({ kind, parameters, vary, name }).toEqual({ kind: 'backtest', parameters: { slow: 50, fast: 10 }, vary: {}, name: 'mine, trial 7' });
  });
});

describe('ranges', () => {
  it.each([
    ['5..50/5', { from: 5, to: 50, step: 5 }], ['1..3', { from: 1, to: 3, step: undefined }], ['-1..1/.5', { from: -1, to: 1, step: 0.5 }],
    ['5,10,20', { from: undefined, to: undefined, step: undefined, list: '5,10,20' }], ['', { from: undefined, to: undefined, step: undefined, list: '' }],
  ])('%j', (text, expected) => expect(parseVary(text)).toEqual(expected));

  it.each([[{ from: 5, to: 50, step: 5 }, 10], [{ from: 0.1, to: 0.3, step: 0.1 }, 3], [{ from: 1, to: 4, step: undefined }, 4], [{ from: 5, to: 1, step: 1 }, 0],
    [{ from: 1, to: 2, step: 0 }, 0], [{ from: undefined, to: 2, step: 1 }, 0]])('%j has %d values', (vary, count) => expect(valuesOf(vary)).toBe(count));

  it('multiply to the trials of a grid, of which a random search takes some', () => {
    const vary = { fast: { from: 5, to: 50, step: 5 }, slow: { from: 60, to: 200, step: 20 } };
    expect(trialsOf(draft({ kind: 'optimisation', vary }))).toBe(80);
    expect(trialsOf(draft({ kind: 'optimisation', vary, randomTrials: 30 }))).toBe(30);
    expect(trialsOf(draft({ kind: 'optimisation', vary, randomTrials: 300 }))).toBe(80);
    expect(trialsOf(draft({ kind: 'optimisation' }))).toBe(0);
  });

  it.each([
    parameter('fast', 20, 1, 1000), parameter('slow', 50, 2, 5000), parameter('width', 2, 0.1, 10, false), parameter('stop', 0, 0, 100, false),
    parameter('level', 70, 51, 99, false), parameter('one', 1, 1, 1), parameter('below', -5, -10, 10),
  ])('the suggested one lies inside the bounds and has several values: %j', (definition) => {
    const vary = suggestedVary(definition);
    expect(vary.from).toBeGreaterThanOrEqual(definition.minimum);
    expect(vary.to).toBeLessThanOrEqual(definition.maximum);
    expect(vary.from).toBeLessThanOrEqual(vary.to!);
    expect(vary.step).toBeGreaterThan(0);
    if (definition.whole) expect([vary.from, vary.to, vary.step].every(Number.isInteger)).toBe(true);
    expect(valuesOf(vary)).toBeLessThanOrEqual(30);
    if (definition.maximum > definition.minimum) expect(valuesOf(vary)).toBeGreaterThan(1);
  });
});

describe('faults of the form', () => {
  const fast = parameter('fast', 20, 1, 1000);
  const faulty = (changes: Partial<RunDraft>) => Object.keys(faultsOf(draft(changes), [fast]));

  it('are none as it opens', () => expect(faulty({})).toEqual([]));

  it.each<[Partial<RunDraft>, string]>([
    [{ dataSets: [] }, 'dataSets'], [{ dataSets: Array.from({ length: 21 }, String) }, 'dataSets'], [{ definition: '' }, 'strategy'],
    [{ from: '2024-02-01', to: '2024-01-31' }, 'to'], [{ kind: 'optimisation' }, 'vary'],
    [{ kind: 'optimisation', vary: { fast: { from: undefined, to: 5, step: 1 } } }, 'vary.fast'],
    [{ kind: 'optimisation', vary: { fast: { from: 9, to: 5, step: 1 } } }, 'vary.fast'],
    [{ kind: 'optimisation', vary: { fast: { from: 0, to: 5, step: 1 } } }, 'vary.fast'],
    [{ kind: 'walkForward', vary: { fast: { from: 1, to: 5, step: 0 } } }, 'vary.fast'],
    [{ kind: 'walkForward', vary: { fast: { from: 1, to: 5, step: 1 } }, others: [{ definition: 'sma-cross' }] }, 'strategy'],
  ])('%j', (changes, field) => expect(faulty(changes)).toEqual([field]));

  it('say nothing of ranges that a plain back-test does not have', () => {
    expect(faulty({ vary: { fast: { from: 9, to: 5, step: 1 } } })).toEqual([]);
  });

  it.each([
    ['strategies.0.parameters.fast', 'parameters.fast'], ['strategies[0].rule', 'strategy'], ['dataSets.3', 'dataSets'], ['account.deposit', 'account.deposit'],
    ['vary.fast', 'vary.fast'],
  ])('%s of the API is %s of the form', (field, place) => expect(formField(field)).toBe(place));
});

describe('what the form begins with', () => {
  it('is the newest upload, else what was recorded most of, else nothing', () => {
    const recorded = [dataSet('m1', { source: 'market', count: 5 }), dataSet('m2', { source: 'market', count: 9 })];
    expect(suggestedData([])).toEqual([]);
    expect(suggestedData(recorded)).toEqual(['m2']);
    expect(suggestedData([...recorded, dataSet('m3', { source: 'market', count: 1, symbol: 'BTCUSD' })], 'BTCUSD')).toEqual(['m3']);
    expect(suggestedData([...recorded, dataSet('a'), dataSet('b', { addedAt: '2026-02-01T00:00:00Z' })])).toEqual(['b']);
  });

  it('offers uploads before what was recorded, and of that first the symbol that is looked at', () => {
    const recorded = (id: string, symbol: string) => dataSet(id, { source: 'market', symbol });
    const all = [recorded('a1', 'AUDUSD'), recorded('b1', 'BTCUSD'), dataSet('old'), recorded('b2', 'BTCUSD'), dataSet('new', { addedAt: '2026-02-01T00:00:00Z' })];
    expect(offeredData(all, 'BTCUSD').map(({ id }) => id)).toEqual(['new', 'old', 'b1', 'b2', 'a1']);
    expect(all[0]!.id).toBe('a1');
  });

  it('decides on bars where the data are ticks', () => {
    expect(suggestedTimeFrame([dataSet('a', { timeFrame: 'tick' })])).toBe('M1');
    expect(suggestedTimeFrame([dataSet('a')])).toBe('');
  });

  it.each([['EURUSD', 'USD'], ['USDJPY', 'USD'], ['EURGBP', 'GBP'], ['ACME', 'USD'], ['US500', 'USD']])('an account over %s is in %s', (symbol, currency) =>
    expect(suggestedCurrency(symbol)).toBe(currency));

  it('an account is in the currency of an instrument that is known', () => {
    expect(suggestedCurrency('DAX', { baseCurrency: 'DAX', quoteCurrency: 'EUR' } as Instrument)).toBe('EUR');
  });

  it('sets every parameter, the size by what the instrument allows', () => {
    const bitcoin = { contractSize: 1, minVolume: 0.01, maxVolume: 100 } as Instrument;
    expect(suggestedUnits(bitcoin)).toBe(0.1);
    expect(suggestedUnits({ contractSize: 100_000, minVolume: 1000, maxVolume: 1e7 } as Instrument)).toBe(10_000);
    const definitions = [parameter('fast', 20, 1, 1000), parameter('units', 10_000, 0, 1e9, false)];
    expect(parametersOf(definitions, { fast: 5, other: 1 }, bitcoin)).toEqual({ fast: 5, units: 0.1 });
    expect(parametersOf(definitions, { units: 7 }, bitcoin)).toEqual({ fast: 20, units: 7 });
  });

  it('is a strategy as it trades', () => {
    const strategy = { name: 'x', definition: 'rule', rule: 'enter long when close > 1;', parameters: { fast: 2 }, symbol: 'EURUSD', timeFrame: 'H1' } as unknown as Strategy;
    expect(fromStrategy(newDraft(''), strategy)).toMatchObject({ definition: '', rule: strategy.rule, parameters: { fast: 2 }, symbol: 'EURUSD', timeFrame: 'H1' });
  });

  it('names itself by strategy and data', () => {
    expect(suggestedRunName(draft({ dataSets: ['a', 'b'] }), [dataSet('a')])).toBe('sma-cross on EURUSD H1 and 1 more');
    expect(suggestedRunName(draft({ definition: '', timeFrame: 'D1' }), [dataSet('a')])).toBe('rule on EURUSD D1');
    expect(suggestedRunName(draft(), [])).toBe('sma-cross');
  });

  it('tells a strategy in one line', () => {
    expect(strategyText({ definition: 'sma-cross', parameters: { fast: 20 } }, String)).toBe('sma-cross, fast 20');
    expect(strategyText({ rule: '# words\nparam a = 1 from 1 to 2;\nenter long when close > a;\n', parameters: null }, String)).toBe('enter long when close > a');
  });
});
