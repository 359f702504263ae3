import { ApiError, faultText } from '../http';
import type { App } from '../app';
import type { DataSet, DataSetTerms } from '../contract';
import { bytes, dataTimeFrames, fileFault, mostBytes, readName, uploadFaults, type UploadFields } from '../datasets';
import { h, panel, Rows, setClass, setHidden, setText, type Row } from '../dom';
import * as format from '../format';
import { offeredData } from '../runs';
import { ask, field, numberInput, select, showFault, textInput } from './dialogs';

export interface DataSetsOptions {
  signal: AbortSignal;
  /** Called with what was added. */
  added?: (dataSet: DataSet) => void;
}

/** The data that there are, and uploads: drop files, or choose them. */
export function dataSetsView(app: App, { signal, added }: DataSetsOptions): HTMLElement {
  const { store, api, session, say, report } = app;
  const picker = h('input', { type: 'file', accept: '.csv,.txt,.zip', multiple: true, class: 'unseen', 'aria-label': 'Choose files of data' });
  const choose = h('button', { type: 'button', onclick: () => picker.click() }, 'Upload');
  const { element, body } = panel('data', 'Data', choose);
  const drop = h('p', { class: 'drop' }, picker,
    'Drop CSV or zip files here: exports of MetaTrader 5, LEAN data, or any table of bars or ticks. ');
  const limit = h('span', {});
  drop.append(limit);
  const uploads = h('ul', { class: 'uploads' });
  const list = h('ul', { class: 'data-sets' });
  const none = h('p', { class: 'empty' });
  body.append(drop, uploads, h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Data sets' }, list), none);

  let most = mostBytes;
  api.jobLimits().then(({ maxUploadBytes, maxStoredBytes, storedBytes }) => {
    most = maxUploadBytes;
    setText(limit, `At most ${bytes(maxUploadBytes)} a file; ${bytes(storedBytes)} of ${bytes(maxStoredBytes)} are used.`);
  }, () => setText(limit, `At most ${bytes(mostBytes)} a file.`));

  const take = (files: Iterable<File>) => {
    for (const file of files) {
      uploads.append(uploadItem(app, file, most, signal, (dataSet) => {
        void session.loadDataSets().catch(report);
        say(`${dataSet.name} is there: ${dataSetText(dataSet)}.`);
        added?.(dataSet);
      }));
    }
  };
  picker.addEventListener('change', () => {
    take(picker.files ?? []);
    picker.value = '';
  });
  // The whole page takes a file: one dropped beside the place would replace the page.
  const over = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    setClass(drop, 'over', event.type === 'dragover');
  };
  document.addEventListener('dragover', over, { signal });
  document.addEventListener('dragleave', over, { signal });
  document.addEventListener('drop', (event) => {
    over(event);
    take(event.dataTransfer?.files ?? []);
  }, { signal });

  const remove = async ({ id, name }: DataSet) => {
    if (!(await ask(`Delete ${name}?`, 'The file is deleted. What was computed from it stays.', 'Delete'))) return;
    try {
      await api.removeDataSet(id);
      await session.loadDataSets();
      say(`${name} is deleted.`);
    } catch (error) {
      report(error);
    }
  };

  const make = (first: DataSet): Row<DataSet> => {
    const what = h('span', { class: 'hint' });
    const item = h('li', {},
      h('div', { class: 'line' },
        h('h3', {}, first.source === 'market' ? `${first.symbol} ${first.timeFrame}` : first.name),
        h('span', { class: 'status' }, first.source === 'market' ? 'recorded' : 'uploaded'),
        first.source === 'upload'
          && h('button', { type: 'button', 'aria-label': `Delete ${first.name}`, onclick: () => void remove(first) }, 'Delete')),
      what);
    return { element: item, update: (dataSet) => setText(what, dataSet.source === 'market' ? extentText(dataSet) : dataSetText(dataSet)) };
  };
  const rows = new Rows<DataSet>(list, ({ id }) => id, make);
  store.view(['dataSets', 'zone'], () => {
    rows.render(offeredData(store.dataSets ?? [], store.symbol));
    setHidden(none, (store.dataSets?.length ?? 0) > 0);
    setText(none, store.dataSets === null ? 'Loading…' : 'No data yet: upload a file, or let the market record some bars.');
  }, signal);
  return element;
}

/** "EURUSD H1, 6,200 from Jan 01, 2020 to Dec 31, 2024; 12 rows left out". */
export function dataSetText(dataSet: DataSet): string {
  return `${dataSet.symbol} ${dataSet.timeFrame}: ${extentText(dataSet)}`;
}

function extentText({ timeFrame, count, from, to, dropped, source, bytes: size }: DataSet): string {
  const left = dropped > 0 ? `; ${format.volume(dropped)} faulty rows left out` : '';
  const rows = `${format.volume(count)} ${timeFrame === 'tick' ? 'ticks' : 'bars'}`;
  return `${rows}, ${format.date(from)} to ${format.date(to)}${source === 'upload' ? `, ${bytes(size)}` : ''}${left}`;
}

/** A file on its way: asks for what its name does not say, then sends it, and shows what the service finds wrong beside it. */
function uploadItem({ api }: App, file: File, most: number, signal: AbortSignal, done: (dataSet: DataSet) => void): HTMLElement {
  const said = readName(file.name);
  const symbol = field('Symbol', textInput(said.symbol, /.*/, ''), 'Empty: as the file says');
  const frames = [['', 'As the file says'] as const, ...dataTimeFrames.map((frame) => [frame, frame] as const)];
  const timeFrame = field('Time frame', select(frames, said.timeFrame));
  const timeZone = field('Times are of', textInput('', /.*/, ''), 'Empty: broker time of an export, UTC of others; or Europe/Athens, UTC …');
  const spread = field('Spread, points', numberInput('', { minimum: 0 }), 'For bars without one');
  const progress = h('progress', { max: '1', value: '0', 'aria-label': `Upload of ${file.name}`, hidden: true });
  const state = h('span', { class: 'hint', role: 'status' });
  const fault = h('p', { class: 'fault', role: 'alert' });
  const send = h('button', { type: 'submit', class: 'primary' }, 'Upload');
  const cancel = h('button', { type: 'button' }, 'Leave it');
  const form = h('form', { novalidate: true },
    h('div', { class: 'fields' }, symbol.element, timeFrame.element, timeZone.element, spread.element),
    h('div', { class: 'actions start' }, send));
  const item = h('li', {}, h('div', { class: 'line' }, h('h3', {}, file.name), state, cancel), progress, fault, form);

  const sending = new AbortController();
  signal.addEventListener('abort', () => sending.abort());
  cancel.addEventListener('click', () => {
    sending.abort();
    item.remove();
  });
  const fields: UploadFields = { symbol: '', timeFrame: '', timeZone: '', spreadPoints: '' };
  const inputs = { symbol: symbol.input, timeFrame: timeFrame.input, timeZone: timeZone.input, spreadPoints: spread.input };

  const upload = async () => {
    for (const name of Object.keys(fields) as (keyof UploadFields)[]) fields[name] = inputs[name].value.trim();
    const faults = uploadFaults(fields);
    for (const [name, input] of Object.entries(inputs)) showFault(input, faults[name as keyof UploadFields] ?? '');
    if (Object.keys(faults).length > 0) return;
    const terms: DataSetTerms = {
      name: file.name,
      ...(fields.symbol === '' ? {} : { symbol: fields.symbol }),
      ...(fields.timeFrame === '' ? {} : { timeFrame: fields.timeFrame }),
      ...(fields.timeZone === '' ? {} : { timeZone: fields.timeZone }),
      ...(fields.spreadPoints === '' ? {} : { spreadPoints: Number(fields.spreadPoints) }),
    };
    setText(fault, '');
    setHidden(form, true);
    setHidden(progress, false);
    setText(state, 'Sending…');
    try {
      const dataSet = await api.upload(file, terms, (share) => {
        progress.value = share;
        setText(state, share < 1 ? `${Math.floor(share * 100)} % of ${bytes(file.size)}` : 'Reading it…');
      }, sending.signal);
      item.remove();
      done(dataSet);
    } catch (error) {
      if (sending.signal.aborted) return;
      setHidden(progress, true);
      setHidden(form, false);
      setText(state, '');
      setText(fault, faultText(error));
      const named = error instanceof ApiError && error.field !== undefined ? inputs[error.field as keyof UploadFields] : undefined;
      if (named) named.focus();
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void upload();
  });

  const wrong = fileFault(file, most);
  setText(fault, wrong);
  setHidden(form, wrong !== '');
  setText(state, wrong === '' ? bytes(file.size) : '');
  // A name that says all needs no questions.
  if (wrong === '' && said.symbol !== '' && said.timeFrame !== '') void upload();
  return item;
}
