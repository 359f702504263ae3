import { describe, expect, it } from 'vitest';
import css from '../src/style.css?raw';

type Rgb = readonly [number, number, number];

/** The colours of `:root` in one theme, those that have no transparency. */
function palette(theme: 'light' | 'dark'): ReadonlyMap<string, Rgb> {
  const root = css.slice(0, css.indexOf('}'));
  return new Map([...root.matchAll(/--([a-z-]+): (?:light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)|(#[0-9a-f]{6}));/g)].map(
    ([, name, light, dark, both]) => [name!, rgb(both ?? (theme === 'light' ? light! : dark!))]));
}

function rgb(hex: string): Rgb {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

/** What is written, on what it can stand. */
const texts: readonly (readonly [ink: string, ...paper: string[]])[] = [
  ['text', 'page', 'panel', 'hover', 'selected', 'up-flash', 'down-flash', 'fault-back', 'heat-low', 'heat-high'],
  ['soft', 'page', 'panel', 'hover', 'selected'],
  ['accent', 'page', 'panel', 'hover', 'selected'],
  ['on-accent', 'accent', 'sell', 'halt'],
  ['buy', 'panel', 'hover', 'selected'],
  ['sell', 'panel', 'hover', 'selected'],
  ['gain', 'page', 'panel', 'hover', 'selected'],
  ['loss', 'page', 'panel', 'hover', 'selected', 'fault-back'],
  ['warn', 'page', 'panel', 'hover', 'warn-back'],
  ['on-simulated', 'simulated'],
];

/** What is drawn and means something: 3 to 1 is asked for. */
const drawings: readonly (readonly [ink: string, ...paper: string[]])[] = [
  ['control', 'panel', 'page'], ['accent', 'panel', 'page'], ['up', 'panel'], ['down', 'panel'], ['warn', 'panel'], ['halt', 'panel'],
];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const colours = palette(theme);
  const of = (name: string): Rgb => colours.get(name) ?? expect.fail(`style.css has no plain colour --${name}`);
  const pairs = (list: readonly (readonly string[])[]) => list.flatMap(([ink, ...papers]) => papers.map((paper) => [ink!, paper] as const));

  it.each(pairs(texts))('%s can be read on %s', (ink, paper) => expect(contrast(of(ink), of(paper))).toBeGreaterThanOrEqual(4.5));

  it.each(pairs(drawings))('%s can be seen on %s', (ink, paper) => expect(contrast(of(ink), of(paper))).toBeGreaterThanOrEqual(3));
});

it('black on white is 21 to 1', () => expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21));
