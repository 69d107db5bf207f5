import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import type { Meter } from '../../kernel/meter.ts';
import { AwsError } from '../../kernel/service.ts';
import { nextTrace } from './chain.ts';
import { Concurrency } from './concurrency.ts';
import { type InvocationOutcome, Sandbox } from './sandbox.ts';
import type { FunctionConfiguration } from './template.ts';

/** Idle processes are ended after this time: Lambda keeps one for some minutes. */
const IDLE_MS = 5 * 60_000;

export interface PoolOptions {
  context: ServiceContext;
  configuration: FunctionConfiguration;
  endpoint: string;
  credentials: Credentials;
  nodePath: string;
  meter: Meter;
  /** The concurrency of all functions without a reserved share. */
  account: Concurrency;
}

const CLOSED: InvocationOutcome = {
  ok: false,
  error: { errorType: 'Runtime.ExitError', errorMessage: 'Error: Runtime exited with error: the cloud was stopped' },
};

/** The function did not run: the caller gets it as a failure, and the event is left to its retries. */
const DROPPED: InvocationOutcome = {
  ok: false,
  error: { errorType: 'RecursiveInvocation', errorMessage: 'Lambda stopped a recursive loop' },
};

export interface Invocation {
  requestId?: string;
  /** Trace headers of the events. */
  traces?: readonly string[];
}

/** The execution environments of one function; warm ones are reused. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #idle: Sandbox[] = [];
  readonly #busy = new Set<Sandbox>();
  readonly #concurrency: Concurrency;
  #running = 0;
  #closed = false;
  readonly #reaper: NodeJS.Timeout;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { reserved } = options.configuration;
    this.#concurrency = reserved === undefined ? options.account : new Concurrency(reserved);
    this.#reaper = setInterval(() => this.#reap(), 60_000);
    this.#reaper.unref();
  }

  /**
   * Runs the handler; its failure is in the outcome.
   * @throws AwsError TooManyRequestsException when no concurrency is left
   */
  async invoke(event: unknown, { requestId = randomUUID(), traces = [] }: Invocation = {}): Promise<InvocationOutcome> {
    if (this.#closed) return CLOSED;
    const { configuration, meter, context } = this.#options;
    const { name, arn: functionArn, recursiveLoop } = configuration;
    const traceId = nextTrace({ functionArn, recursiveLoop }, requestId, traces);
    if (!traceId) {
      meter.add(`lambda:recursive-invocations-dropped:${name}`);
      context.log(`lambda: ${name}: stopped: this chain of requests came to it 16 times`);
      return DROPPED;
    }
    if (this.#concurrency.isFull) {
      meter.add(`lambda:throttles:${name}`);
      throw new AwsError('TooManyRequestsException', 429, 'Rate Exceeded.');
    }
    this.#concurrency.enter();
    this.#running += 1;
    const sandbox = this.#take();
    const started = performance.now();
    try {
      const outcome = await sandbox.invoke(event, {
        requestId,
        ahead: context.clock.now() - Date.now(),
        functionArn,
        traceId,
      });
      if (!outcome.ok) {
        context.log(`${configuration.name}: ${outcome.error.errorType}: ${outcome.error.errorMessage}`);
      }
      return outcome;
    } finally {
      const seconds = (performance.now() - started) / 1000;
      meter.add(`lambda:requests:${configuration.name}`);
      meter.add(`lambda:gb-seconds:${configuration.name}`, (seconds * configuration.memorySize) / 1024);
      this.#busy.delete(sandbox);
      if (sandbox.alive) this.#idle.push(sandbox);
      this.#running -= 1;
      this.#concurrency.leave();
    }
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** Whether an invocation would be refused. */
  get isFull(): boolean {
    return this.#concurrency.isFull;
  }

  /** Kills the busy environments, like a failing host. */
  killBusy(): void {
    for (const sandbox of this.#busy) sandbox.kill();
  }

  close(): void {
    clearInterval(this.#reaper);
    this.#closed = true;
    for (const sandbox of [...this.#idle, ...this.#busy]) sandbox.kill();
    this.#idle.length = 0;
  }

  #take(): Sandbox {
    const { configuration, endpoint, credentials, nodePath, context, meter } = this.#options;
    let sandbox = this.#idle.pop();
    while (sandbox && !sandbox.alive) sandbox = this.#idle.pop();
    if (!sandbox) {
      meter.add(`lambda:cold-starts:${configuration.name}`);
      sandbox = new Sandbox({ configuration, endpoint, credentials, nodePath, log: context.log });
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
