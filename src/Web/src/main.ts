import './style.css';
import { Api } from './api';
import type { App } from './app';
import { h } from './dom';
import { startRouter } from './router';
import { Session } from './session';
import { recall } from './settings';
import { Store } from './store';
import { startTheme } from './theme';
import { headerView } from './views/header';
import { Toasts } from './views/toasts';

const store = new Store((render) => requestAnimationFrame(render));
store.symbol = recall('symbol');
store.timeFrame = recall('timeFrame') || 'M1';
store.accountName = recall('account');
store.zone = recall('zone') === 'local' ? 'local' : 'utc';

const toasts = new Toasts();
const api = new Api();
const report = (error: unknown) => toasts.report(error);
const session = new Session(store, api, report);
const app: App = { store, api, session, say: (text) => toasts.say(text), report };

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
store.flush();
session.start();
setInterval(() => store.touch('clock'), 1000);
