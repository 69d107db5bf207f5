import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import type { EmitEvent } from '../../kernel/service.ts';
import { type AttemptHost, type AttemptOutcome, AttemptRun, diskOf, hostLost, type StopCause } from './attempt.ts';
import { prerequisites, readiness } from './dependencies.ts';
import { type Attempt, describeJob, isDone, type Job, type JobSpec, jobArn, requirement } from './job.ts';
import { isRetried } from './retry.ts';
import { Scheduling } from './scheduling.ts';
import type { BatchEvent, Changes, Store } from './store.ts';
import type { ComputeEnvironment, Definitions, JobQueue } from './template.ts';

const REDELIVER_MS = 1000;

/** Takes every job through its states, from SUBMITTED to its end. https://docs.aws.amazon.com/batch/latest/userguide/job_states.html */
export class JobRunner {
  readonly #host: AttemptHost;
  readonly #definitions: Definitions;
  readonly #store: Store;
  readonly #emit: EmitEvent;
  readonly #slots: number;
  readonly #scheduling: Scheduling;
  readonly #running = new Map<string, { run: AttemptRun; ended: Promise<void> }>();
  readonly #dependants = new Map<string, Set<string>>();
  /** The last delivery of each job's events, which are delivered in order. */
  readonly #deliveries = new Map<string, Promise<void>>();
  /** The reason why a compute environment cannot be used, by its name. Not kept over a restart. */
  readonly invalid = new Map<string, string>();
  #started = false;
  #closed = false;

  constructor({
    host,
    definitions,
    store,
    emit,
    slots,
  }: { host: AttemptHost; definitions: Definitions; store: Store; emit: EmitEvent; slots: number }) {
    this.#host = host;
    this.#definitions = definitions;
    this.#store = store;
    this.#emit = emit;
    this.#slots = slots;
    this.#scheduling = new Scheduling(definitions.jobQueues, definitions.schedulingPolicies);
  }

  /** Resumes the state of the last run: events, dependencies, queues. Jobs that were running have lost their host. */
  async start(): Promise<void> {
    this.#started = true;
    await this.#removeDisks();
    for (const [n, { id }] of this.#store.outbox) this.#announce(id, n);
    for (const job of this.#store.jobs.values()) this.#index(job);
    for (const job of [...this.#store.jobs.values()]) {
      const { status } = job.state;
      if (status === 'RUNNABLE') this.#enqueue(job);
      else if (status === 'STARTING' || status === 'RUNNING') await this.#finish(job, this.#hostLost(job));
      else if (status === 'SUBMITTED' || status === 'PENDING') await this.#evaluate(job);
    }
    this.#fill();
  }

  /** Resolves once the job is durable. */
  async submit(spec: JobSpec): Promise<Job> {
    const job = await this.#store.add(randomUUID(), spec, this.#now());
    for (const each of [job, ...job.children]) this.#index(each);
    if (this.#started) this.#background(this.#evaluateAll([job, ...job.children]));
    return job;
  }

  /** Ends a job that has not been started. A PENDING job ends when its dependencies have ended. */
  async cancel(job: Job, reason: string): Promise<void> {
    if (job.children.length > 0) {
      await Promise.all(job.children.map((child) => this.cancel(child, reason)));
      if (!isDone(job)) await this.#change(job, { isCancelled: true, stopReason: reason });
    } else if (job.state.status === 'RUNNABLE') {
      await this.#end(job, { status: 'FAILED', statusReason: reason, isCancelled: true, stopReason: reason });
    } else if (job.state.status === 'SUBMITTED' || job.state.status === 'PENDING') {
      await this.#change(job, { isCancelled: true, stopReason: reason });
      await this.#evaluate(job);
    }
  }

  /** Ends a job in any state. */
  async terminate(job: Job, reason: string): Promise<void> {
    if (isDone(job)) return;
    const marks = { isTerminated: true, stopReason: reason };
    if (job.children.length > 0) {
      await this.#change(job, marks);
      await Promise.all(job.children.map((child) => this.terminate(child, reason)));
    } else if (job.state.status === 'STARTING' || job.state.status === 'RUNNING') {
      await this.#change(job, marks);
      this.#running.get(job.id)?.run.stop('terminate');
    } else {
      await this.#end(job, { status: 'FAILED', statusReason: reason, isCancelled: true, ...marks });
    }
  }

  running(): string[] {
    return [...this.#running.keys()];
  }

  /**
   * Stops a running attempt.
   * @throws Error when the job is not running
   */
  async stop(jobId: string, cause: StopCause): Promise<void> {
    const { run, ended } = this.#runOf(jobId);
    run.stop(cause);
    await ended;
  }

  /**
   * Fills the disk of a running attempt.
   * @throws Error when the job is not running or does not have its own disk
   */
  async fillDisk(jobId: string): Promise<void> {
    await this.#runOf(jobId).run.fillDisk();
  }

  #runOf(jobId: string): { run: AttemptRun; ended: Promise<void> } {
    const running = this.#running.get(jobId);
    if (!running) throw new Error(`job ${jobId} is not running`);
    return running;
  }

  /** Ends the children. With `crash`, nothing more is written, as if the process had been killed. */
  async close(crash: boolean): Promise<void> {
    this.#closed = true;
    const running = [...this.#running.values()];
    for (const { run } of running) run.stop('closing');
    if (crash) await this.#store.abandon();
    await Promise.all(running.map(({ ended }) => ended));
    await Promise.all(this.#deliveries.values());
    await this.#store.close();
  }

  /** Removes disks of ended jobs that the last run did not remove. */
  async #removeDisks(): Promise<void> {
    const { dir } = this.#host.context;
    const needed = new Set(
      [...this.#store.jobs.values()].filter((job) => !isDone(job)).map(({ id }) => diskOf(dir, id)),
    );
    const names = await readdir(join(dir, 'disks')).catch(() => []);
    const old = names.map((name) => join(dir, 'disks', name)).filter((disk) => !needed.has(disk));
    await Promise.all(old.map((disk) => rm(disk, { recursive: true, force: true })));
  }

  async #evaluateAll(jobs: Job[]): Promise<void> {
    await Promise.all(jobs.map((job) => this.#evaluate(job)));
    this.#fill();
  }

  /** Advances a job that waits for others, or an array that waits for its children. */
  async #evaluate(job: Job): Promise<void> {
    const { status, isCancelled, stopReason } = job.state;
    if (status !== 'SUBMITTED' && status !== 'PENDING') return;
    if (job.children.length > 0) return this.#evaluateArray(job);
    const ready = readiness(job, (id) => this.#store.jobs.get(id));
    if (ready === 'failed') return this.#end(job, { status: 'FAILED', statusReason: 'Dependent Job failed' });
    if (ready === 'waiting') {
      if (status === 'SUBMITTED') await this.#change(job, { status: 'PENDING' });
      return;
    }
    if (isCancelled) return this.#end(job, { status: 'FAILED', statusReason: stopReason ?? '' });
    await this.#makeRunnable(job, {});
    if (job.parent) await this.#evaluateArray(job.parent);
  }

  /** An array is PENDING from its first runnable child, and ends with its last. */
  async #evaluateArray(array: Job): Promise<void> {
    if (isDone(array)) return;
    if (array.children.every(isDone)) {
      const failed = array.children.some(({ state }) => state.status === 'FAILED');
      const outcome: Changes = failed
        ? { status: 'FAILED', statusReason: 'Array Child Job failed' }
        : { status: 'SUCCEEDED' };
      await this.#end(array, outcome);
    } else if (array.state.status === 'SUBMITTED' && array.children.some(({ state }) => state.status !== 'PENDING')) {
      await this.#change(array, { status: 'PENDING' });
    }
  }

  async #makeRunnable(job: Job, changes: Changes): Promise<void> {
    const fits = this.#fits(job);
    const statusReason = fits ? null : 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE';
    const durable = this.#change(job, { ...changes, status: 'RUNNABLE', statusReason });
    if (!fits) this.#host.context.log(`batch: job ${job.id} asks for more vCPUs than its compute environments have`);
    await durable;
    this.#enqueue(job);
  }

  #enqueue(job: Job): void {
    if (job.state.status !== 'RUNNABLE' || !this.#fits(job)) return;
    this.#scheduling.add(job);
    this.#fill();
  }

  #fill(): void {
    while (!this.#closed && this.#started && this.#running.size < this.#slots) {
      const job = this.#scheduling.next(performance.now(), (queue) => this.#valid(queue).length > 0);
      if (!job) return;
      this.#scheduling.started(job, performance.now());
      const { queue, computeEnvironment } = this.#place(job);
      const run = new AttemptRun(this.#host, job, queue, computeEnvironment);
      const ended = this.#attempt(job, run).finally(() => {
        this.#running.delete(job.id);
        this.#scheduling.ended(job, performance.now());
        this.#fill();
      });
      this.#running.set(job.id, { run, ended });
      this.#background(ended);
    }
  }

  async #attempt(job: Job, run: AttemptRun): Promise<void> {
    // Durable before a process exists, because STARTING after a crash must mean that one may have existed.
    await this.#change(job, { status: 'STARTING' });
    const outcome = await run.run(() =>
      this.#change(job, {
        status: 'RUNNING',
        startedAt: this.#now(),
        logStreamName: `${job.spec.jobName}/default/${job.id}-${job.state.attempts.length + 1}`,
        // AWS Batch has its own ECS cluster for each compute environment.
        taskArn: `arn:aws:ecs:${REGION}:${ACCOUNT_ID}:task/AWSBatch-${this.#place(job).computeEnvironment.name}/${randomUUID()}`,
      }),
    );
    if (outcome.cause === 'closing') return;
    if (outcome.cause === 'host-lost')
      await rm(diskOf(this.#host.context.dir, job.id), { recursive: true, force: true });
    await this.#finish(job, outcome);
  }

  async #finish(job: Job, outcome: AttemptOutcome): Promise<void> {
    const { state, spec } = job;
    const stoppedAt = this.#now();
    const attempt: Attempt = {
      container: {
        ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
        ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
        ...(state.logStreamName === undefined ? {} : { logStreamName: state.logStreamName }),
        ...(state.taskArn === undefined ? {} : { taskArn: state.taskArn }),
        networkInterfaces: [],
      },
      ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
      stoppedAt,
      statusReason: outcome.statusReason,
    };
    const attempts = [...state.attempts, attempt];
    const succeeded = outcome.exitCode === 0 && outcome.cause !== 'timeout' && !state.isTerminated;
    const final = state.isTerminated || outcome.cause === 'timeout' || !isRetried(spec.retryStrategy, attempts);
    if (!succeeded && !final) {
      const cleared = { startedAt: null, logStreamName: null, taskArn: null, exitCode: null, reason: null };
      return this.#makeRunnable(job, { attempts, ...cleared });
    }
    const timedOut = outcome.cause === 'timeout' ? 'Job attempt duration exceeded timeout' : outcome.statusReason;
    await this.#end(job, {
      status: succeeded ? 'SUCCEEDED' : 'FAILED',
      statusReason: state.isTerminated ? (state.stopReason ?? '') : timedOut,
      attempts,
      stoppedAt,
      exitCode: outcome.exitCode ?? null,
      reason: outcome.reason ?? null,
    });
  }

  /** Ends a job, then advances the jobs that waited for it. */
  async #end(job: Job, changes: Changes): Promise<void> {
    this.#scheduling.remove(job);
    await this.#change(job, { stoppedAt: this.#now(), ...changes });
    await rm(diskOf(this.#host.context.dir, job.id), { recursive: true, force: true });
    for (const id of this.#dependants.get(job.id) ?? []) {
      const dependant = this.#store.jobs.get(id);
      if (dependant) await this.#evaluate(dependant);
    }
    if (job.parent) await this.#evaluateArray(job.parent);
  }

  async #change(job: Job, changes: Changes): Promise<void> {
    const announced = changes.status !== undefined && changes.status !== job.state.status;
    try {
      const n = await this.#store.change(job, changes, announced ? () => this.#event(job) : undefined);
      if (n !== undefined) this.#announce(job.id, n);
    } catch (error) {
      // The change is applied, and reaches the disk with the next one (see Journal.append).
      if (!this.#closed) this.#host.context.log(`batch: job ${job.id} could not be written: ${error}`);
    }
  }

  /** https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html: an event for each change, none for the submission. */
  #event(job: Job): BatchEvent {
    return {
      source: 'aws.batch',
      'detail-type': 'Batch Job State Change',
      resources: [jobArn(job.id)],
      time: `${this.#host.context.clock.iso().slice(0, 19)}Z`,
      // Without undefined fields, like the event that is read back from the journal.
      detail: JSON.parse(JSON.stringify(describeJob(job))),
    };
  }

  #announce(jobId: string, n: number): void {
    const delivery = (this.#deliveries.get(jobId) ?? Promise.resolve()).then(() => this.#deliver(n));
    this.#deliveries.set(jobId, delivery);
    void delivery.then(() => {
      if (this.#deliveries.get(jobId) === delivery) this.#deliveries.delete(jobId);
    });
  }

  async #deliver(n: number): Promise<void> {
    while (!this.#closed) {
      const entry = this.#store.outbox.get(n);
      if (!entry) return;
      try {
        await this.#emit(entry.event);
        await this.#store.announced(n);
        return;
      } catch (error) {
        if (this.#closed) return;
        this.#host.context.log(`batch: an event of job ${entry.id} was not accepted: ${error}`);
        await wait(REDELIVER_MS, undefined, { ref: false });
      }
    }
  }

  #hostLost(job: Job): AttemptOutcome {
    const { computeEnvironment } = this.#place(job);
    return { statusReason: hostLost(computeEnvironment), cause: 'host-lost' };
  }

  #fits(job: Job): boolean {
    const environments = this.#environments(this.#queue(job));
    return environments.some((it) => requirement(job.spec, 'VCPU') <= it.ComputeResources.MaxvCpus);
  }

  #place(job: Job): { queue: JobQueue; computeEnvironment: ComputeEnvironment } {
    const queue = this.#queue(job);
    const [computeEnvironment] = [...this.#valid(queue), ...this.#environments(queue)];
    if (!computeEnvironment) throw new Error(`job queue ${queue.arn} has no enabled compute environment`);
    return { queue, computeEnvironment };
  }

  invalidate(environment: string, reason: string | null): void {
    if (reason === null) this.invalid.delete(environment);
    else this.invalid.set(environment, reason);
    this.#fill();
  }

  /** An invalid compute environment is skipped: https://docs.aws.amazon.com/batch/latest/userguide/compute_environments.html */
  #valid(queue: JobQueue): ComputeEnvironment[] {
    return this.#environments(queue).filter(({ name }) => !this.invalid.has(name));
  }

  #queue(job: Job): JobQueue {
    const queue = this.#definitions.jobQueues.find(({ arn }) => arn === job.spec.jobQueue);
    if (!queue) throw new Error(`job ${job.id} is in the job queue ${job.spec.jobQueue}, which is no longer there`);
    return queue;
  }

  #environments(queue: JobQueue): ComputeEnvironment[] {
    return [...queue.ComputeEnvironmentOrder]
      .sort((a, b) => a.Order - b.Order)
      .flatMap(({ ComputeEnvironment: arn }) => this.#definitions.computeEnvironments.filter((it) => it.arn === arn))
      .filter(({ State }) => State === 'ENABLED');
  }

  #index(job: Job): void {
    for (const id of prerequisites(job)) {
      const dependants = this.#dependants.get(id) ?? new Set();
      dependants.add(job.id);
      this.#dependants.set(id, dependants);
    }
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#closed) this.#host.context.log(`batch: ${error instanceof Error ? error.stack : error}`);
    });
  }

  #now(): number {
    return this.#host.context.clock.now();
  }
}
