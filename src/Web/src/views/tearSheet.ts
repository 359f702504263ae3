import { h, panel } from '../dom';

export interface SheetLinks {
  html: string;
  json: string;
  /** Further files by what they are called. */
  files: readonly (readonly [text: string, url: string])[];
}

/**
 * A report of the service in a frame of its own: its script may run and nothing else, and it is of no origin, so that nothing in it reaches
 * this page.
 */
export function tearSheetView(title: string, { html, json, files }: SheetLinks): HTMLElement {
  const { element, body } = panel('sheet', 'Tear sheet',
    h('a', { class: 'button', href: html, target: '_blank', rel: 'noopener' }, 'Open to read or print'),
    h('a', { class: 'button', href: json, download: '' }, 'JSON'),
    ...files.map(([text, url]) => h('a', { class: 'button', href: url, download: '' }, text)));
  body.append(h('iframe', { class: 'sheet', src: html, title, sandbox: 'allow-scripts', loading: 'lazy', referrerpolicy: 'no-referrer' }));
  return element;
}
