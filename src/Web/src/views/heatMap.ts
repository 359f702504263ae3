import type { Trial } from '../contract';
import { h, setHidden, setText } from '../dom';
import * as format from '../format';
import { heatMap, step, variedParameters } from '../trials';
import { field, select } from './dialogs';

/** More than this many values a side are no map but a wall; the table has them all. */
const most = 80;

/** The objective over two parameters; a cell is a trial, to be taken over. Arrow keys go from cell to cell. */
export function heatMapView(trials: readonly Trial[], objective: string, choose: (trial: Trial) => void): HTMLElement | null {
  const names = variedParameters(trials);
  if (names.length < 2) return null;
  const options = names.map((name) => [name, name] as const);
  const x = field('Across', select(options, names[0]!));
  const y = field('Up', select(options, names[1]!));
  const grid = h('table', { class: 'heat', role: 'grid', 'aria-label': `${objective} over two parameters` });
  const told = h('p', { class: 'hint', role: 'status' });
  const choice = h('div', { class: 'fields' }, x.element, y.element);
  const element = h('div', { class: 'pad stack' }, choice, told, h('div', { class: 'heat-scroll' }, grid));

  const render = () => {
    const map = heatMap(trials, x.input.value, y.input.value);
    const { xs, ys, cells } = map;
    const tooLarge = xs.length > most || ys.length > most;
    const further = names.filter((name) => name !== map.x && name !== map.y);
    const best = further.length > 0 ? `all ${further.join(', ')} there` : 'each pair';
    const isSame = map.x === map.y;
    setText(told, isSame ? 'Choose two different parameters.' : tooLarge ? `More than ${most} values a side; see the table.`
      : `${objective} by colour, the best of ${best}. Choose a cell to back-test its settings.`);
    setHidden(grid, tooLarge || isSame);
    if (grid.hidden) return;
    const buttons: (HTMLButtonElement | null)[][] = [];
    const body = cells.map((row, r) => {
      const line: (HTMLButtonElement | null)[] = [];
      buttons.push(line);
      return h('tr', {}, h('th', { scope: 'row' }, format.reading(ys[r]!)), ...row.map((cell, c) => {
        if (!cell) {
          line.push(null);
          return h('td', { class: 'none' });
        }
        const words = `${map.x} ${format.reading(xs[c]!)}, ${map.y} ${format.reading(ys[r]!)}: ${format.ratio(cell.objective)}`;
        const button = h('button', {
          type: 'button', tabindex: '-1', title: words, 'aria-label': words, onclick: () => choose(cell.trial),
        }, format.ratio(cell.objective));
        button.style.setProperty('--share', `${Math.round(cell.share * 100)}%`);
        button.addEventListener('focus', () => setText(told, words));
        line.push(button);
        return h('td', {}, button);
      }));
    });
    grid.replaceChildren(h('tbody', {}, ...body),
      h('tfoot', {}, h('tr', {}, h('th', {}, `${map.y} \\ ${map.x}`), ...xs.map((value) => h('th', { scope: 'col' }, format.reading(value))))));
    // One stop of the Tab key, at the best cell.
    const top = cells.flatMap((row, r) => row.map((cell, c) => ({ cell, r, c }))).find(({ cell }) => cell?.share === 1);
    if (top) buttons[top.r]![top.c]!.tabIndex = 0;
    grid.onkeydown = (event) => {
      const row = buttons.findIndex((line) => line.includes(event.target as HTMLButtonElement));
      if (row < 0) return;
      let at = step(event.key, row, buttons[row]!.indexOf(event.target as HTMLButtonElement), ys.length, xs.length);
      if (!at) return;
      event.preventDefault();
      // Over the holes, in the direction that was meant.
      for (let next = at; at && !buttons[at[0]]![at[1]]; at = next) {
        next = step(event.key, at[0], at[1], ys.length, xs.length)!;
        if (next[0] === at[0] && next[1] === at[1]) return;
      }
      const target = buttons[at[0]]![at[1]]!;
      (event.target as HTMLButtonElement).tabIndex = -1;
      target.tabIndex = 0;
      target.focus();
    };
  };
  x.input.addEventListener('change', render);
  y.input.addEventListener('change', render);
  render();
  return element;
}
