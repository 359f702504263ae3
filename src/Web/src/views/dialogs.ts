import { faultText } from '../http';
import { h, setText } from '../dom';
import { numberFault, type NumberRange } from '../numbers';

export type { NumberRange };

/** Asks before something that cannot be taken back. The harmless answer has the focus. */
export function ask(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = h('dialog', { 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text' },
      h('h2', { id: 'confirm-title' }, title),
      h('p', { id: 'confirm-text' }, text),
      h('div', { class: 'actions' },
        h('button', { type: 'button', autofocus: true, onclick: () => dialog.close('') }, 'Cancel'),
        h('button', { type: 'button', class: 'danger', onclick: () => dialog.close('yes') }, action)));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export interface FormDialog {
  title: string;
  action: string;
  fields: HTMLElement[];
  /** Throws when it failed; the dialog then stays open and shows why. */
  submit: () => Promise<void>;
}

export function openForm({ title, action, fields, submit }: FormDialog): void {
  const fault = h('p', { class: 'fault', role: 'alert' });
  const send = h('button', { type: 'submit', class: 'primary' }, action);
  const form = h('form', { novalidate: true },
    h('h2', { id: 'form-title' }, title),
    h('div', { class: 'fields' }, ...fields),
    fault,
    h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), send));
  const dialog = h('dialog', { 'aria-labelledby': 'form-title' }, form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    setText(fault, '');
    if (!checkFields(form)) return;
    send.disabled = true;
    submit()
      .then(() => dialog.close())
      .catch((error: unknown) => setText(fault, faultText(error)))
      .finally(() => (send.disabled = false));
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

let fieldCount = 0;

export interface Field<E extends HTMLElement> {
  element: HTMLElement;
  input: E;
}

/** A labelled input with its hint and the place of its fault. */
export function field<E extends HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>(label: string, input: E, hint = ''): Field<E> {
  const id = `field-${++fieldCount}`;
  input.id = id;
  const describedBy = [hint === '' ? '' : `${id}-hint`, `${id}-fault`].filter(Boolean).join(' ');
  input.setAttribute('aria-describedby', describedBy);
  const element = h('div', { class: 'field' },
    h('label', { for: id }, label),
    input,
    hint !== '' && h('span', { class: 'hint', id: `${id}-hint` }, hint),
    h('span', { class: 'fault', id: `${id}-fault` }));
  input.addEventListener('input', () => showFault(input, ''));
  return { element, input };
}

/** A number field that checks itself; the browser shows and reads it in the reader's own way. */
export function numberInput(value: number | '', range: NumberRange): HTMLInputElement {
  const input = h('input', { type: 'number', inputmode: range.whole ? 'numeric' : 'decimal', step: 'any', value, autocomplete: 'off' });
  checks.set(input, () => {
    if (input.validity.badInput) return 'Not a number.';
    return numberFault(input.value, range);
  });
  return input;
}

/** The number in the field; undefined when it is empty. */
export function numberOf(input: HTMLInputElement): number | undefined {
  return input.value === '' ? undefined : Number(input.value);
}

export function textInput(value: string, pattern: RegExp, expected: string): HTMLInputElement {
  const input = h('input', { type: 'text', value, autocomplete: 'off', spellcheck: 'false' });
  checks.set(input, () => (pattern.test(input.value.trim()) ? '' : expected));
  return input;
}

/** A password; one that is chosen has a length. */
export function passwordInput(name: string, autocomplete: 'current-password' | 'new-password', least = 1, most = 1024): HTMLInputElement {
  const input = h('input', { type: 'password', name, autocomplete });
  checks.set(input, () => {
    const length = input.value.length;
    if (length === 0) return 'A password is needed.';
    return length < least ? `At least ${least} characters; this has ${length}.` : length > most ? `At most ${most} characters.` : '';
  });
  return input;
}

export function select(options: readonly (readonly [value: string, text: string])[], chosen: string): HTMLSelectElement {
  return h('select', {}, ...options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)));
}

const checks = new WeakMap<Element, () => string>();

/** Shows the fault of every field that is on the screen, and moves to the first. */
export function checkFields(form: HTMLElement): boolean {
  let first: HTMLElement | null = null;
  for (const input of form.querySelectorAll<HTMLInputElement>('input, textarea')) {
    if (input.closest('[hidden]')) continue;
    const fault = checks.get(input)?.() ?? '';
    showFault(input, fault);
    if (fault === '') continue;
    first ??= input;
    const folded = input.closest('details');
    if (folded) folded.open = true;
  }
  first?.focus();
  return first === null;
}

export function showFault(input: HTMLElement, fault: string): void {
  const place = document.getElementById(`${input.id}-fault`);
  if (place) setText(place, fault);
  if (fault === '') input.removeAttribute('aria-invalid');
  else input.setAttribute('aria-invalid', 'true');
}
