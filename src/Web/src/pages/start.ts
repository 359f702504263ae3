import { ApiError, faultText } from '../api';
import type { App } from '../app';
import type { ParameterDefinition, RunAccount, RunCosts, Sizing, StrategyDefinition } from '../contract';
import { h, panel, Rows, setAttribute, setHidden, setText, type Row } from '../dom';
import { latestDraft } from '../drafts';
import * as format from '../format';
import { dataTimeFrames } from '../datasets';
import type { PageFactory } from '../page';
import { go } from '../router';
import { href, type RunSource } from '../routes';
import {
  defaultAccount, faultsOf, formField, fromRequest, fromStrategy, newDraft, objectives, parametersOf, suggestedCurrency, suggestedData, suggestedRunName, suggestedTimeFrame, suggestedVary,
  toRequest, trialsOf, type RunDraft, type RunKind, type VaryDraft,
} from '../runs';
import { checkFields, field, numberInput, numberOf, select, showFault, textInput, type Field } from '../views/dialogs';
import { dataSetsView, dataSetText } from '../views/dataSets';
import { parameterFields } from '../views/parameters';

const kinds: readonly (readonly [RunKind, string, string])[] = [
  ['backtest', 'Back-test', 'One run over the data'],
  ['optimisation', 'Search', 'Many settings over the same data: which was best'],
  ['walkForward', 'Walk-forward', 'A search in a window, traded in the next one: whether the best was more than luck'],
];

/** What the form begins with. */
async function draftOf({ api, session }: App, source: RunSource, definitions: readonly StrategyDefinition[]): Promise<RunDraft> {
  const empty = newDraft(definitions[0]?.name ?? '');
  switch (source.kind) {
    case 'defaults':
      return empty;
    case 'rule': {
      const draft = latestDraft();
      if (!draft) throw new Error('No rule has been written in this browser yet.');
      return { ...empty, definition: '', rule: draft.text, parameters: draft.parameters };
    }
    case 'strategy': {
      const strategy = (await api.strategies()).find(({ name }) => name === source.name);
      if (!strategy) throw new Error(`There is no strategy ${source.name}.`);
      return fromStrategy(empty, strategy);
    }
    case 'run': {
      const { request } = await session.loadJob(source);
      if (!request) throw new Error('What that run was asked for is not known.');
      if (source.trial === null) return fromRequest(request);
      const trial = (await session.loadTrials(source.id)).trials.find((each) => each.trial === source.trial);
      if (!trial) throw new Error(`That search has no trial ${source.trial}.`);
      return fromRequest(request, trial);
    }
  }
}

/** The form that starts a back-test, a search or a walk-forward; as it opens, it can be sent. */
export const page: PageFactory = (app, route, signal) => {
  const source: RunSource = route.page === 'start' ? route.source : { kind: 'defaults' };
  const main = h('main', { class: 'page two' }, h('p', { class: 'empty' }, 'Loading…'));
  const load = async () => {
    const definitions = await app.api.definitions();
    await app.session.loadDataSets();
    return { definitions, draft: await draftOf(app, source, definitions) };
  };
  load().then(({ definitions, draft }) => {
    if (!signal.aborted) main.replaceChildren(...startForm(app, definitions, draft, signal));
  }, (error: unknown) => main.replaceChildren(h('p', { class: 'empty fault', role: 'alert' }, faultText(error))));
  return main;
};

const ruleChoice = ':rule';

function startForm(app: App, definitions: readonly StrategyDefinition[], initial: RunDraft, signal: AbortSignal): HTMLElement[] {
  const { store, api, session, say } = app;
  let draft = initial;
  /** Of the definition or rule that is chosen; null while a rule is read. */
  let parameters: readonly ParameterDefinition[] | null = null;
  const inputs = new Map<string, HTMLElement>();
  const named = <E extends HTMLInputElement | HTMLSelectElement>(name: string, made: Field<E>): Field<E> => {
    inputs.set(name, made.input);
    return made;
  };

  // What runs.
  const kindButtons = kinds.map(([kind, text, meaning]) => h('button', { type: 'button', title: meaning, onclick: () => choose({ kind }) }, text));
  const kindMeaning = h('p', { class: 'hint' });
  const choices = [...definitions.map(({ name, title }) => [name, title] as const), [ruleChoice, 'A rule'] as const];
  const strategy = named('strategy', field('Strategy', select(choices, initial.rule === '' ? initial.definition : ruleChoice)));
  const description = h('p', { class: 'hint' });
  const ruleText = h('pre', { class: 'rule-text', tabindex: '0', 'aria-label': 'Text of the rule' });
  const editRule = h('a', { class: 'button', href: href({ page: 'rule', source: { kind: 'draft' } }) }, 'Write or change it');
  const fields = parameterFields(() => {
    draft = { ...draft, parameters: { ...draft.parameters, ...fields.values() } };
  });
  const others = h('p', { class: 'warning' });
  const { element: whatPanel, body: whatBody, head: whatHead } = panel('what', 'New back-test');
  const name = field('Name', textInput(initial.name, /^.{0,100}$/, 'At most 100 characters.'), 'Left empty, it is called after strategy and data');
  whatBody.append(h('div', { class: 'pad stack' },
    h('div', { class: 'switch', role: 'group', 'aria-label': 'Kind' }, ...kindButtons), kindMeaning,
    h('div', { class: 'fields' }, strategy.element, name.element, description), ruleText, editRule, fields.element, others));

  // What is varied.
  const { element: searchPanel, body: searchBody } = panel('search', 'Search');
  const varyRows = h('div', { class: 'vary', role: 'group', 'aria-label': 'Parameters to vary' });
  const varyFault = h('p', { class: 'fault', role: 'alert' });
  const count = h('p', { class: 'hint', role: 'status' });
  const objective = named('objective', field('Best is the highest', select(objectives, initial.objective)));
  const order = named('search', field('Tries', select([['grid', 'Every combination'], ['random', 'Some, drawn at random']], initial.randomTrials === undefined ? 'grid' : 'random')));
  const randomTrials = field('How many', numberInput(initial.randomTrials ?? 200, { minimum: 1, maximum: 1_000_000, whole: true, required: true }));
  const seed = named('searchSeed', field('Seed', numberInput(initial.searchSeed ?? 1, { minimum: 0, whole: true, required: true })));
  const minTrades = named('constraints.minTrades', field('Trades at least', numberInput(initial.minTrades ?? '', { minimum: 0, whole: true }), 'Empty: one'));
  const maxDrawdown = named('constraints.maxDrawdownPercent', field('Drawdown at most, %', numberInput(initial.maxDrawdownPercent ?? '', { minimum: 0, maximum: 100, above: true }), 'Empty: any'));
  const windows = named('walkForward.windows', field('Windows', numberInput(initial.windows ?? 10, { minimum: 2, maximum: 200, whole: true, required: true }), 'Traded one after the other'));
  const ratio = named('walkForward.ratio', field('In sample by out of sample', numberInput(initial.ratio ?? 3, { minimum: 0, above: true, required: true }), 'Lengths of the windows'));
  const anchored = h('input', { type: 'checkbox', checked: initial.anchored });
  const anchoredLabel = h('label', { class: 'check' }, anchored, 'Every search begins with the data');
  searchBody.append(h('div', { class: 'pad stack' }, varyRows, varyFault, count, h('div', { class: 'fields' },
    objective.element, order.element, randomTrials.element, seed.element, minTrades.element, maxDrawdown.element, windows.element, ratio.element, anchoredLabel)));

  // Over which data.
  const { element: dataPanel, body: dataBody } = panel('over', 'Over which data');
  const dataList = h('ul', { class: 'checks' });
  const dataNone = h('p', { class: 'hint' }, 'There are none yet: upload a file beside this form.');
  const dataFault = h('p', { class: 'fault', role: 'alert' });
  const frames: readonly (readonly [string, string])[] = [['', 'As the data are'], ...dataTimeFrames.map((frame) => [frame, frame === 'tick' ? 'tick: every quote' : frame] as const)];
  const timeFrame = named('timeFrame', field('Time frame', select(frames, initial.timeFrame), 'It decides at the close of every bar'));
  const day = (value: string) => {
    const input = h('input', { type: 'date', autocomplete: 'off' });
    input.value = value;
    return input;
  };
  const from = named('from', field('From', day(initial.from), 'Empty: all there is'));
  const to = named('to', field('To, inclusive', day(initial.to)));
  dataBody.append(h('div', { class: 'pad stack' }, dataList, dataNone, dataFault, h('div', { class: 'fields three' }, timeFrame.element, from.element, to.element)));

  // With which account and costs.
  const { account, costs } = initial;
  const { element: termsPanel, body: termsBody } = panel('terms', 'Account and costs');
  const deposit = named('account.deposit', field('Deposit', numberInput(account.deposit ?? 100_000, { minimum: 0, above: true, required: true })));
  const currency = named('account.currency', field('Currency', textInput(account.currency ?? 'USD', /^[A-Za-z]{3,5}$/, 'A currency code such as USD.')));
  const mode = named('account.mode', field('Positions', select([['netting', 'Netting'], ['hedging', 'Hedging']], account.mode ?? 'netting')));
  const leverage = named('account.leverage', field('Leverage', numberInput(account.leverage ?? '', { minimum: 1, maximum: 1000 }), 'Empty: the instruments say it'));
  const sizing = named('account.sizing', field('Size of an entry', select([
    ['StrategyUnits', 'The strategy\'s, times'], ['FixedUnits', 'Units'], ['PercentOfEquity', 'Percent of equity'], ['PercentRisk', 'Percent at risk'],
  ], account.sizing?.kind ?? 'StrategyUnits')));
  const size = named('account.sizing.value', field('Value', numberInput(account.sizing?.value ?? 1, { minimum: 0, above: true, required: true })));
  const stopOut = named('account.stopOutPercent', field('Stop-out at margin level, %', numberInput(account.stopOutPercent === undefined ? 50 : (account.stopOutPercent ?? ''), { minimum: 1, maximum: 100 }), 'Empty: never'));
  const moneyDigits = named('account.moneyDigits', field('Money is rounded to', numberInput(account.moneyDigits ?? '', { minimum: 0, maximum: 10, whole: true }), 'Decimals; empty: exact'));
  const costField = (key: keyof RunCosts, label: string, hint = '') =>
    ({ key, made: named(`costs.${key}`, field(label, numberInput((costs[key] as number | null | undefined) ?? '', {}), hint)) });
  const costFields = [
    costField('commissionPerLot', 'Commission a lot', 'In the account\'s currency, each side'),
    costField('commissionRate', 'Commission rate', 'A share of the notional: 0.00002'),
    costField('commissionMinimum', 'Commission at least'),
    costField('slippagePoints', 'Slippage, points'),
    costField('randomSlippagePoints', 'Further, at random, up to'),
    costField('latencyMilliseconds', 'Latency, ms'),
    costField('swapLongPoints', 'Swap long, points a night'),
    costField('swapShortPoints', 'Swap short, points a night'),
    costField('seed', 'Seed of what is random'),
  ];
  const fill = named('costs.fill', field('Market orders fill at', select([['nextOpen', 'The next open'], ['nextClose', 'The next close']], costs.fill ?? 'nextOpen')));
  const riskFree = named('riskFreePercent', field('Risk-free rate, % a year', numberInput(initial.riskFreePercent ?? '', { minimum: -100, maximum: 100 }), 'Of the Sharpe ratio'));
  const limits = field('Pre-trade limits', select([
    ['default', 'Those of a new account'], ['none', 'None'], ...(initial.limits === undefined ? [] : [['former', 'Those of the run it comes from'] as const]),
  ], initial.limits === undefined ? 'default' : 'former'));
  termsBody.append(h('div', { class: 'pad stack' },
    h('div', { class: 'fields three' }, deposit.element, currency.element, mode.element, leverage.element, sizing.element, size.element),
    h('details', {}, h('summary', {}, 'Costs and details'),
      h('div', { class: 'fields three' }, fill.element, ...costFields.map(({ made }) => made.element), stopOut.element, moneyDigits.element, riskFree.element, limits.element))));

  const run = h('button', { type: 'submit', class: 'primary large' }, 'Run');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const form = h('form', { novalidate: true, class: 'column' }, whatPanel, searchPanel, dataPanel, termsPanel, h('div', { class: 'actions start' }, run, fault));

  const instrument = () => store.instruments.get(store.dataSets?.find(({ id }) => id === draft.dataSets[0])?.symbol ?? '');

  const varyInputs = new Map<string, { from: HTMLInputElement; to: HTMLInputElement; step: HTMLInputElement }>();
  const renderVary = () => {
    varyInputs.clear();
    varyRows.replaceChildren(...(parameters ?? []).map((parameter) => {
      const { name: id, minimum, maximum, whole } = parameter;
      const vary = draft.vary[id];
      const toggle = h('input', {
        type: 'checkbox', checked: vary !== undefined, 'aria-label': `Vary ${id}`,
        onchange: () => {
          const { [id]: _, ...rest } = draft.vary;
          choose({ vary: toggle.checked ? { ...draft.vary, [id]: suggestedVary({ ...parameter, default: draft.parameters[id] ?? parameter.default }) } : rest });
        },
      });
      const row = h('div', { class: 'vary-row' }, h('label', { class: 'check' }, toggle, id));
      if (!vary) row.append(h('span', { class: 'hint' }, `${format.reading(draft.parameters[id] ?? parameter.default)}, fixed`));
      else if (vary.list !== undefined) row.append(h('span', { class: 'hint' }, vary.list === '' ? 'over the range that the rule says' : vary.list));
      else {
        const number = (key: 'from' | 'to' | 'step', label: string) => {
          const input = numberInput(vary[key] ?? '', key === 'step' ? { minimum: 0, above: true } : { minimum, maximum, whole });
          input.setAttribute('aria-label', `${id}, ${label}`);
          input.addEventListener('input', () => {
            const changed: VaryDraft = { ...draft.vary[id]!, [key]: numberOf(input) };
            draft = { ...draft, vary: { ...draft.vary, [id]: changed } };
            renderCount();
          });
          return input;
        };
        const made = { from: number('from', 'from'), to: number('to', 'to'), step: number('step', 'step') };
        varyInputs.set(id, made);
        row.append(made.from, h('span', {}, 'to'), made.to, h('span', {}, 'step'), made.step);
      }
      return row;
    }));
  };
  const renderCount = () => {
    const trials = trialsOf({ ...draft, randomTrials: order.input.value === 'random' ? numberOf(randomTrials.input) : undefined });
    setText(count, trials === 0 ? 'Choose what is varied.' : `${format.volume(trials)} ${trials === 1 ? 'trial' : 'trials'} at most.`);
    setHidden(randomTrials.element, order.input.value !== 'random');
    setHidden(seed.element, order.input.value !== 'random');
    setText(run, draft.kind === 'backtest' ? 'Run the back-test' : draft.kind === 'optimisation' ? 'Run the search' : 'Run the walk-forward');
  };

  const render = () => {
    const search = draft.kind !== 'backtest';
    kindButtons.forEach((button, index) => setAttribute(button, 'aria-pressed', String(kinds[index]![0] === draft.kind)));
    setText(kindMeaning, `${kinds.find(([kind]) => kind === draft.kind)![2]}.`);
    setText(whatHead.querySelector('h2')!, draft.kind === 'backtest' ? 'New back-test' : draft.kind === 'optimisation' ? 'New search' : 'New walk-forward');
    setHidden(searchPanel, !search);
    for (const { element } of [windows, ratio]) setHidden(element, draft.kind !== 'walkForward');
    setHidden(anchoredLabel, draft.kind !== 'walkForward');
    const isRule = strategy.input.value === ruleChoice;
    setText(description, isRule ? '' : (definitions.find((each) => each.name === draft.definition)?.description ?? ''));
    setHidden(ruleText, !isRule || draft.rule === '');
    setHidden(editRule, !isRule);
    setText(ruleText, draft.rule);
    setHidden(fields.element, (parameters?.length ?? 0) === 0);
    setHidden(others, draft.others.length === 0);
    setText(others, `With ${draft.others.length} more, as in the run it comes from.`);
    fields.show(parameters ?? [], parametersOf(parameters ?? [], draft.parameters, instrument()));
    renderVary();
    renderCount();
    name.input.placeholder = suggestedRunName(draft, store.dataSets ?? []);
  };
  const choose = (change: Partial<RunDraft>) => {
    draft = { ...draft, ...change };
    render();
  };

  /** The parameters of what is chosen; a rule is read by the service. */
  let reads = 0;
  const readParameters = async () => {
    const read = ++reads;
    parameters = draft.rule === '' ? (definitions.find((each) => each.name === draft.definition)?.parameters ?? []) : null;
    render();
    if (parameters !== null) return;
    try {
      const { rule, diagnostics } = await api.checkRule(draft.rule, signal);
      if (read !== reads || signal.aborted) return;
      parameters = rule?.parameters ?? [];
      const first = diagnostics[0];
      showFault(strategy.input, first ? `The rule has faults: line ${first.line}: ${first.message}` : '');
    } catch (error) {
      if (read !== reads || signal.aborted) return;
      parameters = [];
      showFault(strategy.input, faultText(error));
    }
    render();
  };
  strategy.input.addEventListener('change', () => {
    const isRule = strategy.input.value === ruleChoice;
    draft = {
      ...draft, definition: isRule ? '' : strategy.input.value, rule: isRule ? (initial.rule || (latestDraft()?.text ?? '')) : '', parameters: {}, vary: {},
    };
    void readParameters();
  });
  form.addEventListener('input', renderCount);

  // The data are chosen of what there is; a choice that was deleted meanwhile is no choice.
  const makeData = (first: { id: string }): Row<{ id: string; text: string }> => {
    const box = h('input', {
      type: 'checkbox',
      onchange: () => {
        const chosen = box.checked ? [...draft.dataSets, first.id] : draft.dataSets.filter((id) => id !== first.id);
        setText(dataFault, '');
        choose({ dataSets: chosen });
      },
    });
    const text = h('span', {});
    return {
      element: h('li', {}, h('label', { class: 'check' }, box, text)),
      update: (item) => {
        box.checked = draft.dataSets.includes(item.id);
        setText(text, item.text);
      },
    };
  };
  const dataRows = new Rows<{ id: string; text: string }>(dataList, ({ id }) => id, makeData);
  let suggested = initial.dataSets.length > 0;
  let offered = '';
  store.view(['dataSets', 'instruments'], () => {
    const dataSets = store.dataSets ?? [];
    // The lists are read again now and then; what is being written stays as it is where they say nothing new.
    const now = JSON.stringify([dataSets, store.instruments.size]);
    if (now === offered) return;
    offered = now;
    draft = { ...draft, dataSets: draft.dataSets.filter((id) => dataSets.some((each) => each.id === id)) };
    if (!suggested && dataSets.length > 0) {
      suggested = true;
      const ofSymbol = dataSets.filter(({ symbol }) => draft.symbol === '' || symbol === draft.symbol);
      const chosen = suggestedData(ofSymbol.length > 0 ? ofSymbol : dataSets);
      draft = { ...draft, dataSets: chosen };
      if (timeFrame.input.value === '') timeFrame.input.value = suggestedTimeFrame(dataSets.filter(({ id }) => chosen.includes(id)));
      const symbol = dataSets.find(({ id }) => id === chosen[0])?.symbol ?? '';
      if (initial.account === defaultAccount) currency.input.value = suggestedCurrency(symbol, store.instruments.get(symbol));
    }
    setHidden(dataNone, dataSets.length > 0);
    dataRows.render(dataSets.map((dataSet) => ({
      id: dataSet.id, text: `${dataSet.source === 'market' ? 'Recorded' : dataSet.name}: ${dataSetText(dataSet)}`,
    })));
    render();
  }, signal);

  /** The form as it stands. */
  const read = (): RunDraft => {
    const money: RunAccount = {
      deposit: numberOf(deposit.input) ?? null, currency: currency.input.value.trim().toUpperCase(), mode: mode.input.value,
      leverage: numberOf(leverage.input) ?? null, stopOutPercent: numberOf(stopOut.input) ?? null, moneyDigits: numberOf(moneyDigits.input) ?? null,
      sizing: { kind: sizing.input.value as Sizing['kind'], value: numberOf(size.input) ?? 1 },
    };
    // The symbol says which of several is traded; of other data it says nothing.
    const symbol = store.dataSets?.some(({ id, symbol: of }) => of === draft.symbol && draft.dataSets.includes(id)) ? draft.symbol : '';
    return {
      ...draft, symbol, name: name.input.value.trim() || name.input.placeholder, parameters: fields.values(), timeFrame: timeFrame.input.value, from: from.input.value, to: to.input.value,
      account: money,
      costs: { ...Object.fromEntries(costFields.map(({ key, made }) => [key, numberOf(made.input) ?? null])), fill: fill.input.value },
      limits: limits.input.value === 'none' ? {} : limits.input.value === 'former' ? initial.limits : undefined,
      riskFreePercent: numberOf(riskFree.input), objective: objective.input.value,
      randomTrials: order.input.value === 'random' ? numberOf(randomTrials.input) : undefined,
      searchSeed: order.input.value === 'random' ? numberOf(seed.input) : undefined,
      minTrades: numberOf(minTrades.input), maxDrawdownPercent: numberOf(maxDrawdown.input), windows: numberOf(windows.input), ratio: numberOf(ratio.input),
      anchored: anchored.checked,
    };
  };
  const showFaults = (faults: Readonly<Record<string, string>>) => {
    setText(dataFault, faults['dataSets'] ?? '');
    const varied = Object.entries(faults).filter(([path]) => path === 'vary' || path.startsWith('vary.'));
    setText(varyFault, varied.map(([path, text]) => (path === 'vary' ? text : `${path.slice(5)}: ${text}`)).join(' '));
    let first: HTMLElement | undefined;
    for (const [path, text] of Object.entries(faults)) {
      const input = inputs.get(path) ?? (path.startsWith('parameters.') ? fields.input(path.slice(11)) : varyInputs.get(path.slice(5))?.from);
      if (!input) continue;
      const folded = input.closest('details');
      if (folded) folded.open = true;
      showFault(input, text);
      first ??= input;
    }
    (first ?? (faults['dataSets'] ? dataList.querySelector('input') : null))?.focus();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    setText(fault, '');
    for (const part of form.querySelectorAll('details')) if (part.querySelector('[aria-invalid=true]')) part.open = true;
    if (parameters === null || !checkFields(form)) return;
    const asked = read();
    const faults = faultsOf(asked, parameters);
    showFaults(faults);
    if (Object.keys(faults).length > 0) return;
    const { collection, body } = toRequest(asked);
    run.disabled = true;
    session.startJob(collection, body).then((job) => {
      say(`${job.name} is ${job.status === 'queued' ? 'in the queue' : 'running'}.`);
      go({ page: 'job', collection, id: job.id });
    }).catch((error: unknown) => {
      setText(fault, faultText(error));
      if (error instanceof ApiError && error.field !== undefined) showFaults({ [formField(error.field)]: error.message });
    }).finally(() => (run.disabled = false));
  });

  void readParameters();
  return [form, h('div', { class: 'column beside' }, dataSetsView(app, { signal, added: ({ id }) => choose({ dataSets: [id] }) }))];
}
