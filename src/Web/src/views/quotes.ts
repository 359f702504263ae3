import type { App } from '../app';
import type { Instrument } from '../contract';
import { cells, panel, Rows, setAttribute, setClass, setText, table, h, type Column, type Row } from '../dom';
import { age, moment, noValue, pips, price, spreadInPips } from '../format';

const columns = [
  { title: 'Symbol' },
  { title: 'Bid', numeric: true },
  { title: 'Ask', numeric: true },
  { title: 'Spread', numeric: true },
  { title: 'Age', numeric: true },
] as const satisfies readonly Column[];

const calm = matchMedia('(prefers-reduced-motion: reduce)');

function flash(cell: HTMLElement, up: boolean): void {
  if (calm.matches) return;
  const from = `var(--${up ? 'up' : 'down'}-flash)`;
  // An animation has the page laid out at once: after all views have written it is laid out once, and not twice, a frame.
  queueMicrotask(() => cell.animate([{ backgroundColor: from }, { backgroundColor: 'transparent' }], { duration: 700, easing: 'ease-out' }));
}

export function quotesView({ store, session }: App): HTMLElement {
  const { element, body } = panel('quotes', 'Quotes', h('span', { class: 'aside' }, 'spread in pips'));
  const { element: grid, rows } = table('Live quotes', columns);
  const empty = h('p', { class: 'empty' }, 'Waiting for the instruments…');
  body.append(grid, empty);

  const make = (instrument: Instrument): Row<Instrument> => {
    const { symbol } = instrument;
    const row = cells(columns);
    const [name, bid, ask, spread, ageCell] = row.cells;
    const select = h('button', { type: 'button', class: 'plain symbol' }, symbol);
    name.append(select);
    // The button is for the keyboard; a click anywhere in the row bubbles up to here.
    row.element.addEventListener('click', () => session.selectSymbol(symbol));
    let shownBid: number | undefined;
    let shownAsk: number | undefined;

    const update = ({ digits, pipSize, open, name: title, simulated }: Instrument) => {
      setAttribute(select, 'title', simulated ? `${title} (simulated)` : title);
      setAttribute(select, 'aria-pressed', String(symbol === store.symbol));
      setClass(row.element, 'selected', symbol === store.symbol);
      const live = store.quotes.get(symbol);
      const old = live === undefined ? 0 : Date.now() - live.since;
      const stale = open && live !== undefined && old > store.preferences.staleAfter;
      setClass(row.element, 'stale', stale);
      setClass(row.element, 'closed', !open);
      setText(bid, price(live?.quote.bid, digits));
      setText(ask, price(live?.quote.ask, digits));
      setText(spread, live ? pips(spreadInPips(live.quote.bid, live.quote.ask, digits, pipSize)) : noValue);
      setText(ageCell, !open ? 'closed' : live ? age(old) : noValue);
      if (live) {
        setAttribute(ageCell, 'title', `${stale ? 'Stale. ' : ''}Quote of ${moment(live.quote.time, store.zone)}`);
        if (shownBid !== undefined && live.quote.bid !== shownBid) flash(bid, live.quote.bid > shownBid);
        if (shownAsk !== undefined && live.quote.ask !== shownAsk) flash(ask, live.quote.ask > shownAsk);
        shownBid = live.quote.bid;
        shownAsk = live.quote.ask;
      }
    };
    return { element: row.element, update };
  };

  const list = new Rows(rows, (instrument: Instrument) => instrument.symbol, make);
  store.view(['quotes', 'instruments', 'selection', 'clock', 'zone'], () => {
    empty.hidden = store.instruments.size > 0;
    grid.hidden = store.instruments.size === 0;
    list.render([...store.instruments.values()]);
  });
  return element;
}
