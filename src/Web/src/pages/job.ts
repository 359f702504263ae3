import { reportPath } from '../api';
import { faultText } from '../http';
import type { App } from '../app';
import type { Job, RunInput, RunSummary, SearchInput, Trial } from '../contract';
import { h, panel, setAttribute, setClass, setHidden, setText } from '../dom';
import * as format from '../format';
import { addressOf, duration, hasEnded, kindNames, progressStaleAfter, statusText } from '../jobs';
import type { PageFactory } from '../page';
import { go } from '../router';
import { href, type JobAddress } from '../routes';
import { isSearch, objectiveName, strategyText } from '../runs';
import { signed } from '../views/account';
import { curve } from '../views/curve';
import { heatMapView } from '../views/heatMap';
import { endJob } from '../views/jobs';
import { openStartOnPaper } from '../views/paper';
import { tearSheetView } from '../views/tearSheet';
import { trialsView } from '../views/trials';
import { verdictView, walkForwardView } from '../views/walkForward';

const figures: readonly [label: string, value: (summary: RunSummary) => string, sign?: (summary: RunSummary) => number][] = [
  ['Net profit', (run) => format.result(run.netProfit), (run) => run.netProfit],
  ['Return', (run) => format.percent(run.netProfitPercent / 100, 2)],
  ['Final equity', (run) => format.money(run.finalEquity)],
  ['Largest drawdown', (run) => format.percent(run.maxDrawdownPercent / 100, 2)],
  ['Closed trades', (run) => format.volume(run.trades)],
  ['Won', (run) => format.percent(run.winRatePercent === null ? null : run.winRatePercent / 100)],
  ['Profit factor', (run) => format.ratio(run.profitFactor)],
  ['Sharpe', (run) => format.ratio(run.sharpe)],
  ['Fees', (run) => format.money(run.fees)],
  ['Swap', (run) => format.result(run.swap)],
  ['Market events', (run) => format.volume(run.dataPoints)],
  ['Computed in', (run) => (run.seconds < 1 ? `${Math.max(1, Math.round(run.seconds * 1000))} ms` : duration(run.seconds * 1000))],
];

/** A back-test, search or walk-forward: how it goes, then what came of it. */
export const page: PageFactory = (app, route, signal) => {
  const { store, session } = app;
  const address: JobAddress = route.page === 'job' ? route : { collection: 'backtests', id: '' };
  const main = h('main', { class: 'page' }, h('p', { class: 'empty' }, 'Loading…'));
  session.openJobs();
  session.loadJob(address).then((job) => {
    if (!signal.aborted) main.replaceChildren(...jobPage(app, job, signal));
  }, (error: unknown) => main.replaceChildren(h('div', { class: 'empty' },
    h('p', { class: 'fault', role: 'alert' }, faultText(error)), h('a', { href: href({ page: 'backtests' }) }, 'To all back-tests'))));
  // What happened while the connection was away, or was not told.
  let asking = false;
  const ask = () => {
    if (asking) return;
    asking = true;
    session.loadJob(address).catch(() => {}).finally(() => (asking = false));
  };
  let connection = store.connection;
  store.view(['connection', 'clock'], () => {
    const back = store.connection === 'connected' && connection !== 'connected';
    connection = store.connection;
    const live = store.jobs.get(address.id);
    const silent = live && !hasEnded(live.job) && Date.now() - live.heard > progressStaleAfter;
    if (live && (back || (silent && connection === 'connected'))) ask();
  }, signal);
  return main;
};

function jobPage(app: App, first: Job, signal: AbortSignal): HTMLElement[] {
  const { store } = app;
  const { id } = first;
  const { element: headPanel, body: headBody } = panel('job', first.name);
  const kind = h('span', { class: 'status' }, kindNames[first.kind]);
  const status = h('p', { class: 'job-status' });
  // Told aloud is only what it has come to, not every step of the way.
  const news = h('span', { class: 'unseen', role: 'status' });
  const progress = h('progress', { max: '1', value: '0', 'aria-label': 'Progress' });
  const source = { kind: 'run', ...addressOf(first) } as const;
  const again = h('a', { class: 'button', href: href({ page: 'start', source: { ...source, trial: null } }) }, 'Run again with changes');
  const editRule = h('a', { class: 'button', href: href({ page: 'rule', source }) }, 'Edit the rule');
  const paper = h('button', { type: 'button', class: 'primary', onclick: () => startOnPaper(app, current()) }, 'Start on paper');
  const end = h('button', {
    type: 'button',
    onclick: () => void endJob(app, current()).then((done) => {
      if (done && !store.jobs.get(id)) go({ page: 'backtests' });
    }),
  });
  const asked = h('dl', { class: 'terms' });
  headBody.append(h('div', { class: 'pad stack' },
    h('div', { class: 'line' }, kind, status, news), progress, h('div', { class: 'line' }, paper, again, editRule, end), asked));

  const { element: resultPanel, body: resultBody } = panel('result', first.kind === 'backtest' ? 'Result' : 'Best trial, over all data');
  const values = figures.map(([label]) => ({ term: h('dt', {}, label), value: h('dd', {}) }));
  const equity = curve(app, format.money, signal);
  resultBody.append(h('dl', { class: 'figures many' }, ...values.map(({ term, value }) => h('div', {}, term, value))), equity.element);
  const verdict = h('div', { class: 'column' });
  const found = h('div', { class: 'column' });
  const sheet = h('div', { class: 'column' });

  const current = (): Job => store.jobs.get(id)?.job ?? first;
  let shownFacts = '';
  let showedFindings = false;
  let showedSheet = false;

  store.view(['jobs', 'clock', 'connection', 'zone', 'dataSets'], () => {
    const live = store.jobs.get(id);
    const job = live?.job ?? first;
    if (live) setText(status, took(job) + statusText(live, Date.now(), store.connection === 'connected'));
    else setText(status, 'It was removed.');
    setText(news, `${job.name} is ${job.status}.`);
    setClass(status, 'fault', job.status === 'failed');
    setAttribute(headPanel, 'data-job', job.status);
    setHidden(progress, hasEnded(job));
    progress.value = job.progress;
    setText(end, hasEnded(job) ? 'Remove' : 'Cancel');
    setHidden(end, !live);
    const { summary, request } = job;
    setHidden(resultPanel, summary === null);
    setHidden(paper, job.status !== 'finished' || !request || testedOf(app, job) === null);
    setHidden(again, !request);
    setHidden(editRule, !request?.strategies.some(({ rule }) => rule));
    const facts = request ? requestFacts(app, request) : [];
    if (JSON.stringify(facts) !== shownFacts) {
      shownFacts = JSON.stringify(facts);
      asked.replaceChildren(...facts.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))));
    }
    if (summary) {
      figures.forEach(([, text, sign], index) => {
        const { value } = values[index]!;
        setText(value, text(summary));
        if (sign) signed(value, sign(summary));
      });
      setHidden(equity.element, summary.equity.length === 0);
      equity.show(summary.equity, `Equity from ${format.money(summary.equity[0]?.[1] ?? 0)} to ${format.money(summary.finalEquity)}`);
    }
    if (job.status !== 'finished') return;
    if (job.kind !== 'backtest' && !showedFindings) {
      showedFindings = true;
      showFindings(app, job, verdict, found, signal);
    }
    if (job.hasReport && !showedSheet) {
      showedSheet = true;
      const to = addressOf(job);
      sheet.append(tearSheetView(app, `Tear sheet of ${job.name}`, {
        html: reportPath(to, 'report.html'), json: reportPath(to, 'report'),
        files: [['Trades as CSV', reportPath(to, 'trades.csv')], ['Equity as CSV', reportPath(to, 'equity.csv')]],
      }, signal));
    }
  }, signal);
  return [h('div', { class: 'column' }, headPanel, verdict, resultPanel, found, sheet)];
}

/** "12 s: " of a job that ended, or "for 12 s: " of one that runs. */
function took({ startedAt, endedAt, status }: Job): string {
  if (startedAt === null) return '';
  if (endedAt !== null) return `${duration(Date.parse(endedAt) - Date.parse(startedAt))}: `;
  return status === 'running' ? `for ${duration(Date.now() - Date.parse(startedAt))}: ` : '';
}

/** What was tested, as it can be started: the strategy with exactly these parameters; of a search those of its best trial. */
function testedOf({ store }: App, { request, search, name, kind }: Job) {
  const strategy = request?.strategies[0];
  if (!request || !strategy || (kind !== 'backtest' && !search?.best)) return null;
  const data = store.dataSets?.find(({ id }) => id === request.dataSets[0]);
  return {
    name: strategy.name ?? name, definition: strategy.definition ?? '', rule: strategy.rule ?? '',
    parameters: { ...strategy.parameters, ...search?.best?.parameters },
    symbol: strategy.symbol ?? data?.symbol ?? '', timeFrame: request.timeFrame ?? data?.timeFrame ?? '',
  };
}

function startOnPaper(app: App, job: Job): void {
  const tested = testedOf(app, job);
  if (tested) openStartOnPaper(app, tested);
}

function requestFacts({ store }: App, request: RunInput | SearchInput): [string, string][] {
  const data = request.dataSets.map((id) => {
    const known = store.dataSets?.find((each) => each.id === id);
    return known ? `${known.source === 'market' ? 'recorded ' : `${known.name}, `}${known.symbol} ${known.timeFrame}` : id;
  });
  const text = (name: string, value: unknown) =>
    (typeof value === 'number' ? format.reading(value) : name === 'currency' ? String(value) : format.words(String(value)));
  const given = (values: object | null | undefined) => Object.entries(values ?? {})
    .filter(([, value]) => value !== null && value !== undefined && typeof value !== 'object')
    .map(([name, value]) => `${format.words(name)} ${text(name, value)}`).join(', ');
  const first = request.from ? format.date(request.from) : 'the begin';
  const last = request.to ? format.date(Date.parse(request.to) - 1) : 'the end';
  const period = request.from || request.to ? `${first} to ${last}` : 'all there is';
  const sizing = request.account?.sizing;
  const isOwnSize = !sizing || (sizing.kind === 'StrategyUnits' && sizing.value === 1);
  const facts: [string, string][] = [
    ...request.strategies.map((strategy): [string, string] => ['Strategy', strategyText(strategy, format.reading)]),
    ['Data', data.join('; ')],
    ['Period', `${period}${request.timeFrame ? `, ${request.timeFrame}` : ''}`],
    ['Account', given(request.account)],
    ['Size', isOwnSize ? '' : `${format.words(sizing.kind)} ${format.reading(sizing.value)}`],
    ['Costs', given(Object.fromEntries(Object.entries(request.costs ?? {}).filter(([, value]) => value !== 0)))],
  ];
  if (isSearch(request)) {
    facts.push(['Varied', Object.entries(request.vary).map(([name, values]) => `${name} ${values || 'over its range'}`).join(', ')]);
    const constraints = given(request.constraints);
    facts.push(['Best by', `${objectiveName(request.objective ?? 'sharpe-daily')}${constraints === '' ? '' : `, with ${constraints}`}`]);
  }
  return facts.filter(([, value]) => value !== '');
}

/** What a search found: the verdict first, then the map, then all trials. */
function showFindings(app: App, job: Job, first: HTMLElement, place: HTMLElement, signal: AbortSignal): void {
  const { session, api } = app;
  const objective = objectiveName(job.search?.objective ?? '');
  const back = (trial: Trial) => go({ page: 'start', source: { kind: 'run', ...addressOf(job), trial: trial.trial } });
  const add = (into: HTMLElement, id: string, title: string, content: HTMLElement, aside?: string) => {
    const { element, body } = panel(id, title, aside && h('span', { class: 'aside' }, aside));
    body.append(content);
    into.append(element);
    return body;
  };
  const failed = (error: unknown) => h('p', { class: 'empty fault', role: 'alert' }, faultText(error));

  if (job.search?.verdict) add(first, 'verdict', 'Verdict', verdictView(job.search.verdict));
  else if (job.search && !job.search.best) add(first, 'verdict', 'Result', h('p', { class: 'empty' }, 'No trial keeps to the constraints.'));
  if (job.kind === 'walkForward') {
    const body = add(place, 'windows', 'Out of sample', h('p', { class: 'empty' }, 'Loading…'));
    api.walkForward(job.id).then((result) => {
      if (!signal.aborted) body.replaceChildren(walkForwardView(app, result, signal));
    }, (error: unknown) => body.replaceChildren(failed(error)));
  }
  const body = add(place, 'trials', 'Trials', h('p', { class: 'empty' }, 'Loading…'),
    job.search ? `${format.volume(job.search.trials)}, the best first` : '');
  session.loadTrials(job.id).then(({ trials, isWhole }) => {
    if (signal.aborted) return;
    body.replaceChildren(trialsView(trials, back));
    if (!isWhole) body.append(h('p', { class: 'hint pad' }, `The best ${format.volume(trials.length)} are shown.`));
    const map = heatMapView(trials, objective, back);
    if (!map) return;
    const { element, body: mapBody } = panel('heat', 'Map');
    mapBody.append(map);
    place.insertBefore(element, body.parentElement);
  }, (error: unknown) => body.replaceChildren(failed(error)));
}
