import type { App } from '../app';
import type { AlertChannel, AlertChannelName, AlertDelivery, ToldAlert } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';
import { href } from '../routes';
import { grid } from './grid';
import { during, every, load } from './load';

const readEvery = 5_000;

const channelTexts: Record<AlertChannelName, string> = { WebHook: 'Web hook', Email: 'E-mail' };

const kindTexts: Record<ToldAlert['kind'], string> = {
  Fill: 'Fill', Denial: 'Order refused', Halt: 'Halt', StaleFeed: 'No new price', StrategyStopped: 'Strategy stopped', LimitNear: 'Limit near', Test: 'Test',
};

/** What became of an alert on a channel, in words. */
export function deliveryText({ channel, state, failures, why }: AlertDelivery): string {
  const where = channelTexts[channel].toLowerCase();
  switch (state) {
    case 'Waiting':
      return `${where}: waits for the next message`;
    case 'Sending':
      return failures === 0 ? `${where}: on its way` : `${where}: ${failures} ${failures === 1 ? 'try' : 'tries'} failed (${why})`;
    case 'Delivered':
      return `${where}: delivered`;
    case 'Refused':
      return `${where}: not sent (${why})`;
    case 'GivenUp':
      return `${where}: given up (${why})`;
  }
}

/** How a channel stands, in words. */
export function channelText({ target, fault, waiting, message, failures, why }: AlertChannel): string {
  if (target === null) return 'not set';
  if (fault !== null) return fault;
  const more = waiting === 0 ? '' : `; ${waiting} waiting`;
  if (message === null) return `ready${more}`;
  return failures === 0 ? `sending${more}` : `${failures} ${failures === 1 ? 'try' : 'tries'} failed (${why})${more}`;
}

/** Where alerts go and whether they get there, and a try. */
export function channelsView({ api, store, report, say }: App, signal: AbortSignal): HTMLElement {
  const test: HTMLButtonElement = h('button', { type: 'button', onclick: () => void during(test, async () => {
    const { channels } = await api.testAlerts();
    say(channels.length === 0 ? 'No channel is set up: the test is only in the list.'
      : `A test is on its way: ${channels.map((channel) => channelTexts[channel].toLowerCase()).join(' and ')}.`);
    await read();
  }, report) }, 'Send a test');
  const { element, body } = panel('channels', 'Channels', test);
  const read = () => load(body, () => api.alertChannels(), (channels) => [grid('Channels',
    [{ title: 'Channel' }, { title: 'To' }, { title: 'State' }, { title: 'Last delivered', shown: 'wide' }],
    channels.map((channel) => [
      channelTexts[channel.channel], { text: channel.target ?? '', class: 'long' }, { text: channelText(channel), class: 'long' },
      channel.lastDelivered === null ? '' : format.moment(channel.lastDelivered, store.zone),
    ]), 'No channel.')], signal);
  every(readEvery, read, signal);
  return element;
}

/** The person's alerts with what became of each. */
export function toldView({ api, store }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('told', 'Alerts');
  const list = h('div', {});
  const more: HTMLButtonElement = h('button', { type: 'button', onclick: () => {
    shown += pageSize;
    void read();
  } }, 'More');
  body.append(list, h('div', { class: 'pad' }, more));
  const pageSize = 25;
  let shown = pageSize;
  const read = () => load(list, () => api.alerts(shown), ({ items, next }) => {
    setHidden(more, next === null);
    return [grid('Alerts', [{ title: 'Time' }, { title: 'Kind', shown: 'wide' }, { title: 'What' }, { title: 'Told' }],
      items.map((alert) => [
        format.moment(alert.time, store.zone), kindTexts[alert.kind],
        { text: alert.count === 1 ? alert.text : `${kindTexts[alert.kind]}: ${alert.text}`, class: 'long' },
        { text: alert.deliveries.length === 0 ? 'here' : alert.deliveries.map(deliveryText).join('; '), class: 'long' },
      ]), 'No alert yet.')];
  }, signal);
  setHidden(more, true);
  every(readEvery, read, signal);
  return element;
}

/** The latest of the same list, for a page that shows other things. */
export function lastToldView({ api, auth, store }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('told', 'Told lately');
  const list = h('ul', { class: 'alerts' });
  const empty = h('p', { class: 'empty' }, 'Loading…');
  body.append(list, empty, h('p', { class: 'pad' }, h('a', { href: href({ page: 'settings', tab: 'notifications' }) }, 'All alerts, and where they go')));
  const read = async () => {
    const { items } = await api.alerts(5);
    if (signal.aborted) return;
    setHidden(empty, items.length > 0);
    setText(empty, 'No alert yet.');
    list.replaceChildren(...items.map(({ kind, text, time, deliveries }) => h('li', {
      'data-level': deliveries.some(({ state }) => state === 'Refused' || state === 'GivenUp') ? 'fault' : 'warning',
    }, h('span', {}, kind === 'Test' ? 'A test' : text), h('time', { class: 'hint', datetime: time }, format.moment(time, store.zone)))));
  };
  if (auth.may('ReadTrading')) every(readEvery, read, signal);
  return element;
}
