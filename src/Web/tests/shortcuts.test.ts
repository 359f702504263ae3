import { expect, it } from 'vitest';
import { parseRoute } from '../src/routes';
import { Keys, shortcuts } from '../src/shortcuts';

it('a key does what it says, at once or after its first', () => {
  const keys = new Keys();
  expect(keys.press('z', 0)).toEqual({ command: 'zone' });
  expect(keys.press('g', 10)).toBeNull();
  expect(keys.press('s', 20)).toEqual({ go: '#/strategies' });
  expect(keys.press('s', 30)).toEqual({ command: 'sell' });
});

it('a pair is forgotten by another key, and by time', () => {
  const keys = new Keys();
  keys.press('g', 0);
  expect(keys.press('x', 1)).toBeNull();
  expect(keys.press('t', 2)).toBeNull();
  keys.press('g', 10);
  expect(keys.press('t', 5_000)).toBeNull();
});

it('no two begin alike, and each leads to a page', () => {
  const texts = shortcuts.map(({ keys }) => keys.join(' '));
  expect(new Set(texts).size).toBe(texts.length);
  const firsts = new Set(shortcuts.filter(({ keys }) => keys.length === 2).map(({ keys }) => keys[0]));
  expect(shortcuts.filter(({ keys }) => keys.length === 1 && firsts.has(keys[0]))).toEqual([]);
  for (const { action } of shortcuts) if ('go' in action) expect(parseRoute(action.go).page).not.toBe('unknown');
});
