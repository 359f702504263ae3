import { expect, it } from 'vitest';
import { permissions } from '../src/contract';
import css from '../src/style.css?raw';

const sources = import.meta.glob<string>('../src/**/*.ts', { query: '?raw', import: 'default', eager: true });

const needed = new Set(Object.values(sources).flatMap((source) => [...source.matchAll(/(?:'data-needs': |needs: |\['needs'\] = )'(\w+)'/g)].map(([, name]) => name!)));

it('what an element needs is a permission, and is hidden from who lacks it', () => {
  expect(needed.size).toBeGreaterThan(5);
  for (const name of needed) expect(permissions).toContain(name);
  const elements = new Set(Object.values(sources).flatMap((source) => [...source.matchAll(/(?:'data-needs': |\['needs'\] = )'(\w+)'/g)].map(([, name]) => name!)));
  for (const name of elements) expect(css).toContain(`[data-lacks~="${name}"] [data-needs="${name}"]`);
});
