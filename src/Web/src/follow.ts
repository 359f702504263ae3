import type { App } from './app';
import { useLocale } from './format';
import { readPreferences } from './preferences';
import { recall } from './settings';
import { preferTheme } from './theme';

/** Follows the configuration of who is signed in. What was chosen in this browser goes before it. */
export function followPreferences({ store, api, auth }: App): void {
  const read = async () => {
    const { me } = auth;
    if (auth.state !== 'in' || !me || !auth.may('Configure')) return;
    const preferences = readPreferences(await api.configuration(me.id));
    store.preferences = preferences;
    useLocale(preferences.locale);
    if (recall('zone') === '') store.zone = preferences.zone;
    if (recall('theme') === '') preferTheme(preferences.theme);
    for (const topic of ['preferences', 'zone', 'theme', 'accounts', 'quotes', 'fills', 'decisions', 'strategies'] as const) store.touch(topic);
  };
  let state = '';
  let version = -1;
  store.view(['auth', 'configuration'], () => {
    if (state === auth.state && version === store.configurationVersion) return;
    state = auth.state;
    version = store.configurationVersion;
    // Without it the console has its defaults.
    read().catch(() => {});
  });
}
