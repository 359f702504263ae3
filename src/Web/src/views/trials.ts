import type { Trial } from '../contract';
import { h, setAttribute, setHidden, setText } from '../dom';
import * as format from '../format';
import { parameterColumn, sortTrials, statisticColumns, variedParameters, type Order, type TrialColumn } from '../trials';

const atOnce = 100;

const texts: Record<string, (value: number | null) => string> = {
  netProfit: (value) => (value === null ? format.noValue : format.result(value)),
  maxDrawdown: (value) => format.percent(value),
  winRate: (value) => format.percent(value),
  closedTrades: (value) => (value === null ? format.noValue : format.volume(value)),
};

/** All trials as a table; every heading sorts by its column, and again the other way. */
export function trialsView(trials: readonly Trial[], choose: (trial: Trial) => void): HTMLElement {
  const columns: TrialColumn[] = [
    { id: 'trial', title: 'Trial', value: ({ trial }) => trial }, ...variedParameters(trials).map(parameterColumn), ...statisticColumns,
  ];
  let by = columns.find(({ id }) => id === 'objective')!;
  let order: Order = 'descending';
  let shown = atOnce;

  const heads = columns.map((column) => h('th', { scope: 'col', class: 'number' }, h('button', {
    type: 'button', class: 'plain',
    onclick: () => {
      order = by === column && order === 'descending' ? 'ascending' : 'descending';
      by = column;
      render();
    },
  }, column.title)));
  const rows = h('tbody');
  const more = h('button', {
    type: 'button',
    onclick: () => {
      shown += atOnce * 5;
      render();
    },
  });
  const element = h('div', {},
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'All trials' }, h('table', { class: 'trials' },
      h('caption', { class: 'unseen' }, 'Trials of the search'), h('thead', {}, h('tr', {}, ...heads, h('th', { scope: 'col' }, ''))), rows)),
    more);

  const render = () => {
    const sorted = sortTrials(trials, by, order);
    heads.forEach((head, index) => setAttribute(head, 'aria-sort', columns[index] === by ? order : 'none'));
    const left = { class: 'left', title: 'Does not keep to the constraints' };
    rows.replaceChildren(...sorted.slice(0, shown).map((trial) => h('tr', trial.kept ? {} : left,
      ...columns.map(({ id, value }) => {
        const read = texts[id] ?? (id.startsWith('parameters.') || id === 'trial' ? format.reading : format.ratio);
        return h('td', { class: 'number' }, read(value(trial)));
      }),
      h('td', {}, h('button', { type: 'button', 'aria-label': `Back-test trial ${trial.trial}`, onclick: () => choose(trial) }, 'Back-test')))));
    setHidden(more, sorted.length <= shown);
    setText(more, `Show more of ${format.volume(sorted.length)}`);
  };
  render();
  return element;
}
