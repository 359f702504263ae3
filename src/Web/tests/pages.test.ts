import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytes, fileFault, readName, uploadFaults } from '../src/datasets';
import { keep, parseDrafts, type RuleDraft } from '../src/drafts';
import { Latest } from '../src/latest';
import { freeName, toName } from '../src/names';
import { curvePoints } from '../src/series';
import { templates } from '../src/templates';

describe('the name of a file', () => {
  it.each([
    ['EURUSD_H1_202001020000_202412312300.csv', 'EURUSD', 'H1'], ['gbpusd_h1.zip', 'GBPUSD', 'H1'], ['XAUUSD-tick-2024.csv', 'XAUUSD', 'tick'],
    ['prices.csv', '', ''], ['20140501_quote.zip', '', ''], ['my m5 data.csv', '', ''], ['BTCUSD.csv', '', ''], ['us500_MN1.txt', 'US500', 'MN1'],
  ])('%s says %j and %j', (name, symbol, timeFrame) => expect(readName(name)).toEqual({ symbol, timeFrame }));

  it('that cannot be read is refused before it is sent', () => {
    expect(fileFault({ name: 'a.csv', size: 10 }, 100)).toBe('');
    expect(fileFault({ name: 'a.xlsx', size: 10 }, 100)).toContain('CSV');
    expect(fileFault({ name: 'a.zip', size: 0 }, 100)).toContain('empty');
    expect(fileFault({ name: 'a.CSV', size: 2048 }, 1024)).toBe('The file has 2 KB; at most 1 KB.');
  });

  it.each([[0, '0 B'], [1023, '1023 B'], [1536, '1.5 KB'], [2_345_678, '2.24 MB'], [256 * 1024 * 1024, '256 MB']])('%d bytes are %s', (count, text) =>
    expect(bytes(count)).toBe(text));

  it('is asked for what it does not say, within bounds', () => {
    const fields = { symbol: 'EURUSD', timeFrame: 'H1', timeZone: 'Europe/Athens', spreadPoints: '1.5' };
    expect(uploadFaults(fields)).toEqual({});
    expect(uploadFaults({ symbol: '', timeFrame: '', timeZone: '', spreadPoints: '' })).toEqual({});
    expect(Object.keys(uploadFaults({ symbol: 'a b', timeFrame: 'hourly', timeZone: 'Atlantis', spreadPoints: '-1' }))).toEqual(
      ['symbol', 'timeFrame', 'timeZone', 'spreadPoints']);
  });
});

describe('names', () => {
  it.each([['SMA cross, H1', 'sma-cross-h1'], ['--', 'strategy'], ['Über!', 'ber'], ['a'.repeat(80), 'a'.repeat(60)], ['x_1', 'x_1']])('%j becomes %j', (text, name) =>
    expect(toName(text)).toBe(name));

  it('are free', () => {
    expect(freeName('a', [])).toBe('a');
    expect(freeName('a', ['a', 'a-2'])).toBe('a-3');
    expect(freeName('a-2', ['a-2'])).toBe('a-3');
  });
});

describe('drafts', () => {
  const draft = (origin: string, text = ''): RuleDraft => ({ origin, text, parameters: { a: 1 }, name: 'x' });

  it('are kept newest first, one of each origin, and not without end', () => {
    let drafts: RuleDraft[] = [];
    for (let number = 0; number < 14; number++) drafts = keep(drafts, draft(`#${number % 12}`, String(number)));
    expect(drafts.map(({ text }) => text)).toEqual(['13', '12', '11', '10', '9', '8', '7', '6', '5', '4']);
    expect(parseDrafts(JSON.stringify(drafts))).toEqual(drafts);
  });

  it.each(['', '{', '{}', 'null', '[1,null,{"origin":1}]', '[{"origin":"a","text":"b","name":"c","parameters":{"x":"1"}}]'])('%j holds none', (text) =>
    expect(parseDrafts(text)).toEqual([]));
});

describe('the latest question', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function make() {
    const asked: { question: string; signal: AbortSignal; answer: (text: string) => void; fail: (error: Error) => void }[] = [];
    const told: string[] = [];
    const latest = new Latest<string, string>(300, (question, signal) => new Promise((answer, fail) => asked.push({ question, signal, answer, fail })),
      (question, answer) => told.push(`${question}: ${answer}`), (error) => told.push(String(error)));
    return { asked, told, latest };
  }

  it('is asked once the writing pauses', async () => {
    const { asked, latest } = make();
    for (const text of ['a', 'ab', 'abc']) {
      latest.ask(text);
      await vi.advanceTimersByTimeAsync(299);
    }
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.map(({ question }) => question)).toEqual(['abc']);
  });

  it('is the only one that is answered: a late answer to an older one is dropped, as is its failure', async () => {
    const { asked, told, latest } = make();
    latest.ask('old');
    await vi.advanceTimersByTimeAsync(300);
    latest.ask('new');
    await vi.advanceTimersByTimeAsync(300);
    expect(asked[0]!.signal.aborted).toBe(true);
    asked[1]!.answer('2');
    asked[0]!.answer('1');
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['new: 2']);
  });

  it('tells why there is no answer, and nothing more once it is stopped', async () => {
    const { asked, told, latest } = make();
    latest.ask('a', 0);
    await vi.advanceTimersByTimeAsync(0);
    asked[0]!.fail(new Error('away'));
    await vi.advanceTimersByTimeAsync(0);
    latest.ask('b', 0);
    await vi.advanceTimersByTimeAsync(0);
    latest.stop();
    asked[1]!.fail(new Error('late'));
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['Error: away']);
  });
});

it('points of a curve are in order, each second once with its last value', () => {
  expect(curvePoints([[3000, 3], [1000, 1], [1500, 2], [3999, 4]])).toEqual([{ time: 1, value: 2 }, { time: 3, value: 4 }]);
});

it('every template has a name of its own and ends its statements', () => {
  expect(new Set(templates.map(({ name }) => name)).size).toBe(templates.length);
  for (const { text } of templates) for (const line of text.trim().split('\n')) expect(line).toMatch(/^#|;$/);
});
