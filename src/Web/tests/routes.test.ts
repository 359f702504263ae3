import { describe, expect, it } from 'vitest';
import { href, isEntry, parseRoute, sectionOf, titleOf, type Route } from '../src/routes';

const routes: readonly Route[] = [
  { page: 'overview' },
  { page: 'trade' },
  { page: 'decisions', search: '' },
  { page: 'decisions', search: 'denied & "EUR/USD" #1' },
  { page: 'risk' },
  { page: 'history', tab: 'orders' },
  { page: 'history', tab: 'journal' },
  { page: 'settings', tab: 'profile' },
  { page: 'settings', tab: 'keys' },
  { page: 'administration', tab: 'members' },
  { page: 'administration', tab: 'system' },
  { page: 'strategies' },
  { page: 'review', strategy: 'cross/100 %' },
  { page: 'rule', source: { kind: 'draft' } },
  { page: 'rule', source: { kind: 'strategy', name: 'cross/100 %' } },
  { page: 'rule', source: { kind: 'strategy', name: 'new' } },
  { page: 'rule', source: { kind: 'run', collection: 'optimisations', id: 'a/b' } },
  { page: 'backtests' },
  { page: 'start', source: { kind: 'defaults' } },
  { page: 'start', source: { kind: 'rule' } },
  { page: 'start', source: { kind: 'strategy', name: 'a&b=c' } },
  { page: 'start', source: { kind: 'run', collection: 'backtests', id: 'x1', trial: null } },
  { page: 'start', source: { kind: 'run', collection: 'optimisations', id: 'x1', trial: 0 } },
  { page: 'job', collection: 'backtests', id: '01J' },
  { page: 'job', collection: 'optimisations', id: 'é ?#' },
  { page: 'reports' },
  { page: 'accountReport', account: 'paper-2' },
];

const entries: readonly Route[] = [
  { page: 'signIn' },
  { page: 'welcome', token: 'a-b_c' },
  { page: 'signUp' },
  { page: 'verify', token: 'x/y' },
  { page: 'change-email', token: 'u1.x_y' },
  { page: 'undo-email', token: 'u1.x-y' },
  { page: 'forgot' },
  { page: 'reset', token: 'é' },
  { page: 'invitation', token: '1' },
];

it.each([...routes, ...entries])('%j has an address that leads back to it', (route) => expect(parseRoute(href(route))).toEqual(route));

it.each(['', '#', '#/', '#/trade', '/'])('%j is trading', (hash) => expect(parseRoute(hash)).toEqual({ page: 'trade' }));

it.each([
  '#/nowhere', '#/trade/x', '#/strategies/cross', '#/strategies/cross/edit/more', '#/backtests/a/b', '#/optimisations/new', '#/reports/accounts',
  '#/strategies/%', '#/backtests/new?run=accounts/a', '#/backtests/new?run=backtests/', '#/backtests/new?run=backtests/a&trial=-1',
  '#/strategies/new?run=nothing', '#/welcome', '#/welcome/a/b', '#/sign-in/x', '#/history/nothing', '#/settings/profile/more', '#/administration/x',
])('%j is no page', (hash) => expect(parseRoute(hash).page).toBe('unknown'));

it.each([['#/settings', 'profile'], ['#/history', 'orders'], ['#/administration', 'members']])('%s opens %s', (hash, tab) =>
  expect(parseRoute(hash)).toMatchObject({ tab }));

it('what is for everybody belongs to no entry of the navigation, and has a title', () => {
  for (const route of entries) expect([isEntry(route), sectionOf(route), titleOf(route) !== '']).toEqual([true, null, true]);
  for (const route of routes) expect(isEntry(route)).toBe(false);
});

describe('every page', () => {
  it('belongs to an entry of the navigation and has a title, but for trading, which has the plain one', () => {
    for (const route of routes) {
      expect(sectionOf(route)).not.toBeNull();
      expect(titleOf(route) === '').toBe(route.page === 'trade');
    }
    expect(sectionOf({ page: 'unknown', path: 'x' })).toBeNull();
  });
});
