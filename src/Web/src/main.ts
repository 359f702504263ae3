import './style.css';
import { Api } from './api';
import type { App } from './app';
import { h } from './dom';
import { Session } from './session';
import { recall } from './settings';
import { Store } from './store';
import { startTheme } from './theme';
import { accountView } from './views/account';
import { chartView } from './views/chart';
import { decisionsView } from './views/decisions';
import { equityView } from './views/equity';
import { fillsView } from './views/fills';
import { headerView } from './views/header';
import { ordersView } from './views/orders';
import { positionsView } from './views/positions';
import { quotesView } from './views/quotes';
import { strategiesView } from './views/strategies';
import { ticketView } from './views/ticket';
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

document.body.append(
  headerView(app),
  h('main', {},
    h('div', { class: 'column markets' }, quotesView(app), strategiesView(app)),
    h('div', { class: 'column centre' }, chartView(app), positionsView(app), ordersView(app), fillsView(app)),
    h('div', { class: 'column account' }, accountView(app), ticketView(app), equityView(app)),
    h('div', { class: 'column log' }, decisionsView(app))),
  h('footer', {},
    h('span', {}, 'Charts: TradingView Lightweight Charts™, © TradingView, Inc. '),
    h('a', { href: 'https://www.tradingview.com/', rel: 'noreferrer' }, 'tradingview.com'),
    h('a', { href: '/openapi/v1.json' }, 'OpenAPI')),
  toasts.element);

store.flush();
session.start();
setInterval(() => store.touch('clock'), 1000);
