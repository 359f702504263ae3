import type { App } from '../app';
import type { Fill } from '../contract';
import { cells, h, panel, Rows, setClass, setHidden, setText, table, type Column, type Row } from '../dom';
import * as format from '../format';
import { fillId } from '../store';
import { signed } from './account';

const shown = 50;

const columns = [
  { title: 'Time' },
  { title: 'Symbol' },
  { title: 'Fill' },
  { title: 'Price', numeric: true },
  { title: 'Realised', numeric: true },
  { title: 'Commission', numeric: true, shown: 'wide' },
  { title: 'Owner', shown: 'wide' },
] as const satisfies readonly Column[];

export function fillsView({ store }: App): HTMLElement {
  const { element, body } = panel('fills', 'Fills', h('span', { class: 'aside' }, 'newest first'));
  const { element: grid, rows } = table('Latest fills', columns);
  const empty = h('p', { class: 'empty' });
  const scroll = h('div', { class: 'scroll short', tabindex: 0, role: 'region', 'aria-label': 'Latest fills' }, grid);
  body.append(scroll, empty);

  const make = (): Row<Fill> => {
    const row = cells(columns);
    const [time, symbol, kind, price, realised, commission, owner] = row.cells;
    return {
      element: row.element,
      update: (fill) => {
        setText(time, format.moment(fill.time, store.zone));
        setText(symbol, fill.symbol);
        setText(kind, `${fill.side} ${format.volume(fill.volume)}`);
        setClass(kind, 'buy', fill.side === 'Buy');
        setClass(kind, 'sell', fill.side === 'Sell');
        setText(price, format.price(fill.price, store.digits(fill.symbol)));
        setText(realised, format.result(fill.realised));
        signed(realised, fill.realised);
        setText(commission, format.money(fill.commission));
        setText(owner, fill.strategy === '' ? 'by hand' : format.keyName(fill.strategy));
      },
    };
  };
  const list = new Rows<Fill>(rows, fillId, make);
  store.view(['fills', 'instruments', 'zone', 'accounts'], () => {
    const fills = (store.fills ?? []).slice(0, shown);
    list.render(fills, store.zone, store.preferences, store.instruments);
    setHidden(scroll, fills.length === 0);
    setHidden(empty, fills.length > 0);
    const loading = store.accounts === null || (store.account && store.fills === null);
    setText(empty, loading
      ? 'Loading…'
      : store.account
        ? 'Nothing filled yet: start a strategy, or place an order by the ticket.'
        : 'Fills appear here once there is an account.');
  });
  return element;
}
