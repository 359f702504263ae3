import type { App } from '../app';
import type { Account, PositionMode, TradingState } from '../contract';
import { h, panel, setAttribute, setClass, setHidden, setText } from '../dom';
import * as format from '../format';
import { resultToday } from '../today';
import { ask, field, numberInput, numberOf, openForm, select, textInput } from './dialogs';

const states: readonly [TradingState, string][] = [
  ['Active', 'Orders are taken'],
  ['Reducing', 'Only orders that reduce are taken'],
  ['Halted', 'Only orders that reduce are taken; the others at work are cancelled'],
];

const today = (account: Account) => resultToday(account, Date.now());

const figures: readonly [label: string, value: (account: Account) => string, sign?: (account: Account) => number][] = [
  ['Equity', (account) => format.money(account.equity)],
  ['Today', (account) => resultText(today(account)), (account) => today(account) ?? 0],
  ['Balance', (account) => format.money(account.balance)],
  ['Free margin', (account) => format.money(account.freeMargin)],
  ['Used margin', (account) => format.money(account.usedMargin)],
  ['Margin level', (account) => (account.usedMargin > 0 ? `${format.pips((account.equity / account.usedMargin) * 100)} %` : format.noValue)],
  ['Open result', (account) => format.result(openResult(account)), openResult],
  ['Realised', (account) => format.result(account.realised), (account) => account.realised],
  ['Paid in', (account) => format.money(account.deposits)],
  ['Paid in today', (account) => (today(account) === null ? format.noValue : format.result(account.dayPayments))],
  ['Commissions', (account) => format.money(account.commissions)],
  ['Swaps', (account) => format.result(account.swaps), (account) => account.swaps],
];

function resultText(result: number | null): string {
  return result === null ? format.noValue : format.result(result);
}

function openResult(account: Account): number {
  return account.positions.reduce((sum, position) => sum + position.openResult, 0);
}

export function accountView(app: App): HTMLElement {
  const { store, api, session, say, report } = app;
  const create = h('button', { type: 'button', 'data-needs': 'Trade', 'aria-label': 'New account', onclick: () => openNewAccount(app) }, 'New');
  const pay = h('button', { type: 'button', 'data-needs': 'Trade', title: 'Pay in or out', onclick: () => openPayment(app) }, 'Pay');
  const { element, body, head } = panel('account', 'Account', pay, create);
  const heading = head.querySelector('h2')!;

  const values = figures.map(([label]) => ({ term: h('dt', {}, label), value: h('dd', {}) }));
  const list = h('dl', { class: 'figures' }, ...values.map(({ term, value }) => h('div', {}, term, value)));

  const setState = async (state: TradingState) => {
    const account = store.account;
    if (!account || account.state === state) return;
    try {
      const { minPosition } = await api.setState(account.name, state);
      await session.refresh(minPosition);
      say(`${account.name} is ${state.toLowerCase()}.`);
    } catch (error) {
      report(error);
    }
  };
  const stateButtons = states.map(([state, meaning]) => h('button', { type: 'button', title: meaning, onclick: () => void setState(state) }, state));
  const reason = h('p', { class: 'warning' });

  const flatten = h('button', { type: 'button', class: 'danger', 'data-needs': 'Halt', onclick: () => void doFlatten() }, 'Flatten');
  const doFlatten = async () => {
    const account = store.account;
    if (!account) return;
    const positions = count(account.positions.length, 'position');
    const orders = count(account.workingOrders.length, 'working order');
    const text = `Closes ${positions} at the market and cancels ${orders} of ${account.name}. This cannot be undone.`;
    if (!(await ask(`Flatten ${account.name}?`, text, 'Flatten now'))) return;
    try {
      const { minPosition } = await api.flatten(account.name);
      await session.refresh(minPosition);
      say(`${account.name} is being flattened.`);
    } catch (error) {
      report(error);
    }
  };

  const some = h('div', {}, list,
    h('div', { class: 'line' }, h('div', { class: 'switch', role: 'group', 'aria-label': 'Trading state', 'data-needs': 'ManageRisk' },
      ...stateButtons), flatten), reason);
  const none = h('div', { class: 'empty' },
    h('p', {}, 'No account yet. A paper account trades with play money at live prices.'),
    h('button', { type: 'button', class: 'primary', 'data-needs': 'Trade', onclick: () => openNewAccount(app) }, 'Create a paper account'));
  const loading = h('p', { class: 'empty' }, 'Loading…');
  body.append(some, none, loading);

  store.view(['accounts'], () => {
    const account = store.account;
    setHidden(loading, store.accounts !== null);
    setHidden(none, store.accounts === null || store.accounts.length > 0);
    setHidden(some, !account);
    setHidden(create, !account);
    setHidden(pay, !account);
    setText(heading, account ? `${account.name} · ${account.currency} · ${account.mode.toLowerCase()}` : 'Account');
    if (!account) return;
    figures.forEach(([, text, sign], index) => {
      const { value } = values[index]!;
      setText(value, text(account));
      if (sign) signed(value, sign(account));
    });
    stateButtons.forEach((button, index) => setAttribute(button, 'aria-pressed', String(states[index]![0] === account.state)));
    setHidden(reason, account.state === 'Active' && !account.tenantHalted);
    setText(reason, account.tenantHalted ? 'Halted for the tenant' : account.state === 'Active' ? ''
      : `${account.state}: ${format.words(account.stateReason)}`);
    flatten.disabled = account.positions.length === 0 && account.workingOrders.length === 0;
  });
  return element;
}

/** Colours a figure by its sign; the sign itself is in the text. */
export function signed(element: Element, value: number): void {
  setClass(element, 'gain', value > 0);
  setClass(element, 'loss', value < 0);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function openNewAccount({ store, api, session, say }: App): void {
  const suggestion = freeName(store.accounts ?? []);
  const name = field('Name', textInput(suggestion, /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'Letters, digits, . _ and -, at most 40.'));
  const currency = field('Currency', textInput('USD', /^[A-Za-z]{3,5}$/, 'A currency code such as USD.'));
  const deposit = field('Deposit', numberInput(100_000, { minimum: 0, above: true, required: true }));
  const mode = field('Positions', select([['Netting', 'Netting: one an instrument'], ['Hedging', 'Hedging: every entry its own']], 'Netting'));
  const leverage = field('Leverage', numberInput(30, { minimum: 1, maximum: 1000 }), 'Empty: the instruments say it.');
  openForm({
    title: 'New paper account',
    action: 'Create account',
    fields: [name.element, currency.element, deposit.element, mode.element, leverage.element],
    submit: async () => {
      const ratio = numberOf(leverage.input);
      const { minPosition, account } = await api.createAccount({
        name: name.input.value.trim(),
        currency: currency.input.value.trim().toUpperCase(),
        deposit: numberOf(deposit.input)!,
        mode: mode.input.value as PositionMode,
        ...(ratio === undefined ? {} : { leverage: ratio }),
      });
      await session.refresh(minPosition);
      session.selectAccount(account.name);
      say(`${account.name} is open with ${format.money(account.balance)} ${account.currency}.`);
    },
  });
}

function openPayment({ store, api, session, say }: App): void {
  const { account } = store;
  if (!account) return;
  const amount = field(`Amount, ${account.currency}`, numberInput('', { minimum: -1e12, maximum: 1e12, required: true }),
    'A negative one is paid out');
  const note = field('Note', textInput('', /^.{0,200}$/, 'At most 200 characters.'));
  openForm({
    title: `Pay in or out: ${account.name}`,
    action: 'Pay',
    fields: [amount.element, note.element],
    submit: async () => {
      const { minPosition } = await api.pay(account.name, numberOf(amount.input)!, note.input.value.trim());
      await session.refresh(minPosition);
      say(`${format.result(numberOf(amount.input)!)} ${account.currency}: ${account.name} has it.`);
    },
  });
}

function freeName(accounts: readonly Account[]): string {
  const taken = new Set(accounts.map((account) => account.name));
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'main' : `paper-${number}`;
    if (!taken.has(name)) return name;
  }
}
