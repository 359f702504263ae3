import { h } from '../dom';
import { faultText } from '../http';

/** Shows what an answer holds, once it is there; a failure says why, and can be tried again. */
export function load<T>(place: HTMLElement, ask: () => Promise<T>, show: (value: T) => readonly (Node | string)[],
  signal: AbortSignal): Promise<void> {
  if (!place.hasChildNodes()) place.append(h('p', { class: 'empty' }, 'Loading…'));
  return ask().then(
    (value) => {
      if (!signal.aborted) place.replaceChildren(...show(value));
    },
    (error: unknown) => {
      if (signal.aborted) return;
      const again = h('button', {
        type: 'button',
        onclick: () => {
          place.replaceChildren();
          void load(place, ask, show, signal);
        },
      }, 'Try again');
      place.replaceChildren(h('div', { class: 'empty' }, h('p', { class: 'fault', role: 'alert' }, faultText(error)), again));
    });
}

/** Does `work` now, and again every so often while the page is looked at, until `signal` ends. */
export function every(milliseconds: number, work: () => Promise<unknown>, signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = async () => {
    if (!document.hidden) await work().catch(() => {});
    if (!signal.aborted) timer = setTimeout(() => void run(), milliseconds);
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  void run();
}

/** Calls back some milliseconds after the first of many calls: what never pauses is told all the same. */
export function settled(milliseconds: number, work: () => void, signal: AbortSignal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!signal.aborted) work();
    }, milliseconds);
  };
}

/** Does something that changes the service; while it is under way the button cannot be pressed again. */
export async function during(button: HTMLButtonElement, work: () => Promise<void>, report: (error: unknown) => void): Promise<void> {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    report(error);
  } finally {
    button.disabled = false;
  }
}
