import type { Order } from './contract';
import * as format from './format';

const openStatuses = ['Submitted', 'Working', 'PartiallyFilled', 'PendingModify', 'PendingCancel'];

/** It can still fill. */
export function isOpen(order: Order): boolean {
  return openStatuses.includes(order.status);
}

export interface OrderNews {
  text: string;
  kind: '' | 'fault' | 'warning';
}

/** What to tell of an order as it stands. */
export function orderNews(order: Order, digits: number): OrderNews {
  const { ordinal, status, filled, volume } = order;
  const so = `Order ${ordinal} is ${format.words(status)}`;
  const at = order.averageFill === null || order.averageFill === undefined ? '' : ` at ${format.price(order.averageFill, digits)}`;
  switch (status) {
    case 'Filled':
      return { text: `${so}: ${format.volume(filled)}${at}.`, kind: '' };
    case 'PartiallyFilled':
      return { text: `${so}: ${format.volume(filled)} of ${format.volume(volume)}${at}.`, kind: '' };
    case 'Denied':
    case 'Rejected':
      return { text: `${so}: ${order.detail || format.words(order.reason)}`, kind: 'fault' };
    case 'Cancelled':
    case 'Expired': {
      const part = filled > 0 ? `, ${format.volume(filled)} of ${format.volume(volume)} filled${at}` : '';
      const why = order.reason === 'None' ? '' : `: ${format.words(order.reason)}`;
      return { text: `${so}${part}${why}.`, kind: 'warning' };
    }
    default:
      return { text: `${so}.`, kind: '' };
  }
}
