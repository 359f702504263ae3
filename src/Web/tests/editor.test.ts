import { describe, expect, it } from 'vitest';
import type { RuleDiagnostic } from '../src/contract';
import {
  acceptSuggestion, apply, complete, completionsOf, insertion, knownNames, offsetOf, paint, placeOf, stillTrue, tokens, wordAt,
} from '../src/editor';
import { templates } from '../src/templates';

const fault = (line: number, column: number, length: number, suggestion: string | null = null): RuleDiagnostic =>
  ({ line, column, length, message: 'wrong', suggestion });

const words = [
  { kind: 'Function', usage: 'crosses_above(a, b)', gives: 'Boolean', description: 'a comes to lie above b' },
  { kind: 'Feature', usage: 'sma(20, close)', gives: 'Price', description: 'simple moving average' },
  { kind: 'Feature', usage: 'macd.signal(12, 26, 9)', gives: 'Distance', description: 'signal line' },
  { kind: 'Feature', usage: 'macd.line(12, 26, 9)', gives: 'Distance', description: 'line' },
  { kind: 'Fact', usage: 'bars_in_trade', gives: 'Number', description: 'bars since the entry' },
];

describe('tokens', () => {
  it('are the whole text, whatever it is', () => {
    for (const text of ['', 'a', '\n\n', '# only\n', 'x = "ü😀" §', ...templates.map((template) => template.text)]) {
      expect(tokens(text, new Set()).map((token) => token.text).join('')).toBe(text);
    }
  });

  it('are of the kind that they are', () => {
    const kinds = tokens('Enter long when sma(20)>1.5 and 90m == mine; # and so on', new Set(['sma'])).filter(({ kind }) => kind !== 'space');
    expect(kinds.map(({ kind, text }) => `${kind}:${text}`)).toEqual([
      'statement:Enter', 'operator:long', 'statement:when', 'known:sma', 'symbol:(', 'number:20', 'symbol:)', 'symbol:>', 'number:1.5', 'operator:and',
      'number:90m', 'symbol:=', 'symbol:=', 'name:mine', 'symbol:;', 'comment:# and so on',
    ]);
  });

  it('keep a name with a dot together', () => {
    expect(tokens('macd.signal(1.)', new Set(['macd.signal']))[0]).toEqual({ kind: 'known', text: 'macd.signal' });
  });
});

describe('the picture of a rule', () => {
  const texts = (text: string, diagnostics: RuleDiagnostic[]) =>
    paint(text, new Set(), diagnostics).map((line) => line.map(({ text: part, fault: index }) => (index === null ? part : `[${index}:${part}]`)).join(''));

  it('has a line for each of the text, and is the text', () => {
    for (const { text } of templates) expect(texts(text, []).join('\n')).toBe(text);
    expect(texts('a\n', [])).toEqual(['a', '']);
  });

  it('marks what a diagnostic is about, over words and inside of them', () => {
    expect(texts('enter long when smaa(20) > 1;', [fault(1, 17, 4)])).toEqual(['enter long when [0:smaa](20) > 1;']);
    expect(texts('abc def', [fault(1, 2, 4)])).toEqual(['a[0:bc][0: ][0:d]ef']);
    expect(texts('one\ntwo\nthree', [fault(2, 1, 3), fault(3, 3, 2)])).toEqual(['one', '[0:two]', 'th[1:re]e']);
  });

  it('marks the place behind the end where something is missing', () => {
    expect(texts('enter long', [fault(1, 11, 0)])).toEqual(['enter long[0: ]']);
    expect(texts('', [fault(1, 1, 1)])).toEqual(['[0: ]']);
  });

  it('keeps the first of two at one place, and leaves out those of lines that are not there', () => {
    expect(texts('abcd', [fault(1, 2, 2), fault(1, 3, 2), fault(7, 1, 1)])).toEqual(['a[0:b][0:c][1:d]']);
  });

  it('keeps the diagnostics of lines that stayed, until the text is checked again', () => {
    const all = [fault(1, 1, 1), fault(2, 1, 1), fault(3, 1, 1)];
    expect(stillTrue(all, 'a\nb\nc', 'a\nbb\nc').map(({ line }) => line)).toEqual([1, 3]);
    expect(stillTrue(all, 'a\nb\nc', 'a')).toEqual([all[0]]);
  });
});

describe('places', () => {
  it('are the same in both directions', () => {
    const text = 'one\n\nthree 😀 x';
    for (let offset = 0; offset <= text.length; offset++) {
      const { line, column } = placeOf(text, offset);
      expect(offsetOf(text, line, column)).toBe(offset);
    }
  });

  it('do not leave their line, nor the text', () => {
    expect(offsetOf('one\ntwo', 1, 99)).toBe(3);
    expect(offsetOf('one\ntwo', 9, 1)).toBe(7);
  });

  it('take the word that was meant', () => {
    const text = 'let a = 1;\nenter long when smaa(20) > a;';
    const edit = acceptSuggestion(text, fault(2, 17, 4, 'sma'))!;
    expect(apply(text, edit)).toBe('let a = 1;\nenter long when sma(20) > a;');
    expect(edit.caret).toBe(text.indexOf('smaa') + 3);
    expect(acceptSuggestion(text, fault(2, 17, 4))).toBeNull();
  });
});

describe('completion', () => {
  const all = completionsOf(words, 'param fast = 20 from 5 to 50; let Trend = sma(fast);');
  const names = (prefix: string) => complete(all, prefix).map(({ usage }) => usage);

  it('knows the vocabulary and the names of the text itself', () => {
    expect(names('fas')).toEqual(['fast']);
    expect(names('tren')).toEqual(['trend']);
    expect([...knownNames(all)].sort()).toEqual(['bars_in_trade', 'crosses_above', 'fast', 'macd.line', 'macd.signal', 'sma', 'trend']);
  });

  it('puts what begins so before what has it inside, in any case', () => {
    expect(names('SIG')).toEqual(['macd.signal(12, 26, 9)']);
    expect(names('macd')).toEqual(['macd.signal(12, 26, 9)', 'macd.line(12, 26, 9)']);
    expect(names('tra')).toEqual(['trail distance;', 'bars_in_trade']);
  });

  it('has nothing to say where nothing fits, or the word stands there already', () => {
    expect(names('xyz')).toEqual([]);
    expect(names('fast')).toEqual([]);
  });

  it.each([
    ['enter long when cro', 16, 'cro'], ['macd.si', 0, 'macd.si'], ['a > ', 4, ''], ['', 0, ''],
  ])('the word at the end of %j', (text, from, prefix) => expect(wordAt(text, text.length)).toEqual({ from, prefix }));

  it.each(['# about sm', 'x > 90m', 'close > 1.5e'])('there is none in %j', (text) => expect(wordAt(text, text.length)).toBeNull());

  it('a comment ends with its line', () => {
    expect(wordAt('# a\nsm', 6)).toEqual({ from: 4, prefix: 'sm' });
  });

  it('writes a function with the caret inside, a feature with its numbers, a statement as far as all are alike', () => {
    const write = (prefix: string) => {
      const [completion] = complete(all, prefix);
      const edit = insertion(completion!, { from: 0, prefix });
      const text = apply(prefix, edit);
      return `${text.slice(0, edit.caret)}|${text.slice(edit.caret)}`;
    };
    expect(write('crosses')).toBe('crosses_above(|)');
    expect(write('sm')).toBe('sma(20, close)|');
    expect(write('bars')).toBe('bars_in_trade|');
    expect(write('ent')).toBe('enter long when |');
    expect(write('exi')).toBe('exit when |');
    expect(write('siz')).toBe('size risk 1%;|');
    expect(write('par')).toBe('param |');
  });
});
