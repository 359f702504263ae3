import type { RuleDiagnostic, RuleWord } from './contract';

/** What the rule editor shows and does, apart from the page: words coloured, faults at their place, words offered. Offsets are UTF-16 code units. */

export type TokenKind = 'space' | 'comment' | 'statement' | 'operator' | 'number' | 'name' | 'known' | 'symbol';

export interface Token {
  kind: TokenKind;
  text: string;
}

const statements = new Set([
  'param', 'let', 'require', 'enter', 'exit', 'stop', 'target', 'trail', 'reentry', 'size', 'session', 'timezone', 'when', 'from', 'to', 'step',
  'after', 'on', 'risk', 'equity', 'lots', 'units', 'notional',
]);
const operators = new Set(['and', 'or', 'not', 'points', 'ticks', 'long', 'short', 'flat']);

const pattern = /(?<comment>#[^\n]*)|(?<number>(?:\d|\.\d)[\w.:]*)|(?<name>[A-Za-z_](?:\w|\.(?=[A-Za-z]))*)|(?<space>\s+)|(?<symbol>.)/gsu;

/** The words of a text in their order; together they are the text. `known` are the names that mean something, in lower case. */
export function tokens(text: string, known: ReadonlySet<string>): Token[] {
  return [...text.matchAll(pattern)].map(({ 0: word, groups }) => ({ kind: kindOf(word, groups!, known), text: word }));
}

function kindOf(word: string, groups: Record<string, string | undefined>, known: ReadonlySet<string>): TokenKind {
  if (groups['comment'] !== undefined) return 'comment';
  if (groups['number'] !== undefined) return 'number';
  if (groups['space'] !== undefined) return 'space';
  if (groups['name'] === undefined) return 'symbol';
  const name = word.toLowerCase();
  return operators.has(name) ? 'operator' : statements.has(name) ? 'statement' : known.has(name) ? 'known' : 'name';
}

/** A stretch of one line that looks alike: its kind, and the fault that it lies in. */
export interface Segment {
  text: string;
  kind: TokenKind;
  /** Index of the diagnostic; null where nothing is wrong. */
  fault: number | null;
}

/** The text as lines of segments; every diagnostic marks at least one character of its line, or the end of it. */
export function paint(text: string, known: ReadonlySet<string>, diagnostics: readonly RuleDiagnostic[]): Segment[][] {
  const lines: Segment[][] = [[]];
  for (const { kind, text: word } of tokens(text, known)) {
    word.split('\n').forEach((part, index) => {
      if (index > 0) lines.push([]);
      if (part !== '') lines.at(-1)!.push({ text: part, kind, fault: null });
    });
  }
  diagnostics.forEach((diagnostic, index) => {
    const line = lines[diagnostic.line - 1];
    if (line) lines[diagnostic.line - 1] = mark(line, diagnostic.column - 1, Math.max(1, diagnostic.length), index);
  });
  return lines;
}

function mark(line: readonly Segment[], from: number, length: number, fault: number): Segment[] {
  const result: Segment[] = [];
  const to = from + length;
  let at = 0;
  for (const segment of line) {
    const end = at + segment.text.length;
    const first = Math.min(Math.max(from, at), end) - at;
    const last = Math.min(Math.max(to, at), end) - at;
    for (const [begin, stop, inside] of [[0, first, false], [first, last, true], [last, end - at, false]] as const) {
      // The first fault of a place is the one that the others follow from.
      if (begin < stop) result.push({ ...segment, text: segment.text.slice(begin, stop), fault: inside ? (segment.fault ?? fault) : segment.fault });
    }
    at = end;
  }
  // Something is missing at the end of the line: a space to put the mark under.
  if (from >= at) result.push({ text: ' ', kind: 'space', fault });
  return result;
}

/** Where a line and column, both from 1, are in the text; beyond its line, the end of the line. */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let number = 1; number < line; number++) {
    const next = text.indexOf('\n', start);
    if (next < 0) return text.length;
    start = next + 1;
  }
  const end = text.indexOf('\n', start);
  return Math.min(start + column - 1, end < 0 ? text.length : end);
}

/** Line and column, both from 1, of an offset. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** A change of the text, and where the caret is after it. */
export interface Edit {
  from: number;
  to: number;
  insert: string;
  caret: number;
}

/** The word that was meant, in place of the one that is wrong; null where none is suggested. */
export function acceptSuggestion(text: string, diagnostic: RuleDiagnostic): Edit | null {
  if (!diagnostic.suggestion) return null;
  const from = offsetOf(text, diagnostic.line, diagnostic.column);
  const to = Math.min(text.length, from + diagnostic.length);
  return { from, to, insert: diagnostic.suggestion, caret: from + diagnostic.suggestion.length };
}

export function apply(text: string, { from, to, insert }: Edit): string {
  return text.slice(0, from) + insert + text.slice(to);
}

/** A word that can be completed to. */
export interface Completion {
  /** What is written. */
  name: string;
  usage: string;
  kind: string;
  gives: string;
  description: string;
}

const statementWords: readonly [usage: string, description: string][] = [
  ['enter long when condition;', 'an entry; the first that holds counts'],
  ['enter short when condition;', 'an entry the other way'],
  ['exit when condition;', 'leaves the position; exit long and exit short leave one side'],
  ['stop distance;', 'how far from the entry the loss is cut: atr(14) * 2, 200 points, 1%'],
  ['target distance;', 'how far from the entry the profit is taken'],
  ['trail distance;', 'a stop that follows the market; needs an exit'],
  ['size risk 1%;', 'how much: risk, equity, lots, units or notional'],
  ['param name = 20 from 5 to 50 step 5;', 'a number that can be set and searched, with its range'],
  ['let name = expression;', 'a name for an expression'],
  ['require fast < slow;', 'what must hold between parameters'],
  ['session 08:00-17:00 Europe/London on weekdays;', 'when entries are made'],
  ['timezone Europe/London;', 'of the times that the rule reads'],
  ['reentry after exit;', 'after a stop nothing is entered until an exit condition holds'],
  ['and', 'both'], ['or', 'one of both'], ['not', 'the opposite'],
  ['points', 'distances of the instrument\'s own point'], ['ticks', 'distances of the instrument\'s smallest step'],
  ['long', 'a position, or the side of an entry'], ['short', 'a position, or the side of an entry'], ['flat', 'no position'],
];

/** Everything that can be completed to: statements, the vocabulary of the service, and the names that the text itself gives. */
export function completionsOf(words: readonly RuleWord[], text: string): Completion[] {
  const own = [...text.matchAll(/\b(param|let)\s+([a-z_]\w*)/gi)].map(([, kind, name]): Completion => ({
    name: name!.toLowerCase(), usage: name!.toLowerCase(), kind: kind!.toLowerCase() === 'let' ? 'Let' : 'Parameter', gives: '',
    description: 'of this rule',
  }));
  const statement = statementWords.map(([usage, description]): Completion => ({
    name: wordOf(usage), usage, kind: 'Statement', gives: '', description,
  }));
  const vocabulary = words.map(({ kind, usage, gives, description }): Completion => ({ name: wordOf(usage), usage, kind, gives, description }));
  const byUsage = new Map([...own, ...statement, ...vocabulary].map((completion) => [completion.usage, completion]));
  return [...byUsage.values()];
}

function wordOf(usage: string): string {
  return /^[A-Za-z_][\w.]*/.exec(usage)?.[0] ?? usage;
}

/** The names that mean something in this text, in lower case. */
export function knownNames(completions: readonly Completion[]): Set<string> {
  return new Set(completions.filter(({ kind }) => kind !== 'Statement').map(({ name }) => name.toLowerCase()));
}

/** The word that the caret is at the end of, outside of comments; null where none is begun. */
export function wordAt(text: string, caret: number): { from: number; prefix: string } | null {
  const line = text.slice(text.lastIndexOf('\n', caret - 1) + 1, caret);
  if (line.includes('#')) return null;
  const prefix = /[A-Za-z_][\w.]*$/.exec(line)?.[0] ?? '';
  // The letters of 90m are a unit, not a word.
  if (prefix !== '' && /[\d.]$/.test(line.slice(0, line.length - prefix.length))) return null;
  return { from: caret - prefix.length, prefix };
}

/** What can follow a prefix: what begins with it, then what has it inside; a whole word needs no help. */
export function complete(completions: readonly Completion[], prefix: string, limit = 12): Completion[] {
  const wanted = prefix.toLowerCase();
  const ranked = completions.map((completion, index) => ({ completion, index, rank: rankOf(completion, wanted) })).filter(({ rank }) => rank < 3);
  if (wanted !== '' && ranked.every(({ completion }) => completion.name.toLowerCase() === wanted && completion.usage === completion.name)) return [];
  return ranked.sort((a, b) => a.rank - b.rank || a.index - b.index).slice(0, limit).map(({ completion }) => completion);
}

function rankOf({ name }: Completion, wanted: string): number {
  const own = name.toLowerCase();
  return own === wanted ? 0 : own.startsWith(wanted) ? 1 : wanted.length > 1 && own.includes(wanted) ? 2 : 3;
}

/** Writes a completion over the begun word: statements and plain names as they are, functions and features with their parentheses. */
export function insertion(completion: Completion, at: { from: number; prefix: string }): Edit {
  const begins = /^(enter|exit|stop|target|trail|reentry|size|require|let|param|session|timezone)\b/.test(completion.usage);
  const insert = completion.kind === 'Statement' && begins ? statementStart(completion.usage) : completion.usage;
  const open = insert.indexOf('(');
  // Inside the parentheses of a function, whose arguments are to be written; behind a feature, whose numbers already stand there.
  const caret = completion.kind === 'Function' && open >= 0 ? open + 1 : insert.length;
  const written = completion.kind === 'Function' && open >= 0 ? `${insert.slice(0, open)}()` : insert;
  return { from: at.from, to: at.from + at.prefix.length, insert: written, caret: at.from + caret };
}

/** As much of a statement as is the same in all of its kind. */
function statementStart(usage: string): string {
  const [first = '', second = '', third = ''] = usage.split(/[ ;]/);
  if (first === 'enter') return `${first} ${second} ${third} `;
  if (first === 'exit') return `${first} ${second} `;
  if (first === 'size' || first === 'reentry') return usage;
  return `${first} `;
}

/** After a change, before the text is checked again: the diagnostics of lines that stayed as and where they were. */
export function stillTrue(diagnostics: readonly RuleDiagnostic[], before: string, after: string): RuleDiagnostic[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return diagnostics.filter(({ line }) => old[line - 1] !== undefined && old[line - 1] === now[line - 1]);
}
