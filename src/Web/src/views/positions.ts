import type { App } from '../app';
import type { Position } from '../contract';
import { cells, h, panel, Rows, setHidden, setText, table, type Column, type Row } from '../dom';
import * as format from '../format';
import { signed } from './account';

const columns = [
  { title: 'Symbol' },
  { title: 'Volume', numeric: true },
  { title: 'Entry', numeric: true },
  { title: 'Mark', numeric: true, shown: 'wide' },
  { title: 'Result', numeric: true },
  { title: 'Owner', shown: 'wide' },
  { title: 'Opened', shown: 'wide' },
] as const satisfies readonly Column[];

export function positionsView({ store }: App): HTMLElement {
  const total = h('span', { class: 'aside' });
  const { element, body } = panel('positions', 'Positions', total);
  const { element: grid, rows } = table('Open positions', columns);
  const empty = h('p', { class: 'empty' });
  body.append(grid, empty);

  const make = (): Row<Position> => {
    const row = cells(columns);
    const [symbol, volume, entry, mark, result, owner, opened] = row.cells;
    return {
      element: row.element,
      update: (position) => {
        // An average of fills has more decimals than a price: one more is shown.
        const digits = store.digits(position.symbol);
        setText(symbol, position.symbol);
        setText(volume, `${position.volume > 0 ? 'Long' : 'Short'} ${format.volume(Math.abs(position.volume))}`);
        setText(entry, format.price(position.averageEntry, digits + 1));
        setText(mark, format.price(position.mark, digits));
        setText(result, format.result(position.openResult));
        signed(result, position.openResult);
        setText(owner, position.owner === '' ? 'by hand' : format.keyName(position.owner));
        setText(opened, format.moment(position.opened, store.zone));
      },
    };
  };
  const list = new Rows<Position>(rows, (position) => position.id, make);
  store.view(['accounts', 'instruments', 'zone'], () => {
    const account = store.account;
    const positions = account?.positions ?? [];
    list.render(positions);
    setHidden(grid, positions.length === 0);
    setHidden(empty, positions.length > 0);
    setText(empty, store.accounts === null ? 'Loading…' : account ? 'Flat: no open position.' : 'Positions appear here once there is an account.');
    setText(total, positions.length === 0 ? '' : String(positions.length));
  });
  return element;
}
