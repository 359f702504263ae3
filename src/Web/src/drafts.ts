import { recall, remember } from './settings';

/** The rules that the reader is writing, kept in this browser by where they began. */
export interface RuleDraft {
  /** Address of the editor's page. */
  origin: string;
  text: string;
  parameters: Record<string, number>;
  /** What it is to be called; empty when nothing says it. */
  name: string;
}

const most = 10;

/** Newest first; a draft replaces the one of the same origin. */
export function keep(drafts: readonly RuleDraft[], draft: RuleDraft): RuleDraft[] {
  return [draft, ...drafts.filter(({ origin }) => origin !== draft.origin)].slice(0, most);
}

/** What was kept, as far as it is of this shape: storage can hold anything. */
export function parseDrafts(text: string): RuleDraft[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isDraft) : [];
  } catch {
    return [];
  }
}

function isDraft(value: unknown): value is RuleDraft {
  if (typeof value !== 'object' || value === null) return false;
  const { origin, text, parameters, name } = value as Record<string, unknown>;
  return typeof origin === 'string' && typeof text === 'string' && typeof name === 'string'
    && typeof parameters === 'object' && parameters !== null && Object.values(parameters).every((number) => typeof number === 'number');
}

export function rememberDraft(draft: RuleDraft): void {
  remember('rules', JSON.stringify(keep(parseDrafts(recall('rules')), draft)));
}

export function recallDraft(origin: string): RuleDraft | undefined {
  return parseDrafts(recall('rules')).find((draft) => draft.origin === origin);
}

/** The one that was written last. */
export function latestDraft(): RuleDraft | undefined {
  return parseDrafts(recall('rules'))[0];
}
