import { href, type Route } from './routes';

/** What a key, or two one after the other, does. */
export interface Shortcut {
  /** As `KeyboardEvent.key` has them. */
  keys: readonly [string] | readonly [string, string];
  text: string;
  action: ShortcutAction;
}

export type ShortcutAction = { go: string } | { command: 'help' | 'search' | 'zone' | 'theme' | 'buy' | 'sell' | 'volume' };

const pages: readonly (readonly [string, string, Route])[] = [
  ['o', 'Overview', { page: 'overview' }],
  ['t', 'Trade', { page: 'trade' }],
  ['s', 'Strategies', { page: 'strategies' }],
  ['d', 'Decisions', { page: 'decisions', search: '' }],
  ['b', 'Back-tests', { page: 'backtests' }],
  ['r', 'Reports', { page: 'reports' }],
  ['k', 'Risk and kill switch', { page: 'risk' }],
  ['h', 'History', { page: 'history', tab: 'orders' }],
  ['p', 'Settings', { page: 'settings', tab: 'profile' }],
  ['a', 'Administration', { page: 'administration', tab: 'members' }],
];

export const shortcuts: readonly Shortcut[] = [
  ...pages.map(([key, text, route]): Shortcut => ({ keys: ['g', key], text: `Go to ${text}`, action: { go: href(route) } })),
  { keys: ['b'], text: 'Order ticket: buy', action: { command: 'buy' } },
  { keys: ['s'], text: 'Order ticket: sell', action: { command: 'sell' } },
  { keys: ['v'], text: 'Order ticket: volume', action: { command: 'volume' } },
  { keys: ['/'], text: 'Search on this page', action: { command: 'search' } },
  { keys: ['z'], text: 'Times in UTC or local', action: { command: 'zone' } },
  { keys: ['l'], text: 'Light or dark', action: { command: 'theme' } },
  { keys: ['?'], text: 'All shortcuts', action: { command: 'help' } },
];

/** How long the second key of a pair may be waited for. */
const patience = 1500;

/** Follows the keys, and knows what they come to. */
export class Keys {
  #first = '';
  #at = 0;

  /** What this key does; null for nothing, or not yet. */
  press(key: string, now: number): ShortcutAction | null {
    const first = now - this.#at <= patience ? this.#first : '';
    this.#first = '';
    if (first !== '') return shortcuts.find(({ keys }) => keys[0] === first && keys[1] === key)?.action ?? null;
    const single = shortcuts.find(({ keys }) => keys.length === 1 && keys[0] === key);
    if (single) return single.action;
    if (shortcuts.some(({ keys }) => keys.length === 2 && keys[0] === key)) {
      this.#first = key;
      this.#at = now;
    }
    return null;
  }
}
