import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import type { Meter } from '../../kernel/meter.ts';
import { type Child, startChild } from './child.ts';
import { type JobRules, jobEnvironment } from './environment.ts';
import { readImageStart } from './image.ts';
import { type Job, requirement } from './job.ts';
import type { Usage } from './processes.ts';
import { Sampler } from './sampler.ts';
import { fillDisk, onSmallDisk, smallDiskProblem } from './small-disk.ts';
import type { ComputeEnvironment, JobQueue } from './template.ts';

/** https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html */
const GRACE_MS = 30_000;
/** Fargate bills by the second, a minute at least. https://aws.amazon.com/fargate/pricing/ */
const MINIMUM_BILLED_SECONDS = 60;
/** Included in Fargate's price. */
const FREE_EPHEMERAL_GIB = 20;
const MIB = 1024 ** 2;

/**
 * Why an attempt is stopped from outside. `terminate`: TerminateJob; `timeout`; `reclaim`: the host is taken back, with notice (SIGTERM,
 * then 30 s); `host-lost`: the host is lost, with its disk; `SIGKILL`, `out-of-memory`: the container's process is killed;
 * `closing`: this cloud ends.
 */
export type StopCause = 'terminate' | 'timeout' | 'reclaim' | 'host-lost' | 'SIGKILL' | 'out-of-memory' | 'closing';

/** The outcome of an attempt, in AWS's wording. */
export interface AttemptOutcome {
  statusReason: string;
  exitCode?: number;
  reason?: string;
  cause?: StopCause | undefined;
}

/** Fewer resources than the job definition gives to an attempt. */
export interface Shortage {
  memoryMiB?: number;
  /** Size of its disk, which then is removed with the attempt. Linux only. */
  diskBytes?: number;
}

/** What every attempt receives at creation. */
export interface AttemptHost {
  context: ServiceContext;
  credentialsFor: (roleArn: string) => Credentials;
  /**
   * Build context and Dockerfile of the image that a job definition names.
   * @throws when there is none
   */
  imageDirectory: (image: string) => { directory: string; dockerFile: string };
  /** URL of the gateway. */
  endpoint: () => string;
  meter: Meter;
  /** Executable for an entry point of `node`. */
  nodePath: string;
  rules: JobRules;
  /** Called at the start of each attempt. */
  shortageOf: (jobName: string) => Shortage;
}

/** One attempt of a job, as a child process. */
export class AttemptRun {
  readonly #host: AttemptHost;
  readonly #job: Job;
  readonly #queue: JobQueue;
  readonly #computeEnvironment: ComputeEnvironment;
  #child: Child | undefined;
  #cause: StopCause | undefined;
  #shortage: Shortage = {};

  constructor(host: AttemptHost, job: Job, queue: JobQueue, computeEnvironment: ComputeEnvironment) {
    this.#host = host;
    this.#job = job;
    this.#queue = queue;
    this.#computeEnvironment = computeEnvironment;
  }

  /** The first cause given is the one that counts. */
  stop(cause: StopCause): void {
    this.#cause = cause === 'closing' ? cause : (this.#cause ?? cause);
    this.#signal(cause);
  }

  /**
   * Fills its disk.
   * @throws Error when the disk is not its own
   */
  async fillDisk(): Promise<void> {
    const bytes = this.#shortage.diskBytes;
    if (!this.#child || bytes === undefined) {
      throw new Error(`job ${this.#job.id} has no disk of its own size: filling it would fill this machine's`);
    }
    await fillDisk(this.#child.pid, { path: diskOf(this.#host.context.dir, this.#job.id), bytes });
  }

  /** Resolves when the child and all its descendants have ended. `onRunning` is awaited while it runs. */
  async run(onRunning: () => Promise<void>): Promise<AttemptOutcome> {
    if (this.#cause === 'closing') return { statusReason: '', cause: this.#cause };
    let child: Child;
    try {
      child = await this.#start();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#host.context.log(`batch: job ${this.#job.id} cannot start: ${message}`);
      return { statusReason: 'Task failed to start', reason: `CannotStartContainerError: ${message}` };
    }
    this.#child = child;
    const since = performance.now();
    const sampler = new Sampler(child, (usage) => this.#limitMemory(usage));
    const limit = this.#job.spec.timeout?.attemptDurationSeconds;
    const cancelTimeout = limit && this.#host.context.clock.after(limit * 1000, () => this.stop('timeout'));
    try {
      if (this.#cause) this.#signal(this.#cause);
      const [exitCode] = await Promise.all([child.exited, onRunning()]);
      return this.#outcome(exitCode);
    } finally {
      if (cancelTimeout) cancelTimeout();
      this.#bill((performance.now() - since) / 1000, sampler.stop());
    }
  }

  async #start(): Promise<Child> {
    const { context, credentialsFor, imageDirectory, endpoint, nodePath } = this.#host;
    const { container } = this.#job.spec;
    const { directory, dockerFile } = imageDirectory(container.image);
    const start = await readImageStart(dockerFile);
    const [program = '', ...args] = [
      ...start.entrypoint,
      ...(container.command.length > 0 ? container.command : start.command),
    ];
    const attempt = this.#job.state.attempts.length + 1;
    const disk = diskOf(context.dir, this.#job.id);
    this.#shortage = this.#host.shortageOf(this.#job.spec.jobName);
    const { environment, directories } = jobEnvironment({
      job: this.#job,
      attempt,
      queueName: this.#queue.name,
      computeEnvironmentName: this.#computeEnvironment.name,
      endpoint: endpoint(),
      credentials: container.jobRoleArn ? credentialsFor(container.jobRoleArn) : undefined,
      disk,
      machine: process.env,
      rules: this.#host.rules,
    });
    for (const each of [disk, ...directories, join(context.dir, 'logs'), join(context.dir, 'running')]) {
      await mkdir(each, { recursive: true });
    }
    const command = [program === 'node' ? nodePath : program, ...args];
    return startChild({
      command: await this.#onItsDisk(command, disk, directories),
      cwd: directory,
      environment,
      logFile: logFileOf(context.dir, this.#job.id, attempt),
      pidFile: join(context.dir, 'running', fileName(this.#job.id)),
    });
  }

  async #onItsDisk(command: string[], path: string, directories: string[]): Promise<string[]> {
    const bytes = this.#shortage.diskBytes;
    if (bytes === undefined) return command;
    const problem = await smallDiskProblem();
    if (problem) throw new Error(problem);
    return onSmallDisk(command, { path, directories, bytes });
  }

  #signal(cause: StopCause): void {
    const child = this.#child;
    if (!child) return;
    if (cause === 'terminate' || cause === 'timeout' || cause === 'reclaim') {
      child.terminate();
      const cancel = this.#host.context.clock.after(GRACE_MS, () => child.kill());
      void child.exited.then(cancel);
    } else {
      child.kill();
    }
  }

  /**
   * MEMORY is a hard limit. https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html
   * Fargate's kernel kills a process over the limit at once, this code at the next sample.
   */
  #limitMemory({ memoryBytes }: Usage): void {
    const limitMiB = this.#shortage.memoryMiB ?? requirement(this.#job.spec, 'MEMORY');
    if (memoryBytes <= limitMiB * MIB || this.#cause === 'out-of-memory') return;
    const usedMiB = Math.ceil(memoryBytes / MIB);
    this.#host.context.log(`batch: job ${this.#job.id} is killed for its memory: ${usedMiB} of ${limitMiB} MiB`);
    this.stop('out-of-memory');
  }

  #outcome(exitCode: number): AttemptOutcome {
    const cause = this.#cause;
    if (cause === 'host-lost') return { statusReason: hostLost(this.#computeEnvironment), cause };
    if (cause === 'reclaim') return { statusReason: hostLost(this.#computeEnvironment), exitCode, cause };
    const killed = cause === 'out-of-memory' && exitCode !== 0;
    return {
      statusReason: 'Essential container in task exited',
      exitCode,
      cause,
      // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/out-of-memory.html
      ...(killed ? { reason: 'OutOfMemoryError: Container killed due to memory usage' } : {}),
    };
  }

  #bill(wallSeconds: number, cpuSeconds: number): void {
    const { meter } = this.#host;
    const { spec } = this.#job;
    const type = this.#computeEnvironment.ComputeResources.Type;
    const billed = Math.max(wallSeconds, MINIMUM_BILLED_SECONDS);
    // On EC2 the instance is paid for, which a job with a GPU has for itself.
    if (requirement(spec, 'GPU') > 0) {
      meter.add(`batch:gpu-seconds:${type}`, billed * requirement(spec, 'GPU'));
    } else {
      meter.add(`batch:vcpu-seconds:${type}`, billed * requirement(spec, 'VCPU'));
      meter.add(`batch:gb-seconds:${type}`, (billed * requirement(spec, 'MEMORY')) / 1024);
    }
    const disk = spec.container.ephemeralStorage?.sizeInGiB ?? 0;
    if (disk > FREE_EPHEMERAL_GIB) meter.add('batch:ephemeral-gb-seconds', billed * (disk - FREE_EPHEMERAL_GIB));
    if (spec.container.networkConfiguration?.assignPublicIp === 'ENABLED') meter.add('batch:ipv4-seconds', billed);
    meter.add('batch:local-cpu-seconds', cpuSeconds);
  }
}

/** Status reasons of a lost host. https://docs.aws.amazon.com/batch/latest/userguide/spot-retry.html */
export function hostLost({ ComputeResources: { Type } }: ComputeEnvironment): string {
  // Fargate has no instance in the reason; a Spot task's reason is that of ECS.
  if (Type === 'FARGATE_SPOT' || Type === 'FARGATE') return 'Your Spot Task was interrupted.';
  return 'Host EC2 (instance i-0123456789abcdef0) terminated.';
}

/** A job's own disk, for all its attempts. */
export function diskOf(dir: string, jobId: string): string {
  return join(dir, 'disks', fileName(jobId));
}

export function logFileOf(dir: string, jobId: string, attempt: number): string {
  return join(dir, 'logs', `${fileName(jobId)}-${attempt}.log`);
}

/** A child of an array has a colon in its id, which not every file system accepts. */
function fileName(jobId: string): string {
  return jobId.replace(':', '_');
}
