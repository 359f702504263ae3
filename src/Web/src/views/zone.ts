import { remember } from '../settings';
import type { Store } from '../store';

/** Times in UTC instead of local, or the other way round. */
export function toggleZone(store: Store): void {
  store.zone = store.zone === 'utc' ? 'local' : 'utc';
  remember('zone', store.zone);
  store.touch('zone');
}
