import type { Configuration } from './contract';

/** What the configuration says about the console itself. */
export interface Preferences {
  /** The order ticket asks before it sends. */
  confirmOrders: boolean;
  /** A price of an open market that is older is shown as stale, in ms. */
  staleAfter: number;
  zone: 'utc' | 'local';
  theme: 'system' | 'light' | 'dark';
  /** BCP 47; undefined is the browser's. */
  locale: string | undefined;
}

export const defaultPreferences: Preferences = { confirmOrders: false, staleAfter: 10_000, zone: 'utc', theme: 'system', locale: undefined };

/** What is of another kind than expected is left as it is by default. */
export function readPreferences({ effective }: Pick<Configuration, 'effective'>): Preferences {
  const value = (section: string, name: string) => effective[section]?.[name]?.value;
  const zone = value('display', 'timeZone');
  const theme = value('display', 'theme');
  const locale = value('display', 'locale');
  const seconds = value('risk', 'staleFeedSeconds');
  const confirm = value('trading', 'confirmOrders');
  return {
    confirmOrders: typeof confirm === 'boolean' ? confirm : defaultPreferences.confirmOrders,
    staleAfter: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : defaultPreferences.staleAfter,
    zone: zone === 'local' ? 'local' : 'utc',
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    locale: typeof locale === 'string' && isLocale(locale) ? locale : undefined,
  };
}

function isLocale(name: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(name).length > 0;
  } catch {
    return false;
  }
}
