import { h } from '../dom';
import { href, type Route } from '../routes';

/** The parts of a page, each with its own address. */
export function tabs(label: string, entries: readonly { text: string; route: Route; needs?: string }[], current: Route): HTMLElement {
  return h('nav', { class: 'tabs', 'aria-label': label }, ...entries.map(({ text, route, needs }) =>
    h('a', { href: href(route), 'aria-current': href(route) === href(current) ? 'page' : null, 'data-needs': needs }, text)));
}
