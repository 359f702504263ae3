import type { App } from '../app';
import type { WalkForward, WalkForwardVerdict } from '../contract';
import { cells, h, table, type Column } from '../dom';
import * as format from '../format';
import { curve } from './curve';

/** The verdict in a sentence, and what it stands on. */
export function verdictView({ finding, text, evidence }: WalkForwardVerdict): HTMLElement {
  const colon = text.indexOf(': ');
  const [headline, reason] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 2)];
  return h('div', { class: 'verdict-box', 'data-finding': finding },
    h('p', { class: 'finding' }, headline), reason !== '' && h('p', {}, format.capital(reason)),
    h('ul', { class: 'evidence' }, ...evidence.map(({ passed, text: words }) => h('li', { 'data-passed': String(passed) },
      h('strong', {}, passed === null ? 'told' : passed ? 'pass' : 'fail'), words))));
}

const columns = [
  { title: 'Window' }, { title: 'Out of sample' }, { title: 'Settings', shown: 'wide' }, { title: 'Sharpe in', numeric: true, shown: 'wide' },
  { title: 'Sharpe out', numeric: true }, { title: 'Net profit out', numeric: true }, { title: 'Trades out', numeric: true, shown: 'wide' },
] as const satisfies readonly Column[];

/** What was traded out of sample, window by window. */
export function walkForwardView(app: App, result: WalkForward, signal: AbortSignal): HTMLElement {
  const { windows, stitched, inSharpe, outSharpe, retained, neighbourhood, stability } = result;
  const stitchedCurve = curve(app, (value) => format.percent(value - 1), signal);
  const last = stitched.at(-1);
  stitchedCurve.show(stitched.map(({ date, equity }) => [Date.parse(date), equity] as const),
    last ? `Equity out of sample over ${stitched.length} days, ${format.percent(last.equity - 1)} at the end` : 'No days out of sample');
  const varied = new Set(stability.map(({ name }) => name));
  const { element, rows } = table('Windows of the walk-forward', columns);
  rows.append(...windows.map(({ number, outFrom, outTo, parameters, inSample, outOfSample }) => {
    const { element: row, cells: [window, out, settings, sharpeIn, sharpeOut, profit, trades] } = cells(columns);
    window.append(String(number));
    out.append(`${format.date(outFrom)} to ${format.date(outTo)}`);
    const chosen = Object.entries(parameters ?? {}).filter(([name]) => varied.has(name)).map(([name, value]) => `${name} ${format.reading(value)}`).join(', ');
    settings.append(parameters ? chosen : 'none keeps to the constraints: flat');
    sharpeIn.append(format.ratio(inSample?.sharpeDaily));
    sharpeOut.append(format.ratio(outOfSample?.sharpeDaily));
    profit.append(outOfSample ? format.result(outOfSample.netProfit) : format.noValue);
    trades.append(outOfSample ? format.volume(outOfSample.closedTrades) : format.noValue);
    return row;
  }));
  const facts: [string, string][] = [
    ['Sharpe out of sample', format.ratio(outSharpe)], ['in sample', format.ratio(inSharpe)], ['retained', format.percent(retained, 0)],
    ['Neighbours of the best keep', format.percent(neighbourhood, 0)],
    ...stability.map(({ name, distinct, meanMove, chosen }): [string, string] =>
      [name, `${distinct} ${distinct === 1 ? 'value' : 'values'} in ${chosen.length} windows, moved ${format.percent(meanMove, 0)} of its range`]),
  ];
  return h('div', {},
    stitchedCurve.element,
    h('dl', { class: 'terms long pad' }, ...facts.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value)))),
    element);
}
