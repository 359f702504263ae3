import { LineSeries, LineStyle, type IChartApi, type ISeriesApi, type Time, type UTCTimestamp } from 'lightweight-charts';
import type { Bar } from '../contract';
import { h, setAttribute } from '../dom';
import { indicators, type Indicator } from '../indicators';
import { seconds } from '../series';
import { recall, remember } from '../settings';
import { colour } from '../theme';

const colours: Record<string, string> = { sma20: 'accent', sma50: 'warn', ema20: 'gain', bb20: 'soft' };

export interface Overlays {
  /** The buttons that turn them on and off. */
  element: HTMLElement;
  /** Draws those that are on, from a bar on: what is before it has not changed. */
  draw: (bars: readonly Bar[], from: number) => void;
  recolour: () => void;
}

/** Indicators over the candles of a chart; which of them is kept in this browser. */
export function overlays(chart: IChartApi, bars: () => readonly Bar[]): Overlays {
  const on = new Map<string, ISeriesApi<'Line'>[]>();
  const chosen = new Set(recall('indicators').split(' ').filter(Boolean));

  const add = ({ name, lines }: Indicator) => on.set(name, Array.from({ length: lines }, () => chart.addSeries(LineSeries, {
    color: colour(colours[name]!), lineWidth: 1, lineStyle: lines > 1 ? LineStyle.Dashed : LineStyle.Solid,
    priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false,
  })));
  const draw = (items: readonly Bar[], from: number) => {
    for (const indicator of indicators) {
      const series = on.get(indicator.name);
      if (!series) continue;
      indicator.of(items).forEach((line, index) => {
        const points = line.flatMap((value, at) => (value === null || at < from ? []
          : [{ time: seconds(items[at]!.time) as UTCTimestamp as Time, value }]));
        if (from === 0) series[index]!.setData(points);
        else for (const point of points) series[index]!.update(point);
      });
    }
  };
  const toggle = (indicator: Indicator) => {
    const series = on.get(indicator.name);
    if (series) {
      for (const line of series) chart.removeSeries(line);
      on.delete(indicator.name);
    } else {
      add(indicator);
      draw(bars(), 0);
    }
    remember('indicators', [...on.keys()].join(' '));
    render();
  };
  const buttons = indicators.map((indicator) => ({
    indicator, button: h('button', { type: 'button', onclick: () => toggle(indicator) }, indicator.text),
  }));
  const render = () => {
    for (const { indicator, button } of buttons) setAttribute(button, 'aria-pressed', String(on.has(indicator.name)));
  };
  for (const indicator of indicators) if (chosen.has(indicator.name)) add(indicator);
  render();
  return {
    element: h('div', { class: 'switch', role: 'group', 'aria-label': 'Indicators' }, ...buttons.map(({ button }) => button)),
    draw,
    recolour: () => {
      for (const [name, series] of on) for (const line of series) line.applyOptions({ color: colour(colours[name]!) });
    },
  };
}
