import type { App } from '../app';
import type { Account, BreachAction, RiskLimits } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';
import { limitTexts, usedLimits } from '../limits';
import { field, numberInput, numberOf, openForm, select, type NumberRange } from './dialogs';

/** The limits of the account that is looked at, how full they are, and all that is set. */
export function limitsView(app: App, signal: AbortSignal): HTMLElement {
  const { store } = app;
  const change = h('button', {
    type: 'button', 'data-needs': 'ManageRisk',
    onclick: () => {
      if (store.account?.limits) openLimits(app, store.account, store.account.limits);
    },
  }, 'Change limits');
  const { element, body, head } = panel('limits', 'Limits', change);
  const bars = h('ul', { class: 'bars' });
  const all = h('dl', { class: 'terms long pad' });
  const empty = h('p', { class: 'empty' });
  body.append(bars, h('details', { class: 'pad', open: true }, h('summary', {}, 'All limits'), all), empty);
  let shown = '';
  store.view(['accounts'], () => {
    const { account } = store;
    setText(head.querySelector('h2')!, account ? `Limits of ${account.name}` : 'Limits');
    setHidden(change, !account?.limits);
    const uses = account ? usedLimits(account) : [];
    const texts = account?.limits ? limitTexts(account.limits, account.currency) : [];
    setHidden(empty, account !== undefined);
    setText(empty, store.accounts === null ? 'Loading…' : 'Limits belong to an account: create one first.');
    setHidden(all.parentElement!, !account);
    const state = JSON.stringify([uses, texts]);
    if (state === shown) return;
    shown = state;
    bars.replaceChildren(...uses.map(({ name, share, text, level }) => h('li', { 'data-level': level },
      h('span', {}, name), h('span', { class: 'hint' }, text), h('strong', {}, share === null ? format.noValue : format.percent(share, 0)),
      h('meter', { min: '0', max: '1', value: Math.min(share ?? 0, 1), 'aria-label': `${name}: ${text}` }))));
    all.replaceChildren(...texts.map(([name, text]) => h('div', {}, h('dt', {}, name), h('dd', {}, text))));
  }, signal);
  return element;
}

const actions: readonly (readonly [BreachAction, string])[] = [
  ['StopTrading', 'Stop trading'], ['DenyAdds', 'Only let reduce'], ['Flatten', 'Close everything'],
];

type NumberLimit = {
  [K in keyof RiskLimits]: RiskLimits[K] extends number | null ? K : never;
}[keyof RiskLimits];

const numbers: readonly (readonly [NumberLimit, string, NumberRange])[] = [
  ['maxOrderVolume', 'Volume of an order', {}], ['maxOrderNotional', 'Notional of an order', {}],
  ['priceCollarPercent', 'Price away from the market, %', {}],
  ['maxExposure', 'Exposure', {}], ['maxExposurePercent', 'Exposure, % of equity', {}], ['maxInstrumentExposure', 'Exposure in an instrument', {}],
  ['maxOpenPositions', 'Open positions', { whole: true }], ['maxWorkingOrders', 'Working orders', { whole: true }],
];

/** Replaces the limits; those that the form does not show stay as they are. */
function openLimits({ api, session, say }: App, account: Account, limits: RiskLimits): void {
  const inputs = numbers.map(([name, label, range]) => ({ name, made: field(label,
    numberInput(limits[name] ?? '', { minimum: 0, above: true, ...range })) }));
  const losses = (['Day', 'Week', 'Month'] as const).map((period) => {
    const limit = limits.lossLimits.find((each) => each.period === period && each.amount === null);
    return {
      period,
      percent: field(`Loss a ${period.toLowerCase()}, %`, numberInput(limit?.percent ?? '', { minimum: 0, above: true, maximum: 100 })),
      action: field('Then', select(actions, limit?.action ?? 'StopTrading')),
    };
  });
  const drawdown = field('Drawdown, %', numberInput(limits.maxDrawdownPercent ?? '', { minimum: 0, above: true, maximum: 100 }));
  const then = field('Then', select(actions, limits.drawdownAction));
  openForm({
    title: `Limits of ${account.name}`,
    action: 'Set limits',
    fields: [
      h('p', { class: 'hint' },
        'Empty is no limit. An order that would go beyond one is denied before it is sent; what only reduces a position never is.'),
      ...inputs.map(({ made }) => made.element), ...losses.flatMap(({ percent, action }) => [percent.element, action.element]), drawdown.element,
      then.element,
    ],
    submit: async () => {
      const changed: RiskLimits = {
        ...limits,
        ...Object.fromEntries(inputs.map(({ name, made }) => [name, numberOf(made.input) ?? null])),
        lossLimits: [
          // Limits of an amount are not shown by this form.
          ...limits.lossLimits.filter(({ amount }) => amount !== null),
          ...losses.flatMap(({ period, percent, action }) => {
            const value = numberOf(percent.input);
            return value === undefined ? [] : [{ period, amount: null, percent: value, action: action.input.value as BreachAction }];
          }),
        ],
        maxDrawdownPercent: numberOf(drawdown.input) ?? null,
        drawdownAction: then.input.value as BreachAction,
      };
      const { minPosition } = await api.setLimits(account.name, changed);
      await session.refresh(minPosition);
      say(`${account.name} has new limits.`);
    },
  });
}
