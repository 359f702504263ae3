/**
 * Whose things this tab shows: those of another member of the tenant, for who may see them; empty for one's own. Kept by the tab, and gone
 * with who is signed in. The page begins anew with each choice, so that nothing of one is left beside the other's.
 */
const key = 'viewed';

export function viewedMember(): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

/** Does not begin the page anew by itself. */
export function setViewedMember(user: string): void {
  try {
    if (user === '') sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, user);
  } catch {
    // Storage may be blocked; then one sees one's own alone.
  }
}

/** What is somebody's own, by the begin of its path: with `user` it is another's. */
const owned = /^(accounts|strategies|decisions|performance|journal|backtests|optimisations|reports|data-sets)(\/|$)/;

export function isOwned(path: string): boolean {
  return owned.test(path);
}
