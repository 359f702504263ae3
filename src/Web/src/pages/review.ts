import { faultText } from '../http';
import type { App } from '../app';
import type { StrategyReviews } from '../contract';
import { cells, h, panel, table, type Column } from '../dom';
import * as format from '../format';
import type { PageFactory } from '../page';
import { changesOf, findingNames, proposalNames } from '../reviews';
import { href } from '../routes';
import { bandView } from '../views/band';
import { verdictView } from '../views/walkForward';

const pollMilliseconds = 1500;

/** A live strategy against what its back-test leads one to expect, and what its owner may do about it. */
export const page: PageFactory = (app, route, signal) => {
  const strategy = route.page === 'review' ? route.strategy : '';
  const main = h('main', { class: 'page' }, h('p', { class: 'empty' }, 'Loading…'));
  let timer = 0;
  let drawn = new AbortController();
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    drawn.abort();
  });

  const show = (reviews: StrategyReviews) => {
    if (signal.aborted) return;
    drawn.abort();
    drawn = new AbortController();
    main.replaceChildren(...reviewPage(app, reviews, { changed: show, signal: drawn.signal }));
    clearTimeout(timer);
    // Progress is not pushed: it is asked for while there is any.
    if (reviews.progress !== null) timer = window.setTimeout(load, pollMilliseconds);
  };
  const load = () => {
    app.api.review(strategy).then(show, (error: unknown) => {
      if (!signal.aborted) {
        main.replaceChildren(h('div', { class: 'empty' },
          h('p', { class: 'fault', role: 'alert' }, faultText(error)), h('a', { href: href({ page: 'strategies' }) }, 'To all strategies')));
      }
    });
  };
  load();
  return main;
};

interface Living {
  changed: (reviews: StrategyReviews) => void;
  signal: AbortSignal;
}

function reviewPage(app: App, reviews: StrategyReviews, living: Living): HTMLElement[] {
  const back = h('p', {}, h('a', { href: href({ page: 'strategies' }) }, '← All strategies'));
  return [h('div', { class: 'column' }, back, livePanel(app, reviews, living), ...proposalPanel(app, reviews, living), linesPanel(app, reviews))];
}

/** Asks for something that changes the reviews, and shows them as they are then. */
async function ask(app: App, button: HTMLButtonElement, work: () => Promise<{ review: StrategyReviews }>, living: Living, text: string): Promise<void> {
  button.disabled = true;
  try {
    const { review } = await work();
    app.say(text);
    living.changed(review);
  } catch (error) {
    app.report(error);
    button.disabled = false;
  }
}

function livePanel(app: App, reviews: StrategyReviews, living: Living): HTMLElement {
  const { strategy, last, progress, schedule } = reviews;
  const run = h('button', { type: 'button', disabled: progress !== null, onclick: () => void ask(app, run, () => app.api.runReview(strategy), living, 'A review has begun.') },
    progress === null ? 'Review now' : `Under way, ${format.percent(progress, 0)}`);
  const { element, body } = panel('review', `${strategy}: live against its back-test`, run);
  const every = schedule.everyHours === null ? 'It is reviewed only when asked.'
    : `It is reviewed every ${schedule.everyHours === 24 ? 'day' : `${format.reading(schedule.everyHours)} hours`}.`;
  if (!last) {
    body.append(h('p', { class: 'empty' }, `No review yet. ${every}`));
    return element;
  }
  const { live } = last;
  const facts: [string, string][] = [
    ['Live since', format.moment(last.liveFrom, app.store.zone)], ['Live days', format.volume(live.days.length)], ['Days of back-test', format.volume(last.testedDays)],
    ['Trades a day, expected', format.ratio(last.expectedTradesPerDay)], ['live', format.ratio(last.liveTradesPerDay)],
  ];
  body.append(
    h('div', { class: 'verdict-box', 'data-finding': live.finding }, h('p', { class: 'finding' }, `${findingNames[live.finding]}. ${live.text}`)),
    ...(live.days.length > 0 ? [bandView(app, live.days, living.signal)] : []),
    h('dl', { class: 'facts pad' }, ...facts.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value)))),
    h('p', { class: 'hint pad' }, `The dashed lines hold 95 of 100 strategies that still are what was tested, on all of their days. ${every}`));
  return element;
}

function proposalPanel(app: App, reviews: StrategyReviews, living: Living): HTMLElement[] {
  const { strategy, last, number, proposal: state } = reviews;
  if (!last?.proposal) return [];
  const { from, to, verdict, trials, present, proposed } = last.proposal;
  const answer = (label: string, accept: boolean, text: string) => {
    const button: HTMLButtonElement = h('button', {
      type: 'button', class: accept ? 'primary' : null, onclick: () => void ask(app, button, () => app.api.answerProposal(strategy, number, accept), living, text),
    }, label);
    return button;
  };
  const { element, body } = panel('proposal', 'Proposed parameters');
  const row = (name: string, before: string, after: string) => h('div', {}, h('dt', {}, name), h('dd', {}, `${before} → ${after}`));
  body.append(
    h('p', { class: 'pad' }, `${changesOf(from, to).join(', ')}: the best of ${trials} settings near the present ones over the last days, the two beside each other:`),
    h('dl', { class: 'facts pad' },
      row('Sharpe', format.ratio(present.sharpeDaily), format.ratio(proposed.sharpeDaily)),
      row('Net profit', format.result(present.netProfit), format.result(proposed.netProfit)),
      row('Largest drawdown', format.percent(present.maxDrawdown), format.percent(proposed.maxDrawdown)),
      row('Closed trades', format.volume(present.closedTrades), format.volume(proposed.closedTrades))),
    verdictView(verdict),
    state === 'Open'
      ? h('div', { class: 'line pad' },
        answer('Take these parameters', true, `${strategy} trades with the proposed parameters.`), answer('Decline', false, 'The proposal is declined.'),
        h('span', { class: 'hint' }, 'Taking them stops the strategy, sets them, and starts it again if it was running.'))
      : h('p', { class: 'hint pad' }, `This proposal is ${proposalNames[state]}.`));
  return [element];
}

const columns = [{ title: 'Review' }, { title: 'Finding' }, { title: 'Proposal', shown: 'wide' }] as const satisfies readonly Column[];

function linesPanel({ store }: App, { reviews }: StrategyReviews): HTMLElement {
  const { element, body } = panel('reviews', 'All reviews');
  if (reviews.length === 0) {
    body.append(h('p', { class: 'empty' }, 'None yet.'));
    return element;
  }
  const { element: list, rows } = table('Reviews, newest first', columns);
  rows.append(...reviews.map(({ time, finding, text, proposal, fault }) => {
    const { element: line, cells: [when, found, proposed] } = cells(columns);
    when.append(format.moment(time, store.zone));
    found.append(finding === null ? `None: ${fault}` : `${findingNames[finding]}. ${text}`);
    proposed.append(proposalNames[proposal]);
    return line;
  }));
  body.append(list);
  return element;
}
