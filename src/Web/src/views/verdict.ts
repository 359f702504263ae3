import type { App } from '../app';
import type { NewOrder, OrderPreview } from '../contract';
import { h, setAttribute, setClass, setHidden, setText } from '../dom';
import * as format from '../format';
import { faultText } from '../http';
import { Latest } from '../latest';
import { figuresOf, verdictText } from '../pretrade';

/** How long after the last key the account is asked, and how old an answer becomes before it is asked again; ms. */
const pause = 250;
const refresh = 3_000;

interface Asked {
  account: string;
  order: NewOrder;
}

/**
 * What the account would answer to the order that the ticket holds, asked of the account itself. An answer says as of when it is, and is dimmed
 * as soon as it is no more that of what the ticket holds, or no newer one can be had.
 */
export function verdictView({ store, api, auth }: App): { element: HTMLElement; ask: (asked: Asked | null) => void; text: () => string } {
  const verdict = h('p', { id: 'ticket-preview', role: 'status' });
  const figures = h('dl', {});
  const since = h('p', { class: 'hint' });
  const element = h('div', { class: 'preview' }, verdict, figures, since);

  let asked: Asked | null = null;
  let known: { asked: string; preview: OrderPreview; at: number } | null = null;
  let lastTry = 0;

  const isCurrent = () => known !== null && asked !== null && known.asked === JSON.stringify(asked)
    && store.connection === 'connected' && Date.now() - known.at < 2 * refresh;
  const renderAge = () => {
    setHidden(element, asked === null);
    setClass(element, 'stale', known !== null && !isCurrent());
    if (known === null) return;
    const state = isCurrent() ? '' : store.connection === 'connected' ? ' · asking again' : ' · not current: the connection is lost';
    setText(since, `As of ${format.clock(known.preview.time, store.zone)}${state}`);
  };
  const show = (of: Asked, preview: OrderPreview) => {
    known = { asked: JSON.stringify(of), preview, at: Date.now() };
    setText(verdict, verdictText(preview, of.order, store.instruments.get(of.order.symbol)?.open !== false));
    setAttribute(element, 'data-verdict', preview.verdict.toLowerCase());
    const currency = store.accounts?.find(({ name }) => name === of.account)?.currency ?? '';
    const items = figuresOf(preview, currency, store.digits(of.order.symbol));
    const labels = items.map(([label]) => label).join('\n');
    if ([...figures.querySelectorAll('dt')].map((term) => term.textContent).join('\n') !== labels) {
      figures.replaceChildren(...items.map(([label]) => h('div', {}, h('dt', {}, label), h('dd', {}))));
    }
    [...figures.querySelectorAll('dd')].forEach((value, index) => setText(value, items[index]![1]));
    setHidden(figures, items.length === 0);
    renderAge();
  };
  const fail = (error: unknown) => {
    known = null;
    setText(verdict, `What risk would say is not known. ${faultText(error)}`);
    setAttribute(element, 'data-verdict', 'unknown');
    setHidden(figures, true);
    setText(since, '');
    renderAge();
  };
  const latest = new Latest<Asked, OrderPreview>(pause, ({ account, order }, signal) => api.preview(account, order, signal), show, fail);

  const question = (delay: number) => {
    if (asked === null || store.connection !== 'connected' || !auth.may('Trade')) return;
    lastTry = Date.now();
    latest.ask(asked, delay);
  };
  store.view(['clock', 'zone', 'connection'], () => {
    if (!document.hidden && element.isConnected && Date.now() - lastTry >= refresh) question(0);
    renderAge();
  });

  return {
    element,
    ask: (next) => {
      if (JSON.stringify(next) === JSON.stringify(asked)) return;
      asked = next;
      latest.stop();
      question(pause);
      renderAge();
    },
    text: () => (isCurrent() ? `${verdict.textContent} ${since.textContent}.` : 'What risk would say is not known yet.'),
  };
}
