import type { Decision, Verdict } from './contract';
import { keyName } from './format';

/** What decisions are looked for by. */
export interface DecisionQuery {
  /** Each has to be found somewhere in the decision. */
  words: string[];
  strategy: string;
  symbol: string;
  account: string;
  stance: string;
  verdict: '' | 'ordered' | 'denied' | 'unfollowed';
}

export const isDenied = (verdict: Verdict) => verdict.reason !== 'None' && verdict.orders.length === 0;

/** `strategy:cross symbol:EURUSD denied "moving average"`: words with a name narrow that field, all others are looked for anywhere. */
export function parseQuery(text: string): DecisionQuery {
  const query: DecisionQuery = { words: [], strategy: '', symbol: '', account: '', stance: '', verdict: '' };
  for (const [, name, quoted, plain] of text.matchAll(/(?:(strategy|symbol|account|stance|is):)?(?:"([^"]*)"|(\S+))/gi)) {
    const value = (quoted ?? plain ?? '').toLowerCase();
    switch (name?.toLowerCase()) {
      case 'strategy':
      case 'symbol':
      case 'account':
      case 'stance':
        query[name.toLowerCase() as 'strategy' | 'symbol' | 'account' | 'stance'] = value;
        break;
      case 'is':
        if (value === 'ordered' || value === 'denied' || value === 'unfollowed') query.verdict = value;
        else query.words.push(value);
        break;
      default:
        if (value !== '') query.words.push(value);
    }
  }
  return query;
}

export function matches(decision: Decision, { words, strategy, symbol, account, stance, verdict }: DecisionQuery): boolean {
  const { verdicts, intent } = decision;
  if (strategy !== '' && keyName(decision.strategy).toLowerCase() !== strategy) return false;
  if (symbol !== '' && decision.symbol.toLowerCase() !== symbol) return false;
  if (account !== '' && !verdicts.some((one) => keyName(one.account).toLowerCase() === account)) return false;
  if (stance !== '' && intent.stance.toLowerCase() !== stance) return false;
  if (verdict === 'denied' && !verdicts.some(isDenied)) return false;
  if (verdict === 'ordered' && !verdicts.some(({ orders }) => orders.length > 0)) return false;
  if (verdict === 'unfollowed' && verdicts.length > 0) return false;
  if (words.length === 0) return true;
  const text = [
    decision.id, keyName(decision.strategy), decision.symbol, decision.timeFrame, decision.time, intent.stance, intent.why,
    ...decision.features.map(({ feature }) => feature), ...verdicts.flatMap(({ account: key, reason, detail }) => [keyName(key), reason, detail]),
  ].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}
