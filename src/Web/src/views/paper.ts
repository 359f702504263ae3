import type { App } from '../app';
import { strategyTimeFrames, type PositionMode } from '../contract';
import { h, setHidden } from '../dom';
import * as format from '../format';
import { freeName, toName } from '../names';
import { go } from '../router';
import { field, numberInput, numberOf, openForm, select, textInput } from './dialogs';

/** A strategy that is to trade on paper, exactly so. */
export interface PaperStrategy {
  name: string;
  /** Of the catalogue; empty for a rule. */
  definition: string;
  rule: string;
  parameters: Record<string, number>;
  /** As it was tested; empty when nothing says it. */
  symbol: string;
  timeFrame: string;
}

const newAccount = '+';

/** Asks for symbol, time frame and account, and starts the strategy there. */
export function openStartOnPaper({ store, api, session, say }: App, strategy: PaperStrategy): void {
  const taken = (store.strategies ?? []).map(({ name }) => name);
  const name = field('Name', textInput(freeName(toName(strategy.name), taken), /^[a-z0-9_-][a-z0-9._-]{0,63}$/, 'a-z, 0-9, - and _, at most 64.'));
  const instruments = [...store.instruments.values()];
  const known = store.instruments.has(strategy.symbol);
  const symbols = instruments.map((one) => [one.symbol, `${one.symbol} – ${one.name}`] as const);
  const symbol = field('Symbol', select(symbols, known ? strategy.symbol : store.symbol),
    known || strategy.symbol === '' ? '' : `It was tested on ${strategy.symbol}, which is not traded here.`);
  const frames: readonly string[] = strategyTimeFrames.some((frame) => frame === strategy.timeFrame) || strategy.timeFrame === ''
    ? strategyTimeFrames : [...strategyTimeFrames, strategy.timeFrame];
  const frameChoices = frames.map((frame) => [frame, frame === 'tick' ? 'tick: every quote' : frame] as const);
  const timeFrame = field('Time frame', select(frameChoices, strategy.timeFrame || 'H1'));
  const accounts = (store.accounts ?? []).map((account) => [account.name, `${account.name} (${account.currency})`] as const);
  const account = field('Account', select([...accounts, [newAccount, 'A new paper account']], store.accountName || newAccount));
  const accountNames = (store.accounts ?? []).map((one) => one.name);
  const accountName = field('Name of the account', textInput(freeName('paper', accountNames), /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/,
    'Letters, digits, . _ and -, at most 40.'));
  const deposit = field('Deposit', numberInput(100_000, { minimum: 0, above: true, required: true }));
  const currency = field('Currency', textInput('USD', /^[A-Za-z]{3,5}$/, 'A currency code such as USD.'));
  const mode = field('Positions', select([['Netting', 'Netting: one an instrument'], ['Hedging', 'Hedging: every entry its own']], 'Netting'));
  const opened = [accountName, deposit, currency, mode];
  const showOpened = () => opened.forEach(({ element }) => setHidden(element, account.input.value !== newAccount));
  account.input.addEventListener('change', showOpened);
  showOpened();

  const parameters = Object.entries(strategy.parameters).map(([parameter, value]) => `${parameter} ${format.reading(value)}`).join(', ');
  openForm({
    title: 'Start on a paper account',
    action: 'Start',
    fields: [
      h('p', { class: 'hint' }, `${strategy.definition || 'The rule'}${parameters === '' ? '' : ` with ${parameters}`}, at live prices with play money.`),
      name.element, symbol.element, timeFrame.element, account.element, ...opened.map(({ element }) => element),
    ],
    submit: async () => {
      let owner = account.input.value;
      if (owner === newAccount) {
        const made = await api.createAccount({
          name: accountName.input.value.trim(), currency: currency.input.value.trim().toUpperCase(), deposit: numberOf(deposit.input)!,
          mode: mode.input.value as PositionMode,
        });
        owner = made.account.name;
        await session.refresh(made.minPosition);
        // Were the strategy refused, the account would not be made a second time.
        account.input.append(h('option', { value: owner }, owner));
        account.input.value = owner;
        showOpened();
      }
      const { minPosition } = await api.createStrategy({
        name: name.input.value.trim(),
        ...(strategy.rule === '' ? { definition: strategy.definition } : { rule: strategy.rule }),
        parameters: strategy.parameters, symbol: symbol.input.value, timeFrame: timeFrame.input.value, accounts: [owner], start: true,
      });
      await session.refresh(minPosition);
      session.selectAccount(owner);
      session.selectSymbol(symbol.input.value);
      say(`${name.input.value.trim()} is running on ${owner}.`);
      go({ page: 'trade' });
    },
  });
}
