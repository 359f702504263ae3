import { alertsOf } from '../alerts';
import type { App } from '../app';
import type { Account, Strategy } from '../contract';
import { cells, h, panel, Rows, setAttribute, setHidden, setText, table, type Column, type Row } from '../dom';
import * as format from '../format';
import { usedLimits } from '../limits';
import type { PageFactory } from '../page';
import { go } from '../router';
import { href } from '../routes';
import { byCurrency, resultToday } from '../today';
import { openNewAccount, signed } from '../views/account';
import { lastToldView } from '../views/alerts';
import { every } from '../views/load';

/** How old the figures of an account that is not pushed may become while they are looked at. */
const readEvery = 5_000;

/** All accounts at once, what runs for them, and what needs somebody. */
export const page: PageFactory = (app, _route, signal) => {
  const { store, api } = app;
  const read = async () => {
    if (store.connection !== 'connected') return;
    for (const account of await api.accounts()) store.takeAccount(account);
  };
  every(readEvery, read, signal);
  store.view(['connection'], () => void read().catch(() => {}), signal);
  return h('main', { class: 'page two' },
    h('div', { class: 'column' }, totalsView(app, signal), accountsView(app, signal), runningView(app, signal)),
    h('div', { class: 'column beside' }, alertsView(app, signal), lastToldView(app, signal)));
};

function totalsView({ store }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('totals', 'Overview');
  const list = h('dl', { class: 'figures many large' });
  body.append(list);
  let shown = '';
  store.view(['accounts', 'strategies', 'jobs'], () => {
    const accounts = store.accounts ?? [];
    const running = (store.strategies ?? []).filter(({ status }) => status === 'Running').length;
    const result = (value: number | null) => (value === null ? format.noValue : format.result(value));
    const strategies = store.strategies === null ? format.noValue : `${format.volume(running)} of ${format.volume(store.strategies.length)}`;
    const figures: [string, string, number | null][] = [
      ...byCurrency(accounts, ({ equity }) => equity).map(({ currency, sum }): [string, string, null] =>
        [`Equity, ${currency}`, format.money(sum ?? 0), null]),
      ...byCurrency(accounts, (account) => resultToday(account, Date.now())).map(({ currency, sum }): [string, string, number | null] =>
        [`Today, ${currency}`, result(sum), sum]),
      ...byCurrency(accounts, openResult).map(({ currency, sum }): [string, string, number | null] => [`Open result, ${currency}`, result(sum), sum]),
      ['Accounts', store.accounts === null ? format.noValue : format.volume(accounts.length), null],
      ['Strategies running', strategies, null],
      ['Open positions', format.volume(accounts.reduce((sum, { positions }) => sum + positions.length, 0)), null],
    ];
    const labels = figures.map(([label]) => label).join('\n');
    if (labels !== shown) {
      shown = labels;
      list.replaceChildren(...figures.map(([label]) => h('div', {}, h('dt', {}, label), h('dd', {}))));
    }
    [...list.children].forEach((item, index) => {
      const [, text, sign] = figures[index]!;
      const value = item.lastElementChild!;
      setText(value, text);
      signed(value, sign ?? 0);
    });
  }, signal);
  return element;
}

function openResult({ positions }: Account): number {
  return positions.reduce((sum, position) => sum + position.openResult, 0);
}

const accountColumns = [
  { title: 'Account' }, { title: 'Equity', numeric: true }, { title: 'Today', numeric: true }, { title: 'Open', numeric: true },
  { title: 'Free margin', numeric: true, shown: 'wide' }, { title: 'Fullest limit', shown: 'wide' }, { title: 'State' },
  { title: 'As of', shown: 'widest' },
] as const satisfies readonly Column[];

function accountsView(app: App, signal: AbortSignal): HTMLElement {
  const { store, session } = app;
  const create = h('button', { type: 'button', 'data-needs': 'Trade', onclick: () => openNewAccount(app) }, 'New account');
  const { element, body } = panel('accounts', 'Accounts', create);
  const { element: grid, rows } = table('Accounts', accountColumns);
  const empty = h('p', { class: 'empty' });
  body.append(grid, empty);
  const make = (first: Account): Row<Account> => {
    const row = cells(accountColumns);
    const [name, equity, day, open, free, limit, state, time] = row.cells;
    name.append(h('button', {
      type: 'button', class: 'plain link', title: 'Trade with this account',
      onclick: () => {
        session.selectAccount(first.name);
        go({ page: 'trade' });
      },
    }, first.name));
    const status = h('span', { class: 'status' });
    state.append(status);
    return {
      element: row.element,
      update: (account) => {
        const result = resultToday(account, Date.now());
        const fullest = usedLimits(account)[0];
        setText(equity, `${format.money(account.equity)} ${account.currency}`);
        setText(day, result === null ? format.noValue : format.result(result));
        signed(day, result ?? 0);
        if (result !== null) setAttribute(day, 'title', `Since ${format.moment(account.dayStarted, store.zone)}, without payments`);
        setText(open, format.result(openResult(account)));
        signed(open, openResult(account));
        setText(free, format.money(account.freeMargin));
        setText(limit, fullest ? `${fullest.name} ${format.percent(fullest.share, 0)}` : format.noValue);
        setAttribute(limit, 'data-level', fullest?.level ?? 'calm');
        setText(status, account.state);
        setAttribute(row.element, 'data-state', account.state);
        setText(time, account.time ? format.moment(account.time, store.zone) : format.noValue);
      },
    };
  };
  const list = new Rows<Account>(rows, ({ name }) => name, make);
  store.view(['accounts', 'zone'], () => {
    const accounts = store.accounts ?? [];
    list.render(accounts);
    setHidden(grid, accounts.length === 0);
    setHidden(empty, accounts.length > 0);
    setText(empty, store.accounts === null ? 'Loading…' : !app.auth.may('Trade') && app.auth.viewed === ''
      ? 'No account of your own. What other members have is found by the menu at the right.'
      : 'No account yet. A paper account trades with play money at live prices.');
  }, signal);
  return element;
}

function runningView({ store }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('running', 'Running strategies', h('a', { href: href({ page: 'strategies' }) }, 'All strategies'));
  const list = h('ul', { class: 'strategies' });
  const empty = h('p', { class: 'empty' });
  body.append(list, empty);
  const make = ({ name }: Strategy): Row<Strategy> => {
    const stance = h('span', { class: 'stance' });
    const what = h('p', { class: 'what' });
    const why = h('p', { class: 'why' });
    return {
      element: h('li', { 'data-status': 'Running' }, h('div', { class: 'line' },
        h('h3', {}, h('a', { href: href({ page: 'decisions', search: `strategy:${name}` }), title: 'Its decisions' }, name)), stance), what, why),
      update: (strategy) => {
        setText(stance, strategy.stance.toLowerCase());
        setAttribute(stance, 'data-stance', strategy.stance);
        const accounts = strategy.accounts.map(format.keyName).join(', ');
        const followers = accounts === '' ? 'no account follows' : `for ${accounts}`;
        setText(what, `${strategy.definition} · ${strategy.symbol} ${strategy.timeFrame} · ${followers}`);
        const last = strategy.lastDecision;
        setText(why, last ? `${format.moment(last.time, store.zone)}: ${last.intent.why}` : 'No decision yet.');
      },
    };
  };
  const rows = new Rows<Strategy>(list, ({ name }) => name, make);
  store.view(['strategies', 'zone'], () => {
    const running = (store.strategies ?? []).filter(({ status }) => status === 'Running');
    rows.render(running, store.zone, store.preferences);
    setHidden(empty, running.length > 0);
    setText(empty, store.strategies === null ? 'Loading…' : 'No strategy runs: start one, or write one, under All strategies.');
  }, signal);
  return element;
}

function alertsView({ store }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('alerts', 'Alerts');
  const list = h('ul', { class: 'alerts' });
  const empty = h('p', { class: 'empty' });
  body.append(list, empty);
  let shown = '';
  store.view(['accounts', 'strategies', 'decisions', 'connection', 'clock', 'zone'], () => {
    const now = Date.now();
    const stale = [...store.quotes.values()].filter(({ quote, since }) =>
      now - since > store.preferences.staleAfter && store.instruments.get(quote.symbol)?.open === true);
    const alerts = alertsOf({
      accounts: store.accounts ?? [], strategies: store.strategies ?? [], decisions: store.decisions ?? [], stale: stale.map(({ quote }) => quote),
      isConnected: store.connection === 'connected',
    }, now);
    setHidden(empty, alerts.length > 0);
    setText(empty, store.accounts === null ? 'Loading…' : 'Nothing needs you.');
    const state = JSON.stringify([alerts, store.zone]);
    if (state === shown) return;
    shown = state;
    list.replaceChildren(...alerts.map(({ level, text, time, about, name }) => h('li', { 'data-level': level },
      h('span', {}, text),
      time !== null && h('time', { class: 'hint', datetime: time }, format.moment(time, store.zone)),
      about === 'account' && h('a', { href: href({ page: 'risk' }) }, 'Risk'),
      about === 'strategy' && h('a', { href: href({ page: 'decisions', search: `strategy:${name}` }) }, 'Decisions'))));
  }, signal);
  return element;
}
