import { faultText } from '../http';
import type { App } from '../app';
import type { Order, OrderType, Side, TimeInForce } from '../contract';
import { h, panel, setAttribute, setClass, setHidden, setText } from '../dom';
import * as format from '../format';
import { orderNews } from '../orders';
import { faultsOf, neededPrices, toOrder, type Draft, type DraftField, type PriceField } from '../ticket';
import { ask, field, numberInput, numberOf, select, showFault } from './dialogs';
import { verdictView } from './verdict';

const types: readonly [OrderType, string][] = [
  ['Market', 'Market'], ['Limit', 'Limit'], ['Stop', 'Stop'], ['StopLimit', 'Stop limit'], ['TrailingStop', 'Trailing stop'],
];

const lifetimes: readonly [TimeInForce, string][] = [
  ['Gtc', 'Until cancelled'], ['Day', 'Today'], ['Ioc', 'At once, rest cancelled'], ['Fok', 'All at once or nothing'],
];

export function ticketView(app: App): HTMLElement {
  const { store, api, session, say } = app;
  const { element, body, head } = panel('ticket', 'Order');
  element.dataset['needs'] = 'Trade';
  const heading = head.querySelector('h2')!;

  const sides = (['Sell', 'Buy'] as const).map((side) => {
    const quote = h('span', { class: 'price' });
    const input = h('input', { type: 'radio', name: 'side', value: side, checked: side === 'Buy' });
    input.addEventListener('change', () => renderAction());
    return { side, quote, element: h('label', { class: `side ${side.toLowerCase()}` }, input, h('span', {}, side), quote), input };
  });
  const type = field('Type', select(types, 'Market'));
  const volume = field('Volume', numberInput('', {}));
  const lots = h('span', { class: 'hint' });
  volume.input.name = 'volume';
  volume.element.append(lots);
  const prices: Record<PriceField, ReturnType<typeof field<HTMLInputElement>>> = {
    stopPrice: field('Stop price', numberInput('', {})),
    limitPrice: field('Limit price', numberInput('', {})),
    trailDistance: field('Trail distance', numberInput('', {})),
  };
  const lifetime = field('Good for', select(lifetimes, 'Gtc'));
  const stopLoss = field('Stop loss', numberInput('', {}));
  const takeProfit = field('Take profit', numberInput('', {}));
  const reduceOnly = h('input', { type: 'checkbox' });
  const send = h('button', { type: 'submit', class: 'primary' });
  const verdict = verdictView(app);
  send.setAttribute('aria-describedby', 'ticket-preview');
  const answer = h('p', { class: 'answer', role: 'status' });
  const form = h('form', { novalidate: true, 'aria-labelledby': 'ticket-title' },
    h('div', { class: 'sides', role: 'radiogroup', 'aria-label': 'Side' }, ...sides.map((side) => side.element)),
    h('div', { class: 'fields' },
      type.element, volume.element, prices.stopPrice.element, prices.limitPrice.element, prices.trailDistance.element, lifetime.element,
      stopLoss.element, takeProfit.element),
    h('label', { class: 'check' }, reduceOnly, 'Only reduce the position'),
    verdict.element, send, answer);
  const none = h('p', { class: 'empty' });
  body.append(form, none);

  const side = (): Side => sides.find(({ input }) => input.checked)?.side ?? 'Buy';
  const orderType = () => type.input.value as OrderType;
  const draft = (): Draft => ({
    side: side(),
    type: orderType(),
    volume: numberOf(volume.input),
    limitPrice: used('limitPrice'),
    stopPrice: used('stopPrice'),
    trailDistance: used('trailDistance'),
    stopLoss: numberOf(stopLoss.input),
    takeProfit: numberOf(takeProfit.input),
    timeInForce: lifetime.input.value as TimeInForce,
    reduceOnly: reduceOnly.checked,
  });
  const used = (name: PriceField) => (neededPrices[orderType()].includes(name) ? numberOf(prices[name].input) : undefined);
  const inputs: Record<DraftField, HTMLInputElement> = {
    volume: volume.input, limitPrice: prices.limitPrice.input, stopPrice: prices.stopPrice.input, trailDistance: prices.trailDistance.input,
    stopLoss: stopLoss.input, takeProfit: takeProfit.input,
  };

  const renderAction = () => {
    const amount = numberOf(volume.input);
    const what = amount === undefined ? '' : ` ${format.volume(amount)}`;
    const kind = orderType() === 'Market' ? 'at the market' : `by ${format.words(orderType())}`;
    setText(send, `${side()}${what} ${store.symbol} ${kind}`);
    setClass(send, 'buy', side() === 'Buy');
    setClass(send, 'sell', side() === 'Sell');
    const contract = store.instrument?.contractSize ?? 0;
    setText(lots, amount !== undefined && contract > 1 ? `${format.volume(amount / contract)} lots` : 'units');
    for (const [name, { element: place }] of Object.entries(prices)) setHidden(place, !neededPrices[orderType()].includes(name as PriceField));
    setHidden(lifetime.element, orderType() === 'Market');
  };
  form.addEventListener('input', renderAction);

  const askVerdict = () => {
    const { instrument, account } = store;
    const order = draft();
    const isWhole = instrument && account && order.volume !== undefined && order.volume > 0
      && neededPrices[order.type].every((name) => order[name] !== undefined);
    verdict.ask(isWhole ? { account: account.name, order: toOrder(order, instrument.symbol) } : null);
  };
  form.addEventListener('input', askVerdict);

  const tell = (text: string, kind: '' | 'fault' | 'warning') => {
    setText(answer, text);
    setAttribute(answer, 'class', `answer ${kind}`);
  };

  /** The order that the answer speaks of, and what was said of it when it was taken. */
  let placed: { account: string; order: Order; cut: string } | null = null;
  const tellOrder = () => {
    if (!placed) return;
    const order = store.order(placed.account, placed.order.ordinal) ?? placed.order;
    const { text, kind } = orderNews(order, store.digits(order.symbol));
    tell(placed.cut + text, kind || (placed.cut ? 'warning' : ''));
  };
  store.view(['orders'], tellOrder);

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  const submit = async () => {
    const { instrument, account } = store;
    if (!instrument || !account) return;
    const order = draft();
    const faults = faultsOf(order, instrument, store.quotes.get(instrument.symbol)?.quote);
    for (const [name, input] of Object.entries(inputs)) {
      showFault(input, input.validity.badInput ? 'Not a number.' : (faults[name as DraftField] ?? ''));
    }
    const invalid = Object.values(inputs).find((input) => input.getAttribute('aria-invalid') === 'true' && !input.closest('[hidden]'));
    if (invalid) {
      invalid.focus();
      tell('', '');
      return;
    }
    if (store.preferences.confirmOrders && !(await ask(`${send.textContent}?`, verdict.text(), 'Send the order'))) return;
    send.disabled = true;
    placed = null;
    tell('Sending…', '');
    await api.place(account.name, toOrder(order, instrument.symbol))
      .then(async ({ minPosition, order: taken, cut }) => {
        placed = {
          account: account.name, order: taken,
          cut: cut ? `Order ${taken.ordinal} was cut to ${format.volume(taken.volume)}: ${cut.detail} ` : '',
        };
        tellOrder();
        say(`${taken.side} ${format.volume(taken.volume)} ${taken.symbol}: order ${taken.ordinal} is taken.`);
        await session.refresh(minPosition);
      })
      .catch((error: unknown) => tell(faultText(error), 'fault'))
      .finally(() => (send.disabled = false));
  };

  let volumeOf = '';
  store.view(['selection', 'instruments', 'accounts'], () => {
    const { instrument, account } = store;
    setHidden(form, !account || !instrument);
    setHidden(none, account !== undefined && instrument !== undefined);
    setText(none, store.accounts === null || (account && !instrument) ? 'Loading…' : 'Orders need an account: create one first.');
    setText(heading, instrument ? `Order · ${instrument.symbol}` : 'Order');
    if (instrument && volumeOf !== instrument.symbol) {
      // Another instrument has other prices and sizes: nothing of the old ticket may slip through.
      volumeOf = instrument.symbol;
      for (const input of Object.values(inputs)) {
        input.value = '';
        showFault(input, '');
      }
      placed = null;
      volume.input.value = String(Math.max(instrument.minVolume, Math.min(instrument.contractSize / 10, instrument.maxVolume)));
      tell('', '');
    }
    renderAction();
    askVerdict();
  });
  store.view(['quotes', 'selection', 'instruments'], () => {
    const quote = store.quotes.get(store.symbol)?.quote;
    const digits = store.digits(store.symbol);
    for (const entry of sides) setText(entry.quote, format.price(entry.side === 'Buy' ? quote?.ask : quote?.bid, digits));
  });
  return element;
}
