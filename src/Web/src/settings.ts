/** What the reader chose, kept in this browser. Storage may be blocked; then nothing is kept. */

export type Setting = 'theme' | 'zone' | 'symbol' | 'timeFrame' | 'account' | 'rules' | 'signedIn' | 'keys' | 'indicators';

export function recall(setting: Setting): string {
  try {
    return localStorage.getItem(setting) ?? '';
  } catch {
    return '';
  }
}

export function remember(setting: Setting, value: string): void {
  try {
    localStorage.setItem(setting, value);
  } catch {
    // See above.
  }
}
