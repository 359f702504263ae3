import { describe, expect, it } from 'vitest';
import type { Account, Decision, Fill, OrderPush, Quote, Strategy } from '../src/contract';
import { useLocale } from '../src/format';
import { orderNews } from '../src/orders';
import { Store, type Topic } from '../src/store';

/** A store whose frames come when the test says so. */
function makeStore() {
  const frames: (() => void)[] = [];
  const store = new Store((render) => frames.push(render));
  return { store, frames, frame: () => frames.splice(0).forEach((render) => render()) };
}

const quote = (symbol: string, position: number, time = '2026-01-05T10:00:00Z', bid = 1): Quote =>
  ({ symbol, position, time, bid, ask: bid + 0.1, simulated: true });

const account = (name: string, version: number, time = '2026-01-05T10:00:00Z', equity = 100): Account => ({
  name, key: `local/${name}`, currency: 'USD', mode: 'Netting', state: 'Active', stateReason: 'None', tenantHalted: false, balance: 100, equity,
  usedMargin: 0,
  freeMargin: 100, realised: 0, commissions: 0, swaps: 0, deposits: 100, time, version, positions: [], workingOrders: [], follows: {},
  dayStarted: '2026-01-04T22:00:00Z', dayEnds: '2026-01-05T22:00:00Z', dayStartEquity: 1000, dayPayments: 75, dayResult: 25,
});

const decision = (number: number, stance: 'Long' | 'Short' | 'Flat' = 'Long', strategy = 'local/cross'): Decision => ({
  id: `${strategy}#${number}`, strategy, symbol: 'EURUSD', timeFrame: 'M1', time: new Date(number * 60_000).toISOString(), marketPosition: number,
  bar: { time: '', open: 1, high: 1, low: 1, close: 1 }, features: [], before: 'Flat',
  intent: { stance, why: '', stopDistance: null, takeDistance: null, trailDistance: null }, units: 1, verdicts: [],
});

const strategy = (lastDecision: Decision | null): Strategy => ({
  name: 'cross', key: 'local/cross', definition: 'sma-cross', parameters: {}, symbol: 'EURUSD', timeFrame: 'M1', status: 'Running',
  stance: 'Flat', decisions: 1, since: null, accounts: [], lastDecision, version: 1, rule: null,
});

describe('views', () => {
  it('render once a frame, whatever the number of changes', () => {
    const { store, frames, frame } = makeStore();
    const rendered: Topic[] = [];
    store.view(['quotes', 'clock'], () => rendered.push('quotes'));
    store.view(['fills'], () => rendered.push('fills'));
    frame();
    rendered.length = 0;
    store.touch('quotes');
    store.touch('clock');
    store.touch('quotes');
    expect(frames).toHaveLength(1);
    frame();
    expect(rendered).toEqual(['quotes']);
    expect(frames).toHaveLength(0);
  });

  it('that touch a topic while rendering get it in the next frame', () => {
    const { store, frame } = makeStore();
    let clocks = 0;
    store.view(['quotes'], () => store.touch('clock'));
    store.view(['clock'], () => clocks++);
    frame();
    expect(clocks).toBe(1);
    frame();
    expect(clocks).toBe(2);
  });
});

describe('quotes', () => {
  it('take only what is newer', () => {
    const { store } = makeStore();
    store.takeQuotes([quote('EURUSD', 5, undefined, 1.5)], 1000);
    store.takeQuotes([quote('EURUSD', 4, undefined, 1.4), quote('EURUSD', 5, undefined, 1.4)], 2000);
    expect(store.quotes.get('EURUSD')).toMatchObject({ since: 1000, quote: { position: 5, bid: 1.5 } });
    store.takeQuotes([quote('EURUSD', 6, undefined, 1.6)], 3000);
    expect(store.quotes.get('EURUSD')).toMatchObject({ since: 3000, quote: { bid: 1.6 } });
  });

  it('of a snapshot are as old as they are behind its newest, whatever year the feed replays', () => {
    const { store } = makeStore();
    store.resetQuotes([quote('EURUSD', 9, '2014-05-07T10:00:30Z'), quote('USDJPY', 3, '2014-05-07T10:00:10Z')], 100_000);
    expect(store.quotes.get('EURUSD')?.since).toBe(100_000);
    expect(store.quotes.get('USDJPY')?.since).toBe(80_000);
  });

  it('keep their age over a reconnect, and start again when the service did', () => {
    const { store } = makeStore();
    store.takeQuotes([quote('EURUSD', 9), quote('USDJPY', 8)], 1000);
    store.resetQuotes([quote('EURUSD', 9), quote('USDJPY', 2)], 50_000);
    expect(store.quotes.get('EURUSD')?.since).toBe(1000);
    expect(store.quotes.get('USDJPY')).toMatchObject({ since: 50_000, quote: { position: 2 } });
  });
});

describe('accounts', () => {
  it('never go back', () => {
    const { store } = makeStore();
    store.takeAccount(account('main', 5, '2026-01-05T10:00:05Z', 105));
    store.takeAccount(account('main', 4, '2026-01-05T10:00:09Z', 104));
    store.takeAccount(account('main', 5, '2026-01-05T10:00:04Z', 103));
    expect(store.account?.equity).toBe(105);
    store.takeAccount(account('main', 5, '2026-01-05T10:00:06Z', 106));
    expect(store.account?.equity).toBe(106);
  });

  it('draw the equity of the selected one only', () => {
    const { store } = makeStore();
    store.setAccounts([account('main', 1), account('other', 1)]);
    store.takeAccount(account('other', 2, '2026-01-05T10:00:01Z', 7));
    store.takeAccount(account('main', 2, '2026-01-05T10:00:02Z', 8));
    expect(store.equity.items.map((point) => point.equity)).toEqual([8]);
  });

  it('fall back to the first when the one remembered is gone', () => {
    const { store } = makeStore();
    store.accountName = 'gone';
    store.setAccounts([account('main', 1)]);
    expect(store.accountName).toBe('main');
  });
});

describe('decisions', () => {
  it('are newest first, each once', () => {
    const { store } = makeStore();
    store.takeDecisions([decision(1), decision(3)]);
    store.takeDecisions([decision(2), { ...decision(3), units: 9 }]);
    expect(store.decisions?.map(({ id }) => id)).toEqual(['local/cross#3', 'local/cross#2', 'local/cross#1']);
    expect(store.decisions?.[0]?.units).toBe(9);
  });

  it('are bounded', () => {
    const { store } = makeStore();
    store.takeDecisions(Array.from({ length: 600 }, (_, index) => decision(index)));
    expect(store.decisions).toHaveLength(500);
    expect(store.decisions?.[0]?.id).toBe('local/cross#599');
  });

  it('give their strategy its stance and count; older ones and others do not', () => {
    const { store } = makeStore();
    store.setStrategies([strategy(decision(5, 'Flat'))]);
    store.takeDecisions([decision(4, 'Short'), decision(9, 'Short', 'local/another')]);
    expect(store.strategies?.[0]).toMatchObject({ stance: 'Flat', decisions: 1 });
    store.takeDecisions([decision(6, 'Long')]);
    expect(store.strategies?.[0]).toMatchObject({ stance: 'Long', decisions: 2, lastDecision: { id: 'local/cross#6' } });
    store.takeDecisions([{ ...decision(6, 'Long'), units: 2 }]);
    expect(store.strategies?.[0]).toMatchObject({ decisions: 2, lastDecision: { units: 2 } });
  });
});

describe('orders', () => {
  const order = (ordinal: number, status: string): OrderPush => ({
    ordinal, clientOrderId: `o${ordinal}`, symbol: 'EURUSD', side: 'Buy', type: 'Market', volume: 1000, filled: 0, averageFill: null,
    limitPrice: null, stopPrice: null, trailDistance: null, timeInForce: 'Gtc', expires: null, reduceOnly: false, stopLoss: null,
    takeProfit: null, strategy: '', decision: '', purpose: 'Trade', status, reason: 'None', detail: null, createdAt: '', updatedAt: '',
    account: 'main',
  });

  it('are known as they were pushed last, by account', () => {
    const { store, frame } = makeStore();
    let told = 0;
    store.view(['orders'], () => told++);
    frame();
    store.takeOrders([order(1, 'Working'), { ...order(1, 'Denied'), account: 'other' }]);
    store.takeOrders([order(1, 'Filled')]);
    frame();
    expect([store.order('main', 1)?.status, store.order('other', 1)?.status, store.order('main', 2)]).toEqual(['Filled', 'Denied', undefined]);
    expect(told).toBe(2);
  });

  it('are bounded, the oldest go first', () => {
    const { store } = makeStore();
    store.takeOrders(Array.from({ length: 300 }, (_, index) => order(index, 'Working')));
    expect([store.order('main', 99), store.order('main', 100)?.ordinal]).toEqual([undefined, 100]);
  });

  it.each([
    [{ status: 'Working' }, 'Order 7 is working.', ''],
    [{ status: 'Filled', filled: 1000, averageFill: 1.1 }, 'Order 7 is filled: 1,000 at 1.10000.', ''],
    [{ status: 'PartiallyFilled', filled: 400, averageFill: 1.1 }, 'Order 7 is partially filled: 400 of 1,000 at 1.10000.', ''],
    [{ status: 'Denied', reason: 'InsufficientMargin' }, 'Order 7 is denied: insufficient margin', 'fault'],
    [{ status: 'Denied', reason: 'InsufficientMargin', detail: 'needs 5 more' }, 'Order 7 is denied: needs 5 more', 'fault'],
    [{ status: 'Expired', filled: 400, averageFill: 1.1 }, 'Order 7 is expired, 400 of 1,000 filled at 1.10000.', 'warning'],
    [{ status: 'Cancelled', reason: 'StateHalted' }, 'Order 7 is cancelled: state halted.', 'warning'],
  ])('are told of as they stand: %j', (changes, text, kind) => {
    useLocale('en-US');
    expect(orderNews({ ...order(7, ''), ...changes }, 5)).toEqual({ text, kind });
  });
});

it('what is due is rendered at once when asked, and not again in the frame', () => {
  const { store, frame } = makeStore();
  let rendered = 0;
  store.view(['accounts'], () => rendered++);
  store.flush();
  expect(rendered).toBe(1);
  frame();
  expect(rendered).toBe(1);
});

it('fills are newest first, each once', () => {
  const { store } = makeStore();
  const fill = (position: number): Fill =>
    ({ position, ordinal: 1, symbol: 'EURUSD', side: 'Buy', time: '', price: 1, volume: 1, commission: 0, realised: 0, strategy: '' });
  store.takeFills([fill(1), fill(3)]);
  store.takeFills([fill(3), fill(2)]);
  expect(store.fills?.map(({ position }) => position)).toEqual([3, 2, 1]);
});
