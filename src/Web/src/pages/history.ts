import type { App } from '../app';
import type { Fill, JournalEntry, Order } from '../contract';
import { h, panel, setHidden, setText, type Column } from '../dom';
import * as format from '../format';
import { faultText } from '../http';
import { JournalCheck } from '../journalCheck';
import { isOpen } from '../orders';
import type { PageFactory } from '../page';
import type { HistoryTab, Route } from '../routes';
import { field, numberInput, numberOf, select } from '../views/dialogs';
import { grid, type Cell } from '../views/grid';
import { during, settled } from '../views/load';
import { priceOf } from '../views/orders';
import { tabs } from '../views/tabs';

const pageSize = 100;
/** News of an account is waited for this long, so that many at once are read once. */
const settle = 1000;

/** What happened: every order, every fill, and the record of it all. */
export const page: PageFactory = (app, route, signal) => {
  const tab: HistoryTab = route.page === 'history' ? route.tab : 'orders';
  const to = (each: HistoryTab): Route => ({ page: 'history', tab: each });
  const views: Record<HistoryTab, (app: App, signal: AbortSignal) => HTMLElement> = { orders: ordersView, fills: fillsView, journal: journalView };
  return h('main', { class: 'page' },
    tabs('History', [
      { text: 'Orders', route: to('orders') }, { text: 'Fills', route: to('fills') }, { text: 'Journal', route: to('journal'), needs: 'ReadJournal' },
    ], to(tab)),
    h('div', { class: 'column' }, views[tab](app, signal)));
};

interface Paged<T> {
  read: (before: number | undefined) => Promise<{ items: T[]; next: number | null }>;
  id: (item: T) => number;
  /** The newest first. */
  order: (a: T, b: T) => number;
  columns: readonly Column[];
  cells: (item: T) => readonly Cell[];
  caption: string;
  none: string;
}

/** A list that is read page by page, and again from the top when something happens. */
function pagedView<T>({ store, report }: App, { read, id, order, columns, cells, caption, none }: Paged<T>, signal: AbortSignal) {
  const place = h('div', {}, h('p', { class: 'empty' }, 'Loading…'));
  const more = h('button', { type: 'button', class: 'more', hidden: true, onclick: () => void during(more, older, report) }, 'Load older');
  let items = new Map<number, T>();
  let next: number | null = null;
  let reads = 0;
  let isRead = false;
  const show = () => {
    if (!isRead) return;
    place.replaceChildren(grid(caption, columns, [...items.values()].sort(order).map(cells), none));
    setHidden(more, next === null);
  };
  const older = async () => {
    if (next === null) return;
    const mine = reads;
    const page = await read(next);
    if (mine !== reads || signal.aborted) return;
    for (const item of page.items) items.set(id(item), item);
    next = page.next;
    show();
  };
  /** `anew` forgets what was read: another account, another filter. */
  const begin = async (anew: boolean) => {
    const mine = ++reads;
    try {
      const page = await read(undefined);
      if (mine !== reads || signal.aborted) return;
      // Pages that do not reach each other leave a hole: then the list begins anew.
      const reaches = page.next === null || page.items.some((item) => items.has(id(item)));
      if (anew || !isRead || !reaches) {
        items = new Map();
        next = page.next;
      }
      for (const item of page.items) items.set(id(item), item);
      isRead = true;
      show();
    } catch (error) {
      if (mine === reads && !signal.aborted) place.replaceChildren(h('p', { class: 'empty fault', role: 'alert' }, faultText(error)));
    }
  };
  store.view(['zone', 'instruments'], show, signal);
  return { elements: [place, more], begin };
}

/** Follows the account that is looked at, and what is pushed of it. */
function follow({ store }: App, topic: 'orders' | 'fills', begin: (anew: boolean) => Promise<void>, heading: Element, title: string,
  signal: AbortSignal): void {
  let account = '';
  const again = settled(settle, () => void begin(false), signal);
  store.view(['accounts'], () => {
    setText(heading, store.accountName === '' ? title : `${title} of ${store.accountName}`);
    if (store.accountName === account) return;
    account = store.accountName;
    void begin(true);
  }, signal);
  store.view([topic, 'connection'], () => {
    if (account !== '' && store.connection === 'connected') again();
  }, signal);
}

const orderColumns: readonly Column[] = [
  { title: 'Order' }, { title: 'Time' }, { title: 'Symbol' }, { title: 'What' }, { title: 'Volume', numeric: true },
  { title: 'Price', numeric: true },
  { title: 'Filled at', numeric: true, shown: 'wide' }, { title: 'Status' }, { title: 'Why', shown: 'wide' }, { title: 'Owner', shown: 'widest' },
];

function ordersView(app: App, signal: AbortSignal): HTMLElement {
  const { store, api } = app;
  const status = select([['all', 'All'], ['open', 'Working'], ['closed', 'Ended']], 'all');
  const symbol = select([['', 'All symbols']], '');
  status.setAttribute('aria-label', 'Status');
  symbol.setAttribute('aria-label', 'Symbol');
  const { element, body, head } = panel('order-history', 'Orders', status, symbol);
  const list = pagedView<Order>(app, {
    read: async (before) => {
      if (store.accountName === '') return { items: [], next: null };
      const page = await api.orders(store.accountName, status.value as 'all' | 'open' | 'closed', symbol.value, pageSize, before);
      return { items: page.orders, next: page.next };
    },
    id: ({ ordinal }) => ordinal,
    order: (a, b) => b.ordinal - a.ordinal,
    columns: orderColumns,
    cells: (order) => {
      const digits = store.digits(order.symbol);
      const purpose = order.purpose === 'Trade' ? '' : ` (${format.words(order.purpose)})`;
      return [
        String(order.ordinal), format.moment(order.createdAt, store.zone), order.symbol,
        { text: `${order.side} ${format.words(order.type)}${purpose}`, class: order.side.toLowerCase() },
        order.filled > 0 && order.filled !== order.volume ? `${format.volume(order.filled)} / ${format.volume(order.volume)}`
          : format.volume(order.volume),
        priceOf(order, digits), format.price(order.averageFill, digits),
        { text: format.words(order.status), class: ['Denied', 'Rejected'].includes(order.status) ? 'loss' : isOpen(order) ? 'accent' : '' },
        { text: order.reason === 'None' ? '' : order.detail || format.words(order.reason), class: 'long' },
        order.strategy === '' ? 'by hand' : format.keyName(order.strategy),
      ];
    },
    caption: 'Orders, newest first',
    none: 'No such order.',
  }, signal);
  body.append(...list.elements);
  for (const input of [status, symbol]) input.addEventListener('change', () => void list.begin(true));
  store.view(['instruments'], () => {
    const chosen = symbol.value;
    symbol.replaceChildren(...['', ...store.instruments.keys()].map((each) =>
      h('option', { value: each, selected: each === chosen }, each || 'All symbols')));
  }, signal);
  follow(app, 'orders', list.begin, head.querySelector('h2')!, 'Orders', signal);
  return element;
}

const fillColumns: readonly Column[] = [
  { title: 'Time' }, { title: 'Symbol' }, { title: 'What' }, { title: 'Price', numeric: true }, { title: 'Realised', numeric: true },
  { title: 'Commission', numeric: true, shown: 'wide' }, { title: 'Order', numeric: true, shown: 'wide' }, { title: 'Owner', shown: 'wide' },
  { title: 'Journal', numeric: true, shown: 'widest' },
];

function fillsView(app: App, signal: AbortSignal): HTMLElement {
  const { store, api } = app;
  const { element, body, head } = panel('fill-history', 'Fills');
  const list = pagedView<Fill>(app, {
    read: async (before) => {
      if (store.accountName === '') return { items: [], next: null };
      const page = await api.fills(store.accountName, pageSize, before);
      return { items: page.fills, next: page.next };
    },
    id: ({ position }) => position,
    order: (a, b) => b.position - a.position,
    columns: fillColumns,
    cells: (fill) => [
      format.moment(fill.time, store.zone), fill.symbol, { text: `${fill.side} ${format.volume(fill.volume)}`, class: fill.side.toLowerCase() },
      format.price(fill.price, store.digits(fill.symbol)),
      { text: format.result(fill.realised), class: fill.realised > 0 ? 'gain' : fill.realised < 0 ? 'loss' : '' },
      format.money(fill.commission), String(fill.ordinal), fill.strategy === '' ? 'by hand' : format.keyName(fill.strategy), String(fill.position),
    ],
    caption: 'Fills, newest first',
    none: 'Nothing filled yet.',
  }, signal);
  body.append(...list.elements);
  follow(app, 'fills', list.begin, head.querySelector('h2')!, 'Fills', signal);
  return element;
}

function journalView({ store, api, report }: App, signal: AbortSignal): HTMLElement {
  const from = field('From position', numberInput(0, { minimum: 0, whole: true, required: true }));
  const form = h('form', { class: 'line pad', novalidate: true }, from.element, h('button', { type: 'submit' }, 'Read'));
  const { element, body } = panel('journal', 'Journal');
  const state = h('p', { class: 'pad', role: 'status' });
  const list = h('ol', { class: 'journal' });
  const more = h('button', { type: 'button', class: 'more', hidden: true, onclick: () => void during(more, read, report) }, 'Read on');
  body.append(
    h('p', { class: 'hint pad' },
      'The record of truth, as far as it is your own, in its order. This page checks what it reads: positions ascend, and each stream ',
      'counts its events without a hole. That nothing was rewritten is proved by the tree over all events: ',
      '"HybridTrading journal verify" on the server.'),
    form, state, list, more);
  let check = new JournalCheck();
  let entries: JournalEntry[] = [];
  let next: number | null = 0;

  const show = (added: readonly JournalEntry[], size: number | undefined) => {
    list.append(...added.map((entry) => entryView(entry, store.zone)));
    const { events, streams, fault } = check.state;
    const all = size === undefined ? '' : ` The journal holds ${format.volume(size)} events in all.`;
    setText(state, fault === null
      ? `✓ ${format.volume(events)} events of ${format.volume(streams)} streams are in order.${all}`
      : `✗ Not in order: ${fault}.`);
    state.className = `pad ${fault === null ? 'gain' : 'fault'}`;
    setText(more, next === null ? 'Read on for news' : 'Read on');
    setHidden(more, false);
  };
  const read = async () => {
    const last = entries.at(-1);
    const start = next ?? (last ? last.position + 1 : (numberOf(from.input) ?? 0));
    const page = await api.journal(start, pageSize);
    // After it: a journal with fewer events than were read from it would be none.
    const size = (await api.system().catch(() => null))?.journal?.size;
    if (signal.aborted) return;
    next = page.next;
    entries = [...entries, ...page.entries];
    check.take(page.entries);
    show(page.entries, size);
  };
  const begin = () => {
    check = new JournalCheck();
    entries = [];
    next = numberOf(from.input) ?? 0;
    list.replaceChildren();
    setText(state, 'Loading…');
    read().catch((error: unknown) => setText(state, faultText(error)));
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    begin();
  });
  begin();
  return element;
}

function entryView({ position, stream, version, name, schema, time, causation, payload }: JournalEntry, zone: format.Zone): HTMLElement {
  const inside = h('div', { class: 'detail' });
  const details = h('details', {}, h('summary', {},
    h('span', { class: 'place' }, String(position)), h('time', { datetime: time }, format.moment(time, zone)),
    h('strong', {}, format.capital(format.words(name.replaceAll('-', ' ')))), h('span', { class: 'hint' }, `${stream} · ${version}`)), inside);
  details.addEventListener('toggle', () => {
    if (inside.hasChildNodes()) return;
    inside.append(
      h('p', { class: 'hint' }, `Event ${version} of ${stream}, schema ${schema}${causation === '' ? '' : `, because of ${causation}`}`),
      h('pre', { class: 'rule-text', tabindex: '0', 'aria-label': 'Payload' }, payload === null ? 'Erased.' : JSON.stringify(payload, null, 2)));
  });
  return h('li', {}, details);
}
