import type { LiveFinding, ProposalState } from './contract';
import * as format from './format';

export const findingNames: Record<LiveFinding, string> = {
  TooEarly: 'Too early to say', AsExpected: 'As expected', Below: 'Below what was expected', Above: 'Above what was expected',
};

export const proposalNames: Record<ProposalState, string> = {
  None: '', Open: 'waits for your answer', Accepted: 'accepted', Declined: 'declined', Outdated: 'outdated',
};

/** The parameters that a proposal changes, in words. */
export function changesOf(from: Record<string, number>, to: Record<string, number>): string[] {
  return Object.entries(to).filter(([name, value]) => from[name] !== value)
    .map(([name, value]) => `${name} ${format.reading(from[name] ?? null)} → ${format.reading(value)}`);
}
