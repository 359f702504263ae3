import type { RunAccount, RunCosts, Sizing } from '../contract';
import { h, panel } from '../dom';
import { defaultAccount, type RunDraft } from '../runs';
import { field, numberInput, numberOf, select, textInput, type Field, type NumberRange } from './dialogs';

type Terms = Pick<RunDraft, 'account' | 'costs' | 'limits' | 'riskFreePercent'>;

export interface TermsView {
  element: HTMLElement;
  read: () => Terms;
  /** By the name that the API has for the field. */
  inputs: ReadonlyMap<string, HTMLElement>;
  /** The currency where nobody has chosen one. */
  suggestCurrency: (currency: string) => void;
}

const sizings: readonly (readonly [Sizing['kind'], string])[] = [
  ['StrategyUnits', 'The strategy\'s, times'], ['FixedUnits', 'Units'], ['PercentOfEquity', 'Percent of equity'], ['PercentRisk', 'Percent at risk'],
];

const costLabels: readonly (readonly [keyof RunCosts, label: string, hint: string])[] = [
  ['commissionPerLot', 'Commission a lot', 'In the account\'s currency, each side'],
  ['commissionRate', 'Commission rate', 'A share of the notional: 0.00002'],
  ['commissionMinimum', 'Commission at least', ''],
  ['slippagePoints', 'Slippage, points', ''],
  ['randomSlippagePoints', 'Further, at random, up to', ''],
  ['latencyMilliseconds', 'Latency, ms', ''],
  ['swapLongPoints', 'Swap long, points a night', ''],
  ['swapShortPoints', 'Swap short, points a night', ''],
  ['seed', 'Seed of what is random', ''],
];

/** The account that a run trades on, and what trading costs it. */
export function termsView({ account, costs, limits: formerLimits, riskFreePercent }: Terms): TermsView {
  const inputs = new Map<string, HTMLElement>();
  const named = <E extends HTMLInputElement | HTMLSelectElement>(name: string, label: string, input: E, hint = ''): Field<E> => {
    inputs.set(name, input);
    return field(label, input, hint);
  };
  const number = (name: string, label: string, value: number | null | undefined, range: NumberRange, hint = '') =>
    named(name, label, numberInput(value ?? '', range), hint);

  const deposit = number('account.deposit', 'Deposit', account.deposit ?? 100_000, { minimum: 0, above: true, required: true });
  const currency = named('account.currency', 'Currency', textInput(account.currency ?? 'USD', /^[A-Za-z]{3,5}$/, 'A currency code such as USD.'));
  const mode = named('account.mode', 'Positions', select([['netting', 'Netting'], ['hedging', 'Hedging']], account.mode ?? 'netting'));
  const leverage = number('account.leverage', 'Leverage', account.leverage, { minimum: 1, maximum: 1000 }, 'Empty: the instruments say it');
  const sizing = named('account.sizing', 'Size of an entry', select(sizings, account.sizing?.kind ?? 'StrategyUnits'));
  const size = number('account.sizing.value', 'Value', account.sizing?.value ?? 1, { minimum: 0, above: true, required: true });
  const stopOutPercent = account.stopOutPercent === undefined ? 50 : account.stopOutPercent;
  const stopOut = number('account.stopOutPercent', 'Stop-out at margin level, %', stopOutPercent, { minimum: 1, maximum: 100 }, 'Empty: never');
  const moneyDigits = number('account.moneyDigits', 'Money is rounded to', account.moneyDigits, { minimum: 0, maximum: 10, whole: true },
    'Decimals; empty: exact');
  const fill = named('costs.fill', 'Market orders fill at', select([['nextOpen', 'The next open'], ['nextClose', 'The next close']], costs.fill ?? 'nextOpen'));
  const costFields = costLabels.map(([key, label, hint]) => ({ key, made: number(`costs.${key}`, label, costs[key] as number | null | undefined, {}, hint) }));
  const riskFree = number('riskFreePercent', 'Risk-free rate, % a year', riskFreePercent, { minimum: -100, maximum: 1000, above: true }, 'Of the Sharpe ratio');
  const limits = named('limits', 'Pre-trade limits', select([
    ['default', 'Those of a new account'], ['none', 'None'],
    ...(formerLimits === undefined ? [] : [['former', 'Those of the run it comes from'] as const]),
  ], formerLimits === undefined ? 'default' : 'former'));

  const { element, body } = panel('terms', 'Account and costs');
  body.append(h('div', { class: 'pad stack' },
    h('div', { class: 'fields three' }, ...[deposit, currency, mode, leverage, sizing, size].map((each) => each.element)),
    h('details', {}, h('summary', {}, 'Costs and details'),
      h('div', { class: 'fields three' }, fill.element, ...costFields.map(({ made }) => made.element),
        ...[stopOut, moneyDigits, riskFree, limits].map((each) => each.element)))));

  const readAccount = (): RunAccount => ({
    deposit: numberOf(deposit.input) ?? null,
    currency: currency.input.value.trim().toUpperCase(),
    mode: mode.input.value,
    leverage: numberOf(leverage.input) ?? null,
    stopOutPercent: numberOf(stopOut.input) ?? null,
    moneyDigits: numberOf(moneyDigits.input) ?? null,
    sizing: { kind: sizing.input.value as Sizing['kind'], value: numberOf(size.input) ?? 1 },
  });
  return {
    element,
    inputs,
    read: () => ({
      account: readAccount(),
      costs: { ...Object.fromEntries(costFields.map(({ key, made }) => [key, numberOf(made.input) ?? null])), fill: fill.input.value },
      limits: limits.input.value === 'none' ? {} : limits.input.value === 'former' ? formerLimits : undefined,
      riskFreePercent: numberOf(riskFree.input),
    }),
    suggestCurrency: (suggested) => {
      if (account === defaultAccount) currency.input.value = suggested;
    },
  };
}
