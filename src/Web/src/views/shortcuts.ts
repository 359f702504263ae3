import type { App } from '../app';
import { h } from '../dom';
import { recall, remember } from '../settings';
import { Keys, shortcuts, type ShortcutAction } from '../shortcuts';
import { toggleTheme } from '../theme';
import { toggleZone } from './zone';

/** Keys do what they are said to do, except while something is written or a dialog asks. */
export function startShortcuts(app: App): void {
  const keys = new Keys();
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
    if (!app.auth.isIn || isWriting(event.target) || document.querySelector('dialog[open]')) return;
    // Who speaks to the machine, or has a keyboard that repeats, can turn single keys off; the list of them stays.
    if (recall('keys') === 'off' && event.key !== '?') return;
    const action = keys.press(event.key, event.timeStamp);
    if (!action) return;
    event.preventDefault();
    act(app, action);
  });
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement
    && (target.isContentEditable || target.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="button"])'));
}

function act(app: App, action: ShortcutAction): void {
  if ('go' in action) {
    location.hash = action.go;
    return;
  }
  const ticket = (selector: string) => document.querySelector<HTMLElement>(`#ticket form:not([hidden]) ${selector}`);
  switch (action.command) {
    case 'help':
      openShortcuts();
      break;
    case 'search':
      document.querySelector<HTMLElement>('.outlet input[type="search"]')?.focus();
      break;
    case 'zone':
      toggleZone(app.store);
      break;
    case 'theme':
      toggleTheme();
      app.store.touch('theme');
      break;
    case 'buy':
    case 'sell': {
      const side = ticket(`input[value="${action.command === 'buy' ? 'Buy' : 'Sell'}"]`);
      side?.click();
      side?.focus();
      break;
    }
    case 'volume':
      ticket('input[name="volume"]')?.focus();
      break;
  }
}

export function openShortcuts(): void {
  const on = h('input', { type: 'checkbox', checked: recall('keys') !== 'off', onchange: () => remember('keys', on.checked ? '' : 'off') });
  const dialog = h('dialog', { 'aria-labelledby': 'shortcuts-title' },
    h('h2', { id: 'shortcuts-title' }, 'Shortcuts'),
    h('dl', { class: 'shortcuts' }, ...shortcuts.map(({ keys, text }) => h('div', {},
      h('dt', {}, ...keys.flatMap((key, index) => [index > 0 && ' then ', h('kbd', {}, key)])), h('dd', {}, text)))),
    h('label', { class: 'check' }, on, 'Single keys are shortcuts'),
    h('div', { class: 'actions' }, h('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Close')));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
