import { describe, expect, it } from 'vitest';
import { href, parseRoute, sectionOf, titleOf, type Route } from '../src/routes';

const routes: readonly Route[] = [
  { page: 'trade' },
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

it.each(routes)('%j has an address that leads back to it', (route) => expect(parseRoute(href(route))).toEqual(route));

it.each(['', '#', '#/', '#/trade', '/'])('%j is trading', (hash) => expect(parseRoute(hash)).toEqual({ page: 'trade' }));

it.each([
  '#/nowhere', '#/trade/x', '#/strategies/cross', '#/strategies/cross/edit/more', '#/backtests/a/b', '#/optimisations/new', '#/reports/accounts',
  '#/strategies/%', '#/backtests/new?run=accounts/a', '#/backtests/new?run=backtests/', '#/backtests/new?run=backtests/a&trial=-1',
  '#/strategies/new?run=nothing',
])('%j is no page', (hash) => expect(parseRoute(hash).page).toBe('unknown'));

describe('every page', () => {
  it('belongs to an entry of the navigation and has a title, but for trading, which has the plain one', () => {
    for (const route of routes) {
      expect(sectionOf(route)).not.toBeNull();
      expect(titleOf(route) === '').toBe(route.page === 'trade');
    }
    expect(sectionOf({ page: 'unknown', path: 'x' })).toBeNull();
  });
});
