import type { JournalEntry } from './contract';

export interface JournalState {
  events: number;
  streams: number;
  /** The first thing wrong, in words; null while all is in order. */
  fault: string | null;
}

/**
 * What a reader can check of the journal without the keys of the service: positions ascend, each stream counts its events one by one, and nothing
 * is from before what stands before it in its stream. Begins anywhere.
 */
export class JournalCheck {
  readonly #streams = new Map<string, JournalEntry>();
  #events = 0;
  #position = -1;
  #fault: string | null = null;

  take(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      this.#fault ??= this.#faultOf(entry);
      this.#streams.set(entry.stream, entry);
      this.#position = entry.position;
      this.#events++;
    }
  }

  get state(): JournalState {
    return { events: this.#events, streams: this.#streams.size, fault: this.#fault };
  }

  #faultOf({ position, stream, version }: JournalEntry): string | null {
    if (position <= this.#position) return `position ${position} comes after ${this.#position}`;
    const before = this.#streams.get(stream);
    if (before && version !== before.version + 1) return `${stream} goes on at ${position} with event ${version}; expected ${before.version + 1}`;
    return null;
  }
}
