import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Credentials, Surroundings } from '../account.ts';
import type { Meter } from '../meter.ts';
import { type Outcome, Sandbox } from './sandbox.ts';
import type { FunctionConfiguration } from './template.ts';

/** An idle process is ended after this long: Lambda keeps one for some minutes. */
const IDLE_MS = 5 * 60_000;

export interface PoolOptions {
  surroundings: Surroundings;
  configuration: FunctionConfiguration;
  endpoint: string;
  credentials: Credentials;
  nodePath: string;
  meter: Meter;
}

const CLOSED: Outcome = {
  ok: false,
  error: { errorType: 'Runtime.ExitError', errorMessage: 'Error: Runtime exited with error: the cloud was stopped' },
};

/** The execution environments of one function: warm ones are used again, at most `concurrency` work at once. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #idle: Sandbox[] = [];
  readonly #busy = new Set<Sandbox>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #closed = false;
  readonly #reaper: NodeJS.Timeout;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#reaper = setInterval(() => this.#reap(), 60_000);
    this.#reaper.unref();
  }

  /** Waits for a free environment, then runs the handler. Never throws: what went wrong is in the outcome. */
  async invoke(event: unknown, requestId: string = randomUUID()): Promise<Outcome> {
    await this.#enter();
    if (this.#closed) return CLOSED;
    const { configuration, meter, surroundings } = this.#options;
    const sandbox = this.#take();
    const started = performance.now();
    try {
      const outcome = await sandbox.invoke(event, {
        requestId,
        ahead: surroundings.clock.now() - Date.now(),
        functionArn: configuration.arn,
      });
      if (!outcome.ok) {
        surroundings.log(`${configuration.name}: ${outcome.error.errorType}: ${outcome.error.errorMessage}`);
      }
      return outcome;
    } finally {
      const seconds = (performance.now() - started) / 1000;
      meter.add(`lambda:requests:${configuration.name}`);
      meter.add(`lambda:gb-seconds:${configuration.name}`, (seconds * configuration.memorySize) / 1024);
      this.#busy.delete(sandbox);
      if (sandbox.alive) this.#idle.push(sandbox);
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** Whether an invocation would have to wait for an environment. */
  get isFull(): boolean {
    return this.#running >= this.#options.configuration.concurrency;
  }

  /** Kills the environments that are at work just now, as a failing host would. */
  killBusy(): void {
    for (const sandbox of this.#busy) sandbox.kill();
  }

  close(): void {
    clearInterval(this.#reaper);
    this.#closed = true;
    for (const sandbox of [...this.#idle, ...this.#busy]) sandbox.kill();
    this.#idle.length = 0;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  async #enter(): Promise<void> {
    while (!this.#closed && this.isFull) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }

  #take(): Sandbox {
    const { configuration, endpoint, credentials, nodePath, surroundings, meter } = this.#options;
    let sandbox = this.#idle.pop();
    while (sandbox && !sandbox.alive) sandbox = this.#idle.pop();
    if (!sandbox) {
      meter.add(`lambda:cold-starts:${configuration.name}`);
      sandbox = new Sandbox({ configuration, endpoint, credentials, nodePath, log: surroundings.log });
    }
    this.#busy.add(sandbox);
    return sandbox;
  }

  #reap(): void {
    const oldest = Date.now() - IDLE_MS;
    for (const sandbox of this.#idle.filter(({ idleSince }) => idleSince < oldest)) {
      sandbox.kill();
      this.#idle.splice(this.#idle.indexOf(sandbox), 1);
    }
  }
}
