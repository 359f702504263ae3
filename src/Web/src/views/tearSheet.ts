import type { App } from '../app';
import { h, panel } from '../dom';
import { faultText } from '../http';

export interface SheetFiles {
  /** Paths for `Api.file`. */
  html: string;
  json: string;
  /** Further files by what they are called. */
  files: readonly (readonly [text: string, path: string])[];
}

/**
 * A report of the service in a frame of its own: its script may run and nothing else, and it is of no origin, so that nothing in it reaches
 * this page. It is fetched here, as a frame cannot prove who asks; csp.ts names its style and script.
 */
export function tearSheetView({ api, report }: App, title: string, { html, json, files }: SheetFiles, signal: AbortSignal): HTMLElement {
  const read = h('a', { class: 'button', target: '_blank', rel: 'noopener', hidden: true }, 'Open to read or print');
  const { element, body } = panel('sheet', 'Tear sheet', read,
    ...([['JSON', json], ...files] as const).map(([text, path]) => h('button', { type: 'button', onclick: () => void save(path) }, text)));
  const save = async (path: string) => {
    try {
      saveAs(await api.file(path), path.split('/').slice(-2).join('-'));
    } catch (error) {
      report(error);
    }
  };
  const loading = h('p', { class: 'empty' }, 'Loading…');
  body.append(loading);
  api.file(html).then(async (file) => {
    if (signal.aborted) return;
    const url = URL.createObjectURL(new Blob([file], { type: 'text/html' }));
    signal.addEventListener('abort', () => URL.revokeObjectURL(url));
    read.href = url;
    read.hidden = false;
    loading.replaceWith(h('iframe', { class: 'sheet', srcdoc: await file.text(), title, sandbox: 'allow-scripts', referrerpolicy: 'no-referrer' }));
  }, (error: unknown) => loading.replaceWith(h('p', { class: 'empty fault', role: 'alert' }, faultText(error))));
  return element;
}

/** Hands a file to the reader. */
export function saveAs(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
