import type { App } from '../app';
import type { FeedList, GrainList, ServiceInstance, ServiceList, StorageList } from '../contract';
import { bytes } from '../datasets';
import { h, panel, setText } from '../dom';
import * as format from '../format';
import { faultText } from '../http';
import { grid, type Cell } from './grid';
import { every, load } from './load';

/** The service's own figures are up to 5 s old; asking more often tells nothing new. */
const readEvery = 5_000;

/** A panel that is read again and again, and says of when it is. What cannot be read stays, marked as old. */
function living<T extends { asOf: string }>(
  { store }: App, id: string, title: string, ask: () => Promise<T>, show: (value: T) => readonly Node[], signal: AbortSignal,
): HTMLElement {
  const asOf = h('span', { class: 'aside' });
  const { element, body } = panel(id, title, asOf);
  const place = h('div', {}, h('p', { class: 'empty' }, 'Loading…'));
  body.append(place);
  let latest: T | null = null;
  let fault = '';
  const tell = () => setText(asOf, latest ? `as of ${format.clock(latest.asOf, store.zone)}${fault === '' ? '' : `: ${fault}`}` : '');
  const draw = (now: T) => {
    // Whoever reads or has opened something in it is left in peace.
    const open = [...place.querySelectorAll('details[open]')].map((details) => details.id);
    const focused = document.activeElement instanceof HTMLElement && place.contains(document.activeElement) ? document.activeElement.id : '';
    const scrolled = [...place.querySelectorAll('.grid')].map(({ scrollLeft }) => scrollLeft);
    place.replaceChildren(...show(now));
    for (const name of open) document.getElementById(name)?.setAttribute('open', '');
    if (focused !== '') document.getElementById(focused)?.focus();
    [...place.querySelectorAll('.grid')].forEach((each, index) => (each.scrollLeft = scrolled[index] ?? 0));
  };
  every(readEvery, async () => {
    try {
      const now = await ask();
      if (!signal.aborted) draw(now);
      latest = now;
      fault = '';
      element.classList.remove('old');
    } catch (error) {
      fault = faultText(error);
      element.classList.add('old');
      if (latest === null) place.replaceChildren(h('p', { class: 'empty fault', role: 'alert' }, fault));
    }
    tell();
  }, signal);
  store.view(['zone'], () => {
    tell();
    if (latest !== null) draw(latest);
  }, signal);
  return element;
}

const rank: Record<string, string> = { healthy: 'good', degraded: 'near', unhealthy: 'bad', stopped: 'bad', absent: '' };

function status(text: string): HTMLElement {
  return h('span', { class: `status ${rank[text] ?? ''}` }, text);
}

export function servicesView(app: App, signal: AbortSignal): HTMLElement {
  const { api, store } = app;
  const history = (name: string) => {
    const place = h('div', {});
    const dialog = h('dialog', { class: 'wide-dialog', 'aria-labelledby': 'history-title' },
      h('h2', { id: 'history-title' }, `History of ${name}`), place,
      h('div', { class: 'actions' }, h('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Close')));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    void load(place, () => api.serviceHistory(name), ({ transitions }) => [grid(`History of ${name}`,
      [{ title: 'Time' }, { title: 'Process' }, { title: 'State' }, { title: 'Why' }],
      transitions.map(({ time, process, from, to, detail }) => [
        format.moment(time, store.zone), process, h('span', {}, from === null ? '' : `${from} → `, status(to)),
        { text: detail ?? '', class: 'long' },
      ]), 'Nothing has changed so far.')], signal);
  };
  const place = ({ port, webSocketPort, siloPort, gatewayPort }: ServiceInstance) =>
    [port, webSocketPort, siloPort, gatewayPort].filter((each) => each !== null).join(', ');
  const show = ({ services }: ServiceList) => [grid('Services', [
    { title: 'Service' }, { title: 'State' }, { title: 'Ports' }, { title: 'Process', shown: 'wide' }, { title: 'Version', shown: 'widest' },
    { title: 'Up since', shown: 'widest' },
    { title: 'Last heard', shown: 'wide' }, { title: 'Why', shown: 'wide' }, { title: 'History' },
  ], services.flatMap(({ name, status: state, instances }): Cell[][] => {
    const button = h('button', {
      type: 'button', id: `history-of-${name}`, class: 'plain link', 'aria-label': `History of ${name}`, onclick: () => history(name),
    }, 'History');
    if (instances.length === 0) return [[name, status(state), '', '', '', '', '', '', button]];
    return instances.map((one, index): Cell[] => [
      index === 0 ? name : '', status(one.status), place(one), `${one.process} at ${one.address}`, one.version,
      format.moment(one.startedAt, store.zone),
      format.clock(one.lastSeenAt, store.zone), { text: one.detail ?? '', class: 'long' }, index === 0 ? button : '',
    ]);
  }), 'No service.')];
  return living(app, 'services', 'Services and ports', () => api.services(), show, signal);
}

const milliseconds = (value: number | null) => (value === null ? format.noValue : `${format.ratio(value)} ms`);
const perSecond = (value: number | null) => (value === null ? format.noValue : format.pips(value));
const share = (value: number, most: number) => h('meter', { min: 0, max: most, value, 'aria-label': `${format.pips(value)} calls a second` });

/** How the installation does: services, grains, the slowest calls, journal and storage, feeds. */
export function systemViews(app: App, signal: AbortSignal): HTMLElement[] {
  const { api, store } = app;
  const summary = ({ services }: ServiceList) => {
    const counts = new Map<string, number>();
    for (const { status: state } of services) counts.set(state, (counts.get(state) ?? 0) + 1);
    return [
      h('div', { class: 'line pad' }, ...[...counts].map(([state, count]) => h('span', { class: 'line' }, status(state), String(count)))),
      h('ul', { class: 'tiles' }, ...services.map(({ name, status: state, instances }) => h('li', { class: rank[state] ?? '' },
        h('strong', {}, name), h('span', { class: 'hint' }, instances.map(({ port }) => port).join(', ') || 'not running'),
        h('span', { class: 'unseen' }, state)))),
    ];
  };

  const grains = ({ processes, windowSeconds }: GrainList) => processes.flatMap(({ process, address, types, methods, slowest }) => {
    const most = Math.max(...types.map(({ callsPerSecond }) => callsPerSecond), 1e-9);
    return [
      h('h3', { class: 'pad' }, `${process} at ${address}`),
      grid(`Grain types of ${process}`, [
        { title: 'Grain' }, { title: 'Service', shown: 'wide' }, { title: 'Active', numeric: true },
        { title: 'Calls', numeric: true, shown: 'wide' }, { title: 'Calls/s', numeric: true },
        { title: 'Load', shown: 'wide' }, { title: 'p50', numeric: true }, { title: 'p99', numeric: true },
      ], types.map((one) => [
        one.type, one.service ?? '', one.activations === null ? format.noValue : format.volume(one.activations), format.volume(one.calls),
        perSecond(one.callsPerSecond),
        share(one.callsPerSecond, most), milliseconds(one.p50), milliseconds(one.p99),
      ]), 'No grain has been called.'),
      h('details', { class: 'pad', id: `methods-${process}` }, h('summary', {}, `Methods, of the last ${windowSeconds} s`),
        grid(`Methods of ${process}`, [
          { title: 'Method' }, { title: 'Calls', numeric: true }, { title: 'Failed', numeric: true }, { title: 'Calls/s', numeric: true },
          { title: 'p50', numeric: true, shown: 'wide' },
          { title: 'p99', numeric: true }, { title: 'Longest', numeric: true, shown: 'wide' },
        ], methods.map((one) => [
          `${one.method}${one.longPoll ? ' (waits on purpose)' : ''}`, format.volume(one.calls),
          { text: format.volume(one.failures), class: one.failures > 0 ? 'loss' : '' },
          perSecond(one.callsPerSecond), milliseconds(one.p50), milliseconds(one.p99), milliseconds(one.max),
        ]), 'No method has been called.')),
      h('details', { class: 'pad', id: `slowest-${process}` }, h('summary', {}, 'Slowest calls'),
        grid(`Slowest calls of ${process}`, [
          { title: 'Took', numeric: true }, { title: 'Method' }, { title: 'Of', shown: 'wide' }, { title: 'At' }, { title: 'Trace', shown: 'widest' },
        ], slowest.map((one) => [
          milliseconds(one.duration), { text: `${one.method}${one.failed ? ' (failed)' : ''}`, class: one.failed ? 'loss' : '' }, one.target,
          format.clock(one.at, store.zone),
          one.traceId ?? '',
        ]), 'No call so far.')),
    ];
  });

  const storage = ({ processes }: StorageList) => processes.flatMap(({ process, kind, location, journal, parts, freeBytes }) => [
    h('h3', { class: 'pad' }, `${process}: ${kind === 'files' ? 'files' : 'PostgreSQL'} at ${location}`),
    h('dl', { class: 'figures many' }, ...([
      ['Events', journal && format.volume(journal.events)], ['Not yet durable', journal && bytes(journal.pendingBytes)],
      ['Commits a second', journal && perSecond(journal.commitsPerSecond)],
      ['Events a commit', journal && perSecond(journal.eventsPerCommit)], ['Commit, p50', journal && milliseconds(journal.commitP50)],
      ['Commit, p99', journal && milliseconds(journal.commitP99)],
      ['Free', freeBytes === null ? null : bytes(freeBytes)], ...parts.map((part) => [format.capital(part.name), bytes(part.bytes)] as const),
    ] as const).map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value ?? format.noValue)))),
  ]);

  const feeds = ({ symbols, simulated, position, time }: FeedList) => [
    h('p', { class: 'hint pad' },
      `${simulated ? 'Simulated' : 'Market'}, at ${format.volume(position)}${time === null ? '' : `, ${format.moment(time, store.zone)}`}`),
    grid('Feeds', [
      { title: 'Symbol' }, { title: 'Age', numeric: true }, { title: 'Received', numeric: true }, { title: 'Twice', numeric: true, shown: 'wide' },
      { title: 'Late', numeric: true },
      { title: 'Invalid', numeric: true, shown: 'wide' }, { title: 'Gaps', numeric: true },
    ], symbols.map((one) => [
      one.symbol,
      { text: one.ageSeconds === null ? format.noValue : format.age(one.ageSeconds * 1000),
        class: (one.ageSeconds ?? 0) * 1000 > store.preferences.staleAfter ? 'warning' : '' },
      format.volume(one.received), format.volume(one.duplicates), format.volume(one.late), format.volume(one.invalid), format.volume(one.gaps),
    ]), 'No feed.'),
  ];

  return [
    living(app, 'system-services', 'Services', () => api.services(), summary, signal),
    living(app, 'grains', 'Grains', () => api.grains(), grains, signal),
    living(app, 'storage', 'Journal and storage', () => api.storage(), storage, signal),
    living(app, 'feeds', 'Feeds', () => api.feeds(), feeds, signal),
  ];
}
