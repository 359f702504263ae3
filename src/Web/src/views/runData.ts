import type { App } from '../app';
import { h, panel, Rows, setHidden, setText, type Row } from '../dom';
import { dataTimeFrames } from '../datasets';
import { offeredData, type RunDraft } from '../runs';
import { dataSetText } from './dataSets';
import { field, select } from './dialogs';

type RunData = Pick<RunDraft, 'timeFrame' | 'from' | 'to'>;

export interface RunDataView {
  element: HTMLElement;
  /** Shows what there is, and what of it is chosen. */
  show: (chosen: readonly string[]) => void;
  read: () => RunData;
  inputs: ReadonlyMap<string, HTMLElement>;
  firstBox: () => HTMLElement | null;
  /** The time frame where nobody has chosen one. */
  suggestTimeFrame: (timeFrame: string) => void;
  setFault: (text: string) => void;
}

const frames: readonly (readonly [string, string])[] = [
  ['', 'As the data are'], ...dataTimeFrames.map((frame) => [frame, frame === 'tick' ? 'tick: every quote' : frame] as const),
];

/** Which data a run is over, which part of them, and on which bars it decides. */
export function runDataView({ store }: App, initial: RunData, choose: (id: string, on: boolean) => void): RunDataView {
  const list = h('ul', { class: 'checks' });
  const none = h('p', { class: 'hint' }, 'There are none yet: upload a file beside this form.');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const day = (value: string) => {
    const input = h('input', { type: 'date', autocomplete: 'off' });
    input.value = value;
    return input;
  };
  const timeFrame = field('Time frame', select(frames, initial.timeFrame), 'It decides at the close of every bar');
  const from = field('From', day(initial.from), 'Empty: all there is');
  const to = field('To, inclusive', day(initial.to));
  const { element, body } = panel('over', 'Over which data');
  body.append(h('div', { class: 'pad stack' }, list, none, fault, h('div', { class: 'fields three' }, timeFrame.element, from.element, to.element)));

  interface Choice {
    id: string;
    text: string;
    on: boolean;
  }
  const make = ({ id }: Choice): Row<Choice> => {
    const box = h('input', { type: 'checkbox', onchange: () => choose(id, box.checked) });
    const text = h('span', {});
    return {
      element: h('li', {}, h('label', { class: 'check' }, box, text)),
      update: (choice) => {
        box.checked = choice.on;
        setText(text, choice.text);
      },
    };
  };
  const rows = new Rows<Choice>(list, ({ id }) => id, make);
  return {
    element,
    inputs: new Map<string, HTMLElement>([['timeFrame', timeFrame.input], ['from', from.input], ['to', to.input]]),
    firstBox: () => list.querySelector('input'),
    suggestTimeFrame: (frame) => {
      if (timeFrame.input.value === '') timeFrame.input.value = frame;
    },
    setFault: (text) => setText(fault, text),
    show: (chosen) => {
      const dataSets = offeredData(store.dataSets ?? [], store.symbol);
      setHidden(none, dataSets.length > 0);
      rows.render(dataSets.map((dataSet) => ({
        id: dataSet.id, text: `${dataSet.source === 'market' ? 'Recorded' : dataSet.name}: ${dataSetText(dataSet)}`, on: chosen.includes(dataSet.id),
      })));
    },
    read: () => ({ timeFrame: timeFrame.input.value, from: from.input.value, to: to.input.value }),
  };
}
