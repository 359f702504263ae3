/**
 * Asks a while after the last change, and tells only the answer to the last question: one that comes late, or after a newer question, is dropped.
 */
export class Latest<Q, A> {
  readonly #delay: number;
  readonly #ask: (question: Q, signal: AbortSignal) => Promise<A>;
  readonly #tell: (question: Q, answer: A) => void;
  readonly #fail: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = new AbortController();

  constructor(
    delay: number, ask: (question: Q, signal: AbortSignal) => Promise<A>, tell: (question: Q, answer: A) => void, fail: (error: unknown) => void,
  ) {
    this.#delay = delay;
    this.#ask = ask;
    this.#tell = tell;
    this.#fail = fail;
  }

  ask(question: Q, delay = this.#delay): void {
    this.stop();
    this.#timer = setTimeout(() => void this.#run(question), delay);
  }

  /** Nothing more is told. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#asked.abort();
  }

  async #run(question: Q): Promise<void> {
    const { signal } = (this.#asked = new AbortController());
    try {
      const answer = await this.#ask(question, signal);
      if (!signal.aborted) this.#tell(question, answer);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }
}
