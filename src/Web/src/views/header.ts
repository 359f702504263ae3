import type { App } from '../app';
import { h, setAttribute, setClass, setHidden, setText } from '../dom';
import { age, clock, zoneName } from '../format';
import { titleOf } from '../routes';
import type { Connection } from '../store';
import { currentTheme, toggleTheme } from '../theme';
import { menuView } from './menu';
import { navigationView } from './navigation';
import { playbackView } from './playback';
import { toggleZone } from './zone';

const connectionTexts: Record<Connection, string> = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
};

export function headerView(app: App): HTMLElement {
  const { store, session } = app;
  const meaning = 'Prices are made up by the seeded simulation, not by a market.';
  const simulated = h('strong', { class: 'simulated', hidden: true, title: meaning }, 'SIMULATED');
  const stateText = h('span', { role: 'status' });
  const ageText = h('span', { class: 'age', title: 'Age of the last message' });
  const connection = h('span', { class: 'connection' }, h('span', { class: 'dot', 'aria-hidden': 'true' }), stateText, ageText);
  const feed = h('span', { class: 'feed' });
  const time = h('time', { class: 'clock' });
  const accounts = h('select', { 'aria-label': 'Account', onchange: () => session.selectAccount(accounts.value) });

  const zone = h('button', {
    type: 'button',
    onclick: () => toggleZone(store),
  });
  const theme = h('button', {
    type: 'button',
    onclick: () => {
      toggleTheme();
      store.touch('theme');
    },
  });
  const notices = h('ul', { class: 'notices' });

  const lost = h('p', { class: 'lost', role: 'status', hidden: true });

  const renderAge = () => {
    const isLost = app.auth.isIn && store.connection !== 'connected' && store.lastMessage > 0;
    setHidden(lost, !isLost);
    // Told aloud is that it is lost, and not every second of it.
    if (isLost) setText(lost, `The connection is lost: what is shown is as of ${clock(store.lastMessage, store.zone)}. It is tried again by itself.`);
    document.body.dataset['live'] = isLost ? 'no' : 'yes';
    setText(ageText, store.lastMessage === 0 ? '' : age(Date.now() - store.lastMessage));
    setText(time, clock(Date.now(), store.zone));
  };
  store.view(['clock', 'zone'], renderAge);
  store.view(['connection'], () => {
    setText(stateText, connectionTexts[store.connection]);
    setAttribute(connection, 'data-state', store.connection);
    renderAge();
  });
  store.view(['zone'], () => {
    setText(zone, zoneName(store.zone));
    setAttribute(zone, 'aria-label', `Times are ${zoneName(store.zone)}; change`);
    setAttribute(time, 'aria-label', `Clock, ${zoneName(store.zone)}`);
  });
  store.view(['theme'], () => {
    const dark = currentTheme() === 'dark';
    setText(theme, dark ? 'Dark' : 'Light');
    setAttribute(theme, 'aria-label', `Theme is ${dark ? 'dark' : 'light'}; change`);
  });
  store.view(['system', 'instruments', 'route'], () => {
    const { system } = store;
    const anySimulated = [...store.instruments.values()].some((instrument) => instrument.simulated);
    const isSimulated = system?.simulated === true || anySimulated;
    setHidden(simulated, !isSimulated);
    document.title = [isSimulated ? 'SIMULATED' : '', titleOf(store.route), 'HybridTrading'].filter(Boolean).join(' · ');
    setText(feed, system ? `${system.feed ? `${system.feed.name} · ` : ''}${system.version} · ${system.host}` : '');
    const texts = system?.notices ?? [];
    setClass(notices, 'none', texts.length === 0);
    if ([...notices.children].map((item) => item.textContent).join('\n') !== texts.join('\n')) {
      notices.replaceChildren(...texts.map((text) => h('li', {}, text)));
    }
  });
  store.view(['accounts'], () => {
    const names = (store.accounts ?? []).map((account) => account.name);
    setHidden(accounts, names.length === 0);
    if ([...accounts.options].map((option) => option.value).join('\n') !== names.join('\n')) {
      accounts.replaceChildren(...names.map((name) => h('option', { value: name }, name)));
    }
    if (accounts.value !== store.accountName) accounts.value = store.accountName;
  });

  const menu = menuView(app);
  const skip = h('a', {
    class: 'skip', href: '#',
    onclick: (event) => {
      event.preventDefault();
      const main = document.querySelector('main');
      main?.setAttribute('tabindex', '-1');
      main?.focus();
    },
  }, 'Skip to the page');
  const bar = h('header', { class: 'bar' },
    skip,
    h('h1', {}, 'HybridTrading'),
    navigationView(app),
    simulated,
    h('span', { class: 'market', 'data-needs': 'ReadTrading' }, playbackView(app), connection, feed),
    h('span', { class: 'gap' }),
    h('span', { class: 'market', 'data-needs': 'ReadTrading' }, accounts),
    time,
    zone,
    theme,
    menu.element);
  // Before somebody is signed in there is no market to speak of.
  store.view(['auth'], () => setClass(bar, 'out', !app.auth.isIn));
  return h('div', { class: 'top' }, bar, h('section', { 'aria-label': 'Notices' }, menu.viewing, lost, notices));
}
