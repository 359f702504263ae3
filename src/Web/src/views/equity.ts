import { AreaSeries, createChart, type AreaData, type Time } from 'lightweight-charts';
import type { App } from '../app';
import type { EquityPoint } from '../contract';
import { h, panel, setAttribute, setHidden, setText } from '../dom';
import * as format from '../format';
import { colour } from '../theme';
import { chartColours, instant, stamp, tickMark } from './chart';

const point = ({ time, equity }: EquityPoint): AreaData<Time> => ({ time: stamp(time), value: equity });

export function equityView({ store }: App): HTMLElement {
  const change = h('span', { class: 'aside' });
  const { element, body } = panel('equity', 'Equity curve', change);
  const canvas = h('div', { class: 'canvas', role: 'img' });
  const empty = h('p', { class: 'empty over' });
  body.append(canvas, empty);

  const chart = createChart(canvas, {
    autoSize: true,
    // The attribution stands on the price chart and in the footer of the same page.
    layout: { attributionLogo: false },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true },
    localization: { timeFormatter: (time: Time) => format.moment(instant(time), store.zone) },
    handleScroll: { vertTouchDrag: false },
  });
  const area = chart.addSeries(AreaSeries, { lineWidth: 2, priceFormat: { type: 'custom', minMove: 0.01, formatter: format.money } });

  let drawnEpoch = -1;
  let drawn = 0;
  store.view(['theme', 'zone'], () => {
    chart.applyOptions({ ...chartColours(), timeScale: { tickMarkFormatter: (time: Time, type: number) => tickMark(time, type, store) } });
    area.applyOptions({ lineColor: colour('accent'), topColor: colour('area-top'), bottomColor: colour('area-bottom') });
  });
  store.view(['equity', 'accounts'], () => {
    const { items, epoch } = store.equity;
    if (epoch !== drawnEpoch) {
      area.setData(items.map(point));
      chart.timeScale().fitContent();
    } else {
      for (let index = Math.max(0, drawn - 1); index < items.length; index++) area.update(point(items[index]!));
      if (items.length !== drawn) chart.timeScale().fitContent();
    }
    [drawnEpoch, drawn] = [epoch, items.length];
    const first = items[0];
    const last = items.at(-1);
    const currency = store.account?.currency ?? '';
    setText(change, first && last ? `${format.result(last.equity - first.equity)} ${currency}` : '');
    setHidden(empty, items.length > 0);
    setText(empty, store.equityFault || (store.accounts === null || (store.account && store.equityLoading)
      ? 'Loading…'
      : store.account ? 'The curve begins with the first sample of the equity.' : 'No account yet.'));
    setAttribute(canvas, 'aria-label', last
      ? `Equity of ${store.accountName}: ${items.length} points, now ${format.money(last.equity)} ${currency}`
      : 'Equity, no points yet');
  });
  return element;
}
