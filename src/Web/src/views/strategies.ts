import type { App } from '../app';
import { strategyTimeFrames, type Strategy, type StrategyDefinition } from '../contract';
import { h, panel, Rows, setAttribute, setHidden, setText, type Row } from '../dom';
import * as format from '../format';
import { href } from '../routes';
import { field, numberInput, numberOf, openForm, select, textInput } from './dialogs';
import { parameterFields } from './parameters';

export interface StrategiesOptions {
  /** Until when the view lives; without it for good. */
  signal?: AbortSignal;
  /** With links to its rule and to a back-test of it. */
  links?: boolean;
}

export function strategiesView(app: App, { signal, links = false }: StrategiesOptions = {}): HTMLElement {
  const { store, api, session, say, report } = app;
  const create = h('button', { type: 'button', 'data-needs': 'Automate', onclick: () => openNewStrategy(app) }, 'New strategy');
  const { element, body } = panel('strategies', 'Strategies', create);
  const list = h('ul', { class: 'strategies' });
  const none = h('div', { class: 'empty' },
    h('p', {}, 'No strategy yet. A strategy watches one symbol and decides at the close of every bar; the accounts that follow it trade.'),
    h('button', { type: 'button', class: 'primary', 'data-needs': 'Automate', onclick: () => openNewStrategy(app) }, 'Create a strategy'));
  const loading = h('p', { class: 'empty' }, 'Loading…');
  body.append(list, none, loading);

  const change = async (button: HTMLButtonElement, work: () => Promise<{ minPosition: number }>, text: string) => {
    button.disabled = true;
    try {
      const { minPosition } = await work();
      await session.refresh(minPosition);
      say(text);
    } catch (error) {
      report(error);
    } finally {
      button.disabled = false;
    }
  };

  const make = (first: Strategy): Row<Strategy> => {
    const { name } = first;
    const source = { kind: 'strategy', name } as const;
    let running = false;
    let followed = false;
    const status = h('span', { class: 'status' });
    const stance = h('span', { class: 'stance' });
    const what = h('p', { class: 'what' });
    const why = h('p', { class: 'why' });
    const accounts = h('span', { class: 'accounts' });
    const toggle = h('button', {
      type: 'button', 'data-needs': 'Automate',
      onclick: () => {
        const work = () => (running ? api.stopStrategy(name) : api.startStrategy(name));
        void change(toggle, work, `${name} is ${running ? 'stopped' : 'running'}.`);
      },
    });
    const follow = h('button', {
      type: 'button', 'data-needs': 'Trade',
      onclick: () => {
        const account = store.accountName;
        const terms = { sizing: { kind: 'StrategyUnits', value: 1 } as const, paused: false, maxUnits: null };
        const work = () => (followed ? api.unfollow(account, name) : api.follow(account, name, terms));
        void change(follow, work, `${account} ${followed ? 'no longer follows' : 'follows'} ${name}.`);
      },
    });
    const parameterButton = h('button', {
      type: 'button', 'data-needs': 'Automate', 'aria-label': `Parameters of ${name}`, title: 'Of a stopped strategy',
      onclick: () => {
        const strategy = store.strategies?.find((each) => each.name === name);
        if (strategy) void openParameters(app, strategy).catch(report);
      },
    }, 'Parameters');
    const item = h('li', {},
      h('div', { class: 'line' }, h('h3', {}, name), status, stance),
      what, why,
      h('div', { class: 'line' }, accounts,
        links && first.rule !== null
          && h('a', { class: 'button', href: href({ page: 'rule', source }), 'aria-label': `Edit rule of ${name}` }, 'Edit rule'),
        links && h('a', { class: 'button', href: href({ page: 'start', source }), 'aria-label': `Back-test ${name}` }, 'Back-test'),
        links && h('a', { class: 'button', href: href({ page: 'review', strategy: name }), 'aria-label': `Live vs test of ${name}` }, 'Live vs test'),
        links && parameterButton, follow, toggle));
    return {
      element: item,
      update: (strategy) => {
        running = strategy.status === 'Running';
        followed = strategy.accounts.some((account) => format.keyName(account) === store.accountName);
        const parameters = Object.entries(strategy.parameters).map(([parameter, value]) => `${parameter} ${format.reading(value)}`);
        setText(status, strategy.status.toLowerCase());
        setAttribute(item, 'data-status', strategy.status);
        setText(stance, strategy.stance.toLowerCase());
        setAttribute(stance, 'data-stance', strategy.stance);
        setText(what, [strategy.definition, `${strategy.symbol} ${strategy.timeFrame}`,
          ...(parameters.length > 0 ? [parameters.join(', ')] : [])].join(' · '));
        setAttribute(what, 'title', strategy.rule ?? '');
        const last = strategy.lastDecision;
        setText(why, last
          ? `${format.moment(last.time, store.zone)}: ${last.intent.why}`
          : running ? 'No decision yet: it decides at the close of a bar, once its features are ready.' : 'Stopped, without a decision so far.');
        setText(accounts, strategy.accounts.length > 0 ? `for ${strategy.accounts.map(format.keyName).join(', ')}` : 'no account follows');
        parameterButton.disabled = running;
        setText(toggle, running ? 'Stop' : 'Start');
        setAttribute(toggle, 'aria-label', `${running ? 'Stop' : 'Start'} ${name}`);
        setText(follow, followed ? 'Unfollow' : 'Follow');
        setAttribute(follow, 'aria-label', `${followed ? 'Unfollow' : 'Follow'} ${name} with ${store.accountName}`);
        setHidden(follow, store.account === undefined);
      },
    };
  };
  const rows = new Rows<Strategy>(list, (strategy) => strategy.name, make);
  store.view(['strategies', 'accounts', 'zone'], () => {
    const strategies = store.strategies ?? [];
    rows.render(strategies, store.zone, store.preferences, store.accountName, store.account === undefined);
    setHidden(list, strategies.length === 0);
    setHidden(loading, store.strategies !== null);
    setHidden(none, store.strategies === null || strategies.length > 0);
    setHidden(create, strategies.length === 0);
  }, signal);
  store.view(['definitions'], () => (create.disabled = store.definitions.length === 0), signal);
  return element;
}

/** Other parameters for a strategy that is stopped; a rule says itself which it has. */
async function openParameters({ store, api, session, say }: App, strategy: Strategy): Promise<void> {
  const definitions = strategy.rule === null
    ? store.definitions.find(({ name }) => name === strategy.definition)?.parameters
    : (await api.checkRule(strategy.rule)).rule?.parameters;
  const fields = parameterFields(() => {});
  fields.show(definitions ?? [], strategy.parameters);
  openForm({
    title: `Parameters of ${strategy.name}`,
    action: 'Set parameters',
    fields: [fields.element],
    submit: async () => {
      const { minPosition } = await api.setParameters(strategy.name, { ...strategy.parameters, ...fields.values() });
      await session.refresh(minPosition);
      say(`${strategy.name} has new parameters; they count from its next start.`);
    },
  });
}

export function openNewStrategy({ store, api, session, say }: App): void {
  const first = store.definitions[0];
  if (!first) return;
  const definition = field('Definition', select(store.definitions.map(({ name, title }) => [name, title] as const), first.name));
  const description = h('p', { class: 'hint' });
  const name = field('Name', textInput('', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'Letters, digits, . _ and -, at most 64.'));
  const symbols = [...store.instruments.values()].map((instrument) => [instrument.symbol, `${instrument.symbol} – ${instrument.name}`] as const);
  const symbol = field('Symbol', select(symbols, store.symbol));
  const timeFrames = strategyTimeFrames.map((text) => [text, text === 'tick' ? 'tick: every quote' : text] as const);
  const timeFrame = field('Time frame', select(timeFrames, store.timeFrame), 'It decides at the close of every bar.');
  const parameterFields = h('div', { class: 'fields', role: 'group', 'aria-label': 'Parameters' });
  const follow = h('input', { type: 'checkbox', checked: store.account !== undefined });
  const start = h('input', { type: 'checkbox', checked: true });
  let inputs = new Map<string, HTMLInputElement>();
  let suggested = '';

  const chosen = (): StrategyDefinition => store.definitions.find((candidate) => candidate.name === definition.input.value) ?? first;
  const suggest = () => {
    if (name.input.value !== suggested) return;
    suggested = `${chosen().name}-${symbol.input.value.toLowerCase()}-${timeFrame.input.value.toLowerCase()}`;
    name.input.value = suggested;
  };
  const showParameters = () => {
    const { parameters, description: text } = chosen();
    setText(description, text);
    inputs = new Map();
    parameterFields.replaceChildren(...parameters.map((parameter) => {
      const { minimum, maximum, whole } = parameter;
      const input = numberInput(parameter.default, { minimum, maximum, whole, required: true });
      inputs.set(parameter.name, input);
      return field(parameter.name, input, parameter.description).element;
    }));
    suggest();
  };
  definition.input.addEventListener('change', showParameters);
  symbol.input.addEventListener('change', suggest);
  timeFrame.input.addEventListener('change', suggest);
  showParameters();

  openForm({
    title: 'New strategy',
    action: 'Create strategy',
    fields: [
      definition.element, name.element, description, symbol.element, timeFrame.element, parameterFields,
      ...(store.account ? [h('label', { class: 'check' }, follow, `${store.accountName} follows it`)] : []),
      h('label', { class: 'check' }, start, 'Start it now'),
    ],
    submit: async () => {
      const strategy = {
        name: name.input.value.trim(),
        definition: chosen().name,
        parameters: Object.fromEntries([...inputs].map(([parameter, input]) => [parameter, numberOf(input)!])),
        symbol: symbol.input.value,
        timeFrame: timeFrame.input.value,
        accounts: store.account && follow.checked ? [store.accountName] : [],
        start: start.checked,
      };
      const { minPosition } = await api.createStrategy(strategy);
      await session.refresh(minPosition);
      say(`${strategy.name} is ${strategy.start ? 'running' : 'created'}.`);
    },
  });
}
