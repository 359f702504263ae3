import type { Api } from './api';
import type { Auth } from './auth';
import type { ProviderReturn } from './provider';
import type { Session } from './session';
import type { Store } from './store';

/** What every view is given. */
export interface App {
  store: Store;
  api: Api;
  auth: Auth;
  session: Session;
  /** With what the external provider sent this browser back, if it did. */
  provider: ProviderReturn;
  /** Says something to the reader, for a few seconds. */
  say: (text: string) => void;
  /** Shows what went wrong, in the words of the service. */
  report: (error: unknown) => void;
}
