import type { App } from '../app';
import type { Position } from '../contract';
import { cells, h, panel, Rows, setHidden, setText, table, type Column, type Row } from '../dom';
import * as format from '../format';
import { closing } from '../pretrade';
import { signed } from './account';
import { ask, field, numberInput, numberOf, openForm } from './dialogs';

const columns = [
  { title: 'Symbol' },
  { title: 'Volume', numeric: true },
  { title: 'Entry', numeric: true },
  { title: 'Mark', numeric: true, shown: 'wide' },
  { title: 'Result', numeric: true },
  { title: 'Owner', shown: 'wide' },
  { title: 'Opened', shown: 'widest' },
  { title: 'Action' },
] as const satisfies readonly Column[];

export function positionsView(app: App): HTMLElement {
  const { store, api, session, say, report } = app;
  const total = h('span', { class: 'aside' });
  const { element, body } = panel('positions', 'Positions', total);
  const { element: grid, rows } = table('Open positions', columns);
  const empty = h('p', { class: 'empty' });
  const scroll = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Open positions' }, grid);
  body.append(scroll, empty);

  const send = async (position: Position, part: number) => {
    const { accountName, account } = store;
    if (!account) return;
    const { minPosition, order } = await api.place(accountName, closing(position, part, account.mode));
    say(`${order.side} ${format.volume(order.volume)} ${order.symbol}: order ${order.ordinal} is taken.`);
    await session.refresh(minPosition);
  };
  /** What a closing order of a person does where several hold the same symbol. */
  const shared = ({ symbol, volume }: Position) => {
    const others = store.account?.positions.filter((each) => each.symbol === symbol && each.volume * volume > 0) ?? [];
    return store.account?.mode === 'Netting' && others.length > 1
      ? ` ${others.length} hold ${symbol} on this side of the account: yours is reduced first, then those of the strategies by name.` : '';
  };
  const close = async (position: Position) => {
    const what = `${position.volume > 0 ? 'Sells' : 'Buys'} ${format.volume(Math.abs(position.volume))} ${position.symbol}`;
    const text = `${what} at the market.${shared(position)}`;
    if (!(await ask(`Close ${position.symbol}?`, text, 'Close now'))) return;
    await send(position, Math.abs(position.volume)).catch(report);
  };
  const reduce = (position: Position) => {
    const held = Math.abs(position.volume);
    const step = store.instruments.get(position.symbol)?.volumeStep ?? 0;
    const half = step > 0 ? Math.max(step, Number((Math.round(held / 2 / step) * step).toFixed(8))) : held / 2;
    const volume = field('Volume', numberInput(half, { minimum: 0, above: true, maximum: held, required: true }),
      `Of ${format.volume(held)}.${shared(position)}`);
    openForm({
      title: `Reduce ${position.symbol}`, action: 'Reduce now', fields: [volume.element],
      submit: () => send(position, numberOf(volume.input)!),
    });
  };

  const make = (first: Position): Row<Position> => {
    const row = cells(columns);
    const [symbol, volume, entry, mark, result, owner, opened, action] = row.cells;
    let shown = first;
    action.append(h('span', { class: 'line', 'data-needs': 'Trade' },
      h('button', { type: 'button', 'aria-label': `Close ${first.symbol}`, onclick: () => void close(shown) }, 'Close'),
      h('button', { type: 'button', 'aria-label': `Reduce ${first.symbol}`, onclick: () => reduce(shown) }, 'Reduce')));
    return {
      element: row.element,
      update: (position) => {
        shown = position;
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
    setHidden(scroll, positions.length === 0);
    setHidden(empty, positions.length > 0);
    setText(empty, store.accounts === null ? 'Loading…' : account ? 'Flat: no open position.' : 'Positions appear here once there is an account.');
    setText(total, positions.length === 0 ? '' : String(positions.length));
  });
  return element;
}
