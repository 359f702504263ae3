import type { Account, Instrument, NewOrder, Quote } from './contract';
import * as format from './format';

export interface Preview {
  /** `goes`: nothing that this page can see is against it. */
  verdict: 'goes' | 'reduces' | 'denied';
  /** What is against it, or what it comes to. */
  texts: string[];
}

/**
 * What pre-trade risk will say of an order, as far as it can be seen from here: the state of the account, its limits, the market. Margin,
 * and the use of limits by what happens until then, only the service knows; it decides when the order is sent.
 */
export function previewOf(order: NewOrder, account: Account, instrument: Instrument, quote: Quote | undefined): Preview {
  const { limits, positions, workingOrders, currency } = account;
  const sign = order.side === 'Buy' ? 1 : -1;
  // In a hedging account every entry stands for itself, unless it may only reduce.
  const nets = account.mode === 'Netting' || order.reduceOnly === true;
  const held = nets ? positions.filter(({ symbol, volume }) => symbol === order.symbol && volume * sign < 0) : [];
  const opposite = held.reduce((sum, { volume }) => sum + Math.abs(volume), 0);
  if (opposite > 0 && (order.reduceOnly || order.volume <= opposite)) {
    const left = opposite - Math.min(order.volume, opposite);
    const what = left === 0 ? 'It closes what is held' : `It only reduces, to ${format.volume(left)}`;
    return { verdict: 'reduces', texts: [`${what}: risk lets it through.`] };
  }
  if (order.reduceOnly) return { verdict: 'denied', texts: ['There is nothing to reduce.'] };

  const faults: string[] = [];
  if (account.tenantHalted) faults.push('The tenant is halted: only what reduces goes.');
  if (account.state !== 'Active') faults.push(`The account is ${account.state.toLowerCase()}: only what reduces goes.`);
  if (!instrument.open) faults.push(`The market of ${instrument.symbol} is closed.`);
  const market = order.side === 'Buy' ? quote?.ask : quote?.bid;
  if (market === undefined) faults.push('There is no price yet.');
  if (limits) {
    const { maxOrderVolume, allowedInstruments, priceCollarPercent, maxWorkingOrders, maxOpenPositions } = limits;
    if (allowedInstruments.length > 0 && !allowedInstruments.includes(order.symbol)) {
      faults.push(`${order.symbol} is not among the instruments of this account.`);
    }
    if (maxOrderVolume !== null && order.volume > maxOrderVolume) faults.push(`An order has at most ${format.volume(maxOrderVolume)}.`);
    for (const price of [order.limitPrice, order.stopPrice]) {
      if (price === undefined || market === undefined || priceCollarPercent === null) continue;
      const away = Math.abs(price - market) / market;
      if (away * 100 > priceCollarPercent) {
        faults.push(`${format.percent(away)} away from the market; at most ${format.percent(priceCollarPercent / 100)}.`);
      }
    }
    if (order.type !== 'Market' && maxWorkingOrders !== null && workingOrders.length >= maxWorkingOrders) {
      faults.push(`${workingOrders.length} orders are working; at most ${maxWorkingOrders}.`);
    }
    const isHeld = positions.some(({ symbol, owner }) => symbol === order.symbol && owner === '');
    if (maxOpenPositions !== null && positions.length >= maxOpenPositions && (!isHeld || account.mode === 'Hedging')) {
      faults.push(`${positions.length} positions are open; at most ${maxOpenPositions}.`);
    }
  }
  const notional = market === undefined ? null : notionalOf(order.volume, order.limitPrice ?? order.stopPrice ?? market, instrument, currency);
  if (notional !== null && limits) {
    const { minOrderNotional, maxOrderNotional } = limits;
    if (maxOrderNotional !== null && notional > maxOrderNotional) {
      faults.push(`${format.money(notional)} ${currency} of notional; at most ${format.money(maxOrderNotional)}.`);
    }
    if (minOrderNotional !== null && notional < minOrderNotional) {
      faults.push(`${format.money(notional)} ${currency} of notional; at least ${format.money(minOrderNotional)}.`);
    }
    for (const { limit, used, most } of account.limitUse ?? []) {
      if (!limit.startsWith('maxExposure') || used + notional <= most) continue;
      faults.push(`Exposure would be ${format.money(used + notional)} ${currency}; at most ${format.money(most)}.`);
    }
  }
  if (faults.length > 0) return { verdict: 'denied', texts: faults };
  const size = notional === null ? '' : ` Notional ${format.money(notional)} ${currency}.`;
  return { verdict: 'goes', texts: [`Nothing is against it.${size}`] };
}

/** In the account's currency; null where that takes a rate that is not known here. */
function notionalOf(volume: number, price: number, { baseCurrency, quoteCurrency }: Instrument, currency: string): number | null {
  if (quoteCurrency === currency) return volume * price;
  return baseCurrency === currency ? volume : null;
}

/** The order that closes a position, or a part of it. */
export function closing({ id, symbol, volume }: { id: string; symbol: string; volume: number }, part: number, mode: Account['mode']): NewOrder {
  return {
    symbol, side: volume > 0 ? 'Sell' : 'Buy', type: 'Market', volume: part, reduceOnly: true,
    // In a netting account a holding has no id of its own.
    ...(mode === 'Hedging' ? { positionId: id } : {}),
  };
}
