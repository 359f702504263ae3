import { h } from '../dom';
import { ask } from './dialogs';
import { during } from './load';

export interface Removal {
  /** What is removed, as its reader calls it. */
  name: string;
  /** What follows of it. */
  text: string;
  /** What the button says. */
  action?: string;
  remove: () => Promise<void>;
  report: (error: unknown) => void;
}

/** A button that removes something, once its reader has said yes to what follows of it. */
export function removeButton({ name, text, action = 'Remove', remove, report }: Removal): HTMLButtonElement {
  const button: HTMLButtonElement = h('button', {
    type: 'button', 'aria-label': `${action} ${name}`,
    onclick: () => void during(button, async () => {
      if (await ask(`${action} ${name}?`, text, action)) await remove();
    }, report),
  }, action);
  return button;
}
