/**
 * The time of one local cloud. It runs with the machine's clock, ahead of it by what `advance` has added, so that a test
 * can let days go by: timers that fall due while advancing fire at once, in order.
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

  /** Lets `ms` go by at once. */
  advance(ms: number): void {
    this.#ahead += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) this.#arm(timer);
  }

  #arm(timer: { at: number; fire: () => void; handle: NodeJS.Timeout | undefined }): void {
    clearTimeout(timer.handle);
    // setTimeout takes at most 2^31-1 ms; a longer wait is armed again.
    const wait = Math.min(Math.max(timer.at - this.now(), 0), 2 ** 31 - 1);
    timer.handle = setTimeout(() => {
      if (timer.at > this.now()) return this.#arm(timer);
      this.#timers.delete(timer);
      timer.fire();
    }, wait);
    timer.handle.unref();
  }
}
