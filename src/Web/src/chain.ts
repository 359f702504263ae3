/** One push of a chain: all that happened after one sequence, up to another. */
export interface Link {
  after: number;
  sequence: number;
}

/**
 * Where this page stands in a chain of pushes. Each push goes on where the one before ended, so one that begins later shows that something between was
 * missed, whichever process it comes from.
 */
export class Chain {
  #seen: number | null = null;

  /** The last sequence seen; null before the first. */
  get seen(): number | null {
    return this.#seen;
  }

  /** `next` is to be taken, `old` is known, and before a `hole` something is missing: it is left until the chain has been read on from `seen`. */
  take(link: Link): 'next' | 'old' | 'hole' {
    if (this.#seen !== null) {
      if (link.after > this.#seen) return 'hole';
      if (link.sequence <= this.#seen) return 'old';
    }
    this.#seen = link.sequence;
    return 'next';
  }

  /** Everything up to here is known; pushes may have come first. */
  begin(sequence: number): void {
    if (this.#seen === null || sequence > this.#seen) this.#seen = sequence;
  }

  /** The chain goes on after here, and what was before it is read in another way. */
  restart(sequence: number): void {
    this.#seen = sequence;
  }
}
