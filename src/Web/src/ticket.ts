import type { Instrument, NewOrder, OrderType, Quote, Side, TimeInForce } from './contract';

/** What the ticket holds; a field that is empty, or that its type does not use, is undefined. */
export interface Draft {
  side: Side;
  type: OrderType;
  volume: number | undefined;
  limitPrice: number | undefined;
  stopPrice: number | undefined;
  trailDistance: number | undefined;
  stopLoss: number | undefined;
  takeProfit: number | undefined;
  timeInForce: TimeInForce;
  reduceOnly: boolean;
}

export type PriceField = 'limitPrice' | 'stopPrice' | 'trailDistance';
export type DraftField = PriceField | 'volume' | 'stopLoss' | 'takeProfit';

/** The prices that each type of order needs. */
export const neededPrices: Record<OrderType, readonly PriceField[]> = {
  Market: [],
  Limit: ['limitPrice'],
  Stop: ['stopPrice'],
  StopLimit: ['stopPrice', 'limitPrice'],
  TrailingStop: ['trailDistance'],
};

/** What can be seen to be wrong before the service is asked; it checks all of it again, and more. */
export function faultsOf(draft: Draft, instrument: Instrument, quote: Quote | undefined): Partial<Record<DraftField, string>> {
  const faults: Partial<Record<DraftField, string>> = {};
  const { volume } = draft;
  const { minVolume, maxVolume, volumeStep, digits } = instrument;
  if (volume === undefined || !(volume > 0)) faults.volume = 'A volume above 0 is needed.';
  else if (volume < minVolume) faults.volume = `At least ${minVolume}.`;
  else if (volume > maxVolume) faults.volume = `At most ${maxVolume}.`;
  else if (!isMultiple(volume, volumeStep)) faults.volume = `In steps of ${volumeStep}.`;

  for (const name of neededPrices[draft.type]) {
    if (draft[name] === undefined) faults[name] = 'Needed for this type of order.';
  }
  for (const name of [...neededPrices[draft.type], 'stopLoss', 'takeProfit'] as const) {
    const value = draft[name];
    if (value === undefined) continue;
    if (!(value > 0)) faults[name] = 'Must be above 0.';
    else if (!isMultiple(value, 10 ** -digits)) faults[name] = `At most ${digits} decimals.`;
  }

  const entry = draft.limitPrice ?? draft.stopPrice ?? (draft.side === 'Buy' ? quote?.ask : quote?.bid);
  if (entry !== undefined) {
    const sign = draft.side === 'Buy' ? 1 : -1;
    const [loss, profit] = sign > 0 ? ['below', 'above'] : ['above', 'below'];
    if (draft.stopLoss !== undefined && (entry - draft.stopLoss) * sign <= 0) faults.stopLoss ??= `Must be ${loss} the entry.`;
    if (draft.takeProfit !== undefined && (draft.takeProfit - entry) * sign <= 0) faults.takeProfit ??= `Must be ${profit} the entry.`;
  }
  return faults;
}

export function toOrder(draft: Draft, symbol: string): NewOrder {
  const order: NewOrder = { symbol, side: draft.side, type: draft.type, volume: draft.volume ?? 0 };
  for (const name of neededPrices[draft.type]) {
    const value = draft[name];
    if (value !== undefined) order[name] = value;
  }
  if (draft.stopLoss !== undefined) order.stopLoss = draft.stopLoss;
  if (draft.takeProfit !== undefined) order.takeProfit = draft.takeProfit;
  if (draft.type !== 'Market') order.timeInForce = draft.timeInForce;
  if (draft.reduceOnly) order.reduceOnly = true;
  return order;
}

/** Whether a decimal is a whole number of steps; both are short decimals, so the quotient is off by rounding only. */
export function isMultiple(value: number, step: number): boolean {
  if (!(step > 0)) return true;
  const quotient = value / step;
  return Math.abs(quotient - Math.round(quotient)) < 1e-6;
}
