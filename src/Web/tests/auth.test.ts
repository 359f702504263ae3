import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Auth, type AuthPlace, type TabNews } from '../src/auth';
import type { Me, Tokens } from '../src/contract';
import { Http } from '../src/http';

const me = (id = 'u1', tenant = 't1'): Me => ({
  id, email: `${id}@example.com`, name: id, emailVerified: true, secondFactor: false, tenant: { id: tenant, name: tenant }, tenants: [],
  roles: ['Trader'],
  permissions: ['Trade', 'ReadTrading'],
});

/** The service at the other end: what it answers by path, and what it was asked. */
let service: { answers: Record<string, (body: unknown) => Response>; calls: string[] };
let now: number;

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
const tokens = (number: number, user = me()): Tokens => ({ accessToken: `token-${number}`, expiresIn: 600, user });

function open(isRemembered = true) {
  const told: TabNews[] = [];
  const kept: boolean[] = [];
  const place: AuthPlace & { restarts: number; locked: number } = {
    restarts: 0, locked: 0,
    now: () => now,
    wait: async () => {},
    alone: async (work) => {
      place.locked++;
      return await work();
    },
    tell: (news) => told.push(news),
    wasIn: () => isRemembered,
    keepIn: (isIn) => kept.push(isIn),
    restart: () => place.restarts++,
  };
  const http = new Http({
    fetch: async (input, init) => {
      const path = String(input).replace('/api/v1/', '');
      service.calls.push(path);
      const answer = service.answers[path];
      if (!answer) throw new TypeError('refused');
      return answer(typeof init?.body === 'string' ? JSON.parse(init.body) : undefined);
    },
  });
  return { auth: new Auth(http, place, () => {}), place, told, kept };
}

const renewals = () => service.calls.filter((path) => path === 'auth/refresh').length;

beforeEach(() => {
  now = 1_000_000;
  let renewals = 0;
  service = {
    calls: [],
    answers: {
      'auth/state': () => json({ setup: 'done', signUp: 'open', passwordMinLength: 12, passwordMaxLength: 128 }),
      'auth/refresh': () => json(tokens(++renewals)),
      'auth/sign-out': () => new Response(null, { status: 204 }),
    },
  };
});

describe('at the start', () => {
  it('the session of before goes on after one request; what else holds is read beside it', async () => {
    const { auth } = open();
    await auth.start();
    expect([auth.state, auth.me?.id, await auth.token()]).toEqual(['in', 'u1', 'token-1']);
    expect(service.calls).toEqual(['auth/refresh', 'auth/state']);
    await vi.waitUntil(() => auth.settings.signUp === 'open');
  });

  it('without one nothing is renewed, and it is known how to sign in', async () => {
    const { auth } = open(false);
    await auth.start();
    expect([auth.state, auth.settings.signUp, auth.isIn]).toEqual(['out', 'open', false]);
    expect(service.calls).toEqual(['auth/state']);
    await expect(auth.token()).rejects.toMatchObject({ status: 401 });
  });

  it('a session that has ended meanwhile is forgotten', async () => {
    service.answers['auth/refresh'] = () => json({ reason: 'SessionEnded' }, 401);
    const { auth, kept } = open();
    await auth.start();
    expect([auth.state, kept]).toEqual(['out', [false]]);
  });

  it('an installation without an owner is to be set up', async () => {
    service.answers['auth/state'] = () => json({ setup: 'needed', signUp: 'invitation', passwordMinLength: 12, passwordMaxLength: 128 });
    service.answers['auth/setup'] = (body) => json(tokens(7, { ...me(), name: (body as { name: string }).name }));
    const { auth, told } = open(false);
    await auth.start();
    expect(auth.state).toBe('setup');
    await auth.setUp('once', 'ada@example.com', 'Ada', 'correct horse battery');
    expect([auth.state, auth.me?.name, await auth.token()]).toEqual(['in', 'Ada', 'token-7']);
    expect(told).toEqual([{ kind: 'in', person: 't1/u1' }]);
  });

  it('a service without sign-in is open to who sits at it', async () => {
    service.answers['auth/state'] = () => json({}, 404);
    const { auth } = open(false);
    await auth.start();
    expect([auth.state, auth.isIn, auth.may('Administer'), await auth.token(), auth.lacks()]).toEqual(['open', true, true, null, []]);
  });

  it('a service that is not there yet is waited for', async () => {
    const state = service.answers['auth/state']!;
    delete service.answers['auth/state'];
    const { auth, place } = open(false);
    place.wait = async () => {
      expect(auth.isUnreachable).toBe(true);
      service.answers['auth/state'] = state;
    };
    await auth.start();
    expect([auth.state, auth.isUnreachable]).toEqual(['out', false]);
  });
});

describe('the token', () => {
  it('is renewed before it ends, once for all who ask, under the lock of the tabs', async () => {
    const { auth, place } = open();
    await auth.start();
    now += 539_000;
    expect(await auth.token()).toBe('token-1');
    now += 2_000;
    expect(await Promise.all([auth.token(), auth.token(), auth.token()])).toEqual(['token-2', 'token-2', 'token-2']);
    expect([renewals(), place.locked]).toEqual([2, 2]);
  });

  it('that was refused is renewed once, also for who asks with it later', async () => {
    const { auth } = open();
    await auth.start();
    expect(await Promise.all([auth.renew('token-1'), auth.renew('token-1')])).toEqual(['token-2', 'token-2']);
    expect(await auth.renew('token-1')).toBe('token-2');
    expect(renewals()).toBe(2);
  });

  it('stays when the service cannot be asked: nobody is signed out by a lost connection', async () => {
    const { auth } = open();
    await auth.start();
    delete service.answers['auth/refresh'];
    now += 700_000;
    await expect(auth.token()).rejects.toMatchObject({ status: 0 });
    service.answers['auth/refresh'] = () => json({}, 503);
    await expect(auth.token()).rejects.toMatchObject({ status: 503 });
    expect(auth.state).toBe('in');
    service.answers['auth/refresh'] = () => json(tokens(9));
    expect(await auth.token()).toBe('token-9');
  });

  it('ends with the session: who was signed in is still known, and nothing more is asked', async () => {
    const { auth, kept } = open();
    await auth.start();
    service.answers['auth/refresh'] = () => json({ reason: 'SessionEnded' }, 401);
    expect(await auth.renew('token-1')).toBeNull();
    expect([auth.state, auth.me?.email, kept.at(-1)]).toEqual(['out', 'u1@example.com', false]);
    await expect(auth.token()).rejects.toMatchObject({ reason: 'SignInNeeded' });
    expect(renewals()).toBe(2);
  });
});

describe('somebody else', () => {
  it('who signs in gets a page of their own; the same person goes on in this one', async () => {
    const { auth, place } = open();
    await auth.start();
    service.answers['auth/refresh'] = () => json({ reason: 'SessionEnded' }, 401);
    await auth.renew('token-1');
    service.answers['auth/sign-in'] = () => json(tokens(3));
    await auth.signIn('u1@example.com', 'secret', '');
    expect([auth.state, place.restarts]).toEqual(['in', 0]);
    auth.adopt(tokens(4, me('u1', 't2')));
    expect(place.restarts).toBe(1);
  });

  it('in another tab is noticed', async () => {
    const { auth, place } = open();
    await auth.start();
    auth.hear({ kind: 'in', person: 't1/u1' });
    expect(place.restarts).toBe(0);
    auth.hear({ kind: 'in', person: 't1/u2' });
    expect(place.restarts).toBe(1);
  });
});

describe('the tabs of a browser', () => {
  it('sign in and out together', async () => {
    const { auth, place } = open(false);
    await auth.start();
    auth.hear({ kind: 'out' });
    expect(place.restarts).toBe(0);
    auth.hear({ kind: 'in', person: 't1/u1' });
    await vi.waitUntil(() => auth.state === 'in');
    auth.hear({ kind: 'out' });
    expect(place.restarts).toBe(1);
  });

  it('are told of a sign-out, after the service has ended the session', async () => {
    const { auth, place, told, kept } = open();
    await auth.start();
    await auth.signOut();
    expect([service.calls.at(-1), told, kept.at(-1), place.restarts]).toEqual(['auth/sign-out', [{ kind: 'out' }], false, 1]);
    delete service.answers['auth/sign-out'];
    await expect(auth.signOut()).rejects.toMatchObject({ status: 0 });
    expect(told).toHaveLength(1);
  });
});

it('another member\'s things can be looked at, and not be changed', async () => {
  const own = open().auth;
  await own.start();
  const auth = new Auth(new Http({ fetch: async () => json(tokens(1)) }), open().place, () => {}, 'u2');
  await auth.start();
  expect([own.may('Trade'), auth.may('Trade'), auth.may('ReadTrading')]).toEqual([true, false, true]);
});

it('what one may not do is known', async () => {
  const { auth } = open();
  await auth.start();
  expect([auth.may('Trade'), auth.may('Automate')]).toEqual([true, false]);
  expect(auth.lacks()).toContain('Automate');
  expect(auth.lacks()).not.toContain('Trade');
});
