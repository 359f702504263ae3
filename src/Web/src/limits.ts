import type { Account, LimitUse, RiskLimits } from './contract';
import * as format from './format';

export interface UsedLimit {
  name: string;
  /** 0 to 1 and beyond; null where the use is not known. */
  share: number | null;
  text: string;
  level: 'calm' | 'near' | 'full';
}

/** At this share of a limit its use is near it, where the service does not say. */
const near = 0.8;

/** How much of each limit that fills up is used, the fullest first. */
export function usedLimits({ limitUse, limits, positions, workingOrders, currency }: Account): UsedLimit[] {
  const counts = ['maxOpenPositions', 'maxWorkingOrders'];
  const uses: LimitUse[] = limitUse ?? [
    // What can be counted here; of the rest only the service knows the use.
    ...(limits?.maxOpenPositions ? [{ limit: 'maxOpenPositions', used: positions.length, most: limits.maxOpenPositions }] : []),
    ...(limits?.maxWorkingOrders ? [{ limit: 'maxWorkingOrders', used: workingOrders.length, most: limits.maxWorkingOrders }] : []),
  ];
  return uses.map(({ limit, used, most, near: isNear }): UsedLimit => {
    const share = used / most;
    const amount = (value: number) => (counts.includes(limit) ? format.volume(value) : `${format.money(value)} ${currency}`);
    return {
      name: limitName(limit), share, text: `${amount(used)} of ${amount(most)}`,
      level: share >= 1 ? 'full' : (isNear ?? share >= near) ? 'near' : 'calm',
    };
  }).sort((a, b) => (b.share ?? 0) - (a.share ?? 0));
}

/** A limit as people call it: maxOpenPositions is "Open positions". */
export function limitName(limit: string): string {
  if (limit === 'priceCollarPercent') return 'Away from the market';
  if (limit === 'submitRate') return 'New orders';
  return format.capital(format.words(limit.replace(/^max/, '').replace(/Percent$/, ''))) + (limit.endsWith('Percent') ? ' (of equity)' : '');
}

/** Each limit that is set, in words. */
export function limitTexts(limits: RiskLimits, currency: string): [string, string][] {
  const money = (value: number) => `${format.money(value)} ${currency}`;
  const rate = ({ count, window }: { count: number; window: string }) => `${format.volume(count)} in ${spanText(window)}`;
  const all: [string, string | 0 | null][] = [
    ['Volume of an order', limits.maxOrderVolume && format.volume(limits.maxOrderVolume)],
    ['Notional of an order, at least', limits.minOrderNotional && money(limits.minOrderNotional)],
    ['Notional of an order', limits.maxOrderNotional && money(limits.maxOrderNotional)],
    ['Price away from the market', limits.priceCollarPercent && format.percent(limits.priceCollarPercent / 100, 2)],
    ['Exposure', limits.maxExposure && money(limits.maxExposure)],
    ['Exposure by equity', limits.maxExposurePercent && format.percent(limits.maxExposurePercent / 100, 0)],
    ['Exposure in an instrument', limits.maxInstrumentExposure && money(limits.maxInstrumentExposure)],
    ['Open positions', limits.maxOpenPositions && format.volume(limits.maxOpenPositions)],
    ['Open positions in an instrument', limits.maxInstrumentPositions && format.volume(limits.maxInstrumentPositions)],
    ['Working orders', limits.maxWorkingOrders && format.volume(limits.maxWorkingOrders)],
    ['Working orders in an instrument', limits.maxInstrumentWorkingOrders && format.volume(limits.maxInstrumentWorkingOrders)],
    ['New orders', limits.submitRate && rate(limits.submitRate)],
    ['Changes of orders', limits.modifyRate && rate(limits.modifyRate)],
    ...limits.lossLimits.map(({ period, amount, percent, action }): [string, string] =>
      [`Loss a ${period.toLowerCase()}`,
        `${percent === null ? money(amount ?? 0) : format.percent(percent / 100, 2)}, then ${format.words(action)}`]),
    ['Drawdown', limits.maxDrawdownPercent && `${format.percent(limits.maxDrawdownPercent / 100, 2)}, then ${format.words(limits.drawdownAction)}`],
    ['Instruments', limits.allowedInstruments.length > 0 ? limits.allowedInstruments.join(', ') : null],
  ];
  return all.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** A span as the service writes it, `[days.]hh:mm:ss`, in words: 00:01:00 is "1 min". */
export function spanText(span: string): string {
  const match = /^(?:(\d+)\.)?(\d{2}):(\d{2}):(\d{2})/.exec(span);
  if (!match) return span;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number];
  const parts = [[days, 'd'], [hours, 'h'], [minutes, 'min'], [seconds, 's']] as const;
  return parts.filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`).join(' ') || '0 s';
}
