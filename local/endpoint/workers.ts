import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, killLeftovers, startChild } from '../services/batch/child.ts';

/** The program that takes the jobs. */
export interface WorkerProgram {
  command: readonly string[];
  cwd: string;
  /** Beside the variables of the endpoint. */
  environment: Record<string, string>;
  /** For its log, and what identifies its process. */
  dir: string;
}

/** Id of the one worker. */
const POD = 'pod-1';

/** The workers of an endpoint: at most one, started by the first job. */
export class Workers {
  readonly #program: WorkerProgram;
  readonly #log: (line: string) => void;
  readonly #onLost: (worker: string) => boolean;
  #starting: Promise<Child | undefined> | undefined;
  #closed = false;

  /** @param onLost called when a worker has ended; returns whether another one is needed */
  constructor(program: WorkerProgram, log: (line: string) => void, onLost: (worker: string) => boolean) {
    this.#program = program;
    this.#log = log;
    this.#onLost = onLost;
  }

  wake(endpoint: { url: string; key: string }): void {
    this.#starting ??= this.#start(endpoint).catch((error: unknown) => {
      this.#log(`endpoint: no worker: ${String(error)}`);
      return undefined;
    });
  }

  counts() {
    const running = this.#starting ? 1 : 0;
    return { idle: 0, initializing: 0, ready: running, running, throttled: 0 };
  }

  /** Kills the worker, as if its machine were lost. */
  async kill(): Promise<void> {
    const child = await this.#starting;
    child?.kill();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const child = await this.#starting;
    child?.kill();
    await child?.exited;
  }

  async #start(endpoint: { url: string; key: string }): Promise<Child> {
    const { url, key } = endpoint;
    const { command, cwd, environment, dir } = this.#program;
    const running = join(dir, 'running');
    await killLeftovers(running);
    await mkdir(dir, { recursive: true });
    const child = await startChild({
      command,
      cwd,
      environment: {
        ...environment,
        RUNPOD_WEBHOOK_GET_JOB: `${url}/job-take/$ID?gpu=none`,
        RUNPOD_WEBHOOK_POST_OUTPUT: `${url}/job-done/$RUNPOD_POD_ID/$ID?gpu=none`,
        RUNPOD_WEBHOOK_PING: `${url}/ping/$RUNPOD_POD_ID`,
        RUNPOD_AI_API_KEY: key,
        RUNPOD_POD_ID: POD,
        RUNPOD_ENDPOINT_ID: 'local',
      },
      logFile: join(dir, 'worker.log'),
      pidFile: join(running, POD),
    });
    void child.exited.then((code) => {
      this.#log(`endpoint: the worker ended with ${code}`);
      this.#starting = undefined;
      if (this.#onLost(POD) && !this.#closed) this.wake(endpoint);
    });
    return child;
  }
}
