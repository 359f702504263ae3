import type { ParameterDefinition } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';
import { objectives, suggestedVary, trialsOf, type RunDraft, type VaryDraft } from '../runs';
import { field, numberInput, numberOf, select, type Field } from './dialogs';

type SearchTerms = Pick<
  RunDraft, 'vary' | 'randomTrials' | 'searchSeed' | 'objective' | 'minTrades' | 'maxDrawdownPercent' | 'windows' | 'ratio' | 'anchored'
>;

export interface SearchView {
  element: HTMLElement;
  show: (draft: RunDraft, parameters: readonly ParameterDefinition[]) => void;
  read: () => SearchTerms;
  inputs: ReadonlyMap<string, HTMLElement>;
  varyInput: (parameter: string) => HTMLElement | undefined;
  /** What is wrong with the ranges; empty for nothing. */
  setFault: (text: string) => void;
}

/** Which parameters are varied and how, what is best, and the windows of a walk-forward. */
export function searchView(initial: SearchTerms): SearchView {
  const inputs = new Map<string, HTMLElement>();
  const named = <E extends HTMLInputElement | HTMLSelectElement>(name: string, label: string, input: E, hint = ''): Field<E> => {
    inputs.set(name, input);
    return field(label, input, hint);
  };
  const rows = h('div', { class: 'vary', role: 'group', 'aria-label': 'Parameters to vary' });
  const fault = h('p', { class: 'fault', role: 'alert' });
  const count = h('p', { class: 'hint', role: 'status' });
  const objective = named('objective', 'Best is the highest', select(objectives, initial.objective));
  const order = named('search', 'Tries', select([['grid', 'Every combination'], ['random', 'Some, drawn at random']],
    initial.randomTrials === undefined ? 'grid' : 'random'));
  const randomTrials = field('How many', numberInput(initial.randomTrials ?? 200, { minimum: 1, maximum: 1_000_000, whole: true, required: true }));
  const seed = named('searchSeed', 'Seed', numberInput(initial.searchSeed ?? 1, { minimum: 0, whole: true, required: true }));
  const minTrades = named('constraints.minTrades', 'Trades at least', numberInput(initial.minTrades ?? '', { minimum: 0, whole: true }), 'Empty: one');
  const maxDrawdown = named('constraints.maxDrawdownPercent', 'Drawdown at most, %',
    numberInput(initial.maxDrawdownPercent ?? '', { minimum: 0, maximum: 100, above: true }), 'Empty: any');
  const windows = named('walkForward.windows', 'Windows',
    numberInput(initial.windows ?? 10, { minimum: 2, maximum: 200, whole: true, required: true }), 'Traded one after the other');
  const ratio = named('walkForward.ratio', 'In sample by out of sample',
    numberInput(initial.ratio ?? 3, { minimum: 0.1, maximum: 100, required: true }), 'Lengths of the windows');
  const anchored = h('input', { type: 'checkbox', checked: initial.anchored });
  const anchoredLabel = h('label', { class: 'check' }, anchored, 'Every search begins with the data');

  const { element, body } = panel('search', 'Search');
  body.append(h('div', { class: 'pad stack' }, rows, fault, count, h('div', { class: 'fields' },
    ...[objective, order, randomTrials, seed, minTrades, maxDrawdown, windows, ratio].map((each) => each.element), anchoredLabel)));

  let draft: RunDraft | null = null;
  let parameters: readonly ParameterDefinition[] = [];
  let vary = initial.vary;
  let varyInputs = new Map<string, HTMLInputElement>();
  let drawn = '';

  const drawnTrials = () => (order.input.value === 'random' ? numberOf(randomTrials.input) : undefined);
  const renderCount = () => {
    if (!draft) return;
    const trials = trialsOf({ ...draft, vary, randomTrials: drawnTrials() });
    setText(count, trials === 0 ? 'Choose what is varied.' : `${format.volume(trials)} ${trials === 1 ? 'trial' : 'trials'} at most.`);
    for (const each of [randomTrials, seed]) setHidden(each.element, order.input.value !== 'random');
  };

  const rangeInputs = (id: string, { minimum, maximum, whole }: ParameterDefinition): HTMLElement[] => {
    const number = (key: 'from' | 'to' | 'step') => {
      const input = numberInput(vary[id]?.[key] ?? '', key === 'step' ? { minimum: 0, above: true } : { minimum, maximum, whole });
      input.setAttribute('aria-label', `${id}, ${key}`);
      input.addEventListener('input', () => {
        const changed: VaryDraft = { ...vary[id]!, [key]: numberOf(input) };
        vary = { ...vary, [id]: changed };
      });
      return input;
    };
    const [from, to, step] = [number('from'), number('to'), number('step')];
    varyInputs.set(id, from);
    return [from, h('span', {}, 'to'), to, h('span', {}, 'step'), step];
  };

  const row = (parameter: ParameterDefinition): HTMLElement => {
    const { name: id } = parameter;
    const value = draft?.parameters[id] ?? parameter.default;
    const toggle = h('input', {
      type: 'checkbox', checked: vary[id] !== undefined, 'aria-label': `Vary ${id}`,
      onchange: () => {
        const { [id]: _, ...rest } = vary;
        vary = toggle.checked ? { ...vary, [id]: suggestedVary({ ...parameter, default: value }) } : rest;
        renderRows();
        [...rows.querySelectorAll<HTMLInputElement>('input[type=checkbox]')].find((box) => box.getAttribute('aria-label') === `Vary ${id}`)?.focus();
      },
    });
    const range = vary[id];
    return h('div', { class: 'vary-row' }, h('label', { class: 'check' }, toggle, id),
      ...(range === undefined ? [h('span', { class: 'hint' }, `${format.reading(value)}, fixed`)]
        : range.list !== undefined ? [h('span', { class: 'hint' }, range.list === '' ? 'over the range that the rule says' : range.list)]
        : rangeInputs(id, parameter)));
  };
  const renderRows = () => {
    varyInputs = new Map();
    rows.replaceChildren(...parameters.map(row));
    renderCount();
  };
  element.addEventListener('input', renderCount);

  return {
    element,
    inputs,
    varyInput: (parameter) => varyInputs.get(parameter),
    setFault: (text) => setText(fault, text),
    show: (shown, definitions) => {
      draft = shown;
      const form = JSON.stringify([definitions, shown.parameters, shown.definition, shown.rule]);
      if (form !== drawn) {
        drawn = form;
        parameters = definitions;
        // What another strategy varied says nothing of this one.
        const known = new Set(definitions.map(({ name }) => name));
        if (definitions.length > 0) vary = Object.fromEntries(Object.entries(vary).filter(([name]) => known.has(name)));
        renderRows();
      }
      setHidden(element, shown.kind === 'backtest');
      for (const each of [windows.element, ratio.element, anchoredLabel]) setHidden(each, shown.kind !== 'walkForward');
      renderCount();
    },
    read: () => ({
      vary,
      randomTrials: drawnTrials(),
      searchSeed: order.input.value === 'random' ? numberOf(seed.input) : undefined,
      objective: objective.input.value,
      minTrades: numberOf(minTrades.input),
      maxDrawdownPercent: numberOf(maxDrawdown.input),
      windows: numberOf(windows.input),
      ratio: numberOf(ratio.input),
      anchored: anchored.checked,
    }),
  };
}
