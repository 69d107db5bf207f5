import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, killLeftovers, startChild } from '../services/batch/child.ts';

/** The program that takes the jobs. */
export interface WorkerProgram {
  command: readonly string[];
  cwd: string;
  /** Beside the variables of the endpoint, by the id of the worker: each has a machine of its own. */
  environment: (worker: string) => Record<string, string>;
  /** For its log, and what identifies its processes. */
  dir: string;
}

/** The workers of an endpoint: as many as were asked for, from the first job on. One that has ended never comes back by its id. */
export class Workers {
  readonly #program: WorkerProgram;
  readonly #log: (line: string) => void;
  readonly #onLost: (worker: string) => boolean;
  readonly #running = new Map<string, Promise<Child | undefined>>();
  #cleared: Promise<unknown> | undefined;
  #started = 0;
  #closed = false;

  /** @param onLost called when a worker has ended; returns whether another one is needed */
  constructor(program: WorkerProgram, log: (line: string) => void, onLost: (worker: string) => boolean) {
    this.#program = program;
    this.#log = log;
    this.#onLost = onLost;
  }

  /** Starts workers until there are so many. */
  wake(endpoint: { url: string; key: string }, count = 1): void {
    while (this.#running.size < count) {
      const worker = `pod-${++this.#started}`;
      const starting = this.#start(worker, endpoint).catch((error: unknown) => {
        this.#log(`endpoint: no worker: ${String(error)}`);
        return undefined;
      });
      this.#running.set(worker, starting);
    }
  }

  counts() {
    const running = this.#running.size;
    return { idle: 0, initializing: 0, ready: running, running, throttled: 0 };
  }

  /** Kills the workers, as if their machines were lost. */
  async kill(): Promise<void> {
    for (const child of await Promise.all(this.#running.values())) child?.kill();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const children = await Promise.all(this.#running.values());
    for (const child of children) child?.kill();
    await Promise.all(children.map((child) => child?.exited));
  }

  async #start(worker: string, endpoint: { url: string; key: string }): Promise<Child> {
    const { url, key } = endpoint;
    const { command, cwd, environment, dir } = this.#program;
    const running = join(dir, 'running');
    this.#cleared ??= killLeftovers(running);
    await this.#cleared;
    await mkdir(dir, { recursive: true });
    const child = await startChild({
      command,
      cwd,
      environment: {
        ...environment(worker),
        RUNPOD_WEBHOOK_GET_JOB: `${url}/job-take/$ID?gpu=none`,
        RUNPOD_WEBHOOK_POST_OUTPUT: `${url}/job-done/$RUNPOD_POD_ID/$ID?gpu=none`,
        RUNPOD_WEBHOOK_PING: `${url}/ping/$RUNPOD_POD_ID`,
        RUNPOD_AI_API_KEY: key,
        RUNPOD_POD_ID: worker,
        RUNPOD_ENDPOINT_ID: 'local',
      },
      logFile: join(dir, 'worker.log'),
      pidFile: join(running, worker),
    });
    void child.exited.then((code) => {
      this.#log(`endpoint: the worker ${worker} ended with ${code}`);
      this.#running.delete(worker);
      if (this.#onLost(worker) && !this.#closed) this.wake(endpoint);
    });
    return child;
  }
}
