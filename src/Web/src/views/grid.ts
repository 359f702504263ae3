import { columnClass, h, type Column } from '../dom';

export type Cell = string | Node | { text: string; class: string };

/** A table of what was read once. What is wider than its place is scrolled, by keys too. */
export function grid(caption: string, columns: readonly Column[], rows: readonly (readonly Cell[])[], none: string): HTMLElement {
  if (rows.length === 0) return h('p', { class: 'empty' }, none);
  const body = rows.map((row) => h('tr', {}, ...row.map((cell, index) => {
    const column = columns[index]!;
    const plain = typeof cell === 'string' || cell instanceof Node;
    const names = [columnClass(column), plain ? '' : cell.class].filter(Boolean).join(' ');
    return h('td', { class: names || null }, plain ? cell : cell.text);
  })));
  return h('div', { class: 'grid', tabindex: 0, role: 'region', 'aria-label': `${caption}, table` }, h('table', {},
    h('caption', { class: 'unseen' }, caption),
    h('thead', {}, h('tr', {}, ...columns.map((column) => h('th', { scope: 'col', class: columnClass(column) }, column.title)))),
    h('tbody', {}, ...body)));
}
