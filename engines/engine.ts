import type { z } from 'zod';
import { DropreelError, type ErrorCode } from '../core/contracts/errors.ts';
import type { EngineMessage } from '../core/contracts/events.ts';
import type { Job, Succeeded } from '../core/contracts/job.ts';
import type { Preset } from '../core/contracts/presets.ts';
import type { Prices } from '../core/contracts/prices.ts';
import type { JobRow } from '../core/contracts/table/jobs.ts';
import type { SourceInfo } from '../core/contracts/table/media.ts';
import type { Held } from '../core/jobs/cost.ts';

/**
 * The interface of whatever encodes media, in engine-neutral terms: docs/decisions/0106-engines.md. An engine writes under the
 * job's `output.prefix` alone. Only the `result.json` there shows success, not what the engine reports.
 */
export interface Engine {
  /** Its name in sentences for people. */
  readonly title: string;

  /**
   * Submits the job. Called again for the same job, with `tried`, when an earlier call may have succeeded.
   * @returns the engine's own id of it
   * @throws EngineRefused when the engine does not have the job, NotAsked when its service was not called; after any other error it is
   * unknown whether it has it
   */
  submit(submission: Submission): Promise<string>;

  /** The state of these jobs, by the engine's ids of them. There is an answer for each. */
  describe(engineJobIds: readonly string[]): Promise<Map<string, EngineState>>;

  /**
   * Starts one of several workers of a part a second time, beside the first, which is slow: the one that ends first counts, and ends the other.
   * Absent: no part has several.
   */
  startTwin?(
    slow: Pick<Submission, 'job' | 'purpose'> & { part: string; engineJobId: string; index: number },
  ): Promise<void>;

  /** Ends a job in whatever state it is; one that has ended stays as it is. */
  cancel(engineJobId: string, why: CancelReason): Promise<void>;

  /**
   * The event of a message of the track queue if the message is this engine's; null if not. An engine whose calls prove nothing
   * checks the job before it answers, and one whose jobs leave no `result.json` writes it first.
   */
  read(message: EngineMessage): Promise<EngineEvent | null>;

  /** Whether the engine makes progress: sweep checks once a run. */
  look(): Promise<Look>;

  /** Whether a job must not run on capacity that may be reclaimed. Kept on the row from its first submission on. */
  needsOnDemand(source: SourceInfo, preset: Preset): boolean;

  /**
   * The name of the engine whose service takes this part of a job (undefined: the first), for an engine that leaves parts to the workers of
   * another. The part that its own takes is the encode. Absent: its own takes all.
   */
  servedBy?(part: string | undefined): string;

  /**
   * What an encode of this source is expected to take, before anything is learnt from finished jobs. Makes no calls.
   * @param deadlineSeconds in what time it is to be done, where that changes what the engine does
   */
  estimate(source: SourceInfo, preset: Preset, prices: Prices, deadlineSeconds?: number): Estimate;
}

export interface Submission {
  /** What is to be made, and where to. `jobId` is its name at the engine, too. */
  job: Job;
  /** What is known of the source. */
  info: SourceInfo;
  /** What its worker and its endpoint authenticate themselves with, for engines that call the API. */
  access: () => Promise<{ secret: string; hintToken: string }>;
  /** In what time it is to be done; absent: any. */
  deadlineSeconds?: number | undefined;
  /** Re-transcodes give way to uploads. */
  purpose: JobRow['purpose'];
  /** The result of `needsOnDemand`, or true because its machine was taken away before. */
  onDemand: boolean;
  /** Whether the engine may have this part of the job from an earlier call. */
  tried: boolean;
  /** Which part is to be run, for an engine that runs a job in parts; absent: the first. */
  part: string | undefined;
  /** Number of this submission of the job, from 1; no other has it. */
  number: number;
}

/** Why a job is cancelled. An engine that returns the text includes it in the end that it reports. */
export type CancelReason =
  | 'the media item is deleted'
  | 'somebody has ended it'
  | 'the job is over'
  | 'the window is over'
  | 'another worker was quicker'
  | typeof NO_SIGN_OF_LIFE;
export const NO_SIGN_OF_LIFE = 'no sign of life';

/** How a job ended that left no good result. */
export interface EngineEnd {
  /**
   * Whether a failed `result.json` explains it. `itself`: its worker ended by itself, so that its result counts. `outside`: it
   * was stopped, so that an earlier attempt's result does not count. `unseen`: it is unknown; a permanent failure counts.
   */
  by: 'itself' | 'outside' | 'unseen';
  /** In the engine's words, for where no result explains it. */
  reason: { code: ErrorCode; message: string };
  /** The engine makes no other attempts by itself. */
  onlyAttempt?: true;
  /** The machine was taken away: the next attempt is `onDemand`. */
  reclaimed?: true;
  /** What it is billed for, where the engine reports it. */
  held?: Held;
  /** It is paid for its outputs, and has made them. */
  billed?: true;
}

export type EngineState =
  /** @property blockedBy what keeps it, and its queue with it, from going on; absent while it merely waits its turn */
  | { kind: 'waiting'; blockedBy?: string }
  /**
   * @property startedAt ISO 8601
   * @property seenAt ISO 8601: when the engine itself last saw it running, if it checks; a worker's own signs of life count too
   */
  | { kind: 'running'; startedAt?: string; seenAt?: string }
  | { kind: 'ended'; end: EngineEnd }
  /**
   * This part of the job is done, and the next one is to be submitted: of an engine that runs a job in parts.
   * @property held what its workers are billed for, where there are several
   */
  | { kind: 'continues'; next: string; held?: readonly Held[] }
  /** The engine does not know: the outputs decide, and it is asked again. */
  | { kind: 'unknown'; why: string }
  /** The engine does not answer for this job, or not in a way that can be read. */
  | { kind: 'unanswered'; error: unknown };

/** Which job an event is of. */
export interface OfJob {
  jobId: string;
  engineJobId: string;
  /** Of an engine that runs a job in parts; absent: the first. */
  part?: string | undefined;
}

/** What an engine reports by itself. Events may arrive twice, late and in any order. */
export type EngineEvent =
  | ({ kind: 'running'; startedAt?: string } & OfJob)
  | ({ kind: 'ended'; end: EngineEnd } & OfJob)
  | ({ kind: 'continues'; next: string; held?: readonly Held[] } & OfJob)
  /** A queue is blocked by this job. */
  | { kind: 'blocked'; queue: string; job: string; reason: string }
  /** Nothing that changes a row. */
  | { kind: 'nothing'; why: string };

export interface Look {
  queues: QueueState[];
  /** Parts of it that cannot be used, in the engine's words. */
  broken: { what: string; reason: string }[];
  /** How many vCPUs it may have at once, and has now; absent where that is not known. */
  vcpus?: { most: number; now: number };
}

export interface QueueState {
  queue: string;
  /** Whether any of its jobs runs or is being started. */
  atWork: boolean;
  /** How many are ready to run, up to some number. */
  waiting: number;
  /** What blocks it, in the engine's words. */
  blockedBy: string | null;
}

/** What a job took. */
export interface Usage {
  vcpuSeconds: number;
  /** Its outputs, for engines that are paid by them; absent where it made none. */
  result?: Succeeded;
  /** Of a job that failed: in which part, whether its engine is paid all the same, and what all of it was expected to cost. */
  failed?: { part: string | undefined; billed: boolean; expectedUsd: number };
}

export type Cost = NonNullable<JobRow['cost']>;

/** `seconds` from the start of its worker to its last upload, `usd` as `priceOf` has it; or why the engine is not one for the source. */
export type Estimate = { seconds: number; usd: number } | { unfit: string };
export const LENGTH_UNKNOWN: Estimate = { unfit: 'its length is unknown' };

/** The engine does not have the job. */
export class EngineRefused extends DropreelError {
  /** Whether it will never accept the job as it is; false for its rate limit, or a temporary fault. */
  readonly forGood: boolean;

  constructor(message: string, options: { forGood: boolean; cause?: unknown }) {
    super('engine_refused', message, { cause: options.cause });
    this.forGood = options.forGood;
  }
}

/** What a submission needs cannot be read: no call of its service was made, so that this says nothing of the engine. */
export class NotAsked extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** What is known of an engine without a connection, and how to connect it. */
export interface EngineKind {
  /** The variables that `connect` takes. A function of a deployment without the engine has none of them. */
  environment: z.ZodObject;
  connect(variables: Readonly<Record<string, unknown>>): Engine;
  priceOf(usage: Usage, prices: Prices): Cost;
}

/** Ties the input type of `connect` to the variables. */
export function engineKind<Env extends z.ZodObject>(kind: {
  environment: Env;
  connect: (env: z.output<Env>) => Engine;
  priceOf: (usage: Usage, prices: Prices) => Cost;
}): EngineKind {
  return { ...kind, connect: (variables) => kind.connect(kind.environment.parse(variables)) };
}
