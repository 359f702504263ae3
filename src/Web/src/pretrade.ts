import type { Account, LimitStep, NewOrder, OrderPreview } from './contract';
import * as format from './format';
import { limitName } from './limits';

/** The verdict on an order in words; of one that goes, whether it has to wait for its market. */
export function verdictText({ verdict, volume, reason, detail }: OrderPreview, order: NewOrder, isOpen: boolean): string {
  const waits = isOpen ? '' : ` The market of ${order.symbol} is closed: it waits for the next quote.`;
  const why = detail === null ? '' : ` ${format.capital(format.words(reason ?? ''))}: ${detail}.`;
  switch (verdict) {
    case 'Accepted':
      return `Risk would let it through.${waits}`;
    case 'Cut':
      return `Risk would let ${format.volume(volume)} of ${format.volume(order.volume)} through, as that only reduces.${why}${waits}`;
    case 'Denied':
      return `Risk would deny it.${why}`;
  }
}

/** What an order comes to, by label; prices with the digits of its instrument. */
export function figuresOf({ figures }: OrderPreview, currency: string, digits: number): [label: string, text: string][] {
  if (!figures) return [];
  const money = (value: number) => `${format.money(value)} ${currency}`;
  const telling = tellingLimit(figures.limits);
  return [
    ['Expected price', format.price(figures.price, digits)],
    ['Spread', format.price(figures.spread, digits)],
    ['Notional', money(figures.notional)],
    ['Commission', money(figures.commission)],
    ['Margin needed', money(figures.marginNeeded)],
    ['Free margin', money(figures.freeMargin)],
    ...(telling ? [[limitName(telling.limit), limitText(telling, currency)] as [string, string]] : []),
  ];
}

/** The limit that the order fills the most, or breaks. */
function tellingLimit(limits: readonly LimitStep[]): LimitStep | undefined {
  const share = ({ after, most }: LimitStep) => (most > 0 ? after / most : Number.POSITIVE_INFINITY);
  return limits.reduce<LimitStep | undefined>((fullest, step) => (fullest && share(fullest) >= share(step) ? fullest : step), undefined);
}

function limitText({ limit, before, after, most }: LimitStep, currency: string): string {
  if (limit === 'priceCollarPercent') return `${format.percent(after / 100)} of ${format.percent(most / 100)}`;
  const isMoney = /Exposure|Notional/.test(limit);
  const amount = isMoney ? format.money : format.volume;
  return `${amount(before)} → ${amount(after)} of ${amount(most)}${isMoney ? ` ${currency}` : ''}`;
}

/** The order that closes a position, or a part of it. */
export function closing({ id, symbol, volume }: { id: string; symbol: string; volume: number }, part: number, mode: Account['mode']): NewOrder {
  return {
    symbol, side: volume > 0 ? 'Sell' : 'Buy', type: 'Market', volume: part, reduceOnly: true,
    // In a netting account a holding has no id of its own.
    ...(mode === 'Hedging' ? { positionId: id } : {}),
  };
}
