import type { App } from './app';
import { faultText } from './api';
import { h } from './dom';
import { loadPage } from './page';
import { href, parseRoute, type Route } from './routes';

/** Goes to a page; the browser's history has it. */
export function go(route: Route): void {
  location.hash = href(route);
}

/** Shows the page of the address in `outlet`, and follows the address from here on. */
export function startRouter(app: App, outlet: HTMLElement): void {
  // Trading goes on while other pages are looked at: its page is made once and kept, so that a ticket half filled in is still there.
  let trade: HTMLElement | null = null;
  let leave = new AbortController();

  const show = async (first: boolean) => {
    const route = parseRoute(location.hash);
    leave.abort();
    const { signal } = (leave = new AbortController());
    app.store.route = route;
    app.store.touch('route');
    let element: HTMLElement;
    try {
      const make = await loadPage(route.page);
      if (signal.aborted) return;
      element = route.page === 'trade' ? (trade ??= make(app, route, new AbortController().signal)) : make(app, route, signal);
    } catch (error) {
      if (signal.aborted) return;
      element = broken(error);
    }
    outlet.replaceChildren(element);
    app.store.flush();
    if (first) return;
    scrollTo(0, 0);
    // Where the reader is now is told: the heading of the new page has the focus.
    const heading = element.querySelector<HTMLElement>('h2');
    if (heading && !element.contains(document.activeElement)) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
  };
  addEventListener('hashchange', () => void show(false));
  void show(true);
}

/** A new version of the program has other files than the page that is open. */
function broken(error: unknown): HTMLElement {
  return h('main', { class: 'page' }, h('section', { class: 'panel' }, h('div', { class: 'empty' },
    h('h2', {}, 'This page could not be loaded'),
    h('p', {}, `${faultText(error)} The service may have been renewed meanwhile.`),
    h('button', { type: 'button', class: 'primary', onclick: () => location.reload() }, 'Load anew'))));
}
