import type { App } from '../app';
import { h, setHidden, setText } from '../dom';
import { hasEnded } from '../jobs';
import { href, sectionOf, type Route, type Section } from '../routes';

const entries: readonly (readonly [section: Section, text: string, route: Route])[] = [
  ['overview', 'Overview', { page: 'overview' }],
  ['trade', 'Trade', { page: 'trade' }],
  ['strategies', 'Strategies', { page: 'strategies' }],
  ['decisions', 'Decisions', { page: 'decisions', search: '' }],
  ['backtests', 'Back-tests', { page: 'backtests' }],
  ['reports', 'Reports', { page: 'reports' }],
  ['risk', 'Risk', { page: 'risk' }],
  ['history', 'History', { page: 'history', tab: 'orders' }],
];

/** The parts of the console, and how many back-tests are under way. */
export function navigationView({ store }: App): HTMLElement {
  const running = h('span', { class: 'count', hidden: true });
  const links = entries.map(([section, text, route]) =>
    ({ section, link: h('a', { href: href(route), 'data-needs': 'ReadTrading' }, text, section === 'backtests' && running) }));
  store.view(['route'], () => {
    const current = sectionOf(store.route);
    for (const { section, link } of links) {
      if (section === current) {
        link.setAttribute('aria-current', 'page');
        // On a narrow screen the sections are scrolled.
        link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      } else {
        link.removeAttribute('aria-current');
      }
    }
  });
  store.view(['jobs'], () => {
    const count = store.jobs.list.filter(({ job }) => !hasEnded(job)).length;
    setHidden(running, count === 0);
    setText(running, String(count));
    running.title = `${count} waiting or running`;
  });
  return h('nav', { class: 'sections', 'aria-label': 'Sections' }, ...links.map(({ link }) => link));
}
