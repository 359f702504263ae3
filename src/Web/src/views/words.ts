import type { RuleWord } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';

/** Everything that a rule can be made of, to be looked through and taken over. */
export function wordsView(take: (usage: string) => void): { element: HTMLElement; setWords: (words: readonly RuleWord[]) => void } {
  const filter = h('input', { type: 'search', placeholder: 'Find', 'aria-label': 'Find a word', autocomplete: 'off', oninput: () => render() });
  const { element, body } = panel('words', 'Words', filter);
  const list = h('ul', { class: 'words' });
  const none = h('p', { class: 'empty' }, 'Loading…');
  body.append(h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'All words' }, list), none);
  let words: readonly RuleWord[] = [];

  const render = () => {
    const wanted = filter.value.trim().toLowerCase();
    const found = words.filter(({ usage, description }) => `${usage} ${description}`.toLowerCase().includes(wanted));
    list.replaceChildren(...found.map(({ kind, usage, gives, description }) => h('li', {},
      h('button', { type: 'button', class: 'plain', title: 'Write it where the caret is', onclick: () => take(usage) }, h('code', {}, usage)),
      h('span', { class: 'gives' }, `${kind.toLowerCase()}, ${format.words(gives)}`),
      h('span', { class: 'hint' }, description))));
    setHidden(none, found.length > 0);
    if (words.length > 0) setText(none, 'No such word.');
  };
  return {
    element,
    setWords: (all) => {
      words = all;
      render();
    },
  };
}
