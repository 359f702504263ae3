import { describe, expect, it } from 'vitest';
import { alertsOf, type Watched } from '../src/alerts';
import type { Account, Decision, JournalEntry, Position, Quote, RiskLimits, Verdict } from '../src/contract';
import { useLocale } from '../src/format';
import { JournalCheck } from '../src/journalCheck';
import { limitTexts, spanText, usedLimits } from '../src/limits';
import { matches, parseQuery } from '../src/search';
import { byCurrency, resultToday } from '../src/today';

useLocale('en-US');

const account = (parts: Partial<Account> = {}): Account => ({
  name: 'main', key: 'local/owner/main', currency: 'USD', mode: 'Netting', state: 'Active', stateReason: 'None', tenantHalted: false, balance: 1000,
  equity: 1100, usedMargin: 0,
  freeMargin: 0, realised: 0, commissions: 0, swaps: 0, deposits: 1000, time: '2026-01-05T10:00:00Z', version: 1, positions: [], workingOrders: [],
  follows: {}, dayStarted: '2026-01-04T22:00:00Z', dayEnds: '2026-01-05T22:00:00Z', dayStartEquity: 1000, dayPayments: 75, dayResult: 25,
  ...parts,
});

const limits: RiskLimits = {
  maxOrderVolume: null, minOrderNotional: null, maxOrderNotional: 5000, priceCollarPercent: 20, maxExposure: null, maxExposurePercent: 2000,
  maxInstrumentExposure: null, maxOpenPositions: 4, maxInstrumentPositions: null, maxWorkingOrders: 200, maxInstrumentWorkingOrders: null,
  submitRate: { count: 600, window: '00:01:00' }, modifyRate: null, lossLimits: [{ period: 'Day', amount: null, percent: 10, action: 'StopTrading' }],
  maxDrawdownPercent: 30, drawdownAction: 'Flatten', allowedInstruments: [],
};

const position = (symbol: string): Position => ({ id: symbol, symbol, owner: '', volume: 1, averageEntry: 1, mark: 1, openResult: 0, opened: '' });

describe('today', () => {
  const ends = Date.parse('2026-01-05T22:00:00Z');

  it('is what the account says until its day ends, and not known from then on', () => {
    expect(resultToday(account(), ends - 1)).toBe(25);
    expect(resultToday(account(), ends)).toBeNull();
  });

  it('is summed by currency, and not known where a part is not', () => {
    const accounts = [account({ equity: 1 }), account({ currency: 'EUR', equity: 2 }), account({ equity: 3 })];
    expect(byCurrency(accounts, ({ equity }) => equity)).toEqual([{ currency: 'USD', sum: 4 }, { currency: 'EUR', sum: 2 }]);
    expect(byCurrency(accounts, ({ equity }) => (equity === 1 ? null : equity))[0]).toEqual({ currency: 'USD', sum: null });
  });
});

describe('limits', () => {
  it('are told with their use, the fullest first', () => {
    const used = usedLimits(account({ limitUse: [
      { limit: 'maxExposurePercent', used: 200, most: 1000 }, { limit: 'dayLoss', used: 90, most: 100, near: true },
      { limit: 'maxOpenPositions', used: 4, most: 4 },
    ] }));
    expect(used.map(({ name, share, text, level }) => [name, share, text, level])).toEqual([
      ['Open positions', 1, '4 of 4', 'full'], ['Day loss', 0.9, '90.00 USD of 100.00 USD', 'near'],
      ['Exposure (of equity)', 0.2, '200.00 USD of 1,000.00 USD', 'calm'],
    ]);
  });

  it('are counted here where the service does not tell', () => {
    const used = usedLimits(account({ limits, positions: [position('EURUSD')] }));
    expect(used.map(({ name, text }) => [name, text])).toEqual([['Open positions', '1 of 4'], ['Working orders', '0 of 200']]);
    expect(usedLimits(account())).toEqual([]);
  });

  it('are put in words', () => {
    const texts = new Map(limitTexts(limits, 'USD'));
    expect(texts.get('New orders')).toBe('600 in 1 min');
    expect(texts.get('Loss a day')).toBe('10.00\u00a0%, then stop trading');
    expect(texts.get('Drawdown')).toBe('30.00\u00a0%, then flatten');
    expect(texts.has('Exposure')).toBe(false);
  });

  it.each([['00:01:00', '1 min'], ['1.02:00:05', '1 d 2 h 5 s'], ['00:00:00', '0 s'], ['soon', 'soon']])('%s is %s', (span, text) =>
    expect(spanText(span)).toBe(text));
});

const verdict = (parts: Partial<Verdict> = {}): Verdict => ({ account: 'local/owner/main', reason: 'None', detail: '', orders: [7], volume: 1,
  ...parts });

const decision = (parts: Partial<Decision> = {}): Decision => ({
  id: 'local/owner/cross#1', strategy: 'local/owner/cross', symbol: 'EURUSD', timeFrame: 'H1', time: '2026-01-05T10:00:00Z', marketPosition: 1,
  bar: { time: '', open: 1, high: 1, low: 1, close: 1 }, features: [{ feature: 'sma(20)', value: 1 }], before: 'Flat',
  intent: { stance: 'Long', why: 'the fast average is above the slow one', stopDistance: null, takeDistance: null, trailDistance: null }, units: 1,
  verdicts: [verdict()], ...parts,
});

describe('a search of decisions', () => {
  const denied = decision({ id: 'x#2', symbol: 'BTCUSD', verdicts: [verdict({ reason: 'MaxExposure', orders: [] })] });

  it.each([
    ['', true, true], ['eurusd', true, false], ['symbol:BTCUSD', false, true], ['strategy:cross', true, true], ['strategy:cros', false, false],
    ['is:denied', false, true], ['is:ordered', true, false], ['is:unfollowed', false, false], ['maxexposure', false, true], ['sma long', true, true],
    ['"fast average is above"', true, true], ['"average fast"', false, false], ['account:main stance:long', true, true],
    ['account:other', false, false],
  ])('%j', (text, first, second) => {
    const query = parseQuery(text);
    expect([matches(decision(), query), matches(denied, query)]).toEqual([first, second]);
  });
});

describe('alerts', () => {
  const now = Date.parse('2026-01-05T10:30:00Z');
  const watched = (parts: Partial<Watched> = {}): Watched => ({ accounts: [], strategies: [], decisions: [], stale: [], isConnected: true,
    ...parts });
  const ids = (parts: Partial<Watched>) => alertsOf(watched(parts), now).map(({ id }) => id);
  const quote: Quote = { symbol: 'EURUSD', position: 1, time: '2026-01-05T10:00:00Z', bid: 1, ask: 1, simulated: false };

  it('are silent when all is well', () => expect(ids({ accounts: [account()], decisions: [decision()] })).toEqual([]));

  it('tell of halts, limits, denials and a lost connection, the worst first', () => {
    const full = account({ state: 'Reducing', stateReason: 'LossLimit',
      limitUse: [{ limit: 'dayLoss', used: 9, most: 10 }, { limit: 'maxWorkingOrders', used: 2, most: 2 }] });
    const denied = decision({ verdicts: [verdict({ reason: 'MaxExposure', orders: [] })] });
    expect(ids({ accounts: [full], decisions: [denied], isConnected: false })).toEqual([
      'connection', 'limit/main/Working orders', 'state/main', 'limit/main/Day loss', 'denied/local/owner/cross#1/local/owner/main',
    ]);
  });

  it('leave denials of long ago, and old prices that nobody depends on', () => {
    expect(ids({ decisions: [decision({ time: '2026-01-05T08:00:00Z', verdicts: [verdict({ reason: 'MaxExposure', orders: [] })] })] })).toEqual([]);
    expect(ids({ stale: [quote] })).toEqual([]);
    expect(ids({ stale: [quote], accounts: [account({ positions: [position('EURUSD')] })] })).toEqual(['stale/EURUSD']);
  });
});

describe('the journal', () => {
  const entry = (position: number, stream: string, version: number): JournalEntry => (
    { position, stream, version, name: 'OrderAccepted', schema: 1, time: '', causation: '', payload: {} });

  it('is in order when positions ascend and streams have no hole, page after page', () => {
    const check = new JournalCheck();
    check.take([entry(5, 'a', 3), entry(9, 'b', 1)]);
    check.take([entry(10, 'a', 4), entry(12, 'b', 2)]);
    expect(check.state).toEqual({ events: 4, streams: 2, fault: null });
  });

  it('is not when one is missing, or stands in the wrong place; the first fault stays', () => {
    const check = new JournalCheck();
    check.take([entry(5, 'a', 3), entry(6, 'a', 5), entry(4, 'b', 1)]);
    expect(check.state.fault).toBe('a goes on at 6 with event 5; expected 4');
    const other = new JournalCheck();
    other.take([entry(5, 'a', 3), entry(5, 'b', 1)]);
    expect(other.state.fault).toBe('position 5 comes after 5');
  });
});
