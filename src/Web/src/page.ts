import type { App } from './app';
import type { Route } from './routes';

/** What a module of `pages/` exports: makes the page of a route, which lives until `signal` ends. */
export type PageFactory = (app: App, route: Route, signal: AbortSignal) => HTMLElement;

const entry = () => import('./pages/entry');

const modules = {
  signIn: entry,
  welcome: entry,
  signUp: entry,
  verify: entry,
  'change-email': entry,
  'undo-email': entry,
  forgot: entry,
  reset: entry,
  invitation: entry,
  overview: () => import('./pages/overview'),
  trade: () => import('./pages/trade'),
  strategies: () => import('./pages/strategies'),
  review: () => import('./pages/review'),
  rule: () => import('./pages/rule'),
  backtests: () => import('./pages/backtests'),
  start: () => import('./pages/start'),
  job: () => import('./pages/job'),
  reports: () => import('./pages/reports'),
  accountReport: () => import('./pages/reports'),
  decisions: () => import('./pages/decisions'),
  risk: () => import('./pages/risk'),
  history: () => import('./pages/history'),
  settings: () => import('./pages/settings'),
  administration: () => import('./pages/administration'),
  unknown: () => import('./pages/unknown'),
} satisfies Record<Route['page'], () => Promise<{ page: PageFactory }>>;

/** The code of a page, loaded when it is first asked for. */
export async function loadPage(page: Route['page']): Promise<PageFactory> {
  return (await modules[page]()).page;
}
