import './style.css';
import { Api } from './api';
import type { App } from './app';
import { Auth, browserPlace } from './auth';
import { h } from './dom';
import { followPreferences } from './follow';
import { Http } from './http';
import { comeBack } from './provider';
import { startRouter } from './router';
import { Session } from './session';
import { recall, remember } from './settings';
import { Store } from './store';
import { startTheme } from './theme';
import { viewedMember } from './viewed';
import { headerView } from './views/header';
import { startShortcuts } from './views/shortcuts';
import { Toasts } from './views/toasts';

const store = new Store((render) => requestAnimationFrame(render));
store.symbol = recall('symbol');
store.timeFrame = recall('timeFrame') || 'M1';
store.accountName = recall('account');
store.zone = recall('zone') === 'local' ? 'local' : 'utc';

const toasts = new Toasts();
const auth: Auth = new Auth(
  new Http(),
  browserPlace((news) => auth.hear(news), () => recall('signedIn') === 'yes', (isIn) => remember('signedIn', isIn ? 'yes' : '')),
  () => store.touch('auth'), viewedMember());
const api = new Api({ credentials: auth, viewed: auth.viewed });
// Whatever fails because nobody is signed in any more is told by the sign-in page alone.
const report = (error: unknown) => {
  if (auth.isIn) toasts.report(error);
};
const session = new Session(store, api, () => auth.token(), report, auth.viewed !== '');
const app: App = { store, api, auth, session, provider: comeBack(), say: (text) => toasts.say(text), report };

startTheme(() => store.touch('theme'));

const outlet = h('div', { class: 'outlet' });
document.body.append(
  headerView(app),
  outlet,
  h('footer', {},
    h('span', {}, 'Charts: TradingView Lightweight Charts™, © TradingView, Inc. '),
    h('a', { href: 'https://www.tradingview.com/', rel: 'noreferrer' }, 'tradingview.com'),
    h('a', { href: '/openapi/v1.json' }, 'OpenAPI')),
  toasts.element);

startRouter(app, outlet);
startShortcuts(app);
followPreferences(app);
store.view(['auth'], () => {
  // What somebody may not do is not offered.
  document.body.dataset['lacks'] = auth.lacks().join(' ');
  if (auth.isIn && auth.may('ReadTrading')) session.start();
  else session.stop();
});
store.flush();
void auth.start();
setInterval(() => store.touch('clock'), 1000);
