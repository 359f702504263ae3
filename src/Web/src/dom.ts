/** Elements from data: everything that comes from the service becomes text nodes and attributes, never markup. */

type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;
type Child = Node | string | null | undefined | false;

/** `on...` names are listeners, `true` is an empty attribute, and null, undefined and false leave it out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

/** Changes the text only when it differs, so that nothing is laid out or announced for nothing. */
export function setText(element: Element, text: string): void {
  const first = element.firstChild;
  if (first instanceof Text && first === element.lastChild) {
    if (first.data !== text) first.data = text;
  } else if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function setClass(element: Element, name: string, on: boolean): void {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on);
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) element.hidden = hidden;
}

export interface Row<T> {
  element: HTMLElement;
  update: (item: T) => void;
}

/** Keeps one element per key in `parent`, in the order of the items; elements stay, so focus and open details stay too. */
export class Rows<T> {
  readonly #parent: HTMLElement;
  readonly #key: (item: T) => string;
  readonly #make: (item: T) => Row<T>;
  #rows = new Map<string, { row: Row<T>; item: T }>();
  #beside: readonly unknown[] | null = null;

  constructor(parent: HTMLElement, key: (item: T) => string, make: (item: T) => Row<T>) {
    this.#parent = parent;
    this.#key = key;
    this.#make = make;
  }

  /**
   * @param beside All that rows show beside their item: with it, a row whose item is the very same as before is left alone as long as this is
   * the same, too.
   */
  render(items: readonly T[], ...beside: readonly unknown[]): void {
    const known = this.#beside;
    const isSame = beside.length > 0 && known?.length === beside.length && beside.every((value, index) => value === known[index]);
    this.#beside = beside;
    const rows = new Map<string, { row: Row<T>; item: T }>();
    for (const item of items) {
      const key = this.#key(item);
      const before = this.#rows.get(key);
      const row = before?.row ?? this.#make(item);
      if (!isSame || before?.item !== item) row.update(item);
      rows.set(key, { row, item });
    }
    for (const [key, { row }] of this.#rows) if (!rows.has(key)) row.element.remove();
    let next = this.#parent.firstElementChild;
    for (const { row } of rows.values()) {
      if (row.element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(row.element, next);
    }
    this.#rows = rows;
  }
}

/** A panel: a heading, what stands beside it, and a body. */
export function panel(id: string, title: string, ...aside: Child[]): { element: HTMLElement; body: HTMLElement; head: HTMLElement } {
  const body = h('div', { class: 'body' });
  const head = h('header', {}, h('h2', { id: `${id}-title` }, title), ...aside);
  return { element: h('section', { id, class: 'panel', 'aria-labelledby': `${id}-title` }, head, body), body, head };
}

export interface Column {
  title: string;
  /** Numbers stand at the right. */
  numeric?: boolean;
  /** Left out of a narrow panel, or already of one that is not wide. */
  shown?: 'wide' | 'widest';
}

export function columnClass(column: Column): string | null {
  return [column.numeric ? 'number' : '', column.shown ?? ''].filter(Boolean).join(' ') || null;
}

/** A table with its caption for screen readers only. */
export function table(caption: string, columns: readonly Column[]): { element: HTMLTableElement; rows: HTMLElement } {
  const rows = h('tbody');
  const heads = columns.map((column) => h('th', { scope: 'col', class: columnClass(column) }, column.title));
  const element = h('table', {}, h('caption', { class: 'unseen' }, caption), h('thead', {}, h('tr', {}, ...heads)), rows);
  return { element, rows };
}

/** A row of cells under the columns of `table`, as many as there are columns. */
export function cells<const C extends readonly Column[]>(columns: C) {
  const list = columns.map((column) => h('td', { class: columnClass(column) }));
  return { element: h('tr', {}, ...list), cells: list as unknown as { readonly [K in keyof C]: HTMLTableCellElement } };
}
