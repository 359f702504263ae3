import { describe, expect, it } from 'vitest';
import { accountReportPath, Api, reportPath } from '../src/api';
import { ApiError, faultText, randomKey, type Credentials } from '../src/http';

interface Call {
  url: string;
  method: string;
  key: string | null;
  body: unknown;
  proof: string | null;
}

/** A service of canned answers; an answer that is an Error is a lost connection. */
function service(...answers: (Response | Error)[]) {
  return signedIn(null, ...answers);
}

function signedIn(credentials: Credentials | null, ...answers: (Response | Error)[]) {
  const calls: Call[] = [];
  const waits: number[] = [];
  let keys = 0;
  const api = new Api({
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      calls.push({
        url: String(input),
        method: init?.method ?? 'GET',
        key: headers.get('Idempotency-Key'),
        body: typeof init?.body === 'string' ? JSON.parse(init.body) : undefined,
        proof: headers.get('Authorization'),
      });
      const answer = answers.shift();
      if (answer instanceof Response) return answer;
      throw answer ?? new Error('more calls than answers');
    },
    credentials,
    newKey: () => `key-${++keys}`,
    wait: async (milliseconds) => void waits.push(milliseconds),
  });
  return { api, calls, waits };
}

const json = (body: unknown, status = 200, type = 'application/json') =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type } });

const problem = (status: number, body: unknown) => json(body, status, 'application/problem+json');

async function failure(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(() => null, (reason: unknown) => reason);
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, got ${String(error)}`);
  return error;
}

describe('queries', () => {
  it('escape names, send what is given and leave out what is not', async () => {
    const { api, calls } = service(json({ bars: [] }), json([]), json([]));
    await api.bars('BRK/B', 'M5', 500);
    await api.accounts();
    await api.accounts(42);
    expect(calls.map((call) => call.url)).toEqual([
      '/api/v1/bars/BRK%2FB?timeFrame=M5&count=500', '/api/v1/accounts', '/api/v1/accounts?minPosition=42',
    ]);
    expect(calls.every((call) => call.key === null)).toBe(true);
  });

  it('read a list to its end, page by page, and go nowhere else', async () => {
    const page = (names: string[], link: string) => new Response(JSON.stringify(names),
      { headers: { 'Content-Type': 'application/json', Link: link } });
    const { api, calls } = service(
      page(['a', 'b'], '</api/v1/accounts?after=b>; rel="next"'), page(['c'], '<https://example.com/api/v1/accounts>; rel="next"'));
    expect(await api.accounts()).toEqual(['a', 'b', 'c']);
    expect(calls.map((call) => call.url)).toEqual(['/api/v1/accounts', '/api/v1/accounts?after=b']);
  });

  it('are of the member who is looked at, where they are of somebody; changes never are', async () => {
    const urls: string[] = [];
    const api = new Api({
      viewed: 'u 2', newKey: () => 'key',
      fetch: async (input) => {
        urls.push(String(input));
        return json([]);
      },
    });
    await api.accounts(7);
    await api.fills('main', 10);
    await api.file('performance/accounts/main');
    await api.instruments();
    await api.me();
    await api.flatten('main');
    expect(urls).toEqual(['/api/v1/accounts?minPosition=7&user=u+2', '/api/v1/accounts/main/fills?limit=10&user=u+2',
      '/api/v1/performance/accounts/main?user=u+2',
      '/api/v1/instruments', '/api/v1/me', '/api/v1/accounts/main/flatten']);
  });

  it('are not repeated when the connection fails', async () => {
    const { api, calls } = service(new TypeError('refused'));
    const error = await failure(api.system());
    expect(error.status).toBe(0);
    expect(error.message).toBe('The service cannot be reached.');
    expect(calls).toHaveLength(1);
  });

  it('say when the answer is not JSON', async () => {
    const { api } = service(new Response('<html>', { status: 200, headers: { 'Content-Type': 'text/html' } }));
    expect((await failure(api.system())).message).toContain('not JSON');
  });
});

describe('changes', () => {
  const order = { symbol: 'EURUSD', side: 'Buy', type: 'Market', volume: 1000 } as const;

  it('carry a key of their own', async () => {
    const { api, calls } = service(json({ minPosition: 1 }), json({ minPosition: 2 }));
    await api.place('main', order);
    await api.flatten('main');
    expect(calls).toEqual([
      { url: '/api/v1/accounts/main/orders', method: 'POST', key: 'key-1', body: order, proof: null },
      { url: '/api/v1/accounts/main/flatten', method: 'POST', key: 'key-2', body: {}, proof: null },
    ]);
  });

  it('are sent again under the same key when the connection is lost', async () => {
    const { api, calls, waits } = service(new TypeError('lost'), new TypeError('lost'), json({ minPosition: 7 }));
    expect(await api.flatten('main')).toEqual({ minPosition: 7 });
    expect(calls.map((call) => call.key)).toEqual(['key-1', 'key-1', 'key-1']);
    expect(waits).toEqual([500, 1000]);
  });

  it('give up after three tries', async () => {
    const { api, calls } = service(new TypeError('lost'), new TypeError('lost'), new TypeError('lost'));
    expect((await failure(api.flatten('main'))).status).toBe(0);
    expect(calls).toHaveLength(3);
  });

  it('are not sent again when the service refused', async () => {
    const { api, calls } = service(problem(422, { title: 'Denied', detail: 'needs 1200 USD', reason: 'InsufficientMargin' }));
    const error = await failure(api.place('main', order));
    expect(calls).toHaveLength(1);
    expect([error.status, error.reason, error.message]).toEqual([422, 'InsufficientMargin', 'needs 1200 USD']);
    expect(faultText(error)).toBe('Insufficient margin: needs 1200 USD');
  });
});

describe('the proof of who asks', () => {
  const order = { symbol: 'EURUSD', side: 'Buy', type: 'Market', volume: 1000 } as const;
  const credentials = (renewed: string | null) => {
    const refused: string[] = [];
    return { refused, token: async () => 'old', renew: async (token: string) => {
      refused.push(token);
      return renewed;
    } };
  };

  it('goes with every request, and a refused one is sent once more with another, under its key', async () => {
    const proof = credentials('new');
    const { api, calls } = signedIn(proof, json([]), problem(401, { reason: 'TokenExpired' }), json({ minPosition: 1 }));
    await api.accounts();
    await api.place('main', order);
    expect(calls.map((call) => [call.proof, call.key])).toEqual([['Bearer old', null], ['Bearer old', 'key-1'], ['Bearer new', 'key-1']]);
    expect(proof.refused).toEqual(['old']);
  });

  it('is not asked for again and again', async () => {
    const { api, calls } = signedIn(credentials('new'), problem(401, {}), problem(401, { reason: 'SignInNeeded' }));
    expect((await failure(api.accounts())).status).toBe(401);
    expect(calls).toHaveLength(2);
  });

  it('is not to be had: the refusal is told', async () => {
    const { api, calls } = signedIn(credentials(null), problem(401, { reason: 'SignInNeeded' }));
    expect((await failure(api.accounts())).reason).toBe('SignInNeeded');
    expect(calls).toHaveLength(1);
  });

  it('does not go with what is asked before sign-in', async () => {
    const { api, calls } = signedIn(credentials('new'), new Response(null, { status: 202 }));
    await api.forgotPassword('ada@example.com');
    expect(calls[0]).toMatchObject({ url: '/api/v1/auth/forgot-password', proof: null, key: null });
  });
});

describe('faults', () => {
  it('fall back from detail to fields to title to status', async () => {
    const messages: string[] = [];
    const bodies = [
      { detail: 'a', title: 'b' }, { detail: 'a', errors: { a: ['a'], b: ['b', 'c'] } }, { title: 'b', errors: { volume: ['must be above 0.'] } },
      { title: 'b' }, {},
    ];
    for (const body of bodies) {
      messages.push((await failure(service(problem(400, body)).api.system())).message);
    }
    expect(messages).toEqual(['a', 'a; b; c', 'volume: must be above 0.', 'b', 'The service answered 400.']);
  });

  it('keep the status when the body is broken', async () => {
    const { api } = service(new Response('{', { status: 502, headers: { 'Content-Type': 'application/json' } }));
    expect((await failure(api.system())).message).toBe('The service answered 502.');
  });
});

it('keys are 32 hex digits and differ', () => {
  const keys = new Set(Array.from({ length: 100 }, randomKey));
  expect(keys.size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
});

describe('files', () => {
  it('are sent as they are under a key, with what was said of them, and the service\'s fault is told with its field', async () => {
    const sent: unknown[] = [];
    const answers = [
      { status: 201, type: 'application/json', text: '{"id":"d1"}' },
      { status: 400, type: 'application/problem+json', text: '{"detail":"symbol is missing; expected a symbol","field":"symbol"}' },
      { status: 413, type: 'text/html', text: '<html>' },
    ];
    const api = new Api({
      newKey: () => 'key',
      upload: async (url, _body, headers, progress) => {
        progress(0.5);
        sent.push([url, headers['Idempotency-Key']]);
        return answers.shift()!;
      },
    });
    const shares: number[] = [];
    const upload = () => api.upload(new Blob(['x']), { name: 'a b.csv', symbol: 'EURUSD' }, (share) => shares.push(share),
      new AbortController().signal);
    expect(await upload()).toEqual({ id: 'd1' });
    expect(sent).toEqual([['/api/v1/data-sets?name=a+b.csv&symbol=EURUSD', 'key']]);
    expect(shares).toEqual([0.5]);
    expect(await failure(upload())).toMatchObject({ status: 400, field: 'symbol', message: 'symbol is missing; expected a symbol' });
    expect((await failure(upload())).message).toBe('The service answered 413.');
  });

  it('have addresses that stand any name', () => {
    expect(reportPath({ collection: 'optimisations', id: 'a/b' }, 'trades.csv')).toBe('optimisations/a%2Fb/trades.csv');
    expect(accountReportPath('a b', '')).toBe('performance/accounts/a%20b');
    expect(accountReportPath('a', 'report.html')).toBe('performance/accounts/a/report.html');
  });
});

describe('jobs and rules', () => {
  it('are asked for where they are, a removed job answers nothing, a check takes no key', async () => {
    const { api, calls } = service(json({ id: 'j', version: 1 }, 202), new Response(null, { status: 204 }), json({ valid: true }),
      json({ items: [], next: null }));
    expect(await api.startJob('backtests', { dataSets: [], strategies: [] })).toMatchObject({ id: 'j' });
    expect(await api.endJob({ collection: 'optimisations', id: 'j' })).toBeUndefined();
    await api.checkRule('enter long when close > 1;');
    await api.trials('j', 500, '7');
    expect(calls.map(({ method, url, key }) => [method, url, key])).toEqual([
      ['POST', '/api/v1/backtests', 'key-1'], ['DELETE', '/api/v1/optimisations/j', 'key-2'], ['POST', '/api/v1/rules/check', null],
      ['GET', '/api/v1/optimisations/j/trials?limit=500&cursor=7&sort=objective', null],
    ]);
  });
});
