import {
  CandlestickSeries, ColorType, createChart, createSeriesMarkers, CrosshairMode, LineStyle, TickMarkType,
  type CandlestickData, type IPriceLine, type SeriesMarker, type Time, type UTCTimestamp, type WhitespaceData,
} from 'lightweight-charts';
import type { App } from '../app';
import { chartFrames, type Bar } from '../contract';
import { h, panel, setAttribute, setClass, setHidden, setText } from '../dom';
import * as format from '../format';
import { barAt, seconds } from '../series';
import type { Store } from '../store';
import { colour, currentTheme } from '../theme';
import { overlays } from './indicators';

/** How wide a bar is at first. */
const pixelsPerBar = 7;

/** Of more marks than this the volumes would hide the price. */
const labelledMarks = 12;

const stamp = (time: string) => seconds(time) as UTCTimestamp;

const candle = (bar: Bar): CandlestickData<Time> => ({ time: stamp(bar.time), open: bar.open, high: bar.high, low: bar.low, close: bar.close });

export function chartView({ store, session }: App): HTMLElement {
  const title = h('span', { class: 'legend' });
  const frames = h('div', { class: 'switch', role: 'group', 'aria-label': 'Time frame' });
  const overlayPlace = h('span', {});
  const { element, body, head } = panel('chart', 'Chart', title, overlayPlace, frames);
  const canvas = h('div', { class: 'canvas', role: 'figure' });
  const empty = h('p', { class: 'empty over' });
  body.append(canvas, empty);
  const heading = head.querySelector('h2')!;

  const chart = createChart(canvas, {
    autoSize: true,
    crosshair: { mode: CrosshairMode.Normal },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: 4 },
    localization: { timeFormatter: (time: Time) => format.moment(instant(time), store.zone) },
  });
  const candles = chart.addSeries(CandlestickSeries, { borderVisible: false });
  const markers = createSeriesMarkers(candles);
  const lines = overlays(chart, () => store.bars.items);
  overlayPlace.replaceWith(lines.element);
  let priceLines: IPriceLine[] = [];

  let drawnEpoch = -1;
  let drawn = 0;
  let hovered: CandlestickData<Time> | null = null;

  const renderLegend = () => {
    const last = store.bars.last;
    const bar = hovered ?? (last ? candle(last) : null);
    const digits = store.digits(store.symbol);
    const number = (value: number) => format.price(value, digits);
    setText(title, bar ? `O ${number(bar.open)}  H ${number(bar.high)}  L ${number(bar.low)}  C ${number(bar.close)}` : '');
  };

  let offered = '';
  /** What the data of the instrument allow; a choice that they do not allow gives way. */
  const renderFrames = () => {
    const choices = chartFrames(store.instruments.get(store.symbol)?.dataTimeFrame);
    if (choices.join() !== offered) {
      offered = choices.join();
      frames.replaceChildren(...choices.map((timeFrame) =>
        h('button', { type: 'button', onclick: () => session.selectTimeFrame(timeFrame) }, timeFrame)));
    }
    if (store.instruments.size > 0 && !choices.includes(store.timeFrame)) session.selectTimeFrame(choices[0]!);
    [...frames.children].forEach((button, index) => setAttribute(button as HTMLElement, 'aria-pressed', String(choices[index] === store.timeFrame)));
  };

  const drawAll = () => {
    const digits = store.digits(store.symbol);
    candles.applyOptions({ priceFormat: { type: 'custom', minMove: 10 ** -digits, formatter: (value: number) => format.price(value, digits) } });
    candles.setData(store.bars.items.map(candle));
    chart.priceScale('right').applyOptions({ autoScale: true });
    const { length } = store.bars.items;
    chart.timeScale().setVisibleLogicalRange({ from: length - Math.max(30, canvas.clientWidth / pixelsPerBar), to: length + 4 });
  };

  let drawnMarks: readonly unknown[] = [];
  /** Fills; new marks have the whole chart drawn, and accounts change ten times a second without any. */
  const renderMarkers = () => {
    const now = [store.fills, store.symbol, store.bars.epoch, store.bars.items.length, store.preferences, currentTheme()];
    if (now.every((value, index) => value === drawnMarks[index])) return;
    drawnMarks = now;
    markers.setMarkers(fillMarkers(store));
  };

  let drawnLines = '';
  /** Orders at work and what is held, at their prices. */
  const renderPrices = () => {
    const prices = pricesOf(store);
    const now = JSON.stringify([prices, currentTheme()]);
    if (now === drawnLines) return;
    drawnLines = now;
    for (const line of priceLines) candles.removePriceLine(line);
    priceLines = prices.map(({ price, text, kind, isOrder }) => candles.createPriceLine({
      price, title: text, color: colour(kind), lineWidth: 1, lineStyle: isOrder ? LineStyle.Dashed : LineStyle.Solid, axisLabelVisible: true,
    }));
  };

  store.view(['theme', 'zone'], () => {
    const { layout, grid, crosshair } = chartColours();
    chart.applyOptions({
      layout, grid, crosshair,
      timeScale: { tickMarkFormatter: (time: Time, type: TickMarkType) => tickMark(time, type, store) },
    });
    candles.applyOptions({ upColor: colour('up'), downColor: colour('down'), wickUpColor: colour('up'), wickDownColor: colour('down') });
    renderMarkers();
    renderPrices();
    lines.recolour();
  });
  store.view(['selection', 'instruments'], () => {
    setText(heading, store.symbol || 'Chart');
    renderFrames();
    setClass(element, 'closed', store.instrument?.open === false);
  });
  store.view(['bars'], () => {
    const { items, epoch } = store.bars;
    if (epoch !== drawnEpoch) {
      hovered = null;
      drawAll();
      renderMarkers();
    } else {
      const before = drawn;
      for (let index = Math.max(0, drawn - 1); index < items.length; index++) candles.update(candle(items[index]!));
      if (items.length !== before) renderMarkers();
    }
    lines.draw(items, epoch === drawnEpoch ? Math.max(0, drawn - 1) : 0);
    [drawnEpoch, drawn] = [epoch, items.length];
    setHidden(empty, items.length > 0);
    setText(empty, store.barsFault || (epoch === 0 ? 'Loading…' : 'No bars yet: the first one appears with the first quote.'));
    renderLegend();
    const last = store.bars.last;
    setAttribute(canvas, 'aria-label', last
      ? `Candles of ${store.symbol}, ${store.timeFrame}, ${items.length} bars`
      : `Candles of ${store.symbol}, ${store.timeFrame}, none yet`);
  });
  store.view(['fills', 'accounts'], () => {
    renderMarkers();
    renderPrices();
  });
  store.view(['selection'], renderPrices);
  chart.subscribeCrosshairMove((event) => {
    const data = event.seriesData.get(candles) as CandlestickData<Time> | WhitespaceData<Time> | undefined;
    hovered = data && 'open' in data ? data : null;
    renderLegend();
  });
  return element;
}

interface PriceMark {
  price: number;
  text: string;
  kind: 'buy' | 'sell';
  isOrder: boolean;
}

function pricesOf({ account, symbol }: Store): PriceMark[] {
  const orders = (account?.workingOrders ?? []).filter((order) => order.symbol === symbol).flatMap((order): PriceMark[] => {
    const price = order.limitPrice ?? order.stopPrice;
    const kind = format.words(order.purpose === 'Trade' ? order.type : order.purpose);
    const text = `${order.side} ${format.volume(order.volume - order.filled)} ${kind}`;
    return price === null ? [] : [{ price, text, kind: order.side === 'Buy' ? 'buy' : 'sell', isOrder: true }];
  });
  const held = (account?.positions ?? []).filter((position) => position.symbol === symbol).map(({ averageEntry, volume }): PriceMark =>
    ({ price: averageEntry, text: `${volume > 0 ? 'Long' : 'Short'} ${format.volume(Math.abs(volume))}`, kind: volume > 0 ? 'buy' : 'sell',
      isOrder: false }));
  return [...orders, ...held];
}

/** One mark for all fills of a side in a bar: many small ones would hide the price. */
function fillMarkers(store: Store): SeriesMarker<Time>[] {
  const bars = store.bars.items;
  const sums = new Map<string, { bar: Bar; buy: boolean; volume: number }>();
  for (const fill of store.fills ?? []) {
    if (fill.symbol !== store.symbol) continue;
    const bar = bars[barAt(bars, seconds(fill.time))];
    if (!bar) continue;
    const key = `${bar.time} ${fill.side}`;
    const sum = sums.get(key) ?? { bar, buy: fill.side === 'Buy', volume: 0 };
    sums.set(key, { ...sum, volume: sum.volume + fill.volume });
  }
  return [...sums.values()].map(({ bar, buy, volume }): SeriesMarker<Time> => ({
    time: stamp(bar.time),
    position: buy ? 'belowBar' : 'aboveBar',
    shape: buy ? 'arrowUp' : 'arrowDown',
    color: colour(buy ? 'buy' : 'sell'),
    ...(sums.size > labelledMarks ? {} : { text: format.volume(Number(volume.toFixed(8))) }),
  })).sort((a, b) => Number(a.time) - Number(b.time));
}

const instant = (time: Time) => Number(time) * 1000;

function tickMark(time: Time, type: TickMarkType, store: Store): string {
  switch (type) {
    case TickMarkType.Year:
    case TickMarkType.Month:
      return format.month(instant(time), store.zone);
    case TickMarkType.TimeWithSeconds:
      return format.clock(instant(time), store.zone);
    case TickMarkType.DayOfMonth:
      return format.day(instant(time), store.zone);
    default:
      return format.hourAndMinute(instant(time), store.zone);
  }
}

/** Colours and font of every chart on the page; they follow the theme. */
export function chartColours() {
  const line = { color: colour('chart-grid') };
  return {
    layout: {
      background: { type: ColorType.Solid, color: colour('panel') } as const,
      textColor: colour('soft'),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
    },
    grid: { vertLines: line, horzLines: line },
    crosshair: {
      vertLine: { color: colour('soft'), labelBackgroundColor: colour('chart-label') },
      horzLine: { color: colour('soft'), labelBackgroundColor: colour('chart-label') },
    },
  };
}

export { instant, stamp, tickMark };
