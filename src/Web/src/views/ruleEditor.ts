import type { RuleDiagnostic, RuleWord } from '../contract';
import { h, setAttribute, setHidden, setText } from '../dom';
import {
  apply, complete, completionsOf, insertion, knownNames, offsetOf, paint, placeOf, stillTrue, wordAt, type Completion, type Edit,
} from '../editor';
import * as format from '../format';

export interface RuleEditor {
  element: HTMLElement;
  /** Replaces everything. */
  setText: (text: string) => void;
  setWords: (words: readonly RuleWord[]) => void;
  /** What is wrong with the text as it stands. */
  setDiagnostics: (diagnostics: readonly RuleDiagnostic[]) => void;
  /** Moves the caret to the place of a diagnostic. */
  goTo: (diagnostic: RuleDiagnostic) => void;
  edit: (edit: Edit) => void;
  /** Writes where the caret is. */
  insert: (text: string) => void;
}

/**
 * A text area over its own picture: the picture has the colours, the line numbers and the marks, and gives the height; the text area, transparent,
 * has the caret, the selection and all that a reader expects of a text area.
 */
export function ruleEditor(text: string, describedBy: string, changed: (text: string) => void): RuleEditor {
  const picture = h('div', { class: 'picture', 'aria-hidden': 'true' });
  const list = h('ul', { class: 'completions', role: 'listbox', id: 'completions', 'aria-label': 'Words', hidden: true });
  const news = h('span', { class: 'unseen', role: 'status' });
  const input = h('textarea', {
    'aria-label': 'Rule', 'aria-describedby': describedBy, 'aria-autocomplete': 'list', 'aria-controls': 'completions',
    autocapitalize: 'off', autocomplete: 'off', spellcheck: 'false', maxlength: 16_384,
  });
  const element = h('div', { class: 'editor' }, picture, input, list, news);

  let words: readonly RuleWord[] = [];
  let diagnostics: readonly RuleDiagnostic[] = [];
  let painted = '';
  let offered: Completion[] = [];
  let begun = { from: 0, prefix: '' };
  let active = -1;

  const render = () => {
    const known = knownNames(completionsOf(words, input.value));
    const lines = paint(input.value, known, diagnostics);
    picture.replaceChildren(...lines.map((segments) => h('div', { class: 'code' },
      ...segments.map(({ text: part, kind, fault }) => h('span', { class: fault === null ? kind : `${kind} wrong` }, part)),
      // A line without anything still has its height.
      segments.length === 0 && h('br'))));
    painted = input.value;
    setAttribute(input, 'aria-invalid', String(diagnostics.length > 0));
  };

  const close = () => {
    offered = [];
    active = -1;
    setHidden(list, true);
    input.removeAttribute('aria-activedescendant');
  };

  const choose = (index: number) => {
    active = index;
    [...list.children].forEach((option, position) => setAttribute(option, 'aria-selected', String(position === index)));
    const option = list.children[index];
    if (!option) return;
    input.setAttribute('aria-activedescendant', option.id);
    option.scrollIntoView({ block: 'nearest' });
  };

  /** Below the begun word, where its picture is. */
  const place = () => {
    const { line, column } = placeOf(input.value, begun.from);
    const row = picture.children[line - 1];
    if (!row) return;
    const range = document.createRange();
    let left = column - 1;
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    range.selectNodeContents(row);
    range.collapse(true);
    for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
      if (left <= node.length) {
        range.setStart(node, left);
        range.setEnd(node, Math.min(node.length, left + 1));
        break;
      }
      left -= node.length;
    }
    const outer = element.getBoundingClientRect();
    const inner = range.getClientRects()[0] ?? row.getBoundingClientRect();
    list.style.top = `${inner.bottom - outer.top + 2}px`;
    list.style.left = `${Math.max(0, Math.min(inner.left - outer.left, outer.width - list.offsetWidth - 4))}px`;
  };

  const offer = (asked: boolean) => {
    const at = input.selectionStart === input.selectionEnd ? wordAt(input.value, input.selectionStart) : null;
    if (!at || (at.prefix === '' && !asked)) return close();
    offered = complete(completionsOf(words, input.value), at.prefix, asked && at.prefix === '' ? 200 : 12);
    if (offered.length === 0) return close();
    begun = at;
    list.replaceChildren(...offered.map(({ usage, kind, gives, description }, index) => h('li',
      {
        role: 'option', id: `completion-${index}`, 'aria-selected': 'false',
        onpointerdown: (event) => {
          event.preventDefault();
          accept(index);
        },
      },
      h('code', {}, usage), h('span', { class: 'gives' }, [kind, gives].filter(Boolean).map(format.words).join(', ')), h('span', {}, description))));
    setHidden(list, false);
    setText(news, `${offered.length} ${offered.length === 1 ? 'word' : 'words'}; arrow keys choose, Tab takes`);
    choose(0);
    place();
  };

  const accept = (index: number) => {
    const completion = offered[index];
    if (completion) edit(insertion(completion, begun));
    close();
  };

  const edit = (change: Edit) => {
    input.focus();
    input.setSelectionRange(change.from, change.to);
    // The one way to write that the reader can undo; deprecated, without a successor.
    if (!document.execCommand('insertText', false, change.insert)) {
      input.value = apply(input.value, change);
      input.dispatchEvent(new InputEvent('input'));
    }
    input.setSelectionRange(change.caret, change.caret);
    close();
  };

  input.addEventListener('input', () => {
    diagnostics = stillTrue(diagnostics, painted, input.value);
    render();
    changed(input.value);
    offer(false);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      return offer(true);
    }
    if (event.key === 'Enter' && event.altKey) {
      const here = placeOf(input.value, input.selectionStart).line;
      const fix = diagnostics.find(({ line, suggestion }) => line === here && suggestion) ?? diagnostics.find(({ suggestion }) => suggestion);
      if (fix?.suggestion) {
        event.preventDefault();
        const from = offsetOf(input.value, fix.line, fix.column);
        edit({ from, to: from + fix.length, insert: fix.suggestion, caret: from + fix.suggestion.length });
      }
      return;
    }
    if (offered.length === 0) return;
    const keys: Record<string, () => void> = {
      ArrowDown: () => choose((active + 1) % offered.length),
      ArrowUp: () => choose((active + offered.length - 1) % offered.length),
      Enter: () => accept(active),
      Tab: () => accept(active),
      Escape: close,
    };
    const act = event.shiftKey || event.ctrlKey || event.metaKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  input.addEventListener('blur', close);
  input.addEventListener('click', close);

  input.value = text;
  render();
  return {
    element,
    setText: (value) => edit({ from: 0, to: input.value.length, insert: value, caret: 0 }),
    setWords: (value) => {
      words = value;
      render();
    },
    setDiagnostics: (value) => {
      diagnostics = value;
      render();
    },
    goTo: (diagnostic) => {
      const from = offsetOf(input.value, diagnostic.line, diagnostic.column);
      input.focus();
      input.setSelectionRange(from, Math.min(input.value.length, from + diagnostic.length));
    },
    edit,
    insert: (value) => edit({ from: input.selectionStart, to: input.selectionEnd, insert: value, caret: input.selectionStart + value.length }),
  };
}
