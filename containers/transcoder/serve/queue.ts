import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { log } from '../log.ts';

/**
 * The worker's side of a RunPod endpoint, as RunPod's Python SDK 1.12.0 speaks it; RunPod documents only that SDK. Every address comes
 * from the environment.
 */
export const QueueEnv = z.object({
  /** With `$ID` for the worker, and a query: `https://…/job-take/$ID?gpu=…` */
  RUNPOD_WEBHOOK_GET_JOB: z.url(),
  /** With `$RUNPOD_POD_ID` for the worker and `$ID` for the job. */
  RUNPOD_WEBHOOK_POST_OUTPUT: z.url(),
  RUNPOD_WEBHOOK_PING: z.url().optional(),
  /** Milliseconds. */
  RUNPOD_PING_INTERVAL: z.coerce.number().int().positive().default(10_000),
  RUNPOD_AI_API_KEY: z.string().optional(),
  RUNPOD_POD_ID: z.string().min(1),
});
export type QueueEnv = z.infer<typeof QueueEnv>;

const Taken = z.object({ id: z.string().min(1), input: z.unknown() });
export type Taken = z.infer<typeof Taken>;

/** A long poll is answered within 90 s. */
const POLL_MS = 90_000;
const PAUSE_MS = 1000;
const BUSY_PAUSE_MS = 5000;
const DONE_ATTEMPTS = 5;

export class Queue {
  readonly #env: QueueEnv;
  readonly #stops = new Map<string, () => void>();

  constructor(env: QueueEnv) {
    this.#env = env;
  }

  /** The next job; null when there is none for now. */
  async take(signal: AbortSignal): Promise<Taken | null> {
    const { RUNPOD_WEBHOOK_GET_JOB: address, RUNPOD_POD_ID: worker } = this.#env;
    try {
      const url = and(address.replaceAll('$ID', encodeURIComponent(worker)), 'job_in_progress=0');
      const response = await this.#fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(POLL_MS)]) });
      if (response.status === 200) return Taken.parse(await response.json());
      // 204: none. 400: none, of an endpoint that keeps stopped workers. 429: too many calls.
      await delay(response.status === 429 ? BUSY_PAUSE_MS : PAUSE_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return null;
      log('warn', 'no job was taken', { error: String(error) });
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
    return null;
  }

  /** Hands in a job's output or its error. */
  async done(jobId: string, result: { output: unknown } | { error: string }): Promise<void> {
    const { RUNPOD_WEBHOOK_POST_OUTPUT: address, RUNPOD_POD_ID: worker } = this.#env;
    const url = address
      .replaceAll('$RUNPOD_POD_ID', encodeURIComponent(worker))
      .replaceAll('$ID', encodeURIComponent(jobId));
    for (let attempt = 1; attempt <= DONE_ATTEMPTS; attempt++) {
      const answered = await this.#fetch(and(url, 'isStream=false'), {
        method: 'POST',
        // As the SDK sends it, JSON though it is.
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Request-ID': jobId },
        body: JSON.stringify(result),
        signal: AbortSignal.timeout(POLL_MS),
      }).catch((error: unknown) => log('warn', 'the end of a job was not handed in', { error: String(error) }));
      if (answered?.ok) return;
      await delay(PAUSE_MS * attempt);
    }
  }

  /** Tells the endpoint that the worker lives and has this job, until the function that is returned is called. */
  ping(jobId: string): () => void {
    const { RUNPOD_WEBHOOK_PING: address, RUNPOD_PING_INTERVAL: every, RUNPOD_POD_ID: worker } = this.#env;
    if (address === undefined) return () => {};
    const url = and(
      address.replaceAll('$RUNPOD_POD_ID', encodeURIComponent(worker)),
      `job_id=${encodeURIComponent(jobId)}`,
    );
    const timer = setInterval(() => {
      this.#fetch(url, { signal: AbortSignal.timeout(2 * every) }).catch(() => {});
    }, every);
    return () => clearInterval(timer);
  }

  /** Calls `stop` when the endpoint wants this job to be stopped, until the function that is returned is called. */
  onStop(jobId: string, stop: () => void): () => void {
    this.#stops.set(jobId, stop);
    return () => this.#stops.delete(jobId);
  }

  /**
   * Asks which jobs are to be stopped, until the signal is aborted. One call after the other, whatever job is under way: each is told of once,
   * and would be lost with a call that was given up.
   */
  async watchStops(signal: AbortSignal): Promise<void> {
    const { RUNPOD_WEBHOOK_GET_JOB: address, RUNPOD_POD_ID: worker } = this.#env;
    const url = address.replace('/job-take/', '/job-stop/').replaceAll('$ID', encodeURIComponent(worker));
    const ToStop = z.object({ jobsToStop: z.array(z.string()) });
    while (!signal.aborted) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(POLL_MS)]);
      const response = await this.#fetch(url, { signal: limit }).catch(() => null);
      const wanted = response?.status === 200 ? ToStop.safeParse(await response.json().catch(() => null)).data : null;
      for (const jobId of wanted?.jobsToStop ?? []) this.#stops.get(jobId)?.();
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  #fetch(url: string, options: RequestInit): Promise<Response> {
    const { RUNPOD_AI_API_KEY: key } = this.#env;
    // Without a word before it.
    const headers = {
      ...(key !== undefined && { Authorization: key }),
      ...(options.headers as Record<string, string>),
    };
    return fetch(url, { ...options, headers });
  }
}

function and(url: string, parameter: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${parameter}`;
}
