/**
 * A sign-in at the external provider: the browser goes there, and comes back to this page with an answer in its query. What it went for is kept in
 * the tab meanwhile.
 */

/** What the provider sent the browser back with. */
export interface ProviderAnswer {
  code: string;
  state: string;
  issuer?: string;
}

export type ProviderPurpose = 'signIn' | 'invitation' | 'link';

/** What the browser was sent to the provider for, and the page that it left. */
interface Errand {
  purpose: ProviderPurpose;
  hash: string;
}

const purposes: readonly string[] = ['signIn', 'invitation', 'link'];

/** The answer in a query; null for none, a text for a refusal of the provider's. */
export function readAnswer(search: string): ProviderAnswer | string | null {
  const query = new URLSearchParams(search);
  const state = query.get('state');
  const code = query.get('code');
  if (state === null) return null;
  if (code === null) return query.get('error') === 'access_denied' ? 'The sign-in was cancelled.' : 'The sign-in did not succeed there.';
  const issuer = query.get('iss');
  return { code, state, ...(issuer === null ? {} : { issuer }) };
}

export function readErrand(text: string | null): Errand | null {
  try {
    const { purpose, hash } = JSON.parse(text ?? 'null') as Partial<Errand>;
    return typeof purpose === 'string' && purposes.includes(purpose) && typeof hash === 'string' && hash.startsWith('#/')
      ? { purpose, hash }
      : null;
  } catch {
    return null;
  }
}

/** An answer that waits for the page that it is for. */
export class ProviderReturn {
  #answer: ProviderAnswer | string | null;
  readonly #purpose: ProviderPurpose | null;

  constructor(answer: ProviderAnswer | string | null, purpose: ProviderPurpose | null) {
    this.#answer = purpose === null ? null : answer;
    this.#purpose = purpose;
  }

  /** The answer, if it is for this and was not taken before. A text says why there is none. */
  take(purpose: ProviderPurpose): ProviderAnswer | string | null {
    if (purpose !== this.#purpose) return null;
    const answer = this.#answer;
    this.#answer = null;
    return answer;
  }
}

const errandKey = 'hybridtrading.provider';

/** Goes to the provider. This page ends here. */
export function leaveFor(address: string, purpose: ProviderPurpose, hash: string): void {
  sessionStorage.setItem(errandKey, JSON.stringify({ purpose, hash } satisfies Errand));
  location.assign(address);
}

/** What this page was come back to with, taken out of its address; the page is then again the one that was left. */
export function comeBack(): ProviderReturn {
  const answer = readAnswer(location.search);
  if (answer === null) return new ProviderReturn(null, null);
  let errand: Errand | null = null;
  try {
    errand = readErrand(sessionStorage.getItem(errandKey));
    sessionStorage.removeItem(errandKey);
  } catch {
    // Without storage nothing is known of it, and nothing is done.
  }
  history.replaceState(null, '', `${location.pathname}${errand?.hash ?? location.hash}`);
  return new ProviderReturn(answer, errand?.purpose ?? null);
}
