import type { Account, Decision, Quote, Strategy } from './contract';
import * as format from './format';
import { usedLimits } from './limits';

/** What somebody should look at now. */
export interface Alert {
  /** The same for the same matter, however often it is found. */
  id: string;
  level: 'fault' | 'warning';
  text: string;
  /** When it happened, where it has a time. */
  time: string | null;
  about: 'account' | 'strategy' | 'feed' | 'connection';
  name: string;
}

export interface Watched {
  accounts: readonly Account[];
  strategies: readonly Strategy[];
  decisions: readonly Decision[];
  /** Prices of open markets that are older than they may be. */
  stale: readonly Quote[];
  isConnected: boolean;
}

/** Denials older than this are history. */
const denialsShown = 3_600_000;

/** Worst first: halts, full limits, then what is near or old. */
export function alertsOf({ accounts, decisions, stale, isConnected, strategies }: Watched, now: number): Alert[] {
  const alerts: Alert[] = [];
  if (!isConnected) {
    alerts.push({ id: 'connection', level: 'fault', text: 'The connection is lost: nothing here is newer than the header says.', time: null,
      about: 'connection', name: '' });
  }
  for (const account of accounts) {
    const { name, state, stateReason, tenantHalted } = account;
    if (tenantHalted) {
      alerts.push({ id: `tenant/${name}`, level: 'fault', text: `${name} is halted for the tenant`, time: null, about: 'account', name });
    }
    if (state !== 'Active') {
      alerts.push({
        id: `state/${name}`, level: state === 'Halted' ? 'fault' : 'warning', text: `${name} is ${state.toLowerCase()}: ${format.words(stateReason)}`,
        time: null, about: 'account', name,
      });
    }
    for (const { name: limit, level, text } of usedLimits(account)) {
      if (level === 'calm') continue;
      alerts.push({
        id: `limit/${name}/${limit}`, level: level === 'full' ? 'fault' : 'warning',
        text: `${name}: ${limit.toLowerCase()} is ${level === 'full' ? 'at its limit' : 'near its limit'}, ${text}`, time: null, about: 'account',
        name,
      });
    }
  }
  for (const quote of stale) {
    const held = accounts.filter(({ positions }) => positions.some(({ symbol }) => symbol === quote.symbol)).map(({ name }) => name);
    const watched = strategies.some(({ symbol, status }) => symbol === quote.symbol && status === 'Running');
    if (held.length === 0 && !watched) continue;
    const who = held.length > 0 ? `held by ${held.join(', ')}` : 'a strategy watches it';
    alerts.push({ id: `stale/${quote.symbol}`, level: 'warning', text: `${quote.symbol} has no new price; ${who}`, time: quote.time, about: 'feed',
      name: quote.symbol });
  }
  for (const decision of decisions) {
    for (const verdict of decision.verdicts) {
      const age = now - Date.parse(decision.time);
      if (verdict.reason === 'None' || verdict.orders.length > 0 || age > denialsShown || age < -denialsShown) continue;
      alerts.push({
        id: `denied/${decision.id}/${verdict.account}`, level: 'warning', time: decision.time, about: 'strategy',
        name: format.keyName(decision.strategy),
        text: `${format.keyName(decision.strategy)} was not ordered for ${format.keyName(verdict.account)}: ${format.words(verdict.reason)}`,
      });
    }
  }
  return alerts.sort((a, b) => Number(b.level === 'fault') - Number(a.level === 'fault'));
}
