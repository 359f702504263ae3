import type { ParameterDefinition } from '../contract';
import { h } from '../dom';
import * as format from '../format';
import { field, numberInput, numberOf } from './dialogs';

export interface ParameterFields {
  element: HTMLElement;
  /** Shows other parameters; a value that is set stays with its name. */
  show: (parameters: readonly ParameterDefinition[], values: Readonly<Record<string, number>>) => void;
  /** Those that are numbers. */
  values: () => Record<string, number>;
  input: (name: string) => HTMLInputElement | undefined;
}

/** A field for each parameter, with its range. */
export function parameterFields(changed: () => void): ParameterFields {
  const element = h('div', { class: 'fields', role: 'group', 'aria-label': 'Parameters' });
  let inputs = new Map<string, HTMLInputElement>();
  let shown = '';
  return {
    element,
    show: (parameters, values) => {
      const form = JSON.stringify(parameters);
      if (form !== shown) {
        shown = form;
        inputs = new Map();
        element.replaceChildren(...parameters.map(({ name, description, default: initial, minimum, maximum, whole }) => {
          const input = numberInput(values[name] ?? initial, { minimum, maximum, whole, required: true });
          input.addEventListener('input', changed);
          inputs.set(name, input);
          // The least of what need only be above 0 tells a reader nothing.
          const most = format.reading(maximum);
          const bounds = minimum > 0 && minimum < 1e-6 ? `above 0, at most ${most}` : `${format.reading(minimum)} to ${most}`;
          const range = `${bounds}${whole ? ', whole' : ''}`;
          return field(name, input, description === '' || description === name ? range : `${description}; ${range}`).element;
        }));
        return;
      }
      for (const [name, input] of inputs) if (values[name] !== undefined && Number(input.value) !== values[name]) input.value = String(values[name]);
    },
    values: () => Object.fromEntries([...inputs].flatMap(([name, input]) => {
      const value = numberOf(input);
      return value === undefined || !Number.isFinite(value) ? [] : [[name, value]];
    })),
    input: (name) => inputs.get(name),
  };
}
