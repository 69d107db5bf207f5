import { z } from 'zod';
import { ErrorCode } from '../errors.ts';
import { CollectionId, CreatorId, JobId, MediaId } from '../ids.ts';
import { JobView } from './media.ts';

const Time = z.iso.datetime();

export const SCOPES = { creator: 'dropreel/creator', operator: 'dropreel/operator' } as const;

/** Whom the access token stands for. */
export const Me = z.object({ creatorId: CreatorId, operator: z.boolean() }).meta({ id: 'Me' });

export const Stats = z
  .object({
    /** Absent for the statistics of all creators. */
    creatorId: CreatorId.optional(),
    media: z.record(z.string(), z.number().int()),
    minutesIn: z.number(),
    /** Of all renditions together. */
    minutesOut: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    bytesSavedByArchive: z.number(),
    cost: z.array(z.object({ month: z.string(), engine: z.string(), usd: z.number(), vcpuSeconds: z.number() })),
    /** Of published jobs that had an estimate: the sums of what they were expected to take, and of what they took. */
    estimates: z
      .array(
        z.object({
          month: z.string(),
          engine: z.string(),
          jobs: z.number().int(),
          expectedSeconds: z.number(),
          seconds: z.number(),
          expectedUsd: z.number(),
          usd: z.number(),
        }),
      )
      // An API of an earlier release does not say.
      .default([]),
  })
  .meta({ id: 'Stats' });
export type Stats = z.infer<typeof Stats>;

const Spent = {
  engine: z.string(),
  /** Of all jobs whose cost is known: one that is published, and one that failed. */
  jobs: z.number().int(),
  usd: z.number(),
  vcpuSeconds: z.number(),
  /** Of those among them that were published and had an estimate: what they were expected to cost, and did. */
  estimatedJobs: z.number().int(),
  expectedUsd: z.number(),
  estimatedUsd: z.number(),
};

/** What jobs cost, by the day (UTC) on which they ended. */
export const Costs = z
  .object({
    /** The latest first; a day on which nothing was paid for is left out. */
    days: z.array(z.object({ day: z.iso.date(), ...Spent })),
    /** Of these days together, the dearest first: at most 50. */
    collections: z.array(z.object({ creatorId: CreatorId, collectionId: CollectionId, ...Spent })),
    /** How many there are beside those. */
    more: z.number().int(),
  })
  .meta({ id: 'Costs' });
export type Costs = z.infer<typeof Costs>;

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'failing']),
    checkedAt: Time,
    /** What is wrong, in sentences; empty when `ok`. */
    problems: z.array(z.string()),
    queues: z.array(
      z.object({
        name: z.string(),
        waiting: z.number().int(),
        inFlight: z.number().int(),
        delayed: z.number().int(),
        deadLetters: z.number().int(),
        /** Of the message that has been there longest; null where none is there, or CloudWatch has not measured it yet. */
        oldestSeconds: z.number().nullable().default(null),
      }),
    ),
    jobs: z.object({
      unfinished: z.number().int(),
      /** Since the last sign of life of the job that has been silent longest; null when there is none. */
      longestSilenceSeconds: z.number().nullable(),
      /** No sign of life for 15 minutes. */
      stuck: z.number().int(),
      stuckIds: z.array(JobId),
    }),
    last24Hours: z.object({
      ready: z.number().int(),
      failed: z.number().int(),
      /** Uploads that are not what the pipeline takes, such as a text: they do not degrade health. */
      refused: z.number().int(),
      latestFailure: z.object({ mediaId: MediaId, code: ErrorCode, message: z.string(), at: Time }).nullable(),
      /** The latest file under `drop/` of the last day whose key is no drop: it is not encoded. Also when it was moved or deleted since. */
      latestBadKey: z.object({ key: z.string(), at: Time }).nullable(),
    }),
    lastSweep: z.object({ at: Time, ageSeconds: z.number() }).nullable(),
    /** The last runs of sweep, the newest first: what each did, in counts by name, without those that are 0. */
    sweeps: z.array(z.object({ at: Time, tookMs: z.number(), did: z.record(z.string(), z.number()) })).default([]),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

/** A job that has not ended. */
export const JobUnderWay = JobView.extend({
  mediaId: MediaId,
  creatorId: CreatorId,
  collectionId: CollectionId,
  /** Of its media item. */
  title: z.string(),
  /** What it waits for: `cap` and `restore` are not `stuck`, however long they last. */
  waits: z.enum(['engine', 'cap', 'restore']).optional(),
  /** Its last sign of life. */
  heartbeatAt: Time,
  /** Sweep should have seen to it 10 minutes ago. */
  stuck: z.boolean(),
}).meta({ id: 'JobUnderWay' });
export type JobUnderWay = z.infer<typeof JobUnderWay>;

export const JobsUnderWay = z
  .object({
    /** Those that have been silent longest, at most 100 of each kind of work. */
    items: z.array(JobUnderWay),
    /** Whether there are more. */
    more: z.boolean(),
  })
  .meta({ id: 'JobsUnderWay' });

const EngineView = z
  .object({
    name: z.string(),
    title: z.string(),
    /** Since when submissions to it fail, how many have in a row, and why; absent: the last one succeeded. */
    failing: z
      .object({ since: Time, failures: z.number().int(), why: z.string(), pausedUntil: Time.optional() })
      .optional(),
    /** As the last sweep has seen it; absent: it did not answer. */
    seen: z
      .object({
        at: Time,
        queues: z.array(
          z.object({
            queue: z.string(),
            /** Whether any of its jobs runs or is being started. */
            atWork: z.boolean(),
            /** How many are ready to run, up to some number. */
            waiting: z.number().int(),
            blockedBy: z.string().nullable(),
          }),
        ),
        /** Parts of it that cannot be used. */
        broken: z.array(z.object({ what: z.string(), reason: z.string() })),
        /** What it may grow to, and has now, of vCPUs; absent where the engine does not say. */
        vcpus: z.object({ most: z.number(), now: z.number() }).optional(),
      })
      .optional(),
  })
  .meta({ id: 'Engine' });

export const EngineList = z.object({ items: z.array(EngineView) }).meta({ id: 'EngineList' });
export type EngineList = z.infer<typeof EngineList>;

/** What an engine that calls back sends. Keys in `output` are for information: what counts is its result.json. */
export const EngineCallback = z
  .object({
    /** The engine's own id of the job. */
    jobId: z.string().min(1).max(255),
    status: z.enum(['completed', 'failed']),
    output: z.looseObject({ mediaId: MediaId, type: z.enum(['video', 'audio']) }).optional(),
    error: z.string().max(2000).optional(),
  })
  .meta({ id: 'EngineCallback' });
export type EngineCallback = z.infer<typeof EngineCallback>;

export const CallbackReceipt = z
  .object({ accepted: z.boolean(), reason: z.enum(['ok', 'duplicate', 'stale']) })
  .meta({ id: 'CallbackReceipt' });
