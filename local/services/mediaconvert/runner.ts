import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import type { Meter } from '../../kernel/meter.ts';
import type { EmitEvent } from '../../kernel/service.ts';
import { checkAcceleration, type Distortion } from './encode.ts';
import { inputInformation, jobEvent, type MediaConvertEvent, statusUpdate } from './events.ts';
import { isDone, type Job, type JobWarning } from './job.ts';
import { JobError } from './job-error.ts';
import type { Objects } from './objects.ts';
import { meterOutputs } from './prices.ts';
import type { Track } from './probe.ts';
import type { CreateJob } from './schema.ts';
import type { Store } from './store.ts';
import type { Queue } from './template.ts';
import { type Tools, transcode } from './transcode.ts';

/** What the next job that is submitted does wrong. */
export type Mishap =
  /** It ends in ERROR with this. */
  | { type: 'error'; code: number; message: string }
  /** Its input is found to be truncated: the outputs end after so many seconds, and it completes with warning 220000. */
  | { type: 'truncated'; seconds: number }
  /** Its pictures are two pixels narrower than they should be. */
  | { type: 'narrower' }
  /** It stays in SUBMITTED. */
  | { type: 'stuck' }
  /** A cancel is answered as usual, and comes too late: it goes on to COMPLETE. */
  | { type: 'uncancelled' };

export interface RunnerHost {
  context: ServiceContext;
  emit: EmitEvent;
  meter: Meter;
  tools: Tools;
  /** The connection of a role to S3. */
  objectsOf(credentials: Credentials): Objects;
  /** Undefined where the role does not exist or does not trust this queue's service. */
  assume(role: string, queue: string): Credentials | undefined;
  queues: readonly Queue[];
}

const REDELIVER_MS = 1000;
const CANCELED = Symbol('cancelled');
const CLOSING = Symbol('closing');
/** Input truncated: https://docs.aws.amazon.com/mediaconvert/latest/ug/warning_codes.html */
const TRUNCATED = 220_000;

/** Takes every job through its states. */
export class Runner {
  readonly #host: RunnerHost;
  readonly #store: Store;
  readonly #running = new Map<string, { abort: AbortController; ended: Promise<void> }>();
  readonly #mishaps = new Map<string, Mishap>();
  readonly #deliveries = new Set<Promise<void>>();
  #next: Mishap[] = [];
  #started = false;
  #closed = false;

  constructor(host: RunnerHost, store: Store) {
    this.#host = host;
    this.#store = store;
  }

  get #clock() {
    return this.#host.context.clock;
  }

  /** Continues: events that were not delivered, and jobs that were running, which begin anew without another event. */
  start(): void {
    this.#started = true;
    for (const [n, event] of this.#store.outbox) this.#announce(n, event);
    this.#pump();
  }

  mishap(mishap: Mishap): void {
    this.#next.push(mishap);
  }

  async submit(id: string, queue: string, request: CreateJob): Promise<Job> {
    const job: Job = {
      id,
      queue,
      request,
      seq: this.#store.jobs.size,
      status: 'SUBMITTED',
      submittedAt: this.#clock.now(),
      warnings: [],
    };
    const mishap = this.#next.shift();
    if (mishap) this.#mishaps.set(id, mishap);
    await this.#store.save(job);
    this.#pump();
    return job;
  }

  /** Of a job that has not ended. */
  async cancel(job: Job): Promise<void> {
    if (this.#mishaps.get(job.id)?.type === 'uncancelled') return;
    job.status = 'CANCELED';
    job.finishedAt = this.#clock.now();
    await this.#save(job, 'CANCELED');
    this.#running.get(job.id)?.abort.abort(CANCELED);
    this.#pump();
  }

  running(): string[] {
    return [...this.#running.keys()];
  }

  async close(abandon: boolean): Promise<void> {
    this.#closed = true;
    for (const { abort } of this.#running.values()) abort.abort(CLOSING);
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await Promise.all(this.#deliveries);
    await (abandon ? this.#store.abandon() : this.#store.close());
  }

  /** Starts what may start: of each queue the highest priority first, then the earliest. */
  #pump(): void {
    if (!this.#started || this.#closed) return;
    const jobs = [...this.#store.jobs.values()];
    for (const { arn, slots, isPaused } of this.#host.queues) {
      const own = jobs.filter((job) => job.queue === arn && !isDone(job));
      const waiting = own
        .filter(({ id }) => !this.#running.has(id) && this.#mishaps.get(id)?.type !== 'stuck')
        .sort((a, b) => b.request.priority - a.request.priority || a.seq - b.seq);
      const free = slots - own.filter(({ id }) => this.#running.has(id)).length;
      if (!isPaused) for (const job of waiting.slice(0, Math.max(0, free))) this.#begin(job);
    }
  }

  #begin(job: Job): void {
    const abort = new AbortController();
    const ended = this.#run(job, abort.signal)
      .catch((error: unknown) => this.#host.context.log(`mediaconvert: ${job.id}: ${error}`))
      .then(() => {
        this.#running.delete(job.id);
        this.#pump();
      });
    this.#running.set(job.id, { abort, ended });
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    const dir = join(this.#host.context.dir, 'jobs', job.id);
    try {
      if (job.status === 'SUBMITTED') {
        Object.assign(job, { status: 'PROGRESSING', phase: 'PROBING', percent: 0, startedAt: this.#clock.now() });
        await this.#save(job, 'PROGRESSING');
      }
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir, { recursive: true });
      await this.#work(job, dir, signal);
    } catch (error) {
      if (signal.aborted) return;
      await this.#fail(job, error instanceof JobError ? error : new JobError(1999, `Unknown error: ${error}`));
    } finally {
      if (signal.reason !== CLOSING) await rm(dir, { recursive: true, force: true });
    }
  }

  async #work(job: Job, dir: string, signal: AbortSignal): Promise<void> {
    const { request } = job;
    const mishap = this.#mishaps.get(job.id);
    checkAcceleration(request);
    const credentials = this.#host.assume(request.role, job.queue);
    // 1433 where there is none; the local cloud's roles are few, so that one code stands for both.
    if (!credentials) throw new JobError(1434, `Unable to assume role [${request.role}]`);
    const objects = this.#host.objectsOf(credentials);
    let stop: () => void = () => {};
    let track: Track | undefined;
    try {
      const outputs = await transcode({
        tools: this.#host.tools,
        settings: request.settings,
        objects,
        dir,
        pidFile: join(this.#host.context.dir, 'running', job.id),
        distortion: distortionOf(mishap),
        signal,
        onProbed: async (probed) => {
          track = probed.video;
          await this.#save(job, 'INPUT_INFORMATION', inputInformation(job, probed));
          if (mishap?.type === 'error') throw new JobError(mishap.code, mishap.message);
          if (mishap?.type === 'truncated') await this.#warn(job, TRUNCATED, 'The input is truncated.');
          Object.assign(job, { phase: 'TRANSCODING', percent: 5 });
        },
        onTranscoding: (progress) => {
          stop = this.#update(job, progress);
        },
        onUploading: async () => {
          Object.assign(job, { phase: 'UPLOADING', percent: 95 });
        },
      });
      // A cancel that comes now comes too late.
      signal.throwIfAborted();
      Object.assign(job, { status: 'COMPLETE', percent: 100, finishedAt: this.#clock.now(), outputs });
      const { warnings } = job;
      await this.#save(job, 'COMPLETE', {
        paddingInserted: 0,
        blackVideoDetected: 0,
        ...(warnings.length > 0 && { warnings }),
        outputGroupDetails: outputs,
      });
      meterOutputs(this.#host.meter, request.settings, outputs, track);
    } finally {
      stop();
      objects.close();
    }
  }

  async #warn(job: Job, code: JobWarning['code'], warningMessage: string): Promise<void> {
    job.warnings.push({ code, count: 1 });
    await this.#save(job, 'NEW_WARNING', { warningCode: String(code), warningMessage });
  }

  async #fail(job: Job, { code, message }: JobError): Promise<void> {
    Object.assign(job, { status: 'ERROR', errorCode: code, errorMessage: message, finishedAt: this.#clock.now() });
    await this.#save(job, 'ERROR', { errorCode: code, errorMessage: message });
  }

  /** The first update comes after one interval. No percentage where there are outputs of sound alone. */
  #update(job: Job, progress: () => Promise<{ frames: number; fraction: number }>): () => void {
    const seconds = Number(job.request.statusUpdateInterval.slice('SECONDS_'.length));
    let cancel: () => void = () => {};
    const tick = async () => {
      const now = await progress();
      if (isDone(job)) return;
      job.percent = 5 + Math.floor(now.fraction * 90);
      await this.#save(job, 'STATUS_UPDATE', statusUpdate(job, now));
      arm();
    };
    const arm = () => {
      cancel = this.#clock.after(seconds * 1000, () => {
        // The journal is closed before a tick that is at work has ended.
        tick().catch((error: unknown) => this.#host.context.log(`mediaconvert: ${job.id}: ${error}`));
      });
    };
    arm();
    return () => cancel();
  }

  /** The job's state and the event of its change are saved together; the event is delivered until the bus has it. */
  async #save(job: Job, status: string, more: object = {}): Promise<void> {
    const event = jobEvent(job, this.#clock.now(), status, more);
    const n = await this.#store.save(job, event);
    if (n !== undefined) this.#announce(n, event);
  }

  #announce(n: number, event: MediaConvertEvent): void {
    const delivered = this.#host
      .emit(event)
      .then(() => this.#store.announced(n))
      .catch(() => {
        if (!this.#closed) this.#clock.after(REDELIVER_MS, () => this.#announce(n, event));
      })
      .finally(() => this.#deliveries.delete(delivered));
    this.#deliveries.add(delivered);
  }
}

function distortionOf(mishap: Mishap | undefined): Distortion {
  if (mishap?.type === 'truncated') return { endsAfter: mishap.seconds };
  return mishap?.type === 'narrower' ? { narrower: 2 } : {};
}
