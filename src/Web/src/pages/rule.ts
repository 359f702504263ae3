import { faultText } from '../http';
import type { App } from '../app';
import type { Rule, RuleCheck, RuleDiagnostic } from '../contract';
import { h, panel, setAttribute, setClass, setHidden, setText } from '../dom';
import { recallDraft, rememberDraft } from '../drafts';
import { acceptSuggestion } from '../editor';
import { Latest } from '../latest';
import type { PageFactory } from '../page';
import { go } from '../router';
import { href, type RuleSource } from '../routes';
import { parametersOf } from '../runs';
import { templates } from '../templates';
import { checkFields, select } from '../views/dialogs';
import { openStartOnPaper } from '../views/paper';
import { parameterFields } from '../views/parameters';
import { ruleEditor } from '../views/ruleEditor';
import { wordsView } from '../views/words';

/** How long after the last key the text is checked. */
const checkDelay = 300;

interface Origin {
  text: string;
  parameters: Record<string, number>;
  name: string;
  /** Of the strategy or run; empty when nothing says it. */
  symbol: string;
  timeFrame: string;
}

const nothing: Origin = { text: templates[0]!.text, parameters: {}, name: 'rule', symbol: '', timeFrame: '' };

/** Where a rule begins: with a strategy, a run, or what was written last. */
async function originOf({ api, session }: App, source: RuleSource): Promise<Origin> {
  if (source.kind === 'draft') return nothing;
  if (source.kind === 'strategy') {
    const strategy = (await api.strategies()).find(({ name }) => name === source.name);
    if (!strategy) throw new Error(`There is no strategy ${source.name}.`);
    if (!strategy.rule) throw new Error(`${source.name} is of ${strategy.definition}, which is code and not a rule.`);
    return { text: strategy.rule, parameters: strategy.parameters, name: strategy.name, symbol: strategy.symbol, timeFrame: strategy.timeFrame };
  }
  const { request, name } = await session.loadJob(source);
  const strategy = request?.strategies.find(({ rule }) => rule);
  if (!strategy?.rule) throw new Error('That run was not of a rule.');
  return { text: strategy.rule, parameters: strategy.parameters ?? {}, name, symbol: strategy.symbol ?? '', timeFrame: request?.timeFrame ?? '' };
}

/** Writes a rule: checked while it is written, its parameters set, then back-tested or started. */
export const page: PageFactory = (app, route, signal) => {
  const source: RuleSource = route.page === 'rule' ? route.source : { kind: 'draft' };
  const main = h('main', { class: 'page' }, h('p', { class: 'empty' }, 'Loading…'));
  originOf(app, source).then(
    (origin) => {
      if (!signal.aborted) main.replaceChildren(...editorPage(app, href({ page: 'rule', source }), source, origin, signal));
    },
    (error: unknown) => main.replaceChildren(h('p', { class: 'empty fault', role: 'alert' }, faultText(error))));
  main.classList.add('writing');
  return main;
};

function editorPage(app: App, address: string, source: RuleSource, origin: Origin, signal: AbortSignal): HTMLElement[] {
  const { store, api, report } = app;
  const draft = recallDraft(address);
  let text = draft?.text ?? origin.text;
  let set = draft?.parameters ?? origin.parameters;
  const { name } = origin;
  let checked: { text: string; check: RuleCheck } | null = null;

  const heading = source.kind === 'strategy' ? `Rule of ${source.name}` : 'Rule';
  const beginnings: readonly (readonly [string, string])[] = [
    ['', 'Begin from…'],
    ...(source.kind === 'draft' ? [] : [['origin', source.kind === 'strategy' ? `${source.name}, as it runs` : 'The run, as it was'] as const]),
    ...templates.map((template) => [template.name, template.title] as const),
  ];
  const begin = h('label', { class: 'inline' }, h('span', { class: 'unseen' }, 'Begin from'), select(beginnings, ''));
  const beginSelect = begin.querySelector('select')!;
  const { element: writing, body: writingBody } = panel('rule', heading, begin);
  const status = h('p', { class: 'check-state', id: 'rule-state', role: 'status' });
  const faults = h('ol', { class: 'faults', 'aria-label': 'Faults' });
  const test = h('button', { type: 'button', class: 'primary', disabled: true, onclick: () => backtest() }, 'Back-test it');
  const start = h('button', { type: 'button', disabled: true, onclick: () => startOnPaper() }, 'Start on a paper account');
  const tidy = h('button', {
    type: 'button', disabled: true, title: 'One statement a line, without comments', onclick: () => editor.setText(ready()!.text),
  }, 'Tidy');

  const { element: setting, body: settingBody } = panel('rule-parameters', 'Parameters');
  const facts = h('dl', { class: 'facts' });
  const fields = parameterFields(() => {
    set = { ...set, ...fields.values() };
    keepDraft();
  });
  const noParameters = h('p', { class: 'hint' }, 'None. A number can be opened: param fast = 20 from 5 to 50 step 5;');
  const form = h('form', { novalidate: true }, noParameters, fields.element, facts);
  settingBody.append(form);

  const keepDraft = () => rememberDraft({ origin: address, text, parameters: set, name });

  /** The rule of the text as it stands; null while it is checked, or wrong. */
  const ready = (): Rule | null => (checked?.text === text ? checked.check.rule : null);

  const render = (fault = '') => {
    const rule = ready();
    const current = checked?.text === text;
    const count = checked?.check.diagnostics.length ?? 0;
    const verdict = rule ? `Valid: ready after ${rule.warmUp} bars${rule.size ? `, size ${rule.size}` : ''}.`
      : count === 1 ? 'One fault.' : `${count} faults.`;
    setText(status, fault !== '' ? `Not checked: ${fault}` : current ? verdict : 'Checking…');
    setClass(status, 'fault', fault !== '' || (current && !rule));
    setClass(status, 'gain', current && rule !== null);
    setAttribute(faults, 'aria-busy', String(!current));
    for (const button of [test, start, tidy]) button.disabled = rule === null;
    if (!current) return;
    faults.replaceChildren(...checked!.check.diagnostics.map(faultItem));
    if (!rule) return;
    fields.show(rule.parameters, parametersOf(rule.parameters, set));
    setHidden(noParameters, rule.parameters.length > 0);
    facts.replaceChildren(h('div', { class: 'whole' }, h('dt', {}, 'Reads'), h('dd', {}, rule.features.join(', ') || 'prices only')));
  };

  const faultItem = (diagnostic: RuleDiagnostic) => h('li', {},
    h('button', { type: 'button', class: 'plain place', onclick: () => editor.goTo(diagnostic) },
      `Line ${diagnostic.line}, column ${diagnostic.column}`),
    h('span', {}, diagnostic.message),
    diagnostic.suggestion && h('button', {
      type: 'button', title: 'Alt+Enter in the text',
      onclick: () => {
        const edit = acceptSuggestion(text, diagnostic);
        if (edit) editor.edit(edit);
      },
    }, `Use ${diagnostic.suggestion}`));

  const checks = new Latest<string, RuleCheck>(checkDelay, (rule, asked) => api.checkRule(rule, asked), (rule, check) => {
    checked = { text: rule, check };
    editor.setDiagnostics(check.diagnostics);
    render();
  }, (error) => render(faultText(error)));
  signal.addEventListener('abort', () => checks.stop());

  const editor = ruleEditor(text, 'rule-state', (changed) => {
    text = changed;
    keepDraft();
    render();
    checks.ask(text);
  });
  const { element: wordsPanel, setWords } = wordsView((usage) => editor.insert(usage));
  api.ruleWords().then((words) => {
    editor.setWords(words);
    setWords(words);
  }, report);

  beginSelect.addEventListener('change', () => {
    const beginning = beginSelect.value;
    set = beginning === 'origin' ? origin.parameters : {};
    editor.setText(beginning === 'origin' ? origin.text : (templates.find((template) => template.name === beginning)?.text ?? text));
    beginSelect.value = '';
  });

  const backtest = () => {
    if (!ready() || !checkFields(form)) return;
    keepDraft();
    go({ page: 'start', source: { kind: 'rule' } });
  };
  const startOnPaper = () => {
    const rule = ready();
    if (!rule || !checkFields(form)) return;
    openStartOnPaper(app, { name, definition: '', rule: rule.text, parameters: fields.values(), symbol: origin.symbol, timeFrame: origin.timeFrame });
  };

  writingBody.append(editor.element, h('div', { class: 'below' }, status, faults, h('div', { class: 'actions start' }, test, start, tidy)));
  // What could not be checked while the service was away is checked when it is back.
  store.view(['connection'], () => {
    if (store.connection === 'connected' && checked?.text !== text) checks.ask(text, 0);
  }, signal);
  checks.ask(text, 0);
  render();
  return [h('div', { class: 'column' }, writing), h('div', { class: 'column beside' }, setting, wordsPanel)];
}
