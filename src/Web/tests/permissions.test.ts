import { expect, it } from 'vitest';
import { permissions } from '../src/contract';
import css from '../src/style.css?raw';

const sources = import.meta.glob<string>('../src/**/*.ts', { query: '?raw', import: 'default', eager: true });

const found = (pattern: RegExp) => new Set(Object.values(sources).flatMap((source) => [...source.matchAll(pattern)].map(([, name]) => name!)));

it('what an element needs is a permission, and is hidden from who lacks it', () => {
  const needed = found(/(?:'data-needs': |needs: |\['needs'\] = )'(\w+)'/g);
  expect(needed.size).toBeGreaterThan(5);
  for (const name of needed) expect(permissions).toContain(name);
  for (const name of found(/(?:'data-needs': |\['needs'\] = )'(\w+)'/g)) expect(css).toContain(`[data-lacks~="${name}"] [data-needs="${name}"]`);
});
