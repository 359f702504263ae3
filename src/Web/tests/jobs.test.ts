import { describe, expect, it } from 'vitest';
import type { Job } from '../src/contract';
import { duration, isNoOlder, Jobs, statusText } from '../src/jobs';

const job = (id: string, changes: Partial<Job> = {}): Job => ({
  id, kind: 'backtest', name: id, status: 'running', progress: 0.5, queuePosition: null, createdAt: '2026-01-05T10:00:00Z', startedAt: '2026-01-05T10:00:01Z',
  endedAt: null, secondsLeft: 30, fault: null, version: 2, hasReport: false, summary: null, ...changes,
});

describe('of two tellings of a job', () => {
  it.each<[Partial<Job>, Partial<Job>, boolean]>([
    [{ progress: 0.6 }, { progress: 0.5 }, true], [{ progress: 0.4 }, { progress: 0.5 }, false], [{ progress: 0.5 }, { progress: 0.5 }, true],
    [{ status: 'finished' }, { progress: 0.9 }, true], [{ progress: 0.9 }, { status: 'finished' }, false], [{ status: 'queued' }, {}, false],
    [{ version: 3, progress: 0 }, { progress: 0.9 }, true], [{ version: 1, status: 'finished' }, {}, false],
    [{ status: 'cancelled', progress: 0.2 }, { status: 'cancelled', progress: 0.3 }, true],
  ])('%j after %j: %s', (next, known, taken) => expect(isNoOlder(job('a', next), job('a', known))).toBe(taken));
});

describe('the jobs', () => {
  it('are newest first, each once', () => {
    const jobs = new Jobs();
    jobs.take(job('a', { createdAt: '2026-01-05T10:00:00Z' }), 1);
    jobs.take(job('b', { createdAt: '2026-01-05T11:00:00Z' }), 1);
    jobs.take(job('a', { progress: 0.7 }), 2);
    expect(jobs.list.map((live) => [live.job.id, live.job.progress, live.heard])).toEqual([['b', 0.5, 1], ['a', 0.7, 2]]);
  });

  it('never go back: an answer that a push overtook is left', () => {
    const jobs = new Jobs();
    jobs.take(job('a', { status: 'finished', version: 3 }), 5);
    expect(jobs.take(job('a', { progress: 0.9 }), 6)).toBe(false);
    expect(jobs.get('a')).toMatchObject({ job: { status: 'finished' }, heard: 5 });
  });

  it('keep the request, which lists and pushes leave out', () => {
    const jobs = new Jobs();
    const request = { dataSets: ['d'], strategies: [] };
    jobs.take(job('a', { request }), 1);
    jobs.take(job('a', { progress: 0.8, request: null }), 2);
    expect(jobs.get('a')!.job).toMatchObject({ progress: 0.8, request });
  });

  it('that were removed do not come again, however late a push is', () => {
    const jobs = new Jobs();
    jobs.take(job('a'), 1);
    jobs.remove('a');
    expect(jobs.take(job('a', { status: 'finished', version: 9 }), 2)).toBe(false);
    expect(jobs.list).toEqual([]);
  });

  it('that a page would have to hold and does not hold are gone; newer, older and other ones stay', () => {
    const jobs = new Jobs();
    const at = (id: string, hour: string, changes: Partial<Job> = {}) => job(id, { createdAt: `2026-01-05T${hour}:00:00Z`, ...changes });
    for (const each of [at('old', '08'), at('gone', '10'), at('listed', '11'), at('search', '10', { kind: 'optimisation' })]) jobs.take(each, 1);
    jobs.take(at('new', '12'), 9);
    jobs.takePage([at('listed', '11'), at('last', '09')], 'backtests', true, false, 5);
    expect(jobs.list.map((live) => live.job.id)).toEqual(['new', 'listed', 'search', 'last', 'old']);
    jobs.takePage([], 'optimisations', true, true, 6);
    expect(jobs.list.map((live) => live.job.id)).toEqual(['new', 'listed', 'last', 'old']);
    jobs.takePage([at('older', '07')], 'backtests', false, true, 7);
    expect(jobs.list.map((live) => live.job.id)).toEqual(['new', 'listed', 'last', 'old', 'older']);
  });
});

describe('what is told of a job', () => {
  const text = (changes: Partial<Job>, now = 1000, connected = true) => statusText({ job: job('a', changes), heard: 1000 }, now, connected);

  it.each<[Partial<Job>, string]>([
    [{ status: 'queued', queuePosition: 1 }, 'next in the queue'], [{ status: 'queued', queuePosition: 3 }, 'number 3 in the queue'],
    [{ status: 'queued' }, 'waits'], [{ progress: 0.429 }, '42 %, about 30 s left'], [{ secondsLeft: null }, '50 %'],
    [{ status: 'failed', fault: 'no data' }, 'failed: no data'], [{ status: 'failed' }, 'failed: no reason was given'], [{ status: 'cancelled' }, 'cancelled'],
  ])('%j is %s', (changes, words) => expect(text(changes)).toBe(words));

  it('is not told as if it were now when it is old, or nothing new can come', () => {
    expect(text({}, 16_000)).toBe('50 %, as heard 15 s ago');
    expect(text({}, 3_000, false)).toBe('50 %, as heard 2 s ago');
    expect(text({ status: 'finished' }, 99_000, false)).toBe('finished');
  });

  it.each([[0, '0 s'], [-5, '0 s'], [59_400, '59 s'], [60_000, '1 min'], [200_000, '3 min 20 s'], [7_500_000, '2 h 5 min'], [90_000_000, '1 d 1 h']])(
    '%d ms are %s', (milliseconds, words) => expect(duration(milliseconds)).toBe(words));
});
