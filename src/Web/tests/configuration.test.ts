import { describe, expect, it } from 'vitest';
import { changedValues, isOptional, kindOf, settingsOf, textOf, valueOf } from '../src/configuration';
import type { ConfigurationDocument, ConfigurationSection, Setting, ValueSchema } from '../src/contract';
import { defaultPreferences, readPreferences } from '../src/preferences';

const number: ValueSchema = { type: 'number', minimum: 0.1, maximum: 1 };
const whole: ValueSchema = { type: ['integer', 'null'], minimum: 1 };
const choice: ValueSchema = { type: 'string', enum: ['utc', 'local'] };
const list: ValueSchema = { type: 'array', items: { type: 'string', enum: ['Fill', 'Halt'] } };
const text: ValueSchema = { type: ['string', 'null'], maxLength: 5 };

describe('a setting', () => {
  it.each<[ValueSchema, string, boolean]>([
    [number, 'number', false], [whole, 'number', true], [choice, 'choice', false], [list, 'choices', false], [text, 'text', true],
    [{ type: 'boolean' }, 'switch', false],
    [{ type: 'object' }, 'json', false], [{}, 'json', false], [{ enum: ['a', null] }, 'choice', true],
    [{ anyOf: [{ type: 'string', maxLength: 5 }, { type: 'null' }] }, 'text', true],
    [{ anyOf: [{ type: 'array', items: { enum: ['a'] } }, { type: 'null' }] }, 'choices', true],
  ])('%j is asked for by %s', (schema, kind, optional) => expect([kindOf(schema), isOptional(schema)]).toEqual([kind, optional]));

  it.each<[string, ValueSchema, unknown]>([
    ['0.5', number, 0.5], ['', whole, null], ['7', whole, 7], ['utc', choice, 'utc'], ['["Fill"]', list, ['Fill']], ['', text, null],
    ['abc', text, 'abc'],
    ['true', { type: 'boolean' }, true], ['{"a":1}', { type: 'object' }, { a: 1 }],
  ])('%j becomes its value', (written, schema, value) => {
    expect(valueOf(written, schema)).toEqual({ value });
    if (value !== null) expect(valueOf(textOf(value), schema)).toEqual({ value });
  });

  it.each<[string, ValueSchema, string]>([
    ['2', number, 'Must be at least 0.1, at most 1.'], ['0', whole, 'Must be at least 1.'], ['1.5', whole, 'A whole number is needed.'],
    ['x', number, 'Not a number.'],
    ['', number, 'A value is needed.'], ['mars', choice, 'Not one of the choices.'], ['abcdef', text, 'At most 5 characters.'],
    ['{', { type: 'object' }, 'Not JSON.'],
    ['ab', { type: 'string', minLength: 3 }, 'At least 3 characters.'],
  ])('%j is refused with its reason', (written, schema, fault) => expect(valueOf(written, schema)).toEqual({ fault }));

  it('is offered where its layer may say it', () => {
    const setting = (name: string, layers: Setting['layers']): Setting =>
      ({ name, title: '', description: '', schema: {}, default: null, layers, secret: false });
    const section: ConfigurationSection = { section: 's', title: '', description: '',
      settings: [setting('a', ['Default', 'User']), setting('b', ['Default', 'Tenant', 'User'])] };
    expect([settingsOf(section, 'Tenant'), settingsOf(section, 'User')].map((all) => all.map(({ name }) => name))).toEqual([['b'], ['a', 'b']]);
  });
});

describe('what is written', () => {
  const document: ConfigurationDocument = {
    id: 'n', section: 'n', strategy: null, version: 3, values: { a: 1, b: 2 }, secrets: { key: '2026-01-05T10:00:00Z' }, changedAt: '',
    changedBy: '', comment: '', removed: false,
  };

  it('is all that the layer says, with the changes, without what it says no more; secrets stay unless they are taken away', () => {
    expect(changedValues(document, new Map<string, unknown>([['b', 3], ['c', 4]]), new Set(['a']))).toEqual({ b: 3, c: 4 });
    expect(changedValues(document, new Map(), new Set(['key']))).toEqual({ a: 1, b: 2, key: null });
    expect(changedValues(undefined, new Map([['a', 5]]), new Set())).toEqual({ a: 5 });
  });
});

describe('the preferences of the console', () => {
  const of = (values: Record<string, Record<string, unknown>>) => readPreferences({
    effective: Object.fromEntries(Object.entries(values).map(([section, settings]) =>
      [section, Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, { value, source: 'User' as const }]))])),
  });

  it('are those of the configuration', () =>
    expect(of({ display: { timeZone: 'local', theme: 'dark', locale: 'de-CH' }, risk: { staleFeedSeconds: 3 },
      trading: { confirmOrders: true } })).toEqual(
      { zone: 'local', theme: 'dark', locale: 'de-CH', staleAfter: 3000, confirmOrders: true }));

  it('are the default where it says nothing, or nothing that can be used', () => {
    expect(of({})).toEqual(defaultPreferences);
    expect(of({ display: { timeZone: 1, theme: 'pink', locale: 'not a locale' }, risk: { staleFeedSeconds: -1 } })).toEqual(defaultPreferences);
  });
});
