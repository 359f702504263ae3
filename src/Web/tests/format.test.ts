import { beforeEach, describe, expect, it } from 'vitest';
import { agentName } from '../src/agents';
import * as format from '../src/format';

beforeEach(() => format.useLocale('en-US'));

describe('prices and money', () => {
  it('have the digits of the instrument', () => {
    expect(format.price(1.1, 5)).toBe('1.10000');
    expect(format.price(43210.5, 2)).toBe('43,210.50');
    expect(format.price(null, 5)).toBe('–');
  });

  it('follow the locale', () => {
    format.useLocale('de-DE');
    expect(format.price(43210.5, 2)).toBe('43.210,50');
    expect(format.money(1234.5)).toBe('1.234,50');
  });

  it('show the sign of a result, and none for nothing', () => {
    expect([12.3, -12.3, 0, -0].map(format.result)).toEqual(['+12.30', '-12.30', '0.00', '0.00']);
  });

  it('keep every decimal of a volume', () => {
    expect(format.volume(0.01)).toBe('0.01');
    expect(format.volume(0.00000001)).toBe('0.00000001');
    expect(format.volume(100000)).toBe('100,000');
  });

  it('give an indicator the digits of its size', () => {
    expect([1.085123456, 43210.5678, 0.000123456789, null, Number.NaN].map(format.reading)).toEqual([
      '1.08512', '43,210.57', '0.00012346', '–', '–',
    ]);
  });
});

describe('spread', () => {
  it.each([
    [1.0852, 1.08532, 5, 0.0001, 1.2],
    [149.321, 149.333, 3, 0.01, 1.2],
    [2031.44, 2031.74, 2, 0.1, 3],
    [1.1, 1.1, 5, 0.0001, 0],
  ])('%d/%d with %d digits and pip %d is %d', (bid, ask, digits, pip, expected) => {
    expect(format.spreadInPips(bid, ask, digits, pip)).toBe(expected);
  });

  it('is counted in points when the instrument has no pip', () => {
    expect(format.spreadInPips(1.0852, 1.08532, 5, 0)).toBe(12);
  });
});

describe('times', () => {
  const time = '2026-03-01T04:05:06Z';

  it('are UTC when asked', () => {
    expect(format.clock(time, 'utc')).toBe('04:05:06');
    expect(format.hourAndMinute(time, 'utc')).toBe('04:05');
  });

  it('of a moment are written alike wherever they stand, with the year where it is another', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect(format.moment(time, 'utc', now)).toBe('Mar 01, 04:05:06');
    expect(format.moment(Date.parse(time), 'utc', now)).toBe('Mar 01, 04:05:06');
    expect(format.moment('2019-03-01T04:05:06Z', 'utc', now)).toBe('Mar 01, 2019, 04:05:06');
  });

  it('write midnight as 00', () => {
    expect(format.clock('2026-03-01T00:00:00Z', 'utc')).toBe('00:00:00');
  });

  it.each([[0, '0s'], [-5, '0s'], [59_999, '59s'], [60_000, '1m'], [3_600_000, '1h'], [90_000_000, '1d']])('an age of %d ms is %s', (age, text) => {
    expect(format.age(age)).toBe(text);
  });
});

it('names are the last part of a key, codes become words', () => {
  expect(['local/main', 'main'].map(format.keyName)).toEqual(['main', 'main']);
  expect(format.capital(format.words('MaxInstrumentWorkingOrders'))).toBe('Max instrument working orders');
});

it('shares, ratios and days of past data', () => {
  expect([format.percent(0.1234), format.percent(-0.5, 0), format.percent(null), format.percent(Infinity)]).toEqual(['12.3\u00a0%', '-50\u00a0%', '–', '–']);
  expect([format.ratio(1.256), format.ratio(undefined), format.ratio(NaN)]).toEqual(['1.26', '–', '–']);
  expect(format.date('2024-12-31T23:59:59Z')).toBe('Dec 31, 2024');
});

describe('a browser', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36', 'Chrome 143 on Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0',
      'Edge 143 on Windows'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox 140 on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
      'Safari 18 on iPhone'],
    ['curl/8.14.1', 'curl/8.14.1'],
    ['', 'Unknown'],
  ])('%j is %s', (agent, name) => expect(agentName(agent)).toBe(name));
});
