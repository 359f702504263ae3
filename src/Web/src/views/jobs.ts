import type { App } from '../app';
import type { Job } from '../contract';
import { cells, h, panel, Rows, setAttribute, setHidden, setText, table, type Column, type Row } from '../dom';
import * as format from '../format';
import { addressOf, hasEnded, kindNames, statusText, type LiveJob } from '../jobs';
import { href, type Collection } from '../routes';
import { signed } from './account';
import { ask } from './dialogs';

const columns = [
  { title: 'Name' }, { title: 'Status' }, { title: 'Net profit', numeric: true }, { title: 'Drawdown', numeric: true, shown: 'wide' },
  { title: 'Trades', numeric: true, shown: 'wide' }, { title: 'Sharpe', numeric: true, shown: 'wide' }, { title: 'Asked', shown: 'widest' },
  { title: '', shown: 'wide' },
] as const satisfies readonly Column[];

/** Every job with its state, live, and its main figures. */
export function jobsView(app: App, signal: AbortSignal): HTMLElement {
  const { store, session, report } = app;
  const start = h('a', { class: 'button primary', href: href({ page: 'start', source: { kind: 'defaults' } }) }, 'New back-test');
  const { element, body } = panel('jobs', 'Back-tests and searches', start);
  const { element: list, rows: place } = table('Back-tests and searches, newest first', columns);
  const none = h('p', { class: 'empty' });
  const older = h('button', { type: 'button', onclick: () => void loadOlder() }, 'Load older');
  body.append(list, none, older);

  const loadOlder = async () => {
    older.disabled = true;
    try {
      await Promise.all((['backtests', 'optimisations'] as Collection[]).map((collection) => session.loadOlderJobs(collection)));
    } catch (error) {
      report(error);
    } finally {
      older.disabled = false;
    }
  };

  const make = ({ job: first }: LiveJob): Row<LiveJob> => {
    const { element: row, cells: [name, status, profit, drawdown, trades, sharpe, asked, actions] } = cells(columns);
    const progress = h('progress', { max: '1', value: '0', 'aria-label': `Progress of ${first.name}` });
    const text = h('span', {});
    let current = first;
    const end = h('button', { type: 'button', onclick: () => void endJob(app, current) });
    name.append(h('a', { href: href({ page: 'job', ...addressOf(first) }) }, first.name), h('span', { class: 'hint block' }, kindNames[first.kind]));
    status.append(text, progress);
    actions.append(end);
    return {
      element: row,
      update: (live) => {
        current = live.job;
        const { summary } = live.job;
        setText(text, statusText(live, Date.now(), store.connection === 'connected'));
        setAttribute(row, 'data-job', live.job.status);
        setHidden(progress, live.job.status !== 'running');
        progress.value = live.job.progress;
        setText(profit, summary ? format.result(summary.netProfit) : '');
        signed(profit, summary?.netProfit ?? 0);
        setText(drawdown, summary ? format.percent(summary.maxDrawdownPercent / 100) : '');
        setText(trades, summary ? format.volume(summary.trades) : '');
        setText(sharpe, summary ? format.ratio(summary.sharpe) : '');
        setText(asked, format.moment(live.job.createdAt, store.zone));
        setText(end, hasEnded(live.job) ? 'Remove' : 'Cancel');
        setAttribute(end, 'aria-label', `${hasEnded(live.job) ? 'Remove' : 'Cancel'} ${live.job.name}`);
      },
    };
  };
  const rows = new Rows<LiveJob>(place, ({ job }) => job.id, make);
  store.view(['jobs', 'zone', 'clock', 'connection'], () => {
    const jobs = store.jobs.list;
    rows.render(jobs);
    setHidden(list, jobs.length === 0);
    setHidden(none, jobs.length > 0);
    setText(none, store.jobsLoaded ? 'No back-test yet. It trades a strategy over past data and shows what would have come of it.' : 'Loading…');
    setHidden(older, store.jobsNext.backtests === null && store.jobsNext.optimisations === null);
  }, signal);
  return element;
}

/** Cancels a job, or takes its result away once it was asked whether that is meant. */
export async function endJob({ session, say, report }: App, job: Job): Promise<boolean> {
  const ended = hasEnded(job);
  if (ended && !(await ask(`Remove ${job.name}?`, 'The job and its result are deleted.', 'Remove'))) return false;
  try {
    await session.endJob(job);
    say(ended ? `${job.name} is removed.` : `${job.name} is being cancelled.`);
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}
