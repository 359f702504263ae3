import type { Job, JobKind, JobStatus } from './contract';
import type { Collection, JobAddress } from './routes';

/** A job, and when this page heard of it so. */
export interface LiveJob {
  job: Job;
  /** Browser time, in ms since 1970. */
  heard: number;
}

/** Progress of a running job that is older than this is shown with its age. */
export const progressStaleAfter = 10_000;

export function collectionOf(kind: JobKind): Collection {
  return kind === 'backtest' ? 'backtests' : 'optimisations';
}

export function addressOf(job: Job): JobAddress {
  return { collection: collectionOf(job.kind), id: job.id };
}

export function hasEnded({ status }: Job): boolean {
  return status === 'finished' || status === 'failed' || status === 'cancelled';
}

const ranks: Record<JobStatus, number> = { queued: 0, running: 1, finished: 2, failed: 2, cancelled: 2 };

/** Answers and pushes overtake each other: whether the one job tells of a later moment than the other, or of the same. */
export function isNoOlder(next: Job, known: Job): boolean {
  if (next.version !== known.version) return next.version > known.version;
  if (ranks[next.status] !== ranks[known.status]) return ranks[next.status] > ranks[known.status];
  return next.status !== 'running' || next.progress >= known.progress;
}

/** All jobs that the page knows of, newest first. A job never goes back, and one that was removed does not come again. */
export class Jobs {
  readonly #byId = new Map<string, LiveJob>();
  readonly #removed = new Set<string>();
  #list: LiveJob[] | null = [];

  get(id: string): LiveJob | undefined {
    return this.#byId.get(id);
  }

  get list(): readonly LiveJob[] {
    return (this.#list ??= [...this.#byId.values()].sort(({ job: a }, { job: b }) => compare(b.createdAt, a.createdAt) || compare(b.id, a.id)));
  }

  /** False where more is known already. */
  take(job: Job, now: number): boolean {
    const { job: known, heard = now } = this.#byId.get(job.id) ?? {};
    if (this.#removed.has(job.id) || (known && !isNoOlder(job, known))) return false;
    // Lists and pushes leave the request out, and it never changes.
    const request = job.request ?? known?.request;
    this.#byId.set(job.id, { job: { ...job, summary: job.summary ?? known?.summary ?? null, ...(request ? { request } : {}) }, heard: Math.max(heard, now) });
    this.#list = null;
    return true;
  }

  /** A page of a list: of what it would have to hold, the jobs that it does not hold are gone. */
  takePage(jobs: readonly Job[], collection: Collection, isFirst: boolean, isLast: boolean, now: number): void {
    for (const job of jobs) this.take(job, now);
    if (!isFirst) return;
    const listed = new Set(jobs.map(({ id }) => id));
    const oldest = isLast ? '' : (jobs.at(-1)?.createdAt ?? '');
    for (const { job, heard } of this.list) {
      const isOfPage = collectionOf(job.kind) === collection && job.createdAt > oldest && heard < now;
      if (isOfPage && !listed.has(job.id)) this.#forget(job.id);
    }
  }

  remove(id: string): void {
    this.#removed.add(id);
    this.#forget(id);
  }

  #forget(id: string): void {
    this.#byId.delete(id);
    this.#list = null;
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** What a job is doing, in words: "second in the queue", "42 %, about 3m left". */
export function statusText({ job, heard }: LiveJob, now: number, connected: boolean): string {
  switch (job.status) {
    case 'queued':
      return job.queuePosition === null ? 'waits' : job.queuePosition <= 1 ? 'next in the queue' : `number ${job.queuePosition} in the queue`;
    case 'running': {
      const share = `${Math.floor(job.progress * 100)} %`;
      const age = now - heard;
      if (!connected || age > progressStaleAfter) return `${share}, as heard ${duration(age)} ago`;
      return job.secondsLeft === null ? share : `${share}, about ${duration(job.secondsLeft * 1000)} left`;
    }
    case 'finished':
      return 'finished';
    case 'failed':
      return `failed: ${job.fault ?? 'no reason was given'}`;
    case 'cancelled':
      return 'cancelled';
  }
}

/** A length of time in its two largest units: 8 s, 3 min 20 s, 2 h 5 min. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  if (seconds < 86_400) return two(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'min');
  return two(Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3600), 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

export const kindNames: Record<JobKind, string> = { backtest: 'Back-test', optimisation: 'Search', walkForward: 'Walk-forward' };
