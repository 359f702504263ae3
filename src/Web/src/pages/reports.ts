import { accountReportPath } from '../api';
import { faultText } from '../http';
import type { App } from '../app';
import type { Job } from '../contract';
import { cells, h, panel, setHidden, setText, table, type Column } from '../dom';
import * as format from '../format';
import { addressOf, kindNames } from '../jobs';
import type { PageFactory } from '../page';
import { href } from '../routes';
import { signed } from '../views/account';
import { tearSheetView } from '../views/tearSheet';

const columns = [
  { title: 'Run' }, { title: 'Net profit', numeric: true }, { title: 'Return', numeric: true }, { title: 'Drawdown', numeric: true },
  { title: 'Trades', numeric: true, shown: 'wide' }, { title: 'Won', numeric: true, shown: 'wide' },
  { title: 'Profit factor', numeric: true, shown: 'wide' }, { title: 'Sharpe', numeric: true }, { title: 'Finished', shown: 'widest' },
] as const satisfies readonly Column[];

const pageSize = 50;

/** Tear sheets: of accounts as they trade, and of what was computed. */
export const page: PageFactory = (app, route, signal) => {
  if (route.page === 'accountReport') return accountReport(app, route.account, signal);
  return h('main', { class: 'page two' },
    h('div', { class: 'column' }, runsView(app, signal)),
    h('div', { class: 'column beside' }, accountsView(app, signal)));
};

function accountReport(app: App, account: string, signal: AbortSignal): HTMLElement {
  const place = h('div', { class: 'column' }, h('p', { class: 'empty' }, 'Loading…'));
  // Asked first, as a frame would show a refusal raw: an account that has not traded has nothing to tell.
  app.api.accountPerformance(account).then(() => {
    if (signal.aborted) return;
    const links = { html: accountReportPath(account, 'report.html'), json: accountReportPath(account, ''), files: [] };
    place.replaceChildren(tearSheetView(app, `Tear sheet of ${account}`, links, signal));
  }, (error: unknown) => place.replaceChildren(h('p', { class: 'empty fault', role: 'alert' }, faultText(error))));
  const back = h('p', {}, h('a', { href: href({ page: 'reports' }) }, '← All reports'));
  return h('main', { class: 'page' }, h('div', { class: 'column' }, back, place));
}

function accountsView({ store }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('live', 'Live accounts');
  const list = h('ul', { class: 'choices' });
  const none = h('p', { class: 'empty' });
  body.append(list, none);
  let shown = '';
  store.view(['accounts', 'zone'], () => {
    const accounts = store.accounts ?? [];
    setHidden(none, accounts.length > 0);
    setText(none, store.accounts === null ? 'Loading…' : 'No account yet.');
    // Only the account that is looked at is pushed; each says of when its equity is.
    const state = accounts.map(({ name, equity, deposits, currency, time }) =>
      [name, `${format.money(equity)} ${currency}`, equity - deposits, time ? `at ${format.moment(time, store.zone)}` : ''] as const);
    if (JSON.stringify(state) === shown) return;
    // A link that has the focus keeps it.
    const focused = list.contains(document.activeElement) ? document.activeElement?.textContent : null;
    shown = JSON.stringify(state);
    list.replaceChildren(...state.map(([name, equity, gain, time]) => {
      const result = h('span', {}, format.result(gain));
      signed(result, gain);
      return h('li', {}, h('div', { class: 'line' }, h('h3', {}, h('a', { href: href({ page: 'accountReport', account: name }) }, name)),
        h('span', {}, equity), result), h('span', { class: 'hint' }, time));
    }));
    if (focused) [...list.querySelectorAll('a')].find((link) => link.textContent === focused)?.focus();
  }, signal);
  return element;
}

function runsView({ api, store, report }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('finished', 'Finished runs');
  const { element: list, rows } = table('Finished runs, newest first', columns);
  const state = h('p', { class: 'empty' }, 'Loading…');
  const older = h('button', { type: 'button', hidden: true, onclick: () => void load() }, 'Load older');
  body.append(list, state, older);
  setHidden(list, true);
  let next: string | undefined;
  let jobs: Job[] = [];
  let asked = 0;

  const render = () => {
    rows.replaceChildren(...jobs.map((job) => {
      const { element: row, cells: [name, profit, gain, drawdown, trades, won, factor, sharpe, finished] } = cells(columns);
      const { summary } = job;
      name.append(h('a', { href: href({ page: 'job', ...addressOf(job) }) }, job.name), h('span', { class: 'hint block' }, kindNames[job.kind]));
      finished.append(job.endedAt === null ? '' : format.moment(job.endedAt, store.zone));
      if (!summary) return row;
      profit.append(format.result(summary.netProfit));
      signed(profit, summary.netProfit);
      gain.append(format.percent(summary.netProfitPercent / 100));
      drawdown.append(format.percent(summary.maxDrawdownPercent / 100));
      trades.append(format.volume(summary.trades));
      won.append(format.percent(summary.winRatePercent === null ? null : summary.winRatePercent / 100));
      factor.append(format.ratio(summary.profitFactor));
      sharpe.append(format.ratio(summary.sharpe));
      return row;
    }));
    setHidden(list, jobs.length === 0);
    setHidden(state, jobs.length > 0);
  };
  const load = async (anew = false) => {
    const ask = ++asked;
    older.disabled = true;
    try {
      const answer = await api.reports(pageSize, anew ? undefined : next);
      if (signal.aborted || ask !== asked) return;
      jobs = anew ? answer.items : [...jobs, ...answer.items];
      next = answer.next === null ? undefined : String(answer.next);
      state.replaceChildren('Nothing finished yet. A back-test leaves its report here: ',
        h('a', { href: href({ page: 'start', source: { kind: 'defaults' } }) }, 'run one'), '.');
      setHidden(older, next === undefined);
      render();
    } catch (error) {
      if (signal.aborted) return;
      if (jobs.length === 0) setText(state, faultText(error));
      else report(error);
    } finally {
      older.disabled = false;
    }
  };
  store.view(['zone'], render, signal);
  // Read at first, and again whenever the connection comes back.
  let connected = false;
  store.view(['connection'], () => {
    const now = store.connection === 'connected';
    if (now && !connected) void load(true);
    connected = now;
  }, signal);
  return element;
}
