import { faultText } from '../http';
import { h } from '../dom';

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
    this.#show(this.#news, 'toast', text);
  }

  report(error: unknown): void {
    this.#show(this.#faults, 'toast fault', faultText(error));
  }

  #show(region: HTMLElement, className: string, text: string): void {
    // The same words again only start their time again.
    for (const shown of [...region.children]) if (shown.querySelector('.text')?.textContent === text) shown.remove();
    const toast = h('div', { class: className },
      h('span', { class: 'text' }, text),
      h('button', { type: 'button', class: 'plain', 'aria-label': 'Dismiss', onclick: () => toast.remove() }, '×'));
    region.append(toast);
    while (region.children.length > atMost) region.firstElementChild?.remove();
    setTimeout(() => toast.remove(), shownFor);
  }
}
