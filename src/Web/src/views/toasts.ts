import { ApiError } from '../api';
import { h } from '../dom';
import { words } from '../format';

const shownFor = 8_000;
const atMost = 4;

/** Short messages at the lower edge: news politely, faults at once. */
export class Toasts {
  readonly element = h('div', { class: 'toasts' });
  readonly #news = h('div', { role: 'status', 'aria-live': 'polite' });
  readonly #faults = h('div', { role: 'alert' });

  constructor() {
    this.element.append(this.#faults, this.#news);
  }

  say(text: string): void {
    this.#show(this.#news, 'toast', text, '');
  }

  report(error: unknown): void {
    const reason = error instanceof ApiError ? error.reason : '';
    this.#show(this.#faults, 'toast fault', error instanceof Error ? error.message : String(error), reason);
  }

  #show(region: HTMLElement, className: string, text: string, reason: string): void {
    // The same words again only start their time again.
    for (const shown of [...region.children]) if (shown.querySelector('.text')?.textContent === text) shown.remove();
    const toast = h('div', { class: className },
      h('span', { class: 'text' }, text),
      reason !== '' && h('span', { class: 'reason' }, words(reason)),
      h('button', { type: 'button', class: 'plain', 'aria-label': 'Dismiss', onclick: () => toast.remove() }, '×'));
    region.append(toast);
    while (region.children.length > atMost) region.firstElementChild?.remove();
    setTimeout(() => toast.remove(), shownFor);
  }
}
