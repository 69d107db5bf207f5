import { randomUUID } from 'node:crypto';
import type { Timer } from '../kernel/clock.ts';
import type { Behaviour } from './behaviour.ts';

/** https://docs.runpod.io/serverless/endpoints/job-states */
type Status = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';

export interface EndpointJob {
  id: string;
  input: unknown;
  webhook: string | undefined;
  /** Milliseconds. */
  policy: { executionTimeout: number; ttl: number };
  status: Status;
  /** Who has been given it, and was not lost: more than one where the endpoint gives it twice. */
  workers: string[];
  /** Milliseconds since the epoch. */
  addedAt: number;
  startedAt?: number;
  endedAt?: number;
  /** How often a worker was lost that had it. */
  retried: number;
  output?: unknown;
  error?: string;
}

/** How long the result of a job is kept. https://docs.runpod.io/serverless/endpoints/job-states */
const KEPT_MS = 30 * 60_000;

/** The jobs of an endpoint, in memory. Every call looks at the clock first. */
export class Jobs {
  readonly #behaviour: Behaviour;
  readonly #clock: Timer;
  readonly #onEnd: (job: EndpointJob) => void;
  readonly #jobs = new Map<string, EndpointJob>();
  /** Ids of jobs that a worker still runs though they are over, by worker. */
  readonly #stop = new Map<string, string[]>();

  constructor(behaviour: Behaviour, clock: Timer, onEnd: (job: EndpointJob) => void) {
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  add({
    input,
    webhook,
    policy,
  }: {
    input: unknown;
    webhook?: string | undefined;
    policy: EndpointJob['policy'];
  }): EndpointJob {
    const job: EndpointJob = {
      id: `${randomUUID()}-u1`,
      input,
      webhook,
      policy,
      status: 'IN_QUEUE',
      workers: [],
      addedAt: this.#clock.now(),
      retried: 0,
    };
    this.#jobs.set(job.id, job);
    return job;
  }

  get(id: string): EndpointJob | undefined {
    this.#expire();
    const job = this.#jobs.get(id);
    return job?.endedAt !== undefined && this.#behaviour.forgetful ? undefined : job;
  }

  all(): EndpointJob[] {
    return [...this.#jobs.values()];
  }

  /** The answer to GET /status. */
  statusOf(job: EndpointJob) {
    const { id, addedAt, startedAt, endedAt, output, error } = job;
    return {
      id,
      status: this.#behaviour.says ?? job.status,
      ...(startedAt !== undefined && { delayTime: startedAt - addedAt }),
      ...(startedAt !== undefined && endedAt !== undefined && { executionTime: endedAt - startedAt }),
      ...(output !== undefined && { output }),
      ...(error !== undefined && { error }),
    };
  }

  counts() {
    this.#expire();
    const of = (status: Status) => this.all().filter((job) => job.status === status).length;
    return {
      completed: of('COMPLETED'),
      failed: of('FAILED'),
      inProgress: of('IN_PROGRESS'),
      inQueue: of('IN_QUEUE'),
      retried: this.all().reduce((sum, { retried }) => sum + retried, 0),
    };
  }

  /** The oldest job that waits, or is to be given to a second worker, for this worker. */
  take(worker: string): EndpointJob | undefined {
    this.#expire();
    const ready = this.#clock.now() - this.#behaviour.slowMs;
    const isAgain = ({ status, workers: [first, second] }: EndpointJob) =>
      this.#behaviour.twice && status === 'IN_PROGRESS' && first !== worker && second === undefined;
    const job = this.all().find((job) => (job.status === 'IN_QUEUE' && job.addedAt <= ready) || isAgain(job));
    if (!job) return undefined;
    job.workers.push(worker);
    if (job.status === 'IN_QUEUE') Object.assign(job, { status: 'IN_PROGRESS', startedAt: this.#clock.now() });
    return job;
  }

  /** What a worker hands in for a job that it does not have is ignored; of two that have it, the first to hand it in ends it. */
  done(id: string, worker: string, { output, error }: Pick<EndpointJob, 'output' | 'error'>): void {
    const job = this.#jobs.get(id);
    if (job?.status !== 'IN_PROGRESS' || !job.workers.includes(worker)) return;
    if (error === undefined) this.#end(job, { status: 'COMPLETED', output });
    else this.#end(job, { status: 'FAILED', error });
    this.#onEnd(job);
  }

  cancel(job: EndpointJob): void {
    if (job.endedAt === undefined) this.#end(job, { status: 'CANCELLED' });
  }

  /**
   * A worker is gone, and others get its jobs. RunPod counts them as `retried`, and documents no more of it.
   * Returns whether there are any.
   */
  lost(worker: string): boolean {
    const had = this.all().filter((job) => job.status === 'IN_PROGRESS' && job.workers.includes(worker));
    for (const job of had) {
      job.workers = job.workers.filter((other) => other !== worker);
      if (job.workers.length === 0) Object.assign(job, { status: 'IN_QUEUE', retried: job.retried + 1 });
    }
    this.#stop.delete(worker);
    return had.some(({ status }) => status === 'IN_QUEUE');
  }

  /** Ids of the jobs that the worker has to stop. */
  toStop(worker: string): string[] | undefined {
    this.#expire();
    const ids = this.#stop.get(worker);
    this.#stop.delete(worker);
    return ids;
  }

  #end(job: EndpointJob, end: Partial<EndpointJob>): void {
    if (job.status === 'IN_PROGRESS' && end.output === undefined && end.error === undefined) {
      for (const worker of job.workers) this.#stop.set(worker, [...(this.#stop.get(worker) ?? []), job.id]);
    }
    Object.assign(job, { ...end, endedAt: this.#clock.now() });
  }

  /** The time to live counts from the submission, and ends a job that runs too: it is gone then. */
  #expire(): void {
    const now = this.#clock.now();
    for (const job of this.#jobs.values()) {
      const { policy, addedAt, startedAt = now, endedAt } = job;
      if (endedAt !== undefined) {
        if (now - endedAt > KEPT_MS) this.#jobs.delete(job.id);
      } else if (now - addedAt > policy.ttl && this.#behaviour.tellsExpired && job.status === 'IN_QUEUE') {
        this.#end(job, { status: 'TIMED_OUT' });
      } else if (now - addedAt > policy.ttl) {
        this.#end(job, {});
        this.#jobs.delete(job.id);
      } else if (now - startedAt > policy.executionTimeout) {
        this.#end(job, { status: 'TIMED_OUT' });
      }
    }
  }
}
