import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Account, FillPush, Fill, Job, JournalPush, RunInput, Snapshot, Strategy, Trial } from '../src/contract';
import type { Api } from '../src/api';
import type { HubEvents, Subscription } from '../src/hub';
import { Session } from '../src/session';
import { Store } from '../src/store';

let hub: HubEvents;

/** The API process at the other end: where a new connection begins, and what was asked of it. */
const gateway = { sequence: 0, subscriptions: [] as Subscription[] };

vi.mock('../src/hub', () => ({
  Hub: class {
    constructor(events: HubEvents) {
      hub = events;
    }
    start(): void {}
    subscribe = (subscription: Subscription): Promise<Snapshot> => {
      gateway.subscriptions.push(subscription);
      return Promise.resolve({ sequence: subscription.after ?? gateway.sequence, quotes: [], account: null, strategies: [] });
    };
  },
}));

const push = (after: number, sequence: number, parts: Partial<JournalPush> = {}): JournalPush => (
  { stream: 'journal', after, sequence, decisions: [], orders: [], fills: [], ...parts });

const fill = (position: number): FillPush => ({
  position, ordinal: 1, symbol: 'EURUSD', side: 'Buy', time: '2026-01-05T10:00:00Z', price: 1, volume: 1, commission: 0, realised: 0, strategy: '',
  account: 'main',
});

const account = (name: string): Account => ({
  name, key: `local/owner/${name}`, currency: 'USD', mode: 'Netting', state: 'Active', stateReason: 'None', tenantHalted: false, balance: 100,
  equity: 100, usedMargin: 0,
  freeMargin: 100, realised: 0, commissions: 0, swaps: 0, deposits: 100, time: '2026-01-05T10:00:00Z', version: 1, positions: [], workingOrders: [],
  follows: {},
  dayStarted: '2026-01-04T22:00:00Z', dayEnds: '2026-01-05T22:00:00Z', dayStartEquity: 1000, dayPayments: 75, dayResult: 25,
});

const strategy = (name: string): Strategy => ({
  name, key: `local/owner/${name}`, definition: 'sma-cross', parameters: {}, symbol: 'EURUSD', timeFrame: 'M1', status: 'Running', stance: 'Flat',
  decisions: 0, since: null, accounts: [], lastDecision: null, version: 1, rule: null,
});

/** The service of the test: what its lists hold, and at which position they were asked for. */
const service = {
  accounts: [] as Account[], fills: [] as Fill[], strategies: [] as Strategy[], asked: [] as (number | undefined)[], jobs: [] as Job[],
  trials: [] as Trial[], jobReads: 0,
};

const job = (id: string, changes: Partial<Job> = {}): Job => ({
  id, kind: 'backtest', name: id, status: 'running', progress: 0.5, queuePosition: null, createdAt: '2026-01-05T10:00:00Z',
  startedAt: '2026-01-05T10:00:01Z',
  endedAt: null, secondsLeft: 30, fault: null, version: 2, hasReport: false, summary: null, ...changes,
});

const token = async () => null;

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
  fills: () => Promise.resolve({ fills: service.fills }),
  bars: () => Promise.resolve({ bars: [] }),
  dataSets: () => Promise.resolve({ items: [], next: null }),
  jobs: (collection: string) => {
    service.jobReads++;
    return Promise.resolve({ items: service.jobs.filter(({ kind }) => (kind === 'backtest') === (collection === 'backtests')), next: null });
  },
  startJob: (_collection: string, input: RunInput) => Promise.resolve(job(input.name ?? '', { status: 'queued', progress: 0, version: 1 })),
  endJob: ({ id }: { id: string }) => Promise.resolve(id === 'ended' ? undefined : job(id, { status: 'cancelled', version: 3 })),
  trials: (_id: string, limit: number, from?: string) => {
    const begin = Number(from ?? 0);
    const end = begin + Math.min(limit, 2);
    return Promise.resolve({ items: service.trials.slice(begin, end), next: end < service.trials.length ? end : null });
  },
} as unknown as Api;

function open(): Store {
  const store = new Store(() => {});
  const faults: unknown[] = [];
  new Session(store, api, token, (fault) => faults.push(fault)).start();
  expect(faults).toEqual([]);
  return store;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
  Object.assign(service, { accounts: [], fills: [], strategies: [], asked: [], jobs: [], trials: [], jobReads: 0 });
  Object.assign(gateway, { sequence: 0, subscriptions: [] });
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
  hub.journal(push(0, 42, { lists: { minPosition: 42, accounts: true, strategies: true } }));
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
  hub.gap({ stream: 'journal', position: 1, sequence: 500 });
  await vi.advanceTimersByTimeAsync(0);
  expect(store.strategies?.map(({ name }) => name)).toEqual(['late']);
  hub.journal(push(500, 501));
  expect(gateway.subscriptions).toHaveLength(2);
});

it('after a reconnect the journal is read on from what was seen, and each fill is there once', async () => {
  gateway.sequence = 10;
  service.accounts = [account('main')];
  const store = open();
  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  hub.journal(push(10, 12, { fills: [fill(12)] }));

  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  hub.journal(push(12, 20, { fills: [fill(15), fill(20)] }));
  hub.journal(push(20, 21));
  expect(gateway.subscriptions.map(({ after }) => after)).toEqual([null, 12]);
  expect(store.fills?.map(({ position }) => position)).toEqual([20, 15, 12]);
});

it('a hole is read from what was seen, once, and what came after it is not taken before', async () => {
  gateway.sequence = 10;
  service.accounts = [account('main')];
  const store = open();
  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  hub.journal(push(12, 14, { fills: [fill(14)] }));
  hub.journal(push(14, 15, { fills: [fill(15)] }));
  expect(store.fills).toEqual([]);
  await vi.advanceTimersByTimeAsync(0);
  expect(gateway.subscriptions.map(({ after }) => after)).toEqual([null, 10]);
  hub.journal(push(10, 15, { fills: [fill(11), fill(14), fill(15)] }));
  hub.journal(push(15, 16, { fills: [fill(16)] }));
  expect(store.fills?.map(({ position }) => position)).toEqual([16, 15, 14, 11]);
  expect(gateway.subscriptions).toHaveLength(2);
});

it('another subscription of the same connection goes on by itself', async () => {
  gateway.sequence = 10;
  service.accounts = [account('main'), account('other')];
  const session = new Session(new Store(() => {}), api, token, (fault) => expect.fail(String(fault)));
  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  hub.journal(push(10, 12));
  session.selectAccount('other');
  await vi.advanceTimersByTimeAsync(0);
  expect(gateway.subscriptions.map(({ account, after }) => [account, after])).toEqual([['main', null], ['other', null]]);
});

it('another member\'s things are read again and again, as the hub tells of one\'s own alone', async () => {
  gateway.sequence = 10;
  service.accounts = [account('main')];
  const store = new Store(() => {});
  new Session(store, api, token, (fault) => expect.fail(String(fault)), true).start();
  hub.state('connected');
  hub.connected();
  await vi.advanceTimersByTimeAsync(0);
  hub.journal(push(10, 12, { fills: [fill(12)] }));
  expect([store.fills, gateway.subscriptions.map((one) => one.account)]).toEqual([[], [null]]);
  service.accounts = [{ ...account('main'), equity: 250, version: 2 }];
  service.fills = [fill(11)];
  await vi.advanceTimersByTimeAsync(5_000);
  expect([store.account?.equity, store.fills?.map(({ position }) => position)]).toEqual([250, [11]]);
});

describe('jobs', () => {
  const openWithJobs = async () => {
    const store = new Store(() => {});
    const session = new Session(store, api, token, (fault) => expect.fail(String(fault)));
    hub.connected();
    await vi.advanceTimersByTimeAsync(0);
    expect(service.jobReads).toBe(0);
    session.openJobs();
    await vi.advanceTimersByTimeAsync(0);
    return { store, session };
  };

  it('are read when they are looked at, and again after every reconnect', async () => {
    service.jobs = [job('a'), job('s', { kind: 'optimisation' })];
    const { store } = await openWithJobs();
    expect([store.jobsLoaded, store.dataSets, store.jobs.list.map((live) => live.job.id)]).toEqual([true, [], ['s', 'a']]);
    service.jobs = [job('a', { status: 'finished', version: 3 })];
    await vi.advanceTimersByTimeAsync(10);
    hub.connected();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.jobs.list.map((live) => [live.job.id, live.job.status])).toEqual([['a', 'finished']]);
  });

  it('move by what is pushed', async () => {
    service.jobs = [job('a')];
    const { store } = await openWithJobs();
    hub.job(job('a', { progress: 0.9 }));
    hub.job(job('a', { progress: 0.7 }));
    expect(store.jobs.get('a')?.job.progress).toBe(0.9);
  });

  it('know what they were asked for from the moment they are started', async () => {
    const { store, session } = await openWithJobs();
    const input: RunInput = { name: 'mine', dataSets: ['d'], strategies: [{ definition: 'sma-cross' }] };
    await session.startJob('backtests', input);
    hub.job(job('mine', { progress: 0.2 }));
    expect(store.jobs.get('mine')?.job).toMatchObject({ status: 'running', request: input });
  });

  it('are cancelled while they run, and gone once they were removed', async () => {
    service.jobs = [job('a'), job('ended', { status: 'finished' })];
    const { store, session } = await openWithJobs();
    await session.endJob(store.jobs.get('a')!.job);
    await session.endJob(store.jobs.get('ended')!.job);
    expect(store.jobs.list.map((live) => [live.job.id, live.job.status])).toEqual([['a', 'cancelled']]);
  });

  it('have all their trials, page by page', async () => {
    const { session } = await openWithJobs();
    service.trials = Array.from({ length: 5 }, (_, trial) => ({ trial }) as Trial);
    const { trials, isWhole } = await session.loadTrials('a');
    expect([trials.map(({ trial }) => trial), isWhole]).toEqual([[0, 1, 2, 3, 4], true]);
  });
});
