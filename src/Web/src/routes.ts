/** The pages by their address: what follows the # of the URL, so that links, history and reload work without the server. */

/** Jobs live in two collections of the API: `backtests`, and `optimisations` with the walk-forwards. */
export type Collection = 'backtests' | 'optimisations';

/** A job by its address. */
export interface JobAddress {
  collection: Collection;
  id: string;
}

/** Where the text of the rule editor comes from. */
export type RuleSource = { kind: 'draft' } | { kind: 'strategy'; name: string } | ({ kind: 'run' } & JobAddress);

/** What the start form of a back-test begins with. */
export type RunSource =
  | { kind: 'defaults' }
  | { kind: 'rule' }
  | { kind: 'strategy'; name: string }
  | ({ kind: 'run'; trial: number | null } & JobAddress);

export const settingsTabs = ['profile', 'security', 'keys', 'configuration', 'notifications'] as const;
export type SettingsTab = (typeof settingsTabs)[number];

export const administrationTabs = ['members', 'clients', 'users', 'services', 'system'] as const;
export type AdministrationTab = (typeof administrationTabs)[number];

export const historyTabs = ['orders', 'fills', 'journal'] as const;
export type HistoryTab = (typeof historyTabs)[number];

/** The pages for those who are not signed in, or not yet. Tokens come with links that were printed or sent. */
export type EntryRoute =
  | { page: 'signIn' }
  | { page: 'welcome'; token: string }
  | { page: 'signUp' }
  | { page: 'verify'; token: string }
  | { page: 'change-email'; token: string }
  | { page: 'undo-email'; token: string }
  | { page: 'forgot' }
  | { page: 'reset'; token: string }
  | { page: 'invitation'; token: string };

export type Route =
  | EntryRoute
  | { page: 'overview' }
  | { page: 'trade' }
  | { page: 'strategies' }
  | { page: 'review'; strategy: string }
  | { page: 'rule'; source: RuleSource }
  | { page: 'backtests' }
  | { page: 'start'; source: RunSource }
  | ({ page: 'job' } & JobAddress)
  | { page: 'reports' }
  | { page: 'accountReport'; account: string }
  | { page: 'decisions'; search: string }
  | { page: 'risk' }
  | { page: 'history'; tab: HistoryTab }
  | { page: 'settings'; tab: SettingsTab }
  | { page: 'administration'; tab: AdministrationTab }
  | { page: 'unknown'; path: string };

export type Section =
  | 'overview' | 'trade' | 'strategies' | 'decisions' | 'backtests' | 'reports' | 'risk' | 'history' | 'settings' | 'administration';

const entryPages = { 'sign-in': 'signIn', 'sign-up': 'signUp', forgot: 'forgot' } as const;
const linkPages = ['welcome', 'verify', 'change-email', 'undo-email', 'reset', 'invitation'] as const;

/** Shown to everybody, signed in or not. */
export function isEntry(route: Route): route is EntryRoute {
  return (linkPages as readonly string[]).includes(route.page) || (Object.values(entryPages) as readonly string[]).includes(route.page);
}

/** The page of `#/backtests/new?strategy=cross`; an address that names none is `unknown`. */
export function parseRoute(hash: string): Route {
  const address = hash.replace(/^#?\/?/, '');
  const unknown: Route = { page: 'unknown', path: address };
  const [path = '', search = ''] = split(address, '?');
  const query = new URLSearchParams(search);
  let parts: string[];
  try {
    parts = path.split('/').filter((part) => part !== '').map(decodeURIComponent);
  } catch {
    return unknown;
  }
  const [section, name, verb] = parts;
  const tab = <T extends string>(tabs: readonly T[]): T | undefined =>
    (parts.length > 2 ? undefined : tabs.find((each) => each === (name ?? tabs[0])));
  switch (section) {
    case 'sign-in':
    case 'sign-up':
    case 'forgot':
      return parts.length === 1 ? { page: entryPages[section] } : unknown;
    case 'welcome':
    case 'verify':
    case 'change-email':
    case 'undo-email':
    case 'reset':
    case 'invitation':
      return parts.length === 2 ? { page: section, token: name! } : unknown;
    case 'overview':
    case 'risk':
      return parts.length === 1 ? { page: section } : unknown;
    case 'decisions':
      return parts.length === 1 ? { page: 'decisions', search: query.get('q') ?? '' } : unknown;
    case 'history': {
      const found = tab(historyTabs);
      return found ? { page: 'history', tab: found } : unknown;
    }
    case 'settings': {
      const found = tab(settingsTabs);
      return found ? { page: 'settings', tab: found } : unknown;
    }
    case 'administration': {
      const found = tab(administrationTabs);
      return found ? { page: 'administration', tab: found } : unknown;
    }
    case undefined:
    case 'trade':
      return parts.length <= 1 ? { page: 'trade' } : unknown;
    case 'strategies':
      if (name === undefined) return { page: 'strategies' };
      if (parts.length === 2 && name === 'new') return ruleRoute(query) ?? unknown;
      if (parts.length === 3 && verb === 'review') return { page: 'review', strategy: name };
      return parts.length === 3 && verb === 'edit' ? { page: 'rule', source: { kind: 'strategy', name } } : unknown;
    case 'backtests':
    case 'optimisations':
      if (name === undefined) return { page: 'backtests' };
      if (parts.length > 2) return unknown;
      if (name === 'new') return section === 'backtests' ? (startRoute(query) ?? unknown) : unknown;
      return { page: 'job', collection: section, id: name };
    case 'reports':
      if (name === undefined) return { page: 'reports' };
      return parts.length === 3 && name === 'accounts' ? { page: 'accountReport', account: verb! } : unknown;
    default:
      return unknown;
  }
}

function ruleRoute(query: URLSearchParams): Route | null {
  const run = query.get('run');
  if (run === null) return { page: 'rule', source: { kind: 'draft' } };
  const address = parseJob(run);
  return address && { page: 'rule', source: { kind: 'run', ...address } };
}

function startRoute(query: URLSearchParams): Route | null {
  const strategy = query.get('strategy');
  if (strategy !== null) return { page: 'start', source: { kind: 'strategy', name: strategy } };
  const run = query.get('run');
  if (run !== null) {
    const address = parseJob(run);
    const trial = query.get('trial');
    if (!address || (trial !== null && !/^\d{1,9}$/.test(trial))) return null;
    return { page: 'start', source: { kind: 'run', ...address, trial: trial === null ? null : Number(trial) } };
  }
  return { page: 'start', source: { kind: query.has('rule') ? 'rule' : 'defaults' } };
}

function parseJob(text: string): JobAddress | null {
  const [collection, id = ''] = split(text, '/');
  return (collection === 'backtests' || collection === 'optimisations') && id !== '' ? { collection, id } : null;
}

/** The address of a page, as a link has it; `parseRoute` reads it back. */
export function href(route: Route): string {
  const part = encodeURIComponent;
  switch (route.page) {
    case 'trade':
      return '#/';
    case 'signIn':
      return '#/sign-in';
    case 'signUp':
      return '#/sign-up';
    case 'forgot':
    case 'overview':
    case 'risk':
    case 'strategies':
    case 'backtests':
    case 'reports':
      return `#/${route.page}`;
    case 'welcome':
    case 'verify':
    case 'change-email':
    case 'undo-email':
    case 'reset':
    case 'invitation':
      return `#/${route.page}/${part(route.token)}`;
    case 'decisions':
      return `#/decisions${route.search === '' ? '' : `?${new URLSearchParams({ q: route.search })}`}`;
    case 'history':
    case 'settings':
    case 'administration':
      return `#/${route.page}/${route.tab}`;
    case 'review':
      return `#/strategies/${part(route.strategy)}/review`;
    case 'rule': {
      const { source } = route;
      if (source.kind === 'strategy') return `#/strategies/${part(source.name)}/edit`;
      return `#/strategies/new${source.kind === 'run' ? `?${new URLSearchParams({ run: `${source.collection}/${source.id}` })}` : ''}`;
    }
    case 'start': {
      const { source } = route;
      const query = new URLSearchParams();
      if (source.kind === 'rule') query.set('rule', '');
      if (source.kind === 'strategy') query.set('strategy', source.name);
      if (source.kind === 'run') {
        query.set('run', `${source.collection}/${source.id}`);
        if (source.trial !== null) query.set('trial', String(source.trial));
      }
      return `#/backtests/new${query.size > 0 ? `?${query}` : ''}`;
    }
    case 'job':
      return `#/${route.collection}/${part(route.id)}`;
    case 'accountReport':
      return `#/reports/accounts/${part(route.account)}`;
    case 'unknown':
      return `#/${route.path}`;
  }
}

/** Which entry of the navigation a page belongs to. */
export function sectionOf(route: Route): Section | null {
  switch (route.page) {
    case 'overview':
    case 'trade':
    case 'decisions':
    case 'risk':
    case 'history':
    case 'settings':
    case 'administration':
      return route.page;
    case 'strategies':
    case 'review':
    case 'rule':
      return 'strategies';
    case 'backtests':
    case 'start':
    case 'job':
      return 'backtests';
    case 'reports':
    case 'accountReport':
      return 'reports';
    default:
      return null;
  }
}

/** For the title of the window. */
export function titleOf(route: Route): string {
  switch (route.page) {
    case 'trade':
      return '';
    case 'signIn':
      return 'Sign in';
    case 'welcome':
      return 'Welcome';
    case 'signUp':
      return 'Sign up';
    case 'verify':
    case 'change-email':
    case 'undo-email':
      return 'E-mail address';
    case 'forgot':
    case 'reset':
      return 'New password';
    case 'invitation':
      return 'Invitation';
    case 'overview':
      return 'Overview';
    case 'decisions':
      return 'Decisions';
    case 'risk':
      return 'Risk';
    case 'history':
      return 'History';
    case 'settings':
      return 'Settings';
    case 'administration':
      return 'Administration';
    case 'strategies':
      return 'Strategies';
    case 'review':
      return `Review of ${route.strategy}`;
    case 'rule':
      return 'Rule';
    case 'backtests':
      return 'Back-tests';
    case 'start':
      return 'New back-test';
    case 'job':
      return route.collection === 'backtests' ? 'Back-test' : 'Search';
    case 'reports':
      return 'Reports';
    case 'accountReport':
      return `Report of ${route.account}`;
    case 'unknown':
      return 'No such page';
  }
}

function split(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
