import { AreaSeries, createChart, type Time, type UTCTimestamp } from 'lightweight-charts';
import type { App } from '../app';
import { h, setAttribute } from '../dom';
import * as format from '../format';
import { curvePoints } from '../series';
import { colour } from '../theme';
import { chartColours, instant, tickMark } from './chart';

export interface Curve {
  element: HTMLElement;
  show: (points: readonly (readonly [timeMs: number, value: number])[], label: string) => void;
}

/** A curve over time, as a whole. */
export function curve({ store }: App, text: (value: number) => string, signal: AbortSignal): Curve {
  const element = h('div', { class: 'canvas', role: 'img' });
  const chart = createChart(element, {
    autoSize: true,
    // The attribution stands in the footer of the same page.
    layout: { attributionLogo: false },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false },
    localization: { timeFormatter: (time: Time) => format.moment(instant(time), store.zone) },
    handleScroll: { vertTouchDrag: false, mouseWheel: false },
    handleScale: { mouseWheel: false },
  });
  const area = chart.addSeries(AreaSeries, { lineWidth: 2, priceFormat: { type: 'custom', minMove: 0.0001, formatter: text } });
  let drawn: readonly unknown[] | null = null;
  store.view(['theme', 'zone'], () => {
    chart.applyOptions({ ...chartColours(), timeScale: { tickMarkFormatter: (time: Time, type: number) => tickMark(time, type, store) } });
    area.applyOptions({ lineColor: colour('accent'), topColor: colour('area-top'), bottomColor: colour('area-bottom') });
  }, signal);
  // A curve can be shown before it has a place on the screen.
  const fit = new ResizeObserver(() => chart.timeScale().fitContent());
  fit.observe(element);
  signal.addEventListener('abort', () => {
    fit.disconnect();
    chart.remove();
  });
  return {
    element,
    show: (points, label) => {
      setAttribute(element, 'aria-label', label);
      if (points === drawn) return;
      drawn = points;
      area.setData(curvePoints(points).map(({ time, value }) => ({ time: time as UTCTimestamp, value })));
      chart.timeScale().fitContent();
    },
  };
}
