import { beforeEach, expect, it, vi } from 'vitest';
import type { Account, Fill, Strategy } from '../src/contract';
import type { Api } from '../src/api';
import type { HubEvents } from '../src/hub';
import { Session } from '../src/session';
import { Store } from '../src/store';

let hub: HubEvents;

vi.mock('../src/hub', () => ({
  Hub: class {
    constructor(events: HubEvents) {
      hub = events;
    }
    start(): void {}
    subscribe = () => Promise.resolve({ quotes: [], account: null, strategies: [] });
  },
}));

const account = (name: string): Account => ({
  name, key: `local/owner/${name}`, currency: 'USD', mode: 'Netting', state: 'Active', stateReason: 'None', balance: 100, equity: 100, usedMargin: 0,
  freeMargin: 100, realised: 0, commissions: 0, swaps: 0, deposits: 100, time: '2026-01-05T10:00:00Z', version: 1, positions: [], workingOrders: [],
  follows: {},
});

const strategy = (name: string): Strategy => ({
  name, key: `local/owner/${name}`, definition: 'sma-cross', parameters: {}, symbol: 'EURUSD', timeFrame: 'M1', status: 'Running', stance: 'Flat',
  decisions: 0, since: null, accounts: [], lastDecision: null, version: 1, rule: null,
});

/** The service of the test: what its lists hold, and at which position they were asked for. */
const service = { accounts: [] as Account[], strategies: [] as Strategy[], asked: [] as (number | undefined)[] };

const api = {
  system: () => Promise.resolve({ simulated: true, notices: [] }),
  instruments: () => Promise.resolve([]),
  accounts: () => Promise.resolve(service.accounts),
  strategies: (minPosition?: number) => {
    service.asked.push(minPosition);
    return Promise.resolve(service.strategies);
  },
  definitions: () => Promise.resolve([]),
  decisions: () => Promise.resolve({ decisions: [], next: null }),
  equity: () => Promise.resolve([]),
  fills: () => Promise.resolve({ fills: [] as Fill[] }),
  bars: () => Promise.resolve({ bars: [] }),
} as unknown as Api;

function open(): Store {
  const store = new Store(() => {});
  const faults: unknown[] = [];
  new Session(store, api, (fault) => faults.push(fault)).start();
  expect(faults).toEqual([]);
  return store;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
  Object.assign(service, { accounts: [], strategies: [], asked: [] });
});

it('nothing is known, which is not the same as empty, until the first answer', async () => {
  const store = open();
  expect([store.accounts, store.strategies, store.fills, store.decisions, store.equityLoading]).toEqual([null, null, null, null, true]);
  service.accounts = [account('main')];
  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  expect([store.accounts?.length, store.strategies?.length, store.fills?.length, store.decisions?.length, store.equityLoading])
    .toEqual([1, 0, 0, 0, false]);
});

it('what was made elsewhere shows as soon as it is told, from the position that holds it', async () => {
  const store = open();
  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  service.accounts = [account('other')];
  service.strategies = [strategy('elsewhere')];
  hub.lists({ minPosition: 42, accounts: true, strategies: true });
  await vi.advanceTimersByTimeAsync(0);
  expect(service.asked.at(-1)).toBe(42);
  expect(store.strategies?.map(({ name }) => name)).toEqual(['elsewhere']);
  expect(store.accounts?.map(({ name }) => name)).toEqual(['other']);
  expect(store.accountName).toBe('other');
});

it('everything is read again after a gap', async () => {
  const store = open();
  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  service.strategies = [strategy('late')];
  hub.gap();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.strategies?.map(({ name }) => name)).toEqual(['late']);
});
