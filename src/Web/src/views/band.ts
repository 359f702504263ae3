import { createChart, LineSeries, LineStyle, type Time, type UTCTimestamp } from 'lightweight-charts';
import type { App } from '../app';
import type { LiveDay } from '../contract';
import { h, setAttribute } from '../dom';
import * as format from '../format';
import { colour } from '../theme';
import { chartColours, instant, tickMark } from './chart';

/** A live curve between the bounds of what was expected of it. */
export function bandView({ store }: App, days: readonly LiveDay[], signal: AbortSignal): HTMLElement {
  const last = days.at(-1);
  const element = h('div', { class: 'canvas', role: 'img' });
  const percent = (growth: number) => format.percent(growth - 1, 2);
  setAttribute(element, 'aria-label', last
    ? `Live ${percent(last.growth)} after ${days.length} days; ${percent(last.lower)} to ${percent(last.upper)} were expected`
    : 'No live day yet');
  const chart = createChart(element, {
    autoSize: true,
    layout: { attributionLogo: false },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false },
    localization: { timeFormatter: (time: Time) => format.date(instant(time)) },
    handleScroll: { vertTouchDrag: false, mouseWheel: false },
    handleScale: { mouseWheel: false },
  });
  const custom = { type: 'custom', minMove: 0.0001, formatter: percent } as const;
  const bound = { lineWidth: 1, lineStyle: LineStyle.Dashed, priceFormat: custom, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false } as const;
  const bounds = [chart.addSeries(LineSeries, bound), chart.addSeries(LineSeries, bound)];
  const median = chart.addSeries(LineSeries, { ...bound, lineStyle: LineStyle.Dotted });
  const live = chart.addSeries(LineSeries, { lineWidth: 2, priceFormat: custom });
  const at = (date: string) => (Date.parse(date) / 1000) as UTCTimestamp;
  bounds[0]!.setData(days.map(({ date, lower }) => ({ time: at(date), value: lower })));
  bounds[1]!.setData(days.map(({ date, upper }) => ({ time: at(date), value: upper })));
  median.setData(days.map(({ date, median: value }) => ({ time: at(date), value })));
  live.setData(days.map(({ date, growth }) => ({ time: at(date), value: growth })));
  store.view(['theme', 'zone'], () => {
    chart.applyOptions({ ...chartColours(), timeScale: { tickMarkFormatter: (time: Time, type: number) => tickMark(time, type, store) } });
    for (const line of [...bounds, median]) line.applyOptions({ color: colour('soft') });
    live.applyOptions({ color: colour('accent') });
  }, signal);
  const fit = new ResizeObserver(() => chart.timeScale().fitContent());
  fit.observe(element);
  signal.addEventListener('abort', () => {
    fit.disconnect();
    chart.remove();
  });
  return element;
}
