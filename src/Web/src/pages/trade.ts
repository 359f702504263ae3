import { h } from '../dom';
import type { PageFactory } from '../page';
import { accountView } from '../views/account';
import { chartView } from '../views/chart';
import { decisionsView } from '../views/decisions';
import { equityView } from '../views/equity';
import { fillsView } from '../views/fills';
import { ordersView } from '../views/orders';
import { positionsView } from '../views/positions';
import { quotesView } from '../views/quotes';
import { strategiesView } from '../views/strategies';
import { ticketView } from '../views/ticket';

/** Market, account, orders and decisions, live. */
export const page: PageFactory = (app) =>
  h('main', { class: 'trade' },
    h('div', { class: 'column markets' }, quotesView(app), strategiesView(app)),
    h('div', { class: 'column centre' }, chartView(app), positionsView(app), ordersView(app), fillsView(app)),
    h('div', { class: 'column account' }, accountView(app), ticketView(app), equityView(app)),
    h('div', { class: 'column log' }, decisionsView(app)));
