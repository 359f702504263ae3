import type { App } from './app';
import { h } from './dom';
import { faultText } from './http';
import { loadPage } from './page';
import { href, isEntry, parseRoute, type Route } from './routes';

/** Goes to a page; the browser's history has it. */
export function go(route: Route): void {
  location.hash = href(route);
}

/** Goes to a page in place of this one, whose address is of no more use: a link with a token that has been used. */
export function replace(route: Route): void {
  location.replace(href(route));
}

/** Shows the page of the address in `outlet`, and follows the address, and who is signed in, from here on. */
export function startRouter(app: App, outlet: HTMLElement): void {
  // Trading goes on while other pages are looked at: its page is made once and kept, so that a ticket half filled in is still there.
  let trade: HTMLElement | null = null;
  let leave = new AbortController();
  let shown = '';

  const show = async (first: boolean) => {
    const asked = parseRoute(location.hash);
    if (app.auth.isIn && (isPast(asked) || !(app.auth.may('ReadTrading') || isOfNoTenant(asked)))) {
      replace(home(app));
      return;
    }
    // The address stays while somebody signs in, so that they are then where they wanted to be.
    const route: Route = app.auth.isIn || isEntry(asked) ? asked : { page: 'signIn' };
    shown = `${app.auth.state}${location.hash}`;
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
  addEventListener('hashchange', () => {
    if (app.auth.state !== 'starting') void show(false);
  });
  app.store.view(['auth'], () => {
    if (app.auth.state === 'starting') outlet.replaceChildren(...(app.auth.isUnreachable ? [unreachable()] : []));
    else if (shown !== `${app.auth.state}${location.hash}`) void show(shown === '');
  });
}

/** Where somebody begins: with their accounts, or with the installation that they administer. */
export function home({ auth }: App): Route {
  return auth.may('ReadTrading') ? { page: 'overview' } : { page: 'administration', tab: auth.may('Administer') ? 'users' : 'members' };
}

/** Of use to somebody who may see no trading: an administrator of the installation. */
function isOfNoTenant(route: Route): boolean {
  return isEntry(route) || route.page === 'settings' || route.page === 'administration' || route.page === 'unknown';
}

/** Of no more use to somebody who is signed in. */
function isPast({ page }: Route): boolean {
  return page === 'signIn' || page === 'signUp' || page === 'forgot' || page === 'welcome';
}

function unreachable(): HTMLElement {
  return h('main', { class: 'page' }, h('section', { class: 'panel entry' }, h('div', { class: 'empty', role: 'status' },
    h('h2', {}, 'The service cannot be reached'), h('p', {}, 'It is tried again, and this page goes on by itself.'))));
}

/** A new version of the program has other files than the page that is open. */
function broken(error: unknown): HTMLElement {
  return h('main', { class: 'page' }, h('section', { class: 'panel' }, h('div', { class: 'empty' },
    h('h2', {}, 'This page could not be loaded'),
    h('p', {}, `${faultText(error)} The service may have been renewed meanwhile.`),
    h('button', { type: 'button', class: 'primary', onclick: () => location.reload() }, 'Load anew'))));
}
