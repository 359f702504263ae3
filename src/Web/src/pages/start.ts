import { ApiError, faultText } from '../http';
import type { App } from '../app';
import type { ParameterDefinition, StrategyDefinition } from '../contract';
import { h, panel, setAttribute, setHidden, setText } from '../dom';
import { latestDraft } from '../drafts';
import type { PageFactory } from '../page';
import { go } from '../router';
import { href, type RunSource } from '../routes';
import {
  faultsOf, formField, fromRequest, fromStrategy, newDraft, parametersOf, suggestedCurrency, suggestedData, suggestedRunName, suggestedTimeFrame, toRequest,
  type RunDraft, type RunKind,
} from '../runs';
import { dataSetsView } from '../views/dataSets';
import { checkFields, field, select, showFault, textInput } from '../views/dialogs';
import { parameterFields } from '../views/parameters';
import { runDataView } from '../views/runData';
import { searchView } from '../views/search';
import { termsView } from '../views/terms';

const kinds: readonly { kind: RunKind; text: string; title: string; run: string; meaning: string }[] = [
  { kind: 'backtest', text: 'Back-test', title: 'New back-test', run: 'Run the back-test', meaning: 'One run over the data.' },
  {
    kind: 'optimisation', text: 'Search', title: 'New search', run: 'Run the search',
    meaning: 'Many settings over the same data: which was best.',
  },
  {
    kind: 'walkForward', text: 'Walk-forward', title: 'New walk-forward', run: 'Run the walk-forward',
    meaning: 'A search in a window, traded in the next one: whether the best was more than luck.',
  },
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
  app.session.openJobs();
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

  const kindButtons = kinds.map(({ kind, text }) => h('button', { type: 'button', onclick: () => change({ kind }) }, text));
  const meaning = h('p', { class: 'hint' });
  const choices = [...definitions.map(({ name, title }) => [name, title] as const), [ruleChoice, 'A rule'] as const];
  const strategy = field('Strategy', select(choices, initial.rule === '' ? initial.definition : ruleChoice));
  const name = field('Name', textInput(initial.name, /^.{0,100}$/, 'At most 100 characters.'), 'Left empty, it is called after strategy and data');
  const description = h('p', { class: 'hint' });
  const ruleText = h('pre', { class: 'rule-text', tabindex: '0', 'aria-label': 'Text of the rule' });
  const editRule = h('a', { class: 'button', href: href({ page: 'rule', source: { kind: 'draft' } }) }, 'Write or change it');
  const fields = parameterFields(() => {
    draft = { ...draft, parameters: { ...draft.parameters, ...fields.values() } };
  });
  const others = h('p', { class: 'warning' });
  const { element: what, body: whatBody, head: whatHead } = panel('what', 'New back-test');
  whatBody.append(h('div', { class: 'pad stack' },
    h('div', { class: 'switch', role: 'group', 'aria-label': 'Kind' }, ...kindButtons), meaning,
    h('div', { class: 'fields' }, strategy.element, name.element, description), ruleText, editRule, fields.element, others));

  const search = searchView(initial);
  const data = runDataView(app, initial, (id, on) => {
    data.setFault('');
    change({ dataSets: on ? [...draft.dataSets, id] : draft.dataSets.filter((each) => each !== id) });
  });
  const terms = termsView(initial);
  const inputs = new Map<string, HTMLElement>([
    ['strategy', strategy.input], ['name', name.input], ...search.inputs, ...data.inputs, ...terms.inputs,
  ]);

  const run = h('button', { type: 'submit', class: 'primary large' }, 'Run');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const form = h('form', { novalidate: true, class: 'column' }, what, search.element, data.element, terms.element,
    h('div', { class: 'actions start' }, run, fault));

  const instrument = () => store.instruments.get(store.dataSets?.find(({ id }) => id === draft.dataSets[0])?.symbol ?? '');

  const render = () => {
    const { title, run: runText, meaning: meaningText } = kinds.find(({ kind }) => kind === draft.kind)!;
    kindButtons.forEach((button, index) => setAttribute(button, 'aria-pressed', String(kinds[index]!.kind === draft.kind)));
    setText(meaning, meaningText);
    setText(whatHead.querySelector('h2')!, title);
    setText(run, runText);
    const isRule = strategy.input.value === ruleChoice;
    setText(description, isRule ? '' : (definitions.find((each) => each.name === draft.definition)?.description ?? ''));
    setHidden(ruleText, !isRule || draft.rule === '');
    setHidden(editRule, !isRule);
    setText(ruleText, draft.rule);
    setHidden(fields.element, (parameters?.length ?? 0) === 0);
    setHidden(others, draft.others.length === 0);
    setText(others, `With ${draft.others.length} more, as in the run it comes from.`);
    fields.show(parameters ?? [], parametersOf(parameters ?? [], draft.parameters, instrument()));
    search.show({ ...draft, parameters: fields.values() }, parameters ?? []);
    data.show(draft.dataSets);
    name.input.placeholder = suggestedRunName(draft, store.dataSets ?? []);
  };
  const change = (changes: Partial<RunDraft>) => {
    draft = { ...draft, ...changes };
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
    const rule = isRule ? initial.rule || (latestDraft()?.text ?? '') : '';
    draft = { ...draft, definition: isRule ? '' : strategy.input.value, rule, parameters: {}, strategyName: '' };
    void readParameters();
  });

  let suggested = initial.dataSets.length > 0;
  let offered = '';
  store.view(['dataSets', 'instruments'], () => {
    const dataSets = store.dataSets ?? [];
    // The lists are read again now and then; what is being written stays as it is where they say nothing new.
    const now = JSON.stringify([dataSets, store.instruments.size]);
    if (now === offered) return;
    offered = now;
    // A choice that was deleted meanwhile is no choice.
    draft = { ...draft, dataSets: draft.dataSets.filter((id) => dataSets.some((each) => each.id === id)) };
    if (!suggested && dataSets.length > 0) {
      suggested = true;
      const ofSymbol = dataSets.filter(({ symbol }) => symbol === draft.symbol);
      suggest(suggestedData(ofSymbol.length > 0 ? ofSymbol : dataSets, store.symbol));
    }
    render();
  }, signal);

  /** Chooses data, and what goes with them as long as nobody has chosen otherwise. */
  const suggest = (ids: readonly string[]) => {
    const chosen = (store.dataSets ?? []).filter(({ id }) => ids.includes(id));
    const symbol = chosen[0]?.symbol ?? '';
    draft = { ...draft, dataSets: [...ids] };
    data.suggestTimeFrame(suggestedTimeFrame(chosen));
    terms.suggestCurrency(suggestedCurrency(symbol, store.instruments.get(symbol)));
  };

  /** The form as it stands. */
  const read = (): RunDraft => {
    // The symbol says which of several is traded; of other data it says nothing.
    const symbol = store.dataSets?.some(({ id, symbol: of }) => of === draft.symbol && draft.dataSets.includes(id)) ? draft.symbol : '';
    return {
      ...draft, symbol, name: name.input.value.trim() || name.input.placeholder, parameters: fields.values(), ...data.read(), ...terms.read(), ...search.read(),
    };
  };

  const showFaults = (faults: Readonly<Record<string, string>>) => {
    data.setFault(faults['dataSets'] ?? '');
    const varied = Object.entries(faults).filter(([path]) => path === 'vary' || path.startsWith('vary.'));
    search.setFault(varied.map(([path, text]) => (path === 'vary' ? text : `${path.slice('vary.'.length)}: ${text}`)).join(' '));
    let first: HTMLElement | null = null;
    for (const [path, text] of Object.entries(faults)) {
      const input = inputs.get(path) ?? fields.input(path.replace(/^parameters\./, '')) ?? search.varyInput(path.replace(/^vary\./, ''));
      if (!input) continue;
      const folded = input.closest('details');
      if (folded) folded.open = true;
      showFault(input, text);
      first ??= input;
    }
    (first ?? (faults['dataSets'] ? data.firstBox() : null))?.focus();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    setText(fault, '');
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
  const uploads = dataSetsView(app, { signal, added: ({ id, symbol }) => {
    draft = { ...draft, dataSets: [id] };
    terms.suggestCurrency(suggestedCurrency(symbol, store.instruments.get(symbol)));
    render();
  } });
  return [form, h('div', { class: 'column beside' }, uploads)];
}
