import { describe, expect, it } from 'vitest';
import type { AlertChannel, AlertDelivery } from '../src/contract';
import { channelText, deliveryText } from '../src/views/alerts';

const delivery: AlertDelivery = { channel: 'WebHook', state: 'Sending', message: 7, failures: 0, why: '', next: null, settled: null };
const channel: AlertChannel = {
  channel: 'Email', target: 'ann@example.org', fault: null, waiting: 0, message: null, failures: 0, why: '', next: null, lastDelivered: null,
};

describe('an alert says what became of it', () => {
  it.each<[Partial<AlertDelivery>, string]>([
    [{}, 'web hook: on its way'],
    [{ state: 'Waiting' }, 'web hook: waits for the next message'],
    [{ failures: 1, why: 'the receiver answered 500' }, 'web hook: 1 try failed (the receiver answered 500)'],
    [{ failures: 3, why: 'no answer within 10 s' }, 'web hook: 3 tries failed (no answer within 10 s)'],
    [{ state: 'Delivered', channel: 'Email' }, 'e-mail: delivered'],
    [{ state: 'Refused', why: 'the receiver answered 404' }, 'web hook: not sent (the receiver answered 404)'],
    [{ state: 'GivenUp', why: 'no answer' }, 'web hook: given up (no answer)'],
  ])('%j', (change, text) => expect(deliveryText({ ...delivery, ...change })).toBe(text));
});

describe('a channel says how it stands', () => {
  it.each<[Partial<AlertChannel>, string]>([
    [{}, 'ready'],
    [{ target: null }, 'not set'],
    [{ fault: 'it is switched off' }, 'it is switched off'],
    [{ waiting: 12 }, 'ready; 12 waiting'],
    [{ message: 3, waiting: 1 }, 'sending; 1 waiting'],
    [{ message: 3, failures: 2, why: 'the mail server answered 451' }, '2 tries failed (the mail server answered 451)'],
  ])('%j', (change, text) => expect(channelText({ ...channel, ...change })).toBe(text));
});
