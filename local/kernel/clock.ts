/** What needs nothing of a clock but the time, and to be called when it has come. */
export type Timer = Pick<Clock, 'now' | 'after'>;

/**
 * The time of one local cloud: the machine's clock plus the time added by `advance`, so that a test
 * can skip days: timers that become due while advancing fire at once, in order.
 */
export class Clock {
  #ahead = 0;
  #timers = new Set<{ at: number; fire: () => void; handle: NodeJS.Timeout | undefined }>();

  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.#ahead;
  }

  iso(): string {
    return new Date(this.now()).toISOString();
  }

  /** Calls back once `ms` of this clock's time have passed; the returned function cancels. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.now() + ms, fire: callback, handle: undefined as NodeJS.Timeout | undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  /** Advances the clock by `ms`. */
  advance(ms: number): void {
    this.#ahead += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) this.#arm(timer);
  }

  #arm(timer: { at: number; fire: () => void; handle: NodeJS.Timeout | undefined }): void {
    clearTimeout(timer.handle);
    // setTimeout takes at most 2^31-1 ms; a longer wait is split.
    const wait = Math.min(Math.max(timer.at - this.now(), 0), 2 ** 31 - 1);
    timer.handle = setTimeout(() => {
      if (timer.at > this.now()) return this.#arm(timer);
      this.#timers.delete(timer);
      timer.fire();
    }, wait);
    timer.handle.unref();
  }
}
