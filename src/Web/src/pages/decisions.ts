import type { App } from '../app';
import type { Decision } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import { keyName } from '../format';
import { faultText } from '../http';
import type { PageFactory } from '../page';
import { href } from '../routes';
import { matches, parseQuery, type DecisionQuery } from '../search';
import { decisionList } from '../views/decisions';
import { during, settled } from '../views/load';

/** Of a search at most so many are read before the reader is asked whether to go on. */
const readAtOnce = 1000;
const pageSize = 200;
/** So many more are shown with each step back. */
const shownAtOnce = 200;

/** Every decision, with what it saw and what came of it, and a search over them. */
export const page: PageFactory = (app, route, signal) => {
  const text = route.page === 'decisions' ? route.search : '';
  return h('main', { class: 'page' }, h('div', { class: 'column' }, searchView(app, text, signal)));
};

function searchView({ store, api, report }: App, initial: string, signal: AbortSignal): HTMLElement {
  const input = h('input', { type: 'search', value: initial, 'aria-label': 'Search decisions',
    placeholder: 'strategy:NAME symbol:EURUSD is:denied any words' });
  const form = h('form', { class: 'search', role: 'search' }, input, h('button', { type: 'submit' }, 'Search'));
  const { element, body } = panel('decisions', 'Decisions', form);
  const count = h('p', { class: 'hint pad', role: 'status' });
  const list = decisionList(store);
  const more = h('button', { type: 'button', class: 'more', onclick: () => void during(more, further, report) }, 'Search further back');
  body.append(h('p', { class: 'hint pad' },
    'Each decision explains itself: open it for the bar and the features that it saw, what it wanted and why, and what every account made of it. ',
    'Words are looked for anywhere; strategy:, symbol:, account:, stance: and is:ordered, is:denied or is:unfollowed narrow the search.'),
  count, list.element, more);

  let query: DecisionQuery = parseQuery(initial);
  const known = new Map<string, Decision>();
  /** Those of them that the search finds. */
  const found = new Map<string, Decision>();
  const take = (decisions: readonly Decision[]) => {
    for (const decision of decisions) {
      if (known.get(decision.id) === decision) continue;
      known.set(decision.id, decision);
      if (matches(decision, query)) found.set(decision.id, decision);
      else found.delete(decision.id);
    }
  };
  let next: string | undefined;
  let isEnd = false;
  let reads = 0;
  let shown = shownAtOnce;

  const show = () => {
    take((store.decisions ?? []).filter(({ strategy }) => query.strategy === '' || keyName(strategy).toLowerCase() === query.strategy));
    const sorted = [...found.values()].sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : b.marketPosition - a.marketPosition));
    list.render(sorted.slice(0, shown));
    const part = sorted.length > shown ? `; the newest ${shown} are shown` : '';
    setText(count, `${sorted.length} of ${known.size} decisions ${isEnd ? 'there are' : 'read so far'}${part}.`);
    setHidden(more, isEnd && sorted.length <= shown);
  };
  /** Reads on until something more is found, or much was read. */
  const read = async () => {
    const mine = ++reads;
    const before = found.size;
    for (let seen = 0; seen < readAtOnce && !isEnd; seen += pageSize) {
      const page = await api.decisions(pageSize, next, query.strategy === '' ? undefined : query.strategy);
      if (mine !== reads || signal.aborted) return;
      take(page.decisions);
      next = page.next === null || page.next === undefined ? undefined : String(page.next);
      isEnd = next === undefined;
      show();
      if (found.size >= before + 50) break;
    }
  };
  const further = async () => {
    shown += shownAtOnce;
    show();
    await read();
  };
  const begin = () => {
    shown = shownAtOnce;
    query = parseQuery(input.value);
    known.clear();
    found.clear();
    next = undefined;
    isEnd = false;
    history.replaceState(null, '', href({ page: 'decisions', search: input.value.trim() }));
    read().catch((error: unknown) => setText(count, faultText(error)));
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    begin();
  });
  begin();
  // Several come in a second; the list moves less often than that.
  store.view(['decisions'], settled(500, show, signal), signal);
  store.view(['zone', 'instruments'], show, signal);
  return element;
}
