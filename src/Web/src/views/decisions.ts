import type { App } from '../app';
import type { Decision, Verdict } from '../contract';
import { h, panel, Rows, setAttribute, setHidden, setText, type Row } from '../dom';
import * as format from '../format';
import { isDenied } from '../search';
import type { Store } from '../store';

export function decisionsView({ store, session, report }: App): HTMLElement {
  const { element, body } = panel('decisions', 'Decisions', h('span', { class: 'aside' }, 'newest first'));
  const list = h('ol', { class: 'decisions' });
  const empty = h('p', { class: 'empty' });
  const older = h('button', { type: 'button', onclick: () => void loadOlder() }, 'Load older');
  body.append(h('div', { class: 'scroll' }, list, older), empty);

  const loadOlder = async () => {
    older.disabled = true;
    try {
      await session.loadOlderDecisions();
    } catch (error) {
      report(error);
    } finally {
      older.disabled = false;
    }
  };

  const rows = decisionRows(list, store);
  store.view(['decisions', 'zone', 'instruments'], () => {
    const decisions = store.decisions ?? [];
    rows.render(decisions, store.zone, store.preferences, store.instruments);
    setHidden(older, store.decisionsNext === null || decisions.length === 0);
    setHidden(empty, decisions.length > 0);
    setText(empty, store.decisions === null
      ? 'Loading…'
      : 'No decision yet. A running strategy decides at the close of a bar; each decision stays here with all that it saw.');
  });
  return element;
}

/** The same list for a page of its own. */
export function decisionList(store: Store): { element: HTMLElement; render: (decisions: readonly Decision[]) => void } {
  const element = h('ol', { class: 'decisions' });
  const rows = decisionRows(element, store);
  return { element, render: (decisions) => rows.render(decisions, store.zone, store.preferences, store.instruments) };
}

function decisionRows(list: HTMLElement, store: Store): Rows<Decision> {
  const make = (first: Decision): Row<Decision> => {
    let shown = first;
    let drawn: Decision | null = null;
    let drawnZone = store.zone;
    const time = h('time', { datetime: first.time });
    const who = h('span', { class: 'who' });
    const stance = h('span', { class: 'stance' });
    const why = h('span', { class: 'why' });
    const verdict = h('span', { class: 'verdict' });
    const detail = h('div', { class: 'detail' });
    const details = h('details', {}, h('summary', {}, time, who, stance, why, verdict), detail);
    // What is inside is made when it is first looked at, and again only when it changed.
    const draw = () => {
      if (!details.open || (drawn === shown && drawnZone === store.zone)) return;
      detail.replaceChildren(...inside(shown, store.digits(shown.symbol), store.zone));
      [drawn, drawnZone] = [shown, store.zone];
    };
    details.addEventListener('toggle', draw);
    return {
      element: h('li', {}, details),
      update: (decision) => {
        shown = decision;
        setText(time, format.moment(decision.time, store.zone));
        setText(who, `${format.keyName(decision.strategy)} · ${decision.symbol} ${decision.timeFrame}`);
        setText(stance, `${decision.before.toLowerCase()} → ${decision.intent.stance.toLowerCase()}`);
        setAttribute(stance, 'data-stance', decision.intent.stance);
        setText(why, decision.intent.why);
        setText(verdict, summary(decision.verdicts));
        setAttribute(verdict, 'data-denied', String(decision.verdicts.some(isDenied)));
        draw();
      },
    };
  };
  return new Rows<Decision>(list, (decision) => decision.id, make);
}

function summary(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return 'no account';
  const denied = verdicts.filter(isDenied);
  const first = denied[0];
  if (!first) return verdicts.length === 1 ? 'ordered' : `${verdicts.length} ordered`;
  return denied.length === 1 && verdicts.length === 1 ? format.words(first.reason) : `${denied.length} of ${verdicts.length} not ordered`;
}

function inside(decision: Decision, digits: number, zone: format.Zone): Node[] {
  const { bar, intent } = decision;
  const price = (value: number | null | undefined) => format.price(value, digits);
  const distances: [string, number | null | undefined][] = [
    ['Stop', intent.stopDistance], ['Target', intent.takeDistance], ['Trail', intent.trailDistance],
  ];
  const facts: [string, string][] = [
    ['Intent', `${intent.stance.toLowerCase()}, ${format.volume(decision.units)} units`],
    ...distances.filter(([, distance]) => distance !== null && distance !== undefined)
      .map(([label, distance]): [string, string] => [label, `${price(distance)} away`]),
    ['Market log', format.volume(decision.marketPosition)],
    ...decision.features.map(({ feature, value }): [string, string] => [feature, format.reading(value)]),
  ];
  const whole: [string, string][] = [
    ['Bar', `${format.moment(bar.time, zone)}  O ${price(bar.open)}  H ${price(bar.high)}  L ${price(bar.low)}  C ${price(bar.close)}`],
    ['Id', decision.id],
  ];
  const verdicts = decision.verdicts.map((verdict) => {
    const orders = verdict.orders.length > 0 ? `, order ${verdict.orders.join(', ')}` : '';
    const outcome = verdict.orders.length > 0 ? `ordered ${format.volume(verdict.volume)}${orders}` : 'not ordered';
    const reason = verdict.reason === 'None' ? '' : ` · ${format.words(verdict.reason)}`;
    return h('li', { 'data-denied': String(isDenied(verdict)) },
      h('strong', {}, format.keyName(verdict.account)), ` ${outcome}${reason}${verdict.detail ? `: ${verdict.detail}` : ''}`);
  });
  return [
    h('dl', { class: 'facts' },
      ...facts.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value))),
      ...whole.map(([label, value]) => h('div', { class: 'whole' }, h('dt', {}, label), h('dd', {}, value)))),
    verdicts.length > 0
      ? h('ul', { class: 'verdicts', 'aria-label': 'Verdicts of the accounts' }, ...verdicts)
      : h('p', { class: 'hint' }, 'No account followed.'),
  ];
}
