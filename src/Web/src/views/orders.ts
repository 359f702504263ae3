import type { App } from '../app';
import type { Order } from '../contract';
import { cells, h, panel, Rows, setClass, setHidden, setText, table, type Column, type Row } from '../dom';
import * as format from '../format';

const columns = [
  { title: 'Symbol' },
  { title: 'Order' },
  { title: 'Volume', numeric: true },
  { title: 'Price', numeric: true },
  { title: 'Status', shown: 'wide' },
  { title: 'Owner', shown: 'widest' },
  { title: 'Placed', shown: 'widest' },
  { title: '' },
] as const satisfies readonly Column[];

export function ordersView({ store, api, session, say, report }: App): HTMLElement {
  const total = h('span', { class: 'aside' });
  const { element, body } = panel('orders', 'Working orders', total);
  const { element: grid, rows } = table('Working orders', columns);
  const empty = h('p', { class: 'empty' });
  body.append(grid, empty);

  const cancel = async (order: Order) => {
    try {
      const { minPosition } = await api.cancel(store.accountName, order.clientOrderId);
      await session.refresh(minPosition);
      say(`Cancel of order ${order.ordinal} is on its way.`);
    } catch (error) {
      report(error);
    }
  };

  const make = (first: Order): Row<Order> => {
    const row = cells(columns);
    const [symbol, kind, volume, price, status, owner, placed, action] = row.cells;
    const button = h('button', {
      type: 'button', 'data-needs': 'Trade', 'aria-label': `Cancel order ${first.ordinal}`, onclick: () => void cancel(first),
    }, 'Cancel');
    action.append(button);
    return {
      element: row.element,
      update: (order) => {
        const filled = order.filled > 0 ? `${format.volume(order.filled)} / ` : '';
        setText(symbol, order.symbol);
        setText(kind, `${order.side} ${format.words(order.type)}${order.purpose === 'Trade' ? '' : ` (${format.words(order.purpose)})`}`);
        setClass(kind, 'buy', order.side === 'Buy');
        setClass(kind, 'sell', order.side === 'Sell');
        setText(volume, filled + format.volume(order.volume));
        setText(price, priceOf(order, store.digits(order.symbol)));
        setText(status, format.words(order.status));
        setText(owner, order.strategy === '' ? 'by hand' : format.keyName(order.strategy));
        setText(placed, format.moment(order.createdAt, store.zone));
        button.disabled = order.status === 'PendingCancel';
      },
    };
  };
  const list = new Rows<Order>(rows, (order) => String(order.ordinal), make);
  store.view(['accounts', 'instruments', 'zone'], () => {
    const account = store.account;
    const orders = [...(account?.workingOrders ?? [])].sort((a, b) => b.ordinal - a.ordinal);
    list.render(orders);
    setHidden(grid, orders.length === 0);
    setHidden(empty, orders.length > 0);
    setText(empty, store.accounts === null ? 'Loading…' : account ? 'No order is working.' : 'Orders appear here once there is an account.');
    setText(total, orders.length === 0 ? '' : String(orders.length));
  });
  return element;
}

export function priceOf(order: Order, digits: number): string {
  const prices = [order.stopPrice, order.limitPrice].filter((price) => price !== null && price !== undefined);
  if (prices.length > 0) return prices.map((price) => format.price(price, digits)).join(' → ');
  return order.trailDistance === null || order.trailDistance === undefined ? 'market' : `trail ${format.price(order.trailDistance, digits)}`;
}
