import type { Child } from './child.ts';
import type { Usage } from './processes.ts';

/** A sample costs about a millisecond. */
const EVERY_MS = 250;

/** Samples a child's resource use while it lives. An ended process can't be sampled, so its last quarter of a second may be missed. */
export class Sampler {
  #cpuSeconds = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(child: Child, onUsage: (usage: Usage) => void) {
    this.#timer = setInterval(async () => {
      const usage = await child.usage();
      if (!usage) return;
      this.#cpuSeconds = Math.max(this.#cpuSeconds, usage.cpuSeconds);
      onUsage(usage);
    }, EVERY_MS);
    this.#timer.unref();
  }

  /** Returns the measured CPU seconds. */
  stop(): number {
    clearInterval(this.#timer);
    return this.#cpuSeconds;
  }
}
